/** @throws RangeError on no values or NaN */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/**
 * Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996, R's default).
 * @param p  from 0 to 1
 * @throws RangeError on no values, NaN, or p outside [0, 1]
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  if (values.length === 0) throw new RangeError('expected at least one value, got none');
  if (!(p >= 0 && p <= 1)) throw new RangeError(`expected a share from 0 to 1, got ${p}`);
  const sorted = Float64Array.from(values).sort();
  if (Number.isNaN(sorted.at(-1))) throw new RangeError('expected numbers, got NaN');
  const at = p * (sorted.length - 1);
  const k = Math.floor(at);
  const [low, high] = [sorted[k]!, sorted[Math.min(k + 1, sorted.length - 1)]!];
  return low === high ? low : low + (at - k) * (high - low);
}

/** @throws RangeError on no values */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError('expected at least one value, got none');
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Root of the mean squared distance from the mean (divisor n); 0 for one value. @throws RangeError on no values */
export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2;
  return Math.sqrt(sum / values.length);
}
