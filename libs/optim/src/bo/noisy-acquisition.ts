/**
 * Log noisy expected hypervolume improvement: told outcomes carry noise, so the front they make is not known. The improvement is averaged
 * over draws of the function at the told and the pending points, each with a front of its own:
 *
 *   log 1/S Σ_s exp(w log EHVI_s(x) + Σ_c log P_s(g_c(x) ≤ 0))
 *
 * Daulton, Balandat, Bakshy 2021 (NEHVI) with Ament et al. 2023's logarithms. They draw the outcome at x too and smooth its hypervolume gain
 * and feasibility; given a draw at the other points it is normal, so that here both are integrated in closed form. Draws are common to all
 * points of an ask and of a batch. Pending points stand in every front with the values drawn for them.
 */
import { logSumExp } from '@app/numeric';
import type { Genes } from '@app/space';
import type { AcquisitionFunction, Improvement, Looked, Nudged } from './acquisition.js';
import type { FeatureMap } from './features.js';
import { logFeasible } from './log-ehvi.js';
import type { SampledProcess } from './sampled-process.js';

export interface NoisyLimit {
  readonly process: SampledProcess;
  readonly threshold: number;
}

export interface NoisyObjectives {
  /** [m]; null: computed, see `known` */
  readonly processes: readonly (SampledProcess | null)[];
  readonly known: ((genes: Genes) => readonly (number | null)[]) | null;
  /** [S] */
  readonly improvements: readonly Improvement[];
  /** of the improvement beside the limits */
  readonly weight: number;
}

export class NoisyAcquisition implements AcquisitionFunction {
  /** @param draws  S */
  constructor(readonly map: FeatureMap, private readonly draws: number, private readonly objectives: NoisyObjectives, private readonly limits: readonly NoisyLimit[]) {}

  get computes(): boolean {
    return this.objectives.known !== null;
  }

  values(points: readonly Looked[]): Float64Array {
    return Float64Array.from(points, (point) => {
      const value = this.#value(point, null, []);
      return Number.isNaN(value) ? -Infinity : value;
    });
  }

  valueWithSlopes(point: Looked, slope: Float64Array, nudged: readonly Nudged[] = []): number {
    slope.fill(0);
    return this.#value(point, slope, nudged);
  }

  #value({ genes, features }: Looked, slope: Float64Array | null, nudged: readonly Nudged[]): number {
    const { processes, known, improvements, weight } = this.objectives;
    const [S, m] = [this.draws, processes.length];
    const computed = known?.(genes);
    const sd = Float64Array.from(processes, (o) => (o === null ? 0 : o.look(features, slope !== null)));
    const limitSd = this.limits.map(({ process }) => process.look(features, slope !== null));
    const mean = new Float64Array(m);
    const terms = new Float64Array(S);
    const scratch = (size: number): Float64Array[] => (slope === null ? [] : [new Float64Array(size), new Float64Array(size)]);
    const [[byMean, bySd], [byMeans, bySds]] = [scratch(m), scratch(S * m)];
    const limitSlopes = this.limits.map(() => scratch(S));
    for (let s = 0; s < S; s++) {
      processes.forEach((o, j) => (mean[j] = o === null ? computed![j]! : o.means[s]!));
      terms[s] = weight * improvements[s]!.value(mean, sd, byMean, bySd);
      if (byMean && bySd) {
        byMeans!.set(byMean, s * m);
        bySds!.set(bySd, s * m);
      }
      this.limits.forEach(({ process, threshold }, c) => (terms[s]! += logFeasible(process.means[s]! - threshold, limitSd[c]!, s, ...limitSlopes[c]!)));
    }
    const total = logSumExp(terms);
    if (slope !== null && total > -Infinity) {
      const shares = terms.map((t) => Math.exp(t - total));
      // Where an improvement is nothing its slopes are none.
      const weighed = (by: (s: number) => number): Float64Array => shares.map((share, s) => (share > 0 ? share * by(s) : 0));
      const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
      for (let j = 0; j < m; j++) {
        const own = weighed((s) => weight * byMeans![s * m + j]!);
        const process = processes[j]!;
        if (process !== null) {
          process.addSlopes(own, sum(weighed((s) => weight * bySds![s * m + j]!)), slope);
          continue;
        }
        const byComputed = sum(own);
        for (const { feature, step, genes: moved } of nudged) slope[feature]! += (byComputed * (known!(moved)[j]! - computed![j]!)) / step;
      }
      this.limits.forEach(({ process }, c) => process.addSlopes(weighed((s) => limitSlopes[c]![0]![s]!), sum(weighed((s) => limitSlopes[c]![1]![s]!)), slope));
    }
    return total - Math.log(S);
  }
}
