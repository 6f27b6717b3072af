/** What an ask maximises: log expected improvement plus the logarithm of the probability that every limit holds. */
import type { Genes } from '@app/space';
import type { FeatureMap } from './features.js';
import type { GaussianProcess } from './gaussian-process.js';
import { logFeasible, type LogEhvi } from './log-ehvi.js';

/** Holds where the process is at most the threshold. */
export interface Limit {
  readonly process: GaussianProcess;
  readonly threshold: number;
}

interface Predictions {
  readonly mean: Float64Array;
  readonly sd: Float64Array;
}

/** What is gained by outcomes that are independent normals. */
export type Improvement = Pick<LogEhvi, 'value'>;

/** A point with what the acquisition needs of it. */
export interface Looked {
  readonly genes: Genes;
  readonly features: Float64Array;
}

export interface Nudged {
  readonly feature: number;
  readonly step: number;
  readonly genes: Genes;
}

export interface Objectives {
  /** [m]; null: computed, see `known` */
  readonly processes: readonly (GaussianProcess | null)[];
  /** [m] scaled outcomes of the computed objectives; null if there are none */
  readonly known: ((genes: Genes) => readonly (number | null)[]) | null;
  readonly improvement: Improvement;
  /** of the improvement beside the limits */
  readonly weight: number;
}

/** What is maximised over the points that are not taken. */
export interface AcquisitionFunction {
  /** Whether some objective is computed, so that genes matter besides features. */
  readonly computes: boolean;
  /** -Infinity where it is not a number. */
  values(points: readonly Looked[]): Float64Array;
  /**
   * @param slope    [numeric], overwritten: derivative by each numeric feature
   * @param nudged   points a step away along single features, by which computed objectives get their slopes; without them they are
   *                 taken for constant
   */
  valueWithSlopes(point: Looked, slope: Float64Array, nudged?: readonly Nudged[]): number;
}

export class Acquisition implements AcquisitionFunction {
  readonly #slopes: { readonly mean: Float64Array; readonly sd: Float64Array };
  readonly #own: { readonly mean: Float64Array; readonly sd: Float64Array }[];

  /** @param objectives  null: limits only */
  constructor(
    readonly map: FeatureMap,
    private readonly objectives: Objectives | null,
    private readonly limits: readonly Limit[],
  ) {
    const scratch = (): { mean: Float64Array; sd: Float64Array } => ({ mean: new Float64Array(map.numeric), sd: new Float64Array(map.numeric) });
    this.#slopes = scratch();
    this.#own = objectives?.processes.map(scratch) ?? [];
  }

  get computes(): boolean {
    return (this.objectives?.known ?? null) !== null;
  }

  values(points: readonly Looked[]): Float64Array {
    const features = points.map((p) => p.features);
    return this.#combine(points, (process) => process.predictMany(features));
  }

  /** The same at points that are watched, predictions of each model by its place: objectives, then limits. */
  valuesOfWatched(points: readonly Looked[], predict: (process: GaussianProcess, place: number) => Predictions): Float64Array {
    return this.#combine(points, predict);
  }

  #combine(points: readonly Looked[], predict: (process: GaussianProcess, place: number) => Predictions): Float64Array {
    const out = new Float64Array(points.length);
    let place = 0;
    if (this.objectives !== null) {
      const { processes, known, improvement, weight } = this.objectives;
      const predictions = processes.map((o) => (o === null ? null : predict(o, place++)));
      const [mean, sd] = [new Float64Array(processes.length), new Float64Array(processes.length)];
      for (let p = 0; p < points.length; p++) {
        const computed = known?.(points[p]!.genes);
        predictions.forEach((q, j) => {
          mean[j] = q === null ? computed![j]! : q.mean[p]!;
          sd[j] = q === null ? 0 : q.sd[p]!;
        });
        out[p] = weight * improvement.value(mean, sd);
      }
    }
    for (const { process, threshold } of this.limits) {
      const { mean, sd } = predict(process, place++);
      for (let p = 0; p < points.length; p++) out[p]! += logFeasible(mean[p]! - threshold, sd[p]!);
    }
    return out.map((v) => (Number.isNaN(v) ? -Infinity : v));
  }

  valueWithSlopes({ genes, features }: Looked, slope: Float64Array, nudged: readonly Nudged[] = []): number {
    slope.fill(0);
    let value = 0;
    if (this.objectives !== null) {
      const { processes, known, improvement, weight } = this.objectives;
      const m = processes.length;
      const [mean, sd, byMean, bySd] = [new Float64Array(m), new Float64Array(m), new Float64Array(m), new Float64Array(m)];
      const computed = known?.(genes);
      processes.forEach((o, j) => {
        const s = this.#own[j]!;
        ({ mean: mean[j], sd: sd[j] } = o === null ? { mean: computed![j]!, sd: 0 } : o.predictWithSlopes(features, s.mean, s.sd));
      });
      value = weight * improvement.value(mean, sd, byMean, bySd);
      processes.forEach((o, j) => {
        if (o !== null) addChained(slope, weight * byMean[j]!, this.#own[j]!.mean, weight * bySd[j]!, this.#own[j]!.sd);
      });
      for (const { feature, step, genes: moved } of nudged) {
        const there = known?.(moved);
        processes.forEach((o, j) => {
          if (o === null) slope[feature]! += (weight * byMean[j]! * (there![j]! - computed![j]!)) / step;
        });
      }
    }
    const [byMean, bySd] = [new Float64Array(1), new Float64Array(1)];
    for (const { process, threshold } of this.limits) {
      const { mean, sd } = process.predictWithSlopes(features, this.#slopes.mean, this.#slopes.sd);
      value += logFeasible(mean - threshold, sd, 0, byMean, bySd);
      addChained(slope, byMean[0]!, this.#slopes.mean, bySd[0]!, this.#slopes.sd);
    }
    return value;
  }
}

function addChained(slope: Float64Array, byMean: number, mean: Float64Array, bySd: number, sd: Float64Array): void {
  for (let d = 0; d < slope.length; d++) slope[d]! += byMean * mean[d]! + bySd * sd[d]!;
}
