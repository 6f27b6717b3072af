/**
 * Survivors by reference directions, for objectives so many that crowding distances say little: Deb & Jain, An evolutionary
 * many-objective optimization algorithm using reference-point-based nondominated sorting approach, part I (2014), algorithm 4.
 * Departure: objectives are scaled by the nadir of the first front where the paper intersects a hyperplane through extreme points, which
 * fails where those are dependent.
 */
import type { Rng } from '@app/numeric';
import { idealPoint, nadirPoint, normalise, simplexWeights } from '@app/pareto';

/** The finest lattice of directions with at most so many, one division at least. */
export function referenceDirections(objectives: number, most: number): Float64Array[] {
  let directions = simplexWeights(objectives, 1);
  for (let divisions = 2; choose(divisions + objectives - 1, objectives - 1) <= most; divisions++) directions = simplexWeights(objectives, divisions);
  return directions;
}

function choose(n: number, k: number): number {
  let out = 1;
  for (let i = 1; i <= k; i++) out = (out * (n - k + i)) / i;
  return Math.round(out);
}

/**
 * Fills the places that are left from the rank that does not fit whole: each time a direction with the fewest survivors gives its nearest
 * point, or any of its points if it has survivors already.
 *
 * @param safe  [a][m] survivors by their rank
 * @param edge  [b][m] of the next rank
 * @param places  at most b
 * @returns places in `edge`
 */
export function nicheSurvivors(rng: Rng, directions: readonly Float64Array[], safe: readonly (readonly number[])[], edge: readonly (readonly number[])[], places: number): number[] {
  const all = [...safe, ...edge];
  const scaled = normalise(all, idealPoint(all), nadirPoint(all));
  const near = scaled.map((point) => nearest(directions, point));
  const count = new Array<number>(directions.length).fill(0);
  safe.forEach((_, i) => count[near[i]!.direction]!++);
  const left = new Set(edge.map((_, k) => k));
  const out: number[] = [];
  while (out.length < places) {
    const alive = [...new Set([...left].map((k) => near[safe.length + k]!.direction))];
    const least = Math.min(...alive.map((d) => count[d]!));
    const direction = rng.pick(alive.filter((d) => count[d] === least));
    const own = [...left].filter((k) => near[safe.length + k]!.direction === direction);
    const chosen = least === 0 ? own.reduce((a, b) => (near[safe.length + b]!.distance < near[safe.length + a]!.distance ? b : a)) : rng.pick(own);
    out.push(chosen);
    left.delete(chosen);
    count[direction]!++;
  }
  return out;
}

/** The direction with the shortest perpendicular to the point. */
function nearest(directions: readonly Float64Array[], point: Float64Array): { readonly direction: number; readonly distance: number } {
  let best = { direction: 0, distance: Infinity };
  directions.forEach((w, direction) => {
    let [dot, norm, square] = [0, 0, 0];
    for (let j = 0; j < w.length; j++) {
      dot += w[j]! * point[j]!;
      norm += w[j]! ** 2;
      square += point[j]! ** 2;
    }
    const distance = Math.sqrt(Math.max(0, square - dot ** 2 / norm));
    if (distance < best.distance) best = { direction, distance };
  });
  return best;
}
