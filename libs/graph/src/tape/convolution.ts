import { elements } from '../shape.js';
import type { OpAttrs } from '../types.js';
import { matmul, reshape, slice, sum, transpose } from './arithmetic.js';
import type { Tape, Value } from './tape.js';

type Geometry = Pick<OpAttrs['conv2d'], 'kernel' | 'stride' | 'padding' | 'dilation' | 'groups'>;

const attributes = ({ kernel, stride, padding, dilation, groups }: Geometry) =>
  ({ kernel_shape: { ints: kernel }, strides: { ints: stride }, pads: { ints: padding }, dilations: { ints: dilation }, group: { int: groups } }) as const;

/** A 1×1 convolution at stride 1 is a matrix product over [N, C, H·W]. */
const isPointwise = ({ kernel, stride, padding, groups }: Geometry): boolean =>
  groups === 1 && kernel[0] === 1 && kernel[1] === 1 && stride[0] === 1 && stride[1] === 1 && padding.every((p) => p === 0);

const planes = (t: Tape, x: Value): Value => reshape(t, x, [x.shape[0]!, x.shape[1]!, x.shape[2]! * x.shape[3]!]);
const matrix = (t: Tape, weight: Value): Value => reshape(t, weight, [weight.shape[0]!, weight.shape[1]!]);

/** x [N, C, H, W] with weight [O, C/groups, kh, kw] → `output`. */
export function convolve(t: Tape, geometry: Geometry, x: Value, weight: Value, output: readonly number[]): Value {
  if (isPointwise(geometry)) return reshape(t, matmul(t, matrix(t, weight), planes(t, x)), output);
  return t.op('Conv', [x, weight], output, attributes(geometry));
}

/** Gradient by the input: the transposed convolution of dy, with the rows and columns that no window reached put back. */
export function inputGradient(t: Tape, geometry: Geometry, dy: Value, weight: Value, x: Value): Value {
  if (isPointwise(geometry)) return reshape(t, matmul(t, matrix(t, weight), planes(t, dy), { a: true }), x.shape);
  const { kernel, stride, padding, dilation } = geometry;
  const beyond = ([0, 1] as const).map((i) => x.shape[i + 2]! + padding[i] + padding[i + 2]! - dilation[i] * (kernel[i] - 1) - 1 - (dy.shape[i + 2]! - 1) * stride[i]);
  return t.op('ConvTranspose', [dy, weight], x.shape, { ...attributes(geometry), output_padding: { ints: beyond } });
}

/**
 * Gradient by the weight: dW[o, i, k] = Σ over n and positions of dy[n, o, p]·x[n, i, s·p + d·k]. That is a convolution too, with
 * dy for its kernel, batch and channels having changed places, and stride and dilation as well.
 */
export function weightGradient(t: Tape, geometry: Geometry, dy: Value, x: Value, weight: Value): Value {
  if (isPointwise(geometry)) return reshape(t, sum(t, matmul(t, planes(t, dy), planes(t, x), { b: true }), [0]), weight.shape);
  const { kernel, stride, padding, dilation, groups } = geometry;
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const outChannels = dy.shape[1]!;
  const perGroup = channels / groups;
  const folded = reshape(t, transpose(t, reshape(t, x, [n, groups, perGroup, height, width]), [2, 1, 0, 3, 4]), [perGroup, groups * n, height, width]);
  const swapped = { kernel: [dy.shape[2]!, dy.shape[3]!], stride: dilation, dilation: stride, padding, groups } as const;
  const reach = ([0, 1] as const).map((i) => Math.floor((x.shape[i + 2]! + padding[i] + padding[i + 2]! - stride[i] * (dy.shape[i + 2]! - 1) - 1) / dilation[i]) + 1);
  const full = t.op('Conv', [folded, transpose(t, dy, [1, 0, 2, 3])], [perGroup, outChannels, reach[0]!, reach[1]!], attributes(swapped));
  return transpose(t, slice(t, slice(t, full, 2, 0, kernel[0]), 3, 0, kernel[1]), [1, 0, 2, 3]);
}

/** Sum of dy over everything but the channels of axis 1, [C]. */
export function channelSum(t: Tape, dy: Value): Value {
  const [n, channels] = dy.shape as [number, number];
  const plane = elements(dy.shape.slice(2));
  // over the plane first: long runs in memory
  const perImage = sum(t, reshape(t, dy, [n, channels, plane]), [2]);
  return reshape(t, sum(t, perImage, [0]), [channels]);
}
