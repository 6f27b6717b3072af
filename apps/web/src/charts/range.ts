/** Axis ranges that one absurd value can't ruin. */
export interface AxisRange {
  readonly min: number;
  readonly max: number;
}

/** Linear-interpolated quantile of sorted values; NaN of none. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return NaN;
  const at = (sorted.length - 1) * Math.min(1, Math.max(0, q));
  const i = Math.floor(at);
  const next = sorted[Math.min(i + 1, sorted.length - 1)]!;
  return sorted[i]! + (next - sorted[i]!) * (at - i);
}

/**
 * Range of an axis with 4 % of air at both ends.
 *
 * @param values  all values of the axis
 * @param keep    values that must lie inside whatever the rest does: the front
 * @param full    every value inside; otherwise the 1 to 99 % range, if at least 20 values are there to judge by
 * @param log     air is added in the logarithm; values ≤ 0 are left out
 * @returns null if there is no finite value
 */
export function axisRange(values: readonly (number | null)[], keep: readonly (number | null)[], full: boolean, log: boolean): AxisRange | null {
  const usable = (v: number | null): v is number => v !== null && Number.isFinite(v) && (!log || v > 0);
  const sorted = values.filter(usable).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const robust = !full && sorted.length >= 20;
  let low = robust ? quantile(sorted, 0.01) : sorted[0]!;
  let high = robust ? quantile(sorted, 0.99) : sorted.at(-1)!;
  for (const v of keep.filter(usable)) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (robust) [low, high] = nearEnough(sorted, low, high);
  return log ? { min: low / air(low, high), max: high * air(low, high) } : padded(low, high);
}

/** A cut that would save less than a quarter of the axis isn't worth hiding trials for. */
function nearEnough(sorted: readonly number[], low: number, high: number): [number, number] {
  const width = high - low;
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  return [low - first <= width * 0.25 ? Math.min(first, low) : low, last - high <= width * 0.25 ? Math.max(last, high) : high];
}

const air = (low: number, high: number): number => Math.max(1.05, (high / low) ** 0.04);

function padded(low: number, high: number): AxisRange {
  const pad = high > low ? (high - low) * 0.04 : Math.max(Math.abs(low) * 0.05, 0.5);
  // quantities that can't be negative shouldn't get a negative axis
  return { min: low >= 0 && low - pad < 0 ? 0 : low - pad, max: high + pad };
}

/** How many values an axis range hides. */
export const countOutside = (values: readonly (number | null)[], range: AxisRange): number => values.filter((v) => v !== null && (v < range.min || v > range.max)).length;
