import { OpFault } from './errors.js';
import type { Pair, Padding, Shape, Tensor } from './types.js';

/** Largest tensor we describe: sizes and counts stay exact integers far below 2^53. */
const MAX_ELEMENTS = 2 ** 40;

/** Product of the dimensions; 1 for a scalar []. */
export function elements(shape: Shape): number {
  let product = 1;
  for (let i = 0; i < shape.length; i++) product *= shape[i]!;
  return product;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** @throws OpFault unless every dimension is a positive integer and the tensor is of a size we can count */
export function expectShape(shape: Shape): void {
  const bad = shape.findIndex((d) => !Number.isSafeInteger(d) || d < 1);
  if (bad >= 0) throw new OpFault(`expected positive integer dimensions, got ${showShape(shape)}`);
  if (elements(shape) > MAX_ELEMENTS) throw new OpFault(`expected at most 2^40 elements, got shape ${showShape(shape)}`);
}

export function expectRank(shape: Shape, rank: number, layout: string): void {
  if (shape.length !== rank) throw new OpFault(`expected an input ${layout}, got shape ${showShape(shape)}`);
}

/** @throws OpFault unless the value is an integer from min to max */
export function expectInt(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new OpFault(`expected ${name} to be an integer ${max === Number.MAX_SAFE_INTEGER ? `≥ ${min}` : `from ${min} to ${max}`}, got ${value}`);
  }
}

export function expectPositive(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0) throw new OpFault(`expected ${name} to be a finite number > 0, got ${value}`);
}

/** Index of an axis counted from the front; −1 is the last. */
export function axisOf(axis: number, rank: number): number {
  expectInt('axis', axis, -rank, rank - 1);
  return axis < 0 ? axis + rank : axis;
}

/** Shape of an element-wise operation of two tensors (numpy broadcasting). */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) throw new OpFault(`expected shapes that broadcast, got ${showShape(a)} and ${showShape(b)}`);
    return Math.max(da, db);
  });
}

/** A window that slides over the two spatial axes; padding is [top, left, bottom, right]. */
export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
}

/** Output height and width of a sliding window: floor((size + padding − dilation·(k−1) − 1) / stride) + 1. */
export function slide(window: Window, height: number, width: number): Pair {
  const along = (name: string, axis: 0 | 1, size: number): number => {
    expectInt(`kernel ${name}`, window.kernel[axis], 1);
    expectInt(`stride ${name}`, window.stride[axis], 1);
    expectInt(`dilation ${name}`, window.dilation[axis], 1);
    expectInt(`padding before ${name}`, window.padding[axis], 0);
    expectInt(`padding after ${name}`, window.padding[axis + 2]!, 0);
    const reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
    const padded = size + window.padding[axis] + window.padding[axis + 2]!;
    if (padded < reach) throw new OpFault(`expected a padded ${name} of at least ${reach} for the window, got ${padded}`);
    return Math.floor((padded - reach) / window.stride[axis]) + 1;
  };
  return [along('height', 0, height), along('width', 1, width)];
}

export function tensor(shape: Shape, data: Float32Array = new Float32Array(elements(shape))): Tensor {
  if (data.length !== elements(shape)) throw new OpFault(`expected ${elements(shape)} values for shape ${showShape(shape)}, got ${data.length}`);
  return { shape, data };
}
