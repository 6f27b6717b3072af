/** The fronts that draws of noisy outcomes make. */
import { nonDominatedBoxes, paretoFront } from '@app/pareto';
import type { Genes } from '@app/space';
import { LogEhvi } from './log-ehvi.js';
import type { NoisyLimit } from './noisy-acquisition.js';
import type { SampledProcess } from './sampled-process.js';

/** A point that counts for the front: where its values stand in the processes' rows. */
export interface Contender {
  readonly genes: Genes;
  /** [m] row in each objective's process, or its computed value */
  readonly objectives: readonly { readonly row: number; readonly value: number }[];
  /** [limits] row, -1 for a limit that the point is known to meet */
  readonly limits: readonly number[];
}

/** Points of a draw that meet the limits in it. */
function pointsOf(contenders: readonly Contender[], draw: number, processes: readonly (SampledProcess | null)[], limits: readonly NoisyLimit[]): number[][] {
  return contenders
    .filter((c) => limits.every(({ process, threshold }, l) => c.limits[l]! < 0 || process.values[draw]![c.limits[l]!]! <= threshold))
    .map((c) => c.objectives.map(({ row, value }, j) => processes[j]?.values[draw]![row] ?? value));
}

/** The mean over the draws of the points that meet the limits in the mean, with their genes. */
export function meanPoints(contenders: readonly Contender[], draws: number, processes: readonly (SampledProcess | null)[], limits: readonly NoisyLimit[]): { genes: Genes; point: number[] }[] {
  const mean = (process: SampledProcess, row: number): number => process.values.reduce((sum, v) => sum + v[row]!, 0) / draws;
  return contenders
    .filter((c) => limits.every(({ process, threshold }, l) => c.limits[l]! < 0 || mean(process, c.limits[l]!) <= threshold))
    .map((c) => ({ genes: c.genes, point: c.objectives.map(({ row, value }, j) => (processes[j] ? mean(processes[j], row) : value)) }));
}

/** Improvement on the front of each draw. */
export function improvementsOf(contenders: readonly Contender[], draws: number, processes: readonly (SampledProcess | null)[], limits: readonly NoisyLimit[], reference: readonly number[]): LogEhvi[] {
  return Array.from({ length: draws }, (_, s) => {
    const points = pointsOf(contenders, s, processes, limits);
    return new LogEhvi(nonDominatedBoxes(paretoFront(points).map((k) => points[k]!), reference));
  });
}
