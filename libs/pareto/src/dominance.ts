import { Skyline } from './skyline.js';
import { checkPoints, compareVectors, equalVectors, type Objectives } from './vectors.js';

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
 * In lexicographic order a point can only be dominated by an earlier one. O(n log n) up to three objectives, O(n · front) otherwise.
 * @throws RangeError on NaN or points of different length
 */
export function paretoFront(points: readonly Objectives[]): number[] {
  const m = checkPoints(points);
  const order = points.map((_, i) => i).sort((a, b) => compareVectors(points[a]!, points[b]!));
  const skyline = m === 3 ? new Skyline() : null;
  const front: number[] = [];
  for (const i of order) {
    const p = points[i]!;
    const last = front.at(-1);
    if (last === undefined || !equalVectors(points[last]!, p)) {
      // For two objectives the last kept has the least second one so far.
      if (m <= 2 ? last !== undefined && dominates(points[last]!, p) : skyline ? skyline.covers(p[1]!, p[2]!) : front.some((k) => dominates(points[k]!, p))) continue;
      skyline?.insert(p[1]!, p[2]!);
    }
    front.push(i);
  }
  return front.sort((a, b) => a - b);
}
