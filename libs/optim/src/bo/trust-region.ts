/**
 * A box around a good point in which to look, and the told points near it to learn from: for spaces of many parameters, where improvement
 * looks best in far corners nobody knows, and for histories longer than one process can carry. After Eriksson et al. 2019 (TuRBO) and
 * Daulton et al. 2022 (MORBO), with two departures: the boxes share one length, and their centres take turns among the widest gaps of
 * the front.
 */
import { crowdingDistance, dominates, paretoFront } from '@app/pareto';
import type { Genes, SearchSpace } from '@app/space';
import type { Told } from '../contract.js';
import type { FeatureMap } from './features.js';
import { excess, isFeasible } from './model-points.js';
import type { Theta } from './kernel.js';

export interface RegionLength {
  /** side of the box, of the unit cube's */
  readonly length: number;
  /** outcomes in a row that did, or did not, enter the front */
  readonly successes: number;
  readonly failures: number;
}

/** Where to look: bounds of the numeric genes in the unit cube. */
export interface Box {
  readonly centre: Genes;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export const FRESH_LENGTH: RegionLength = { length: 0.4, successes: 0, failures: 0 };
const LEAST_LENGTH = 0.01;
const LARGEST_LENGTH = 1.6;
const SUCCESSES = 3;
const CENTRES = 5;

/** Doubled after three successes in a row, halved after max(5, D/2) failures, begun anew once it is very small. */
export function afterOutcome({ length, successes, failures }: RegionLength, success: boolean, dimension: number): RegionLength {
  if (success) return successes + 1 < SUCCESSES ? { length, successes: successes + 1, failures: 0 } : { length: Math.min(LARGEST_LENGTH, 2 * length), successes: 0, failures: 0 };
  if (failures + 1 < Math.max(5, Math.ceil(dimension / 2))) return { length, successes: 0, failures: failures + 1 };
  return length / 2 < LEAST_LENGTH ? FRESH_LENGTH : { length: length / 2, successes: 0, failures: 0 };
}

/** Whether an outcome is feasible and neither dominated by nor equal to an earlier one. */
export function entersFront(told: Told, history: readonly Told[]): boolean {
  if (!isFeasible(told)) return false;
  const own = told.objectives as readonly number[];
  return history.every((t) => {
    if (t.key === told.key || !isFeasible(t)) return true;
    const other = t.objectives as readonly number[];
    return !dominates(other, own) && other.some((v, j) => v !== own[j]);
  });
}

/** Indexes of the front, ends and widest gaps first; while nothing is feasible, of the points that violate least. */
export function centresOf(history: readonly Told[]): number[] {
  const feasible = history.flatMap((t, i) => (isFeasible(t) ? [i] : []));
  if (feasible.length === 0) {
    const tried = history.flatMap((t, i) => (t.state === 'failed' ? [] : [i]));
    return tried.sort((a, b) => excess(history[a]!) - excess(history[b]!) || b - a).slice(0, CENTRES);
  }
  const front = paretoFront(feasible.map((i) => history[i]!.objectives as readonly number[])).map((k) => feasible[k]!);
  const gaps = crowdingDistance(front.map((i) => history[i]!.objectives as readonly number[]));
  return front.map((i, k) => ({ i, gap: gaps[k]! })).sort((a, b) => b.gap - a.gap || b.i - a.i).map((c) => c.i);
}

/** The centre of a turn: five take turns. */
export function centreAt(centres: readonly number[], turn: number): number | undefined {
  return centres[turn % Math.min(CENTRES, Math.max(1, centres.length))];
}

/** Sides in proportion to the lengths of θ, geometric mean `length`, within the unit cube. @param theta  null: all alike */
export function boxAround(space: SearchSpace, map: FeatureMap, centre: Genes, length: number, theta: Theta | null): Box {
  const logs = space.sizes.map((_, i) => (theta === null || map.featureOf[i]! < 0 ? 0 : theta[map.featureOf[i]!]!));
  const numeric = logs.filter((_, i) => map.featureOf[i]! >= 0 && map.featureOf[i]! < map.numeric);
  const mean = numeric.reduce((a, b) => a + b, 0) / Math.max(1, numeric.length);
  const unit = space.toUnit(centre);
  const half = logs.map((l) => 0.5 * length * Math.min(4, Math.max(0.25, Math.exp(l - mean))));
  return { centre, lower: unit.map((u, i) => Math.max(0, u - half[i]!)), upper: unit.map((u, i) => Math.min(1, u + half[i]!)) };
}

/** Indexes of the history, ascending: at most `cap`, half of them of the front at most, the others nearest to the centre under θ. */
export function localPoints(features: readonly Float64Array[], centre: number, front: readonly number[], cap: number, map: FeatureMap, theta: Theta | null): number[] {
  const kept = new Set([centre, ...front.slice(0, Math.floor(cap / 2) - 1)]);
  const at = features[centre]!;
  const weights = Float64Array.from(at, (_, d) => (theta === null ? 1 : Math.exp(-2 * theta[d]!)));
  const distances = features.map((x) => {
    let s = 0;
    for (let d = 0; d < x.length; d++) s += weights[d]! * (d < map.numeric ? (x[d]! - at[d]!) ** 2 : x[d] === at[d] ? 0 : 1);
    return s;
  });
  const order = features.map((_, i) => i).sort((a, b) => distances[a]! - distances[b]! || b - a);
  for (const i of order) {
    if (kept.size >= cap) break;
    kept.add(i);
  }
  return [...kept].sort((a, b) => a - b);
}
