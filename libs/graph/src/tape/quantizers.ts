/** Quantisers on a tape, with the gradient that passes them: straight through the rounding (thesis § 3.2.2 and 5.2; F-Q1 to F-Q4). */
import { add, div, max, maxOver, min, minOver, mul, neg, reshape, round, scale, shift, step, sub, sum } from './arithmetic.js';
import type { Tape, Value } from './tape.js';

/**
 * q levels, as many as there are codes; 2^k for k bits.
 *
 * tanh: weights, 2·Q(tanh w / 2 max|tanh w| + ½) − 1; at 2 levels the sign (DoReFa: Zhou et al. 2016; thesis eq. 5.4).
 * relu: activations, Q(clip(x, 0, 1)) (eq. 5.5).
 * symmetric: weights, an even grid from −m to m, m the largest of an output channel; at 2 levels ± the mean (Rastegari et al. 2016).
 * affine: activations, an even grid over the range that the batches showed, 0 being one of its levels (Jacob et al. 2018, § 2.1).
 */
export type Quantizer =
  | { readonly kind: 'tanh' | 'symmetric'; readonly levels: number }
  | { readonly kind: 'relu' | 'affine'; readonly levels: number };

export interface Quantized {
  readonly value: Value;
  readonly backward: (dy: Value) => Value;
}

/** Widths of rows and cells that nothing varies in. */
const TINY = 1e-12;
const passed = (dy: Value): Value => dy;

/** Levels of a weight, [O, …]. */
export function quantizeWeight(t: Tape, { kind, levels }: Quantizer, w: Value): Quantized {
  const axes = w.shape.map((_, i) => i);
  if (kind === 'tanh') {
    if (levels === 2) return { value: signOf(t, w), backward: (dy) => mul(t, dy, sub(t, step(t, shift(t, w, 1)), step(t, shift(t, w, -1)))) };
    const bent = t.op('Tanh', [w], w.shape);
    const most = max(t, maxOver(t, absOf(t, bent), axes), t.scalar(TINY));
    const unit = shift(t, scale(t, div(t, bent, most), 0.5), 0.5);
    return {
      value: shift(t, scale(t, roundTo(t, unit, levels - 1), 2), -1),
      // the largest counts as a constant
      backward: (dy) => mul(t, dy, div(t, sub(t, t.scalar(1), mul(t, bent, bent)), most)),
    };
  }
  const rows = axes.slice(1);
  const size = absOf(t, w);
  if (levels === 2) {
    const count = w.shape.slice(1).reduce((a, b) => a * b, 1);
    return { value: mul(t, signOf(t, w), scale(t, sum(t, size, rows), 1 / count)), backward: passed };
  }
  const most = max(t, maxOver(t, size, rows), t.scalar(TINY));
  const cell = scale(t, most, 2 / (levels - 1));
  return { value: sub(t, mul(t, round(t, div(t, add(t, w, most), cell)), cell), most), backward: passed };
}

/** Range of a tensor over the whole batch, 0 in it; two of shape [1]. */
export function rangeOf(t: Tape, x: Value): { readonly low: Value; readonly high: Value } {
  const axes = x.shape.map((_, i) => i);
  return { low: reshape(t, min(t, minOver(t, x, axes), t.scalar(0)), [1]), high: reshape(t, max(t, maxOver(t, x, axes), t.scalar(0)), [1]) };
}

/** Levels of an activation. @param range  affine only */
export function quantizeActivation(t: Tape, { kind, levels }: Quantizer, x: Value, range: { readonly low: Value; readonly high: Value } | null): Quantized {
  if (kind === 'relu') {
    const clipped = min(t, max(t, x, t.scalar(0)), t.scalar(1));
    return { value: roundTo(t, clipped, levels - 1), backward: (dy) => mul(t, dy, sub(t, step(t, x), step(t, shift(t, x, -1)))) };
  }
  const { low, high } = range!;
  const cell = scale(t, max(t, sub(t, high, low), t.scalar(TINY)), 1 / (levels - 1));
  const zero = round(t, div(t, neg(t, low), cell));
  const code = min(t, max(t, add(t, round(t, div(t, x, cell)), zero), t.scalar(0)), t.scalar(levels - 1));
  const bottom = mul(t, neg(t, zero), cell);
  const top = mul(t, sub(t, t.scalar(levels - 1), zero), cell);
  return {
    value: mul(t, sub(t, code, zero), cell),
    // nothing is learned of what is cut off
    backward: (dy) => mul(t, dy, sub(t, step(t, add(t, sub(t, x, bottom), cell)), step(t, sub(t, sub(t, x, top), cell)))),
  };
}

const absOf = (t: Tape, x: Value): Value => t.op('Abs', [x], x.shape);
/** +1 from 0 up */
const signOf = (t: Tape, x: Value): Value => sub(t, t.scalar(1), scale(t, step(t, neg(t, x)), 2));
const roundTo = (t: Tape, x: Value, cells: number): Value => scale(t, round(t, scale(t, x, cells)), 1 / cells);
