/**
 * What repeated timings say, by order statistics: a few runs that something else disturbed move none of them.
 */

/** Same unit as the samples. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  /** median distance from the median */
  readonly mad: number;
  /** 90 % of the runs lie from low to high: quantiles 0.05 and 0.95 */
  readonly low: number;
  readonly high: number;
  /** 90 % interval of the median itself, by order statistics (Hettmansperger & McKean 2011, § 1.8); null below 5 samples */
  readonly medianInterval: readonly [number, number] | null;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Half of the runs spread further than this share of the median: noisy. */
const NOISY = 0.1;
/** The last third differs from the first by more than this share, and by more than chance makes likely: drifting. */
const DRIFTING = 0.05;
/** Normal quantile 0.95: a 90 % interval has 5 % on either side. */
const Z_90 = 1.6449;
/** Standard deviation of a normal sample's median, in units of σ/√n: √(π/2). σ is 1.4826 MAD. */
const MEDIAN_ERROR = Math.sqrt(Math.PI / 2) * 1.4826;

/** @throws RangeError on no samples, or on one that is not finite */
export function summarize(samples: readonly number[]): Summary {
  const wrong = samples.findIndex((x) => !Number.isFinite(x));
  if (samples.length === 0 || wrong >= 0) throw new RangeError(`expected finite samples, at least one, got ${wrong < 0 ? 'none' : `${samples[wrong]} at ${wrong}`}`);
  const sorted = [...samples].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    count: sorted.length, median, mad: quantile(sorted.map((x) => Math.abs(x - median)).sort((a, b) => a - b), 0.5),
    low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), medianInterval: medianInterval(sorted),
    min: sorted[0]!, max: sorted.at(-1)!, mean: sorted.reduce((sum, x) => sum + x, 0) / sorted.length,
  };
}

/**
 * Linear between order statistics (type 7 of Hyndman & Fan 1996).
 *
 * @param sorted  ascending, at least one
 */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)]! - low);
}

/** Order statistics k and n + 1 − k, k the largest with P(Bin(n, ½) < k) ≤ 0.05. */
function medianInterval(sorted: readonly number[]): readonly [number, number] | null {
  const n = sorted.length;
  let k: number;
  if (n > 200) k = Math.floor((n - Z_90 * Math.sqrt(n)) / 2);
  else {
    let tail = 2 ** -n;
    let term = tail;
    for (k = 0; tail <= 0.05; ) {
      term *= (n - k) / (k + 1);
      tail += term;
      k++;
    }
  }
  return k < 1 ? null : [sorted[k - 1]!, sorted[n - k]!];
}

/** Signs of a machine that did not measure in peace; empty: none. @param samples  in the order they ran */
export function noiseWarnings(samples: readonly number[]): string[] {
  const sorted = [...samples].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const spread = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const warnings: string[] = [];
  if (spread > NOISY) warnings.push(`the machine is noisy: the middle half of ${samples.length} runs spreads over ${percent(spread)} of the median`);
  const third = Math.floor(samples.length / 3);
  if (third < 5) return warnings;
  const first = summarize(samples.slice(0, third));
  const last = summarize(samples.slice(-third));
  const change = last.median - first.median;
  const error = MEDIAN_ERROR * Math.hypot(first.mad, last.mad) / Math.sqrt(third);
  if (Math.abs(change) > Math.max(DRIFTING * median, 3 * error)) {
    warnings.push(`the machine drifted: the last third of the runs took ${percent(Math.abs(change) / first.median)} ${change > 0 ? 'longer' : 'less time'} than the first`);
  }
  return warnings;
}
