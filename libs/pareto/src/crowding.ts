import { checkFinite, checkPoints, compareVectors, equalVectors, type Objectives } from './vectors.js';

/**
 * Crowding distance of each point within the set given (one front): the sum over objectives of the gap between its two neighbours
 * as a share of the range; Infinity for a point that is first or last in some objective. Deb, Pratap, Agarwal, Meyarivan 2002.
 *
 * Departure: equal points stand for one; the first of them has its distance and the others 0, so that copies go first. Objectives
 * in which all points agree say nothing. Points that tie in one objective are neighbours in lexicographic order, so the answer does
 * not depend on the order of the input.
 * @throws RangeError on values that are not finite or lengths that differ
 */
export function crowdingDistance(points: readonly Objectives[]): Float64Array {
  const m = checkPoints(points);
  checkFinite(points);
  const distance = new Float64Array(points.length);
  const order = points.map((_, i) => i).sort((a, b) => compareVectors(points[a]!, points[b]!) || a - b);
  const distinct = order.filter((i, k) => k === 0 || !equalVectors(points[i]!, points[order[k - 1]!]!));
  if (distinct.length === 1) distance[distinct[0]!] = Infinity;
  for (let j = 0; j < m; j++) {
    const sorted = [...distinct].sort((a, b) => points[a]![j]! - points[b]![j]!);
    const value = (k: number): number => points[sorted[k]!]![j]!;
    const range = sorted.length === 0 ? 0 : value(sorted.length - 1) - value(0);
    if (!(range > 0)) continue;
    sorted.forEach((i, k) => {
      distance[i]! += k === 0 || k === sorted.length - 1 ? Infinity : (value(k + 1) - value(k - 1)) / range;
    });
  }
  return distance;
}
