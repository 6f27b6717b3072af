import { checkPoints, compareVectors, type Objectives } from './vectors.js';

/** a is nowhere worse than b and somewhere better; objectives minimised, none NaN. Equal points do not dominate each other. */
export function dominates(a: Objectives, b: Objectives): boolean {
  let better = false;
  for (let j = 0; j < a.length; j++) {
    if (a[j]! > b[j]!) return false;
    if (a[j]! < b[j]!) better = true;
  }
  return better;
}

/** a is nowhere worse than b. */
export function weaklyDominates(a: Objectives, b: Objectives): boolean {
  for (let j = 0; j < a.length; j++) if (a[j]! > b[j]!) return false;
  return true;
}

/**
 * Indexes, ascending, of the points that no other dominates; equal points are all kept.
 *
 * In lexicographic order a point can only be dominated by an earlier one. O(n log n) for two objectives, O(n · front) otherwise.
 * @throws RangeError on NaN or points of different length
 */
export function paretoFront(points: readonly Objectives[]): number[] {
  const m = checkPoints(points);
  const order = points.map((_, i) => i).sort((a, b) => compareVectors(points[a]!, points[b]!));
  const front: number[] = [];
  for (const i of order) {
    const p = points[i]!;
    // For two objectives the last kept has the least second one so far.
    const dominated = m <= 2 ? front.length > 0 && dominates(points[front.at(-1)!]!, p) : front.some((k) => dominates(points[k]!, p));
    if (!dominated) front.push(i);
  }
  return front.sort((a, b) => a - b);
}
