/**
 * Quantised values as integers with a scale, rounded as the tape's quantisers round (`Quantizer` of libs/graph): in single precision,
 * halves to the even neighbour.
 */
import { elements, type Quantizer, type Tensor } from '@app/graph';

/** Weights [O, …]: w ≈ scale[o] · code. */
export interface Codes {
  /** the weights' shape; integers */
  readonly codes: Tensor;
  /** [O], > 0 */
  readonly scales: Float32Array;
}

/** x ≈ scale · (code − zero), codes 0 … levels − 1 */
export interface Range {
  readonly scale: number;
  readonly zero: number;
  readonly levels: number;
}

/** Widths of rows and cells that nothing varies in. */
const TINY = 1e-12;
const LARGEST_CODE = 127;
const f = Math.fround;

export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const part = x - low;
  if (part !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** Whether a signed byte holds the codes of so many levels: an odd number of them has 0 among them, of an even one they are the odd numbers. */
export const fitByte = ({ levels }: Quantizer): boolean => (levels % 2 === 0 ? levels - 1 : (levels - 1) / 2) <= LARGEST_CODE;

export function weightCodes({ kind, levels }: Quantizer, weight: Tensor): Codes {
  const even = levels % 2 === 0;
  const channels = weight.shape[0]!;
  const size = elements(weight.shape) / channels;
  const codes = new Float32Array(weight.data.length);
  const scales = new Float32Array(channels);
  const code = (k: number): number => (even ? 2 * k - (levels - 1) : k - (levels - 1) / 2);
  const bent = kind === 'tanh' && levels > 2 ? weight.data.map((w) => Math.tanh(w)) : null;
  const mostBent = bent === null ? 0 : Math.max(largest(bent), TINY);
  for (let o = 0; o < channels; o++) {
    const row = weight.data.subarray(o * size, (o + 1) * size);
    const into = codes.subarray(o * size, (o + 1) * size);
    if (levels === 2) {
      row.forEach((w, i) => (into[i] = w < 0 ? -1 : 1));
      scales[o] = kind === 'tanh' ? 1 : row.reduce((sum, w) => sum + Math.abs(w), 0) / size;
    } else if (bent !== null) {
      bent.subarray(o * size, (o + 1) * size).forEach((b, i) => (into[i] = code(roundHalfEven(f(f(f(f(b / mostBent) * 0.5) + 0.5) * (levels - 1))))));
      scales[o] = even ? 1 / (levels - 1) : 2 / (levels - 1);
    } else {
      const most = Math.max(largest(row), TINY);
      const cell = f(most * f(2 / (levels - 1)));
      row.forEach((w, i) => (into[i] = code(roundHalfEven(f(f(w + most) / cell)))));
      scales[o] = even ? cell / 2 : cell;
    }
    // nothing is learned from the scale of zeros, and one near 0 leaves integer runtimes nothing to divide by
    if (into.every((c) => c === 0) || scales[o] === 0) {
      into.fill(0);
      scales[o] = 1;
    }
  }
  return { codes: { shape: weight.shape, data: codes }, scales };
}

/** Codes with each channel's weights multiplied by a factor of its own, as a batch norm behind the layer does. */
export function scaledCodes({ codes, scales }: Codes, factors: ArrayLike<number>): Codes {
  const size = codes.data.length / scales.length;
  const data = codes.data.map((c, i) => (factors[Math.floor(i / size)]! === 0 ? 0 : c * Math.sign(factors[Math.floor(i / size)]!)));
  return { codes: { shape: codes.shape, data }, scales: scales.map((s, o) => (factors[o]! === 0 ? 1 : s * Math.abs(factors[o]!))) };
}

/** The weights that codes stand for. */
export function weightsOfCodes({ codes, scales }: Codes): Tensor {
  const size = codes.data.length / scales.length;
  return { shape: codes.shape, data: codes.data.map((c, i) => c * scales[Math.floor(i / size)]!) };
}

/** @param low, high  of the affine quantiser; what a relu quantiser holds lies between 0 and 1 */
export function inputRange({ kind, levels }: Quantizer, low: number, high: number): Range {
  if (kind === 'relu') return { scale: f(1 / (levels - 1)), zero: 0, levels };
  const scale = f(Math.max(f(high - low), TINY) * f(1 / (levels - 1)));
  return { scale, zero: roundHalfEven(f(-low / scale)), levels };
}

const largest = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
