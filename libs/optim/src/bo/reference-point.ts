import { dominates, idealPoint, nadirPoint, paretoFront } from '@app/pareto';

/**
 * Reference point of the acquisition, scaled. The user's, once some point is better; else one ask in three a wide one, that keeps the ends
 * of the front in sight, and otherwise a tight one: worst feasible value + a tenth of the range, and nadir + a tenth of the front's range.
 * Points that break a limit and that none dominates widen the wide one: where feasible points lie in pieces, other pieces may lie beside them.
 * For one objective any point above the best will do.
 * @param given   the user's
 * @param points  feasible; of none, `all` stand for them: one or more
 * @param front   of the points
 */
export function referencePoint(given: readonly number[] | undefined, points: readonly number[][], front: readonly number[][], all: readonly number[][], turn: number): number[] {
  if (given && front.some((p) => p.every((v, j) => v < given[j]!) && dominates(p, given))) return [...given];
  const m = (points[0] ?? all[0])!.length;
  const tight = turn % 3 > 0 && front.length > m;
  const seen = tight ? points : points.length > 0 ? [...points, ...paretoFront(all).map((k) => all[k]!)] : all;
  const [high, low] = tight ? [nadirPoint(front), idealPoint(front)] : [Array.from({ length: m }, (_, j) => Math.max(...seen.map((p) => p[j]!))), idealPoint(seen)];
  return Array.from(high, (v, j) => v + (v > low[j]! ? 0.1 * (v - low[j]!) : 1));
}
