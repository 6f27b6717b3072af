/** Which told points the models learn from, once there are more than an exact process can carry. */
import { nonDominatedSort } from '@app/pareto';
import type { Told } from '../contract.js';

/**
 * Indexes into the history, ascending. All, up to `cap`; beyond it half the places go to the best points and the rest are spread evenly
 * over the others in the order told, so that the far side of the space stays known. Best: feasible before infeasible; by
 * non-domination rank, or by total violation; then the latest. Points without all objectives are among the others.
 */
export function modelPoints(history: readonly Told[], cap: number): number[] {
  const all = history.map((_, i) => i);
  if (all.length <= cap) return all;
  const complete = all.filter((i) => history[i]!.state !== 'failed' && history[i]!.objectives.every((v) => v !== null));
  const ranks = nonDominatedSort(complete.map((i) => history[i]!.objectives as readonly number[]));
  const order = complete
    .map((i, k) => ({ i, excess: excess(history[i]!), rank: ranks[k]! }))
    .sort((a, b) => a.excess - b.excess || a.rank - b.rank || b.i - a.i);
  const best = new Set(order.slice(0, Math.floor(cap / 2)).map((o) => o.i));
  const others = all.filter((i) => !best.has(i));
  const places = cap - best.size;
  const spread = Array.from({ length: places }, (_, k) => others[Math.floor(((k + 0.5) * others.length) / places)]!);
  return [...best, ...spread].sort((a, b) => a - b);
}

/** Violations up to here are rounding. */
export const FEASIBLE = 1e-9;

/** Every constraint is known to hold and every objective is known. */
export function isFeasible(told: Told): boolean {
  return told.state === 'completed' && told.objectives.every((v) => v !== null) && told.violations.every((g) => g !== null && g <= FEASIBLE);
}

/** Sum of the positive violations; an unknown one counts 1, so that it stands behind a slight excess. */
export function excess(told: Told): number {
  return told.violations.reduce<number>((sum, g) => sum + (g === null ? 1 : Math.max(0, g)), 0);
}
