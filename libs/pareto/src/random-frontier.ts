/**
 * The Pareto front when metrics are uncertain: how likely each candidate is on it, how likely one dominates another, and one measure to
 * rank all candidates by.
 *
 * Draws are paired: draws[s][i] is the vector of candidate i in world s, all of whose candidates were drawn together, so metrics that vary
 * together (two candidates measured on one warm device) may do so in the draws. With no variance every world is the same and the front is
 * the deterministic one, exactly.
 */
import { normalCdf, type Rng } from '@app/numeric';
import { dominates, paretoFront } from './dominance.js';
import { checkFinite, checkPoints, type Objectives } from './vectors.js';

/** A candidate whose objectives, all minimised, are independent normals; deviation 0: known. */
export interface UncertainPoint {
  /** [m] */
  readonly mean: Objectives;
  /** [m], ≥ 0 */
  readonly deviation: Objectives;
}

export interface Estimate {
  /** [n] */
  readonly value: Float64Array;
  /** [n], of the value as an estimate from so many draws */
  readonly standardError: Float64Array;
}

/**
 * Paired draws of independent normals: [samples][n][m].
 * @throws RangeError on lengths that differ, a deviation below 0, or anything not finite
 */
export function drawNormal(points: readonly UncertainPoint[], samples: number, rng: Rng): Float64Array[][] {
  checkUncertain(points);
  if (!Number.isSafeInteger(samples) || samples < 1) throw new RangeError(`samples: expected an integer from 1, got ${samples}`);
  return Array.from({ length: samples }, () => points.map((p) => Float64Array.from({ length: p.mean.length }, (_, j) => {
    const sd = p.deviation[j]!;
    return sd === 0 ? p.mean[j]! : p.mean[j]! + sd * rng.normal();
  })));
}

/**
 * Share of worlds in which each candidate is on the front, with the binomial standard error √(p(1-p)/S). Equal points are all on it.
 * @throws RangeError on no draws, worlds of different size, NaN
 */
export function frontProbability(draws: readonly (readonly Objectives[])[]): Estimate {
  const n = checkDraws(draws);
  const value = new Float64Array(n);
  for (const world of draws) for (const i of paretoFront(world)) value[i]! += 1 / draws.length;
  // Sums of 1/S: a certainty shall be exactly 1.
  value.forEach((p, i) => (value[i] = Math.round(p * draws.length) / draws.length));
  return { value, standardError: value.map((p) => Math.sqrt((p * (1 - p)) / draws.length)) };
}

/** Share of worlds in which i dominates k, at [i·n + k]. @throws as `frontProbability` */
export function pairwiseDominance(draws: readonly (readonly Objectives[])[]): Float64Array {
  const n = checkDraws(draws);
  const counts = new Float64Array(n * n);
  for (const world of draws) for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) if (i !== k && dominates(world[i]!, world[k]!)) counts[i * n + k]! += 1;
  return counts.map((c) => c / draws.length);
}

/**
 * P(a dominates b) of independent normals, exact: Π P(A_j ≤ B_j) - Π P(A_j = B_j). The second product differs from 0 only where every
 * objective of both is known and equal.
 * @throws RangeError as `drawNormal`
 */
export function dominanceProbability(a: UncertainPoint, b: UncertainPoint): number {
  checkUncertain([a, b]);
  let noWorse = 1;
  let equal = 1;
  for (let j = 0; j < a.mean.length; j++) {
    const gap = b.mean[j]! - a.mean[j]!;
    const spread = Math.hypot(a.deviation[j]!, b.deviation[j]!);
    noWorse *= spread > 0 ? normalCdf(gap / spread) : gap >= 0 ? 1 : 0;
    equal *= spread === 0 && gap === 0 ? 1 : 0;
  }
  return noWorse - equal;
}

/**
 * P(the known point is on the front of independent normals), exact: Π over the others of 1 - P(they dominate it). For an uncertain point the
 * factors hang together through it, and `frontProbability` of draws is the way.
 * @throws RangeError as `drawNormal`
 */
export function knownFrontProbability(point: Objectives, others: readonly UncertainPoint[]): number {
  const known: UncertainPoint = { mean: point, deviation: new Float64Array(point.length) };
  return others.reduce((p, other) => p * (1 - dominanceProbability(other, known)), 1);
}

/**
 * Probability of each candidate of being on the front when each is independent of the others and takes every one of its listed vectors (repeated
 * measurements, say) with equal chance. Exact: given a candidate's own vector the others dominate it independently of each other. O((Σ values)² m).
 * @param values  [n][values of the candidate][m]
 * @throws RangeError on a candidate without values, NaN, or lengths that differ
 */
export function independentFrontProbability(values: readonly (readonly Objectives[])[]): Float64Array {
  values.forEach((own, i) => {
    if (own.length === 0) throw new RangeError(`values[${i}]: expected at least one vector, got none`);
  });
  checkPoints(values.flat(), 'values');
  return Float64Array.from(values, (own, i) => {
    let sum = 0;
    for (const p of own) {
      let free = 1;
      values.forEach((others, k) => {
        if (k !== i) free *= 1 - others.filter((q) => dominates(q, p)).length / others.length;
      });
      sum += free;
    }
    return sum / own.length;
  });
}

/**
 * Relative efficiency of each point: the factor θ ≤ 1 to which all its objectives would have to shrink together for no other to beat it,
 *   θ_i = min over k of max over j of y_kj / y_ij.
 * 1: no other is better in every objective. 0.8: some other has at most 80 % of it in every objective. The input efficiency of the free
 * disposal hull: Deprins, Simar, Tulkens, Measuring labor efficiency in post offices (1984).
 *
 * Assumes that objectives are positive amounts for which ratios mean something (errors, milliseconds, joules, bytes; not a negated
 * accuracy or a logarithm), and that less of each is better whatever the others are. It needs no weights and no units, and does not change
 * when an objective is measured in another unit. It looks at single competitors, never at mixtures of two.
 * @throws RangeError on a value that is not positive and finite, naming it
 */
export function relativeEfficiency(points: readonly Objectives[]): Float64Array {
  const m = checkPoints(points);
  points.forEach((p, i) => {
    for (let j = 0; j < m; j++) if (!(p[j]! > 0 && p[j]! < Infinity)) throw new RangeError(`points[${i}][${j}]: expected a positive number, got ${p[j]}`);
  });
  const front = paretoFront(points);
  return Float64Array.from(points, (own) => front.reduce((least, k) => {
    let worst = 0;
    for (let j = 0; j < m; j++) worst = Math.max(worst, points[k]![j]! / own[j]!);
    return Math.min(least, worst);
  }, 1));
}

/** Mean of the relative efficiency over the worlds, with its standard error (0 for a single draw). @throws as both it is made of */
export function expectedEfficiency(draws: readonly (readonly Objectives[])[]): Estimate {
  const n = checkDraws(draws);
  const value = new Float64Array(n);
  const squares = new Float64Array(n);
  // Welford's update: no cancellation, and exactly 0 where nothing varies.
  draws.forEach((world, s) => relativeEfficiency(world).forEach((e, i) => {
    const before = e - value[i]!;
    value[i]! += before / (s + 1);
    squares[i]! += before * (e - value[i]!);
  }));
  const S = draws.length;
  return { value, standardError: squares.map((q) => (S > 1 ? Math.sqrt(q / (S - 1) / S) : 0)) };
}

function checkDraws(draws: readonly (readonly Objectives[])[]): number {
  if (draws.length === 0) throw new RangeError('draws: expected at least one, got none');
  const n = draws[0]!.length;
  const m = draws[0]![0]?.length ?? 0;
  draws.forEach((world, s) => {
    if (world.length !== n) throw new RangeError(`draws[${s}]: expected ${n} candidates, got ${world.length}`);
    if (checkPoints(world, `draws[${s}]`) !== m) throw new RangeError(`draws[${s}]: expected ${m} objectives, got ${world[0]!.length}`);
  });
  return n;
}

function checkUncertain(points: readonly UncertainPoint[]): void {
  const m = checkPoints(points.map((p) => p.mean), 'mean');
  checkFinite(points.map((p) => p.mean), 'mean');
  points.forEach((p, i) => {
    if (p.deviation.length !== m) throw new RangeError(`deviation[${i}]: expected ${m} objectives, got ${p.deviation.length}`);
    for (let j = 0; j < m; j++) if (!(p.deviation[j]! >= 0 && p.deviation[j]! < Infinity)) throw new RangeError(`deviation[${i}][${j}]: expected a finite number from 0, got ${p.deviation[j]}`);
  });
}
