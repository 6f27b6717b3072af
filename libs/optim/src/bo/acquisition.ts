/** What an ask maximises: log expected improvement plus the logarithm of the probability that every limit holds. */
import type { FeatureMap } from './features.js';
import type { GaussianProcess } from './gaussian-process.js';
import { logFeasible, type LogEhvi } from './log-ehvi.js';

/** Holds where the process is at most the threshold. */
export interface Limit {
  readonly process: GaussianProcess;
  readonly threshold: number;
}

export class Acquisition {
  readonly #slopes: { readonly mean: Float64Array; readonly sd: Float64Array }[];

  /**
   * @param improvement  null: limits only
   * @param weight       of the improvement
   */
  constructor(
    readonly map: FeatureMap,
    private readonly objectives: readonly GaussianProcess[],
    private readonly improvement: LogEhvi | null,
    private readonly weight: number,
    private readonly limits: readonly Limit[],
  ) {
    this.#slopes = objectives.map(() => ({ mean: new Float64Array(map.numeric), sd: new Float64Array(map.numeric) }));
  }

  /** -Infinity where it is not a number. */
  values(points: readonly Float64Array[]): Float64Array {
    const out = new Float64Array(points.length);
    if (this.improvement !== null) {
      const predictions = this.objectives.map((o) => o.predictMany(points));
      const [mean, sd] = [new Float64Array(predictions.length), new Float64Array(predictions.length)];
      for (let p = 0; p < points.length; p++) {
        predictions.forEach((q, j) => {
          mean[j] = q.mean[p]!;
          sd[j] = q.sd[p]!;
        });
        out[p] = this.weight * this.improvement.value(mean, sd);
      }
    }
    for (const { process, threshold } of this.limits) {
      const { mean, sd } = process.predictMany(points);
      for (let p = 0; p < points.length; p++) out[p]! += logFeasible(mean[p]! - threshold, sd[p]!);
    }
    return out.map((v) => (Number.isNaN(v) ? -Infinity : v));
  }

  /** @param slope  [numeric], overwritten: derivative by each numeric feature */
  valueWithSlopes(x: Float64Array, slope: Float64Array): number {
    slope.fill(0);
    let value = 0;
    const m = this.objectives.length;
    if (this.improvement !== null) {
      const [mean, sd, byMean, bySd] = [new Float64Array(m), new Float64Array(m), new Float64Array(m), new Float64Array(m)];
      this.objectives.forEach((o, j) => {
        const s = this.#slopes[j]!;
        ({ mean: mean[j], sd: sd[j] } = o.predictWithSlopes(x, s.mean, s.sd));
      });
      value = this.weight * this.improvement.value(mean, sd, byMean, bySd);
      this.#slopes.forEach((s, j) => addChained(slope, this.weight * byMean[j]!, s.mean, this.weight * bySd[j]!, s.sd));
    }
    const own = { mean: new Float64Array(slope.length), sd: new Float64Array(slope.length), byMean: new Float64Array(1), bySd: new Float64Array(1) };
    for (const { process, threshold } of this.limits) {
      const { mean, sd } = process.predictWithSlopes(x, own.mean, own.sd);
      value += logFeasible(mean - threshold, sd, 0, own.byMean, own.bySd);
      addChained(slope, own.byMean[0]!, own.mean, own.bySd[0]!, own.sd);
    }
    return value;
  }
}

function addChained(slope: Float64Array, byMean: number, mean: Float64Array, bySd: number, sd: Float64Array): void {
  for (let d = 0; d < slope.length; d++) slope[d]! += byMean * mean[d]! + bySd * sd[d]!;
}
