/** Quality of a set of points as one number, objectives minimised; see also the hypervolume. */
import { checkFinite, checkPoints, type Objectives } from './vectors.js';

/**
 * Inverted generational distance plus: mean over a reference front of how far the nearest point falls short of it, √Σ max(0, p_j - z_j)².
 * Weakly Pareto compliant, 0 when every reference point is reached. Ishibuchi, Masuda, Tanigaki, Nojima (2015). Scale the objectives first.
 * @throws RangeError on an empty reference, values that are not finite, or lengths that differ
 * @returns Infinity for no points
 */
export function igdPlus(points: readonly Objectives[], reference: readonly Objectives[]): number {
  const m = checkPoints(reference, 'reference');
  if (reference.length === 0) throw new RangeError('reference: expected at least one point, got none');
  checkFinite(reference, 'reference');
  if (points.length > 0 && checkPoints(points) !== m) throw new RangeError(`points: expected ${m} objectives as the reference has, got ${points[0]!.length}`);
  checkFinite(points);
  let sum = 0;
  for (const z of reference) {
    let least = Infinity;
    for (const p of points) {
      let square = 0;
      for (let j = 0; j < m; j++) square += Math.max(0, p[j]! - z[j]!) ** 2;
      if (square < least) least = square;
    }
    sum += Math.sqrt(least);
  }
  return sum / reference.length;
}

/**
 * R2 with weighted Chebyshev utilities: mean over the weights of the least over points of max_j w_j (p_j - utopia_j). Less is better.
 * Hansen, Jaszkiewicz (1998); Brockhoff, Wagner, Trautmann (2012).
 * @param weights  [k][m], from 0; `simplexWeights` gives even ones
 * @param utopia   [m], no worse than any point in any objective
 * @throws RangeError on no weights, a negative weight, a point better than the utopia, values that are not finite, or lengths that differ
 * @returns Infinity for no points
 */
export function r2(points: readonly Objectives[], weights: readonly Objectives[], utopia: Objectives): number {
  const m = utopia.length;
  checkFinite([utopia], 'utopia');
  checkFinite(points);
  checkFinite(weights, 'weights');
  if (weights.length === 0) throw new RangeError('weights: expected at least one, got none');
  if (checkPoints(weights, 'weights') !== m) throw new RangeError(`weights: expected ${m} values, got ${weights[0]!.length}`);
  weights.forEach((w, i) => {
    for (let j = 0; j < m; j++) if (w[j]! < 0) throw new RangeError(`weights[${i}][${j}]: expected a number from 0, got ${w[j]}`);
  });
  if (points.length > 0 && checkPoints(points) !== m) throw new RangeError(`points: expected ${m} objectives, got ${points[0]!.length}`);
  points.forEach((p, i) => {
    for (let j = 0; j < m; j++) if (p[j]! < utopia[j]!) throw new RangeError(`points[${i}][${j}]: expected no less than the utopia's ${utopia[j]}, got ${p[j]}`);
  });
  const utility = (p: Objectives, w: Objectives): number => {
    let worst = 0;
    for (let j = 0; j < m; j++) worst = Math.max(worst, w[j]! * (p[j]! - utopia[j]!));
    return worst;
  };
  return weights.reduce((sum, w) => sum + points.reduce((least, p) => Math.min(least, utility(p, w)), Infinity), 0) / weights.length;
}

/**
 * Weights with sum 1 on the lattice of 1/divisions, all of them: C(divisions + m - 1, m - 1) rows of m. Das, Dennis (1998).
 * @throws RangeError unless both are integers from 1
 */
export function simplexWeights(m: number, divisions: number): Float64Array[] {
  for (const [name, v] of [['m', m], ['divisions', divisions]] as const) if (!Number.isSafeInteger(v) || v < 1) throw new RangeError(`${name}: expected an integer from 1, got ${v}`);
  const rest = (coordinates: number, left: number): number[][] =>
    coordinates === 1 ? [[left]] : Array.from({ length: left + 1 }, (_, k) => rest(coordinates - 1, left - k).map((tail) => [k, ...tail])).flat();
  return rest(m, divisions).map((w) => Float64Array.from(w, (v) => v / divisions));
}
