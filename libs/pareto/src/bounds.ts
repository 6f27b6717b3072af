import { paretoFront } from './dominance.js';
import { checkPoints, type Objectives } from './vectors.js';

/** Best value of each objective. @throws RangeError on no points, NaN, or lengths that differ */
export function idealPoint(points: readonly Objectives[]): Float64Array {
  return extreme(points, Math.min);
}

/** Worst value of each objective among the non-dominated points. @throws RangeError on no points, NaN, or lengths that differ */
export function nadirPoint(points: readonly Objectives[]): Float64Array {
  return extreme(paretoFront(points).map((i) => points[i]!), Math.max);
}

/**
 * Points with ideal ↦ 0 and nadir ↦ 1 in each objective; an objective in which the two agree becomes 0.
 * @throws RangeError unless ideal and nadir have the points' length
 */
export function normalise(points: readonly Objectives[], ideal: Objectives, nadir: Objectives): Float64Array[] {
  const m = checkPoints(points);
  if (points.length > 0 && (ideal.length !== m || nadir.length !== m)) throw new RangeError(`expected bounds of ${m} objectives, got ${ideal.length} and ${nadir.length}`);
  return points.map((p) =>
    Float64Array.from({ length: m }, (_, j) => {
      const range = nadir[j]! - ideal[j]!;
      return range === 0 ? 0 : (p[j]! - ideal[j]!) / range;
    }),
  );
}

function extreme(points: readonly Objectives[], choose: (a: number, b: number) => number): Float64Array {
  const m = checkPoints(points);
  if (points.length === 0) throw new RangeError('expected at least one point, got none');
  const out = Float64Array.from(points[0]!);
  for (const p of points) for (let j = 0; j < m; j++) out[j] = choose(out[j]!, p[j]!);
  return out;
}
