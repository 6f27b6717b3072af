/**
 * Hypervolume: the volume that the points dominate and that dominates the reference, all objectives minimised. Exact.
 *
 * Methods and their cost: `volume.ts`. A thousand points of four objectives take milliseconds, of six a second or two; the time grows
 * exponentially with the number of objectives in the worst case.
 */
import { checkPoint, checkPoints, type Objectives } from './vectors.js';
import { exclusiveVolume, exclusiveVolumes, volume } from './volume.js';

/**
 * @param points     any order; dominated and repeated points change nothing, points not strictly below the reference contribute 0
 * @param reference  [m], finite
 * @returns 0 for no points
 * @throws RangeError on NaN, -Infinity (the volume would be infinite), or lengths that differ
 */
export function hypervolume(points: readonly Objectives[], reference: Objectives): number {
  const inside = below(points, reference);
  const m = reference.length;
  return volume(flat(inside, m), inside.length, m, Float64Array.from(reference));
}

/**
 * What the hypervolume would lose without each point: [n]. Dominated, repeated and outside points have 0.
 *
 * The part of a point's own box that the others, limited to that box, leave over; no difference of two large volumes.
 * @throws RangeError as `hypervolume`
 */
export function hypervolumeContributions(points: readonly Objectives[], reference: Objectives): Float64Array {
  const m = reference.length;
  const inside = new Set(below(points, reference));
  // One array that stands twice in the list is a repeated point too.
  const members = points.filter((p) => inside.has(p));
  const exclusive = exclusiveVolumes(flat(members, m), members.length, m, Float64Array.from(reference));
  let k = 0;
  return Float64Array.from(points, (p) => (inside.has(p) ? exclusive[k++]! : 0));
}

/**
 * What the hypervolume of the front gains by one more point: ≥ 0. Cheaper than the difference of two hypervolumes, and without
 * its cancellation.
 * @throws RangeError as `hypervolume`
 */
export function hypervolumeGain(point: Objectives, front: readonly Objectives[], reference: Objectives): number {
  const m = reference.length;
  if (below([point], reference).length === 0) return 0;
  const inside = below(front, reference);
  return exclusiveVolume(Float64Array.from(point), flat(inside, m), inside.length, m, Float64Array.from(reference));
}

/** Points strictly below the reference in every objective, checked. */
export function below(points: readonly Objectives[], reference: Objectives): Objectives[] {
  const m = reference.length;
  checkPoint(reference, m, 'reference');
  for (let j = 0; j < m; j++) if (!Number.isFinite(reference[j]!)) throw new RangeError(`reference[${j}]: expected a finite number, got ${reference[j]}`);
  if (points.length > 0 && checkPoints(points) !== m) throw new RangeError(`reference: expected ${points[0]!.length} objectives as the points have, got ${m}`);
  const inside: Objectives[] = [];
  for (let i = 0; i < points.length; i++) {
    const p = points[i]!;
    let j = 0;
    while (j < m && p[j]! < reference[j]! && p[j]! !== -Infinity) j++;
    if (j === m) inside.push(p);
    else for (; j < m; j++) if (p[j] === -Infinity) throw new RangeError(`points[${i}][${j}]: expected a finite number, got -Infinity`);
  }
  return inside;
}

function flat(points: readonly Objectives[], m: number): Float64Array {
  const rows = new Float64Array(points.length * m);
  for (let i = 0; i < points.length; i++) {
    const p = points[i]!;
    for (let j = 0; j < m; j++) rows[i * m + j] = p[j]!;
  }
  return rows;
}
