/**
 * Depthwise convolutions of any number of outputs a channel as products of small matrices, one a channel. General kernels for grouped
 * convolution call a product for each image and group; here all images go into one, at the price of multiplications by 0.
 */
import type { Shape } from '../types.js';
import { concat, matmul, pad, reshape, slice, transpose } from './arithmetic.js';
import type { Convolution, Geometry } from './convolution.js';
import type { Tape, Value } from './tape.js';

/** Cells of a channel's matrix, input plane × output plane, up to which the products by 0 cost less than they save. */
const LARGEST_MATRIX = 4096;

export const isSmallDepthwise = (x: Shape, output: Shape): boolean => x[2]! * x[3]! * output[2]! * output[3]! <= LARGEST_MATRIX;

/**
 * Each channel's convolution as one matrix, output plane × input plane (a doubly blocked Toeplitz matrix), which is linear in the
 * weights: T = W·S with S [taps, output·input] of 0 and 1.
 */
export function byPlanes(t: Tape, geometry: Geometry, x: Value, weight: Value, output: Shape): Convolution {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const heads = output[1]! / channels;
  const [into, out, taps] = [height * width, output[2]! * output[3]!, geometry.kernel[0] * geometry.kernel[1]];
  const places = placesOf(t, geometry, [height, width], [output[2]!, output[3]!]);
  const matrices = reshape(t, matmul(t, reshape(t, weight, [channels * heads, taps]), places), [channels, heads * out, into]);
  const byChannel = (v: Value, cells: number): Value => transpose(t, reshape(t, v, [n, channels, cells]), [1, 0, 2]);
  const byImage = (v: Value, shape: Shape): Value => reshape(t, transpose(t, v, [1, 0, 2]), shape);
  const images = byChannel(x, into);
  return {
    output: byImage(matmul(t, images, matrices, { b: true }), output),
    inputGradient: (dy) => byImage(matmul(t, byChannel(dy, heads * out), matrices), x.shape),
    weightGradient: (dy) => {
      const slopes = reshape(t, matmul(t, byChannel(dy, heads * out), images, { a: true }), [channels * heads, out * into]);
      return reshape(t, matmul(t, slopes, places, { b: true }), weight.shape);
    },
  };
}

/** S [taps, output cells · input cells]: 1 where the tap takes the input cell to the output cell. */
function placesOf(t: Tape, { kernel, stride, padding }: Pick<Geometry, 'kernel' | 'stride' | 'padding'>, input: readonly [number, number], output: readonly [number, number]): Value {
  const [into, out] = [input[0] * input[1], output[0] * output[1]];
  const shape = [kernel[0] * kernel[1], out * into];
  return t.table(`places.${[input, output, kernel, stride, padding].flat().join('_')}`, shape, () => {
    const places = new Float32Array(shape[0]! * shape[1]!);
    for (let tap = 0; tap < shape[0]!; tap++) {
      for (let cell = 0; cell < out; cell++) {
        const row = Math.floor(cell / output[1]) * stride[0] + Math.floor(tap / kernel[1]) - padding[0];
        const column = (cell % output[1]) * stride[1] + (tap % kernel[1]) - padding[1];
        if (row >= 0 && row < input[0] && column >= 0 && column < input[1]) places[(tap * out + cell) * into + row * input[1] + column] = 1;
      }
    }
    return places;
  });
}

/**
 * Gradient by the weight, row by row: a product of the output's rows with the kh input rows that each looks at, then the sums along
 * the diagonals, which belong to one tap.
 */
export function weightGradientByRows(t: Tape, { kernel, stride, padding }: Geometry, dy: Value, x: Value, weight: Value): Value {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [, outChannels, oh, ow] = dy.shape as [number, number, number, number];
  const heads = outChannels / channels;
  const padded = pad(t, reshape(t, transpose(t, reshape(t, x, [n, channels, height * width]), [1, 0, 2]), [channels, n, height, width]), 2, padding[0], padding[2]);
  const seen = Array.from({ length: kernel[0] }, (_, ky) => slice(t, padded, 2, ky, ky + stride[0] * (oh - 1) + 1, stride[0]));
  const rows = reshape(t, concat(t, seen, 3), [channels, n * oh, kernel[0] * width]);
  const slopes = reshape(t, transpose(t, reshape(t, dy, [n, channels, heads, oh, ow]), [1, 0, 3, 2, 4]), [channels, n * oh, heads * ow]);
  const products = reshape(t, matmul(t, slopes, rows, { a: true }), [channels, heads, ow, kernel[0], width]);
  const places = placesOf(t, { kernel: [1, kernel[1]], stride: [1, stride[1]], padding: [0, padding[1], 0, padding[3]] }, [1, width], [1, ow]);
  const byTap = reshape(t, transpose(t, products, [0, 1, 3, 2, 4]), [outChannels * kernel[0], ow * width]);
  return reshape(t, matmul(t, byTap, places, { b: true }), weight.shape);
}
