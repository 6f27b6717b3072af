import type { Pair, Shape } from '@app/graph';
import { broadcastTo } from './broadcast.js';
import type { Operator } from './operators-layers.js';
import { Unsupported, type Scope } from './scope.js';

const axisAt = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function concat(scope: Scope): void {
  scope.define(scope.add('concat', scope.node.inputs.map((_, i) => scope.x(i)), { axis: scope.number('axis', 1) }));
}

function slice(scope: Scope): void {
  const x = scope.shape();
  const starts = scope.list('starts', 1) ?? [];
  const ends = scope.list('ends', 2) ?? [];
  const axes = scope.list('axes', 3) ?? starts.map((_, i) => i);
  const steps = scope.list('steps', 4) ?? starts.map(() => 1);
  const ranges = axes.map((axis, i) => {
    const at = axisAt(axis, x.length);
    const clamp = (v: number): number => Math.min(x[at]!, Math.max(0, v < 0 ? v + x[at]! : v));
    return { at, start: clamp(starts[i]!), end: clamp(ends[i]!) };
  });
  if (steps.some((s) => s !== 1)) {
    const strided = x.map((d, axis) => {
      const i = ranges.findIndex((r) => r.at === axis);
      return i < 0 ? d : Math.ceil((ranges[i]!.end - ranges[i]!.start) / steps[i]!);
    });
    throw new Unsupported('a slice in steps', strided.every((d) => d > 0) ? strided : null);
  }
  let y = scope.x();
  for (const { at, start, end } of ranges) if (start !== 0 || end !== x[at]) y = scope.add('slice', [y], { axis: at, start, end });
  scope.define(y === scope.x() ? scope.add('identity', [y], {}) : y);
}

function split(scope: Scope): void {
  const x = scope.shape();
  const axis = axisAt(scope.number('axis', 0), x.length);
  const parts = scope.node.outputs.length;
  const even = Math.ceil(x[axis]! / parts);
  const sizes = scope.list('split', 1) ?? scope.node.outputs.map((_, i) => Math.min(even, x[axis]! - i * even));
  let start = 0;
  sizes.forEach((size, i) => {
    scope.define(scope.add('slice', [scope.x()], { axis, start, end: start + size }), i);
    start += size;
  });
}

/** Zeros around any axes: on the channels our own op, elsewhere zeros that are joined on. Convolutions take theirs in before (patterns). */
function pad(scope: Scope): void {
  const x = scope.shape();
  const amounts = scope.list('pads', 1) ?? [];
  const some = scope.has(3) ? Array.from(scope.stored(3, 'the axes').data, (a) => axisAt(a, x.length)) : x.map((_, i) => i);
  const side = (offset: number): number[] => x.map((_, axis) => (some.includes(axis) ? (amounts[some.indexOf(axis) + offset] ?? 0) : 0));
  const before = side(0);
  const after = side(some.length);
  const output = x.map((d, axis) => d + before[axis]! + after[axis]!);
  const value = scope.has(2) ? scope.stored(2, 'the padding value').data[0]! : scope.number('value', 0);
  if (scope.text('mode', 'constant') !== 'constant' || value !== 0) throw new Unsupported('padding with other than zeros', output);
  if ([...before, ...after].some((p) => p < 0)) throw new Unsupported('negative padding', output);
  let y = scope.x();
  let shape: Shape = x;
  x.forEach((_, axis) => {
    if (before[axis] === 0 && after[axis] === 0) return;
    const zeros = (count: number): string[] => (count === 0 ? [] : [scope.filled(shape.map((d, i) => (i === axis ? count : d)), 0)]);
    y = axis === 1
      ? scope.add('padChannels', [y], { before: before[1]!, after: after[1]! })
      : scope.add('concat', [...zeros(before[axis]!), y, ...zeros(after[axis]!)], { axis });
    shape = shape.map((d, i) => (i === axis ? d + before[axis]! + after[axis]! : d));
  });
  scope.define(y === scope.x() ? scope.add('identity', [y], {}) : y);
}

function reshapeTo(scope: Scope, shape: Shape): void {
  scope.define(scope.add('reshape', [scope.x()], { shape }));
}

function reshape(scope: Scope): void {
  const x = scope.shape();
  const wanted = Array.from(scope.stored(1, 'the new shape').data);
  reshapeTo(scope, wanted.map((d, i) => (d === 0 && scope.number('allowzero', 0) === 0 ? x[i]! : d)));
}

function flatten(scope: Scope): void {
  const x = scope.shape();
  const axis = axisAt(scope.number('axis', 1), x.length);
  if (axis === 1) return scope.define(scope.add('flatten', [scope.x()], {}));
  reshapeTo(scope, [x.slice(0, axis).reduce((a, b) => a * b, 1), x.slice(axis).reduce((a, b) => a * b, 1)]);
}

function squeeze(scope: Scope): void {
  const x = scope.shape();
  const axes = scope.list('axes', 1)?.map((a) => axisAt(a, x.length));
  reshapeTo(scope, x.filter((d, i) => (axes === undefined ? d !== 1 : !axes.includes(i))));
}

function unsqueeze(scope: Scope): void {
  const axes = scope.list('axes', 1) ?? [];
  const shape = [...scope.shape()];
  const rank = shape.length + axes.length;
  for (const axis of axes.map((a) => axisAt(a, rank)).sort((a, b) => a - b)) shape.splice(axis, 0, 1);
  reshapeTo(scope, shape);
}

function transpose(scope: Scope): void {
  const rank = scope.shape().length;
  scope.define(scope.add('transpose', [scope.x()], { perm: scope.numbers('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i) }));
}

function expand(scope: Scope): void {
  const wanted = Array.from(scope.stored(1, 'the new shape').data);
  const x = scope.shape();
  const output = broadcastTo(x, wanted)?.shape ?? null;
  if (output?.join() === x.join()) return scope.define(scope.add('identity', [scope.x()], {}));
  throw new Unsupported('a repetition of values', output);
}

/** Factors of Resize, from scales or from sizes. */
function scalesOf(scope: Scope, x: Shape): readonly number[] {
  const [scaleInput, sizeInput] = scope.node.opType === 'Upsample' || scope.opset < 11 ? [1, -1] : [2, 3];
  const scales = scope.numbers('scales') ?? (scope.has(scaleInput) ? Array.from(scope.stored(scaleInput, 'the scales').data) : []);
  if (scales.length > 0) return scales;
  return Array.from(scope.stored(sizeInput, 'the sizes').data, (size, i) => size / x[i]!);
}

/** Nearest and bilinear resampling, in the conventions that `resize` has; others are known by their shape only. */
function resize(scope: Scope): void {
  const x = scope.shape();
  const scales = scalesOf(scope, x);
  if (x.length !== 4 || scales.length !== 4) throw new Unsupported('resampling of other than [N, C, H, W]');
  const output = x.map((d, i) => Math.floor(d * scales[i]! + 1e-6));
  const scale: Pair = [scales[2]!, scales[3]!];
  const legacy = scope.node.opType === 'Upsample' || scope.opset < 11;
  const coordinates = scope.text('coordinate_transformation_mode', legacy ? 'asymmetric' : 'half_pixel');
  const mode = scope.text('mode', 'nearest');
  const enlarged = scale.every((s) => Number.isInteger(s));
  const floors = legacy || scope.text('nearest_mode', 'round_prefer_floor') === 'floor';
  // for whole factors the pixel centre lies in the source pixel that ⌊i / s⌋ names, whichever way ties are rounded
  const nearest = mode === 'nearest' && ((coordinates === 'asymmetric' && floors) || (enlarged && (coordinates === 'half_pixel' || coordinates === 'pytorch_half_pixel') && !floors));
  const linear = mode === 'linear' && (coordinates === 'half_pixel' || (coordinates === 'pytorch_half_pixel' && output[2]! > 1 && output[3]! > 1));
  const exact = scale.every((s, i) => Math.floor(x[i + 2]! * s) === output[i + 2]);
  if (scales[0] !== 1 || scales[1] !== 1 || (!nearest && !linear) || !exact) throw new Unsupported(`${mode} resampling with ${coordinates} coordinates`, output);
  scope.define(scope.add('resize', [scope.x()], { scale, mode: nearest ? 'nearest' : 'linear' }));
}

/** Operators that move values about. */
export const LAYOUT: Readonly<Record<string, Operator>> = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Pad: pad,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Resize: resize,
  Upsample: resize,
};
