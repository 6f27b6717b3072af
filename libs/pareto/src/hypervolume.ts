/**
 * Hypervolume: the volume that the points dominate and that dominates the reference, all objectives minimised. Exact.
 *
 * One and two objectives by sorting, three by a sweep along the third (Beume, Fonseca, López-Ibáñez, Paquete, Vahrenhold 2009), more by
 * WFG (While, Bradstreet, Barone 2012) with slicing down to the sweep. O(n log n) comparisons up to three; above that exponential in the
 * number of objectives in the worst case, comfortable up to some 200 points at four or five.
 */
import { checkPoint, checkPoints, compareVectors, type Objectives } from './vectors.js';

/**
 * @param points     any order; dominated and repeated points change nothing, points not strictly below the reference contribute 0
 * @param reference  [m], finite
 * @returns 0 for no points
 * @throws RangeError on NaN, -Infinity (the volume would be infinite), or lengths that differ
 */
export function hypervolume(points: readonly Objectives[], reference: Objectives): number {
  return volume(below(points, reference), reference, reference.length);
}

/**
 * What the hypervolume would lose without each point: [n]. Dominated, repeated and outside points have 0.
 *
 * The part of a point's own box that the others, limited to that box, leave over; no difference of two large volumes.
 * @throws RangeError as `hypervolume`
 */
export function hypervolumeContributions(points: readonly Objectives[], reference: Objectives): Float64Array {
  const m = reference.length;
  const inside = below(points, reference);
  const set = new Set(inside);
  return Float64Array.from(points, (p) => {
    if (!set.has(p)) return 0;
    const others = inside.filter((q) => q !== p);
    // The same array twice in the list is a repeated point too.
    if (others.length < inside.length - 1) return 0;
    return Math.max(0, boxVolume(p, reference, m) - volume(limit(others, p, m), reference, m));
  });
}

/**
 * What the hypervolume of the front gains by one more point: ≥ 0. Cheaper than the difference of two hypervolumes, and without
 * its cancellation.
 * @throws RangeError as `hypervolume`
 */
export function hypervolumeGain(point: Objectives, front: readonly Objectives[], reference: Objectives): number {
  const m = reference.length;
  if (below([point], reference).length === 0) return 0;
  return Math.max(0, boxVolume(point, reference, m) - volume(limit(below(front, reference), point, m), reference, m));
}

/** Points strictly below the reference in every objective, checked. */
export function below(points: readonly Objectives[], reference: Objectives): Objectives[] {
  const m = reference.length;
  checkPoint(reference, m, 'reference');
  for (let j = 0; j < m; j++) if (!Number.isFinite(reference[j]!)) throw new RangeError(`reference[${j}]: expected a finite number, got ${reference[j]}`);
  if (points.length > 0 && checkPoints(points) !== m) throw new RangeError(`reference: expected ${points[0]!.length} objectives as the points have, got ${m}`);
  return points.filter((p, i) => {
    let inside = true;
    for (let j = 0; j < m; j++) {
      if (p[j] === -Infinity) throw new RangeError(`points[${i}][${j}]: expected a finite number, got -Infinity`);
      if (!(p[j]! < reference[j]!)) inside = false;
    }
    return inside;
  });
}

/** Of the first m coordinates; all points strictly below the reference. */
function volume(points: readonly Objectives[], r: Objectives, m: number): number {
  if (points.length === 0) return 0;
  if (points.length === 1) return boxVolume(points[0]!, r, m);
  if (m === 1) return r[0]! - points.reduce((least, p) => Math.min(least, p[0]!), Infinity);
  if (m === 2) return area(points, r);
  if (m === 3) return sweep(points, r);
  return sliced(points, r, m);
}

function area(points: readonly Objectives[], r: Objectives): number {
  const sorted = [...points].sort((a, b) => a[0]! - b[0]!);
  let [sum, top] = [0, r[1]!];
  for (const p of sorted) {
    if (p[1]! >= top) continue;
    sum += (r[0]! - p[0]!) * (top - p[1]!);
    top = p[1]!;
  }
  return sum;
}

/**
 * Slabs between consecutive third coordinates, each as high as the area of the staircase of the points met. Steps xs ascending, ys
 * descending, between the sentinels (-∞, r2) and (r1, -∞).
 */
function sweep(points: readonly Objectives[], r: Objectives): number {
  const sorted = [...points].sort((a, b) => a[2]! - b[2]!);
  const xs = [-Infinity, r[0]!];
  const ys = [r[1]!, -Infinity];
  let [sum, covered, level] = [0, 0, 0];
  for (const p of sorted) {
    const [x, y, z] = [p[0]!, p[1]!, p[2]!];
    sum += covered * (z - level);
    level = z;
    const first = lowerBound(xs, x);
    // Covered already: a step left of x, or at x, that is no higher.
    if (ys[first - 1]! <= y || (xs[first] === x && ys[first]! <= y)) continue;
    let [left, height, last] = [x, ys[first - 1]!, first];
    while (ys[last]! >= y) {
      covered += (xs[last]! - left) * (height - y);
      left = xs[last]!;
      height = ys[last]!;
      last++;
    }
    covered += (xs[last]! - left) * (height - y);
    xs.splice(first, last - first, x);
    ys.splice(first, last - first, y);
  }
  return sum + covered * (r[2]! - level);
}

/**
 * WFG along the last objective, ascending: of each point, only what the earlier ones leave over. Those are no worse in the last
 * objective, so that part is a cylinder over an (m-1)-dimensional one.
 */
function sliced(points: readonly Objectives[], r: Objectives, m: number): number {
  const sorted = [...points].sort((a, b) => a[m - 1]! - b[m - 1]!);
  let sum = 0;
  sorted.forEach((p, i) => {
    const base = boxVolume(p, r, m - 1) - volume(limit(sorted.slice(0, i), p, m - 1), r, m - 1);
    sum += (r[m - 1]! - p[m - 1]!) * base;
  });
  return sum;
}

/** The points pushed into the box of p in the first m coordinates, without those that another covers. */
function limit(points: readonly Objectives[], p: Objectives, m: number): Float64Array[] {
  const limited = points.map((q) => Float64Array.from({ length: m }, (_, j) => Math.max(p[j]!, q[j]!)));
  limited.sort(compareVectors);
  const kept: Float64Array[] = [];
  for (const q of limited) if (!kept.some((k) => k.every((v, j) => v <= q[j]!))) kept.push(q);
  return kept;
}

function boxVolume(p: Objectives, r: Objectives, m: number): number {
  let v = 1;
  for (let j = 0; j < m; j++) v *= r[j]! - p[j]!;
  return v;
}

function lowerBound(sorted: readonly number[], x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
