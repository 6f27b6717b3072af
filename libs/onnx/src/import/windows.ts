import { samePadding, type Padding, type Pair, type Shape } from '@app/graph';
import { Unsupported, type Scope } from './scope.js';

export interface ImportedWindow {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
}

function pairOf(values: readonly number[] | null, fallback: number): Pair {
  if (values === null) return [fallback, fallback];
  if (values.length === 1) return [1, values[0]!];
  if (values.length !== 2) throw new Unsupported(`a window over ${values.length} axes`);
  return [values[0]!, values[1]!];
}

function explicitPadding(pads: readonly number[] | null): Padding {
  if (pads === null) return [0, 0, 0, 0];
  if (pads.length === 2) return [0, pads[0]!, 0, pads[1]!];
  if (pads.length !== 4) throw new Unsupported(`padding of ${pads.length / 2} axes`);
  return [pads[0]!, pads[1]!, pads[2]!, pads[3]!];
}

/** `ceil_mode` as padding at the end: the last window must start inside the input or its leading padding. */
function ceilPadding(padding: Padding, window: Omit<ImportedWindow, 'padding'>, size: Pair): Padding {
  const end = [0, 1].map((axis) => {
    const reach = window.dilation[axis]! * (window.kernel[axis]! - 1) + 1;
    const before = padding[axis]!;
    const free = size[axis]! + before + padding[axis + 2]! - reach;
    let windows = Math.ceil(free / window.stride[axis]!) + 1;
    if ((windows - 1) * window.stride[axis]! >= size[axis]! + before) windows--;
    return Math.max(padding[axis + 2]!, (windows - 1) * window.stride[axis]! + reach - size[axis]! - before);
  });
  return [padding[0], padding[1], end[0]!, end[1]!];
}

/** Kernel, stride, padding and dilation of Conv, MaxPool and AveragePool over [N, C, H, W], or [N, C, L] seen as one row. */
export function readWindow(scope: Scope, x: Shape, kernelShape: readonly number[] | null): ImportedWindow {
  const kernel = pairOf(kernelShape ?? scope.numbers('kernel_shape'), NaN);
  const stride = pairOf(scope.numbers('strides'), 1);
  const dilation = pairOf(scope.numbers('dilations'), 1);
  const size: Pair = x.length === 3 ? [1, x[2]!] : [x[2]!, x[3]!];
  const autoPad = scope.text('auto_pad', 'NOTSET');
  if (autoPad === 'SAME_UPPER') return { kernel, stride, dilation, padding: samePadding(size, kernel, stride, dilation) };
  if (autoPad === 'SAME_LOWER') {
    const [top, left, bottom, right] = samePadding(size, kernel, stride, dilation);
    return { kernel, stride, dilation, padding: [bottom, right, top, left] };
  }
  const padding = autoPad === 'VALID' ? explicitPadding(null) : explicitPadding(scope.numbers('pads'));
  return { kernel, stride, dilation, padding: scope.number('ceil_mode', 0) === 1 ? ceilPadding(padding, { kernel, stride, dilation }, size) : padding };
}
