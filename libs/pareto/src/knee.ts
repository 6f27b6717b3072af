/**
 * Knees: where the front bulges most towards the ideal point, so that a small gain in one objective costs much in another.
 *
 * The front is scaled so that its ideal point is 0 and its nadir 1. A point's knee distance is how far it lies below the hyperplane
 * Σ f = 1 through the m unit points, for two objectives the line between the ends of the front. Das, On characterizing the "knee"
 * of the Pareto curve, 1999, with the unit points in place of the individual minimisers, which need not span a plane for m > 2.
 */
import { idealPoint, nadirPoint, normalise } from './bounds.js';
import { paretoFront } from './dominance.js';
import { checkFinite, type Objectives } from './vectors.js';

/**
 * (1 - Σ scaled objectives) / √m of each point; positive: the front bulges there, negative or NaN: it does not (NaN: dominated).
 * @throws RangeError on values that are not finite or lengths that differ
 */
export function kneeDistances(points: readonly Objectives[]): Float64Array {
  return onScaledFront(points, (p) => (1 - p.reduce((s, v) => s + v, 0)) / Math.sqrt(p.length));
}

/**
 * Indexes, ascending, of the points with the largest knee distance; several only if they tie to rounding (equal points do).
 * A front that bulges nowhere towards the ideal point (a concave one, or two points) has none; one distinct point is its own knee.
 * @throws RangeError on values that are not finite or lengths that differ
 */
export function kneePoints(points: readonly Objectives[]): number[] {
  const distances = kneeDistances(points);
  const largest = distances.reduce((best, d) => (d > best ? d : best), -Infinity);
  const rounding = 1e-12;
  if (!(largest > rounding)) return [];
  return [...distances.keys()].filter((i) => distances[i]! >= largest - rounding);
}

/**
 * What leaving a point costs at least, per unit gained: the least over the other front points of loss / gain, Σ max(0, q_j - p_j) over
 * Σ max(0, p_j - q_j) on the scaled front. Above 1: every move loses more than it gains. Rachmawati, Srinivasan, Multiobjective
 * evolutionary algorithm with controllable focus on the knees of the Pareto front (2009).
 * @returns NaN for dominated points, Infinity for the only distinct point of a front
 * @throws RangeError on values that are not finite or lengths that differ
 */
export function tradeOffs(points: readonly Objectives[]): Float64Array {
  return onScaledFront(points, (p, scaled) => {
    let least = Infinity;
    for (const q of scaled) {
      let [loss, gain] = [0, 0];
      for (let j = 0; j < p.length; j++) {
        loss += Math.max(0, q[j]! - p[j]!);
        gain += Math.max(0, p[j]! - q[j]!);
      }
      // Equal points are no move.
      if (gain > 0) least = Math.min(least, loss / gain);
    }
    return least;
  });
}

/** A measure of each front point on the front scaled to 0 … 1; NaN for the others. */
function onScaledFront(points: readonly Objectives[], measure: (p: Float64Array, front: readonly Float64Array[]) => number): Float64Array {
  checkFinite(points);
  const out = new Float64Array(points.length).fill(NaN);
  const front = paretoFront(points);
  if (front.length === 0) return out;
  const members = front.map((i) => points[i]!);
  const scaled = normalise(members, idealPoint(members), nadirPoint(members));
  front.forEach((i, k) => (out[i] = measure(scaled[k]!, scaled)));
  return out;
}
