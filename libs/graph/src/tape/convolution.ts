import { elements } from '../shape.js';
import type { OpAttrs } from '../types.js';
import { concat, matmul, mean, pad, reshape, slice, sum, transpose } from './arithmetic.js';
import { byPlanes, isSmallDepthwise, weightGradientByRows } from './depthwise.js';
import type { Tape, Value } from './tape.js';

export type Geometry = Pick<OpAttrs['conv2d'], 'kernel' | 'stride' | 'padding' | 'dilation' | 'groups'>;

/** A convolution on a tape. Gradients from that by the output, dy. */
export interface Convolution {
  readonly output: Value;
  readonly inputGradient: (dy: Value) => Value;
  readonly weightGradient: (dy: Value) => Value;
}

const attributes = ({ kernel, stride, padding, dilation, groups }: Geometry) =>
  ({ kernel_shape: { ints: kernel }, strides: { ints: stride }, pads: { ints: padding }, dilations: { ints: dilation }, group: { int: groups } }) as const;

/** A 1×1 convolution at stride 1 is a matrix product over [N, C, H·W]. */
const isPointwise = ({ kernel, stride, padding, groups }: Geometry): boolean =>
  groups === 1 && kernel[0] === 1 && kernel[1] === 1 && stride[0] === 1 && stride[1] === 1 && padding.every((p) => p === 0);

/** x [N, C, H, W] with weight [O, C/groups, kh, kw] → `output`, in the form that is fastest for its geometry. */
export function convolution(t: Tape, geometry: Geometry, x: Value, weight: Value, output: readonly number[]): Convolution {
  if (isPointwise(geometry)) return pointwise(t, x, weight, output);
  const depthwise = geometry.groups > 1 && geometry.groups === x.shape[1] && geometry.dilation.every((d) => d === 1);
  if (depthwise && isSmallDepthwise(x.shape, output)) return byPlanes(t, geometry, x, weight, output);
  return {
    output: t.op('Conv', [x, weight], output, attributes(geometry)),
    inputGradient: (dy) => transposedConvolution(t, geometry, dy, weight, x),
    weightGradient: (dy) => {
      if (depthwise) return weightGradientByRows(t, geometry, dy, x, weight);
      return geometry.groups === 1 ? weightGradientByTaps(t, geometry, dy, x, weight) : weightGradientByConvolution(t, geometry, dy, x, weight);
    },
  };
}

/** Cells of a plane up to which the images of a batch go into one product, and are turned for it. */
const SMALL_PLANE = 16;

/** One product [O, C] × [C, N·H·W] for small planes, one for each image for large ones. */
function pointwise(t: Tape, x: Value, weight: Value, output: readonly number[]): Convolution {
  const [n, channels, outChannels, plane] = [x.shape[0]!, x.shape[1]!, weight.shape[0]!, x.shape[2]! * x.shape[3]!];
  if (plane === 1) {
    const [rows, kernel] = [reshape(t, x, [n, channels]), reshape(t, weight, [outChannels, channels])];
    const slopes = (dy: Value): Value => reshape(t, dy, [n, outChannels]);
    return {
      output: reshape(t, matmul(t, rows, kernel, { b: true }), output),
      inputGradient: (dy) => reshape(t, matmul(t, slopes(dy), kernel), x.shape),
      weightGradient: (dy) => reshape(t, matmul(t, slopes(dy), rows, { a: true }), weight.shape),
    };
  }
  if (plane <= SMALL_PLANE) {
    const turned = (v: Value): Value => reshape(t, transpose(t, reshape(t, v, [n, v.shape[1]!, plane]), [1, 0, 2]), [v.shape[1]!, n * plane]);
    const back = (v: Value, shape: readonly number[]): Value => reshape(t, transpose(t, reshape(t, v, [shape[1]!, n, plane]), [1, 0, 2]), shape);
    const kernel = reshape(t, weight, [outChannels, channels]);
    return {
      output: back(matmul(t, kernel, turned(x)), output),
      inputGradient: (dy) => back(matmul(t, kernel, turned(dy), { a: true }), x.shape),
      weightGradient: (dy) => reshape(t, matmul(t, turned(dy), turned(x), { b: true }), weight.shape),
    };
  }
  const planes = (v: Value): Value => reshape(t, v, [v.shape[0]!, v.shape[1]!, v.shape[2]! * v.shape[3]!]);
  const matrix = reshape(t, weight, [weight.shape[0]!, weight.shape[1]!]);
  return {
    output: reshape(t, matmul(t, matrix, planes(x)), output),
    inputGradient: (dy) => reshape(t, matmul(t, matrix, planes(dy), { a: true }), x.shape),
    weightGradient: (dy) => reshape(t, sum(t, matmul(t, planes(dy), planes(x), { b: true }), [0]), weight.shape),
  };
}

/** Gradient by the input: the transposed convolution of dy, with the rows and columns that no window reached put back. */
function transposedConvolution(t: Tape, geometry: Geometry, dy: Value, weight: Value, x: Value): Value {
  const { kernel, stride, padding, dilation } = geometry;
  const beyond = ([0, 1] as const).map((i) => x.shape[i + 2]! + padding[i] + padding[i + 2]! - dilation[i] * (kernel[i] - 1) - 1 - (dy.shape[i + 2]! - 1) * stride[i]);
  return t.op('ConvTranspose', [dy, weight], x.shape, { ...attributes(geometry), output_padding: { ints: beyond } });
}

/** Rows of a product that are worth a call of their own. */
const GOOD_ROWS = 64;

/**
 * Gradient by the weight of an ungrouped convolution: for each tap a matrix product of dy with the input shifted to it, images and
 * positions being what is summed over. Taps go together where channels are few.
 */
function weightGradientByTaps(t: Tape, { kernel, stride, padding, dilation }: Geometry, dy: Value, x: Value, weight: Value): Value {
  const [n, outChannels, oh, ow] = dy.shape as [number, number, number, number];
  const channels = x.shape[1]!;
  const byChannel = pad(t, pad(t, transpose(t, x, [1, 0, 2, 3]), 2, padding[0], padding[2]), 3, padding[1], padding[3]);
  const shifted: Value[] = [];
  for (let ky = 0; ky < kernel[0]; ky++) {
    const top = ky * dilation[0];
    const rows = slice(t, byChannel, 2, top, top + stride[0] * (oh - 1) + 1, stride[0]);
    for (let kx = 0; kx < kernel[1]; kx++) {
      const left = kx * dilation[1];
      shifted.push(reshape(t, slice(t, rows, 3, left, left + stride[1] * (ow - 1) + 1, stride[1]), [channels, n * oh * ow]));
    }
  }
  const together = Math.max(1, Math.floor(GOOD_ROWS / channels));
  const slopes = reshape(t, transpose(t, dy, [1, 0, 2, 3]), [outChannels, n * oh * ow]);
  const pieces: Value[] = [];
  for (let i = 0; i < shifted.length; i += together) pieces.push(matmul(t, slopes, concat(t, shifted.slice(i, i + together), 0), { b: true }));
  const taps = reshape(t, concat(t, pieces, 1), [outChannels, kernel[0] * kernel[1], channels]);
  return reshape(t, transpose(t, taps, [0, 2, 1]), weight.shape);
}

/**
 * Gradient by the weight: dW[o, i, k] = Σ over n and positions of dy[n, o, p]·x[n, i, s·p + d·k]. That is a convolution too, with
 * dy for its kernel, batch and channels having changed places, and stride and dilation as well.
 */
function weightGradientByConvolution(t: Tape, geometry: Geometry, dy: Value, x: Value, weight: Value): Value {
  const { kernel, stride, padding, dilation, groups } = geometry;
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const outChannels = dy.shape[1]!;
  const perGroup = weight.shape[1]!;
  const folded = reshape(t, transpose(t, reshape(t, x, [n, groups, channels / groups, height, width]), [2, 1, 0, 3, 4]), [perGroup, groups * n, height, width]);
  const swapped = { kernel: [dy.shape[2]!, dy.shape[3]!], stride: dilation, dilation: stride, padding, groups } as const;
  const reach = ([0, 1] as const).map((i) => Math.floor((x.shape[i + 2]! + padding[i] + padding[i + 2]! - stride[i] * (dy.shape[i + 2]! - 1) - 1) / dilation[i]) + 1);
  const full = t.op('Conv', [folded, transpose(t, dy, [1, 0, 2, 3])], [perGroup, outChannels, reach[0]!, reach[1]!], attributes(swapped));
  return transpose(t, slice(t, slice(t, full, 2, 0, kernel[0]), 3, 0, kernel[1]), [1, 0, 2, 3]);
}

/** Sum of x over everything but the channels of axis 1, [C]. */
export const channelSum = (t: Tape, x: Value): Value => perChannel(t, x, sum);

/** Mean of x over everything but the channels of axis 1, [C]. */
export const channelMean = (t: Tape, x: Value): Value => perChannel(t, x, mean);

function perChannel(t: Tape, x: Value, reduce: typeof sum): Value {
  const [n, channels] = x.shape as [number, number];
  // over the plane first: long runs in memory
  const perImage = reduce(t, reshape(t, x, [n, channels, elements(x.shape.slice(2))]), [2]);
  return reshape(t, reduce(t, reshape(t, perImage, [n, channels]), [0]), [channels]);
}
