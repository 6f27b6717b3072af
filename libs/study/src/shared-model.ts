/**
 * What other studies of a task know of a quantity together. Study t's value of point x, in its own mean and deviation, is
 *
 *   y = g(x) + h_t(x) + c_t + e,  g ~ GP(0, ρ·k),  h_t ~ GP(0, (1 − ρ)·k),  c_t ~ N(0, o),  e ~ N(0, s)
 *
 * with k that of an outcome model: a process that all share, one that is each study's own, and an offset, so that a shorter recipe or another precision moves and
 * stretches values without misleading. The model of coregionalisation with one coefficient (Bonilla, Chai & Williams 2008, eq. 2, K^f = ρ·11ᵀ + (1 − ρ)·I);
 * (a, b, l, k, s, ρ) maximise the marginal likelihood under broad priors. Only g is given on.
 */
import { cholesky, choleskySolve, logDiagonal, mean, solveLower } from '@app/numeric';
import { bounded, centreAndSpread, distance, distancesOf, FAR_NOISE, kernel, patternSearch, product, standardisationOf, standardised, type Distances, type Features, type Standardisation } from './outcome-kernel.js';

/** A value that another study evaluated. */
export interface Observation {
  readonly features: Features;
  /** finite, minimised */
  readonly value: number;
  /** one study at one fidelity */
  readonly group: string;
}

/** g at a point, given the observations. */
export interface Shared {
  readonly mean: number;
  /** [n], what covariances need */
  readonly half: Float64Array;
  /** standardised */
  readonly features: Features;
}

/** Groups of fewer observations have no deviation of their own: that of all groups about their means is taken. */
const LEAST_FOR_SPREAD = 5;
/** Variance of a group's offset, in its variances: its mean is of the points it happened to try. */
const OFFSET = 0.3;
/** Observations that hyperparameters are sought on, evenly drawn. */
const MOST_FITTED = 150;
/** ln a, b, l, k, s; logit of ρ */
const START = [0, Math.log(0.3), Math.log(0.5), 0, Math.log(0.05), 1.5] as const;

export class SharedModel {
  private constructor(
    private readonly theta: readonly number[],
    private readonly points: readonly Features[],
    private readonly of: Standardisation,
    private readonly L: Float64Array,
    private readonly alpha: Float64Array,
  ) {}

  /**
   * @param observations  n ≥ 3
   * @throws RangeError on fewer, or a value that is not finite
   *
   * n³/3 flops and some 70·150³/3.
   */
  static fit(observations: readonly Observation[]): SharedModel {
    if (observations.length < 3) throw new RangeError(`expected at least 3 observations, got ${observations.length}`);
    if (!observations.every((o) => Number.isFinite(o.value))) throw new RangeError('expected finite values');
    const of = standardisationOf(observations.map((o) => o.features));
    const points = observations.map((o) => standardised(o.features, of));
    const groups = observations.map((o) => o.group);
    const { values: y, noise } = standardisedByGroup(observations);
    const several = new Set(groups).size > 1;
    const few = evenly(observations.length, MOST_FITTED);
    const [fewPoints, fewGroups, fewValues, fewNoise] = [few.map((i) => points[i]!), few.map((i) => groups[i]!), Float64Array.from(few, (i) => y[i]!), few.map((i) => noise[i]!)];
    const distances = distancesOf(fewPoints);
    const theta = patternSearch(several ? START : START.slice(0, 5), (t) => {
      const { L } = cholesky(covariance(distances, fewGroups, t, fewNoise), few.length);
      const alpha = choleskySolve(L, few.length, fewValues);
      return 0.5 * fewValues.reduce((sum, v, i) => sum + v * alpha[i]!, 0) + logDiagonal(L, few.length);
    });
    const { L } = cholesky(covariance(distancesOf(points), groups, theta, noise), points.length);
    return new SharedModel(theta, points, of, L, choleskySolve(L, points.length, y));
  }

  /** Share of the variance of values that studies have in common; 1 of a single one. */
  get common(): number {
    return commonOf(this.theta);
  }

  /** n² flops. */
  at(point: Features): Shared {
    const features = standardised(point, this.of);
    const row = Float64Array.from(this.points, (p) => this.common * kernelOf(p, features, this.theta));
    return { mean: row.reduce((sum, v, i) => sum + v * this.alpha[i]!, 0), half: solveLower(this.L, row.length, row), features };
  }

  /** Of g at two points, given the observations. */
  covariance(a: Shared, b: Shared): number {
    let explained = 0;
    for (let i = 0; i < a.half.length; i++) explained += a.half[i]! * b.half[i]!;
    return this.common * kernelOf(a.features, b.features, this.theta) - explained;
  }
}

const commonOf = (theta: readonly number[]): number => (theta.length < 6 ? 1 : 1 / (1 + Math.exp(-theta[5]!)));

const kernelOf = (a: Features, b: Features, theta: readonly number[]): number => kernel(distance(a.genes, b.genes), distance(a.analytic, b.analytic), product(a.analytic, b.analytic), theta);

/** In mean and deviation of each group, values that fell apart drawn in (see `bounded`); and the variance of noise that each has besides. */
function standardisedByGroup(observations: readonly Observation[]): { readonly values: Float64Array; readonly noise: readonly number[] } {
  const places = new Map<string, number[]>();
  observations.forEach(({ group }, i) => places.set(group, [...(places.get(group) ?? []), i]));
  const taken = new Map([...places].map(([group, at]) => [group, bounded(at.map((i) => observations[i]!.value))]));
  const scales = new Map([...taken].map(([group, t]) => [group, centreAndSpread(t)]));
  const pooled = Math.sqrt(mean([...taken].flatMap(([group, { values, far }]) => values.flatMap((v, k) => (far[k]! ? [] : [(v - scales.get(group)!.centre) ** 2]))))) || 1;
  const [standard, noise] = [new Float64Array(observations.length), new Array<number>(observations.length).fill(0)];
  for (const [group, at] of places) {
    const [{ values, far }, { centre, spread }] = [taken.get(group)!, scales.get(group)!];
    at.forEach((i, k) => {
      standard[i] = (values[k]! - centre) / ((at.length < LEAST_FOR_SPREAD ? 0 : spread) || pooled);
      if (far[k]!) noise[i] = FAR_NOISE;
    });
  }
  return { values: standard, noise };
}

/** Up to `most` of n places, evenly spread, the first and the last among them. */
function evenly(n: number, most: number): number[] {
  return n <= most ? Array.from({ length: n }, (_, i) => i) : Array.from({ length: most }, (_, i) => Math.round((i * (n - 1)) / (most - 1)));
}

function covariance({ n, genes, analytic, products }: Distances, groups: readonly string[], theta: readonly number[], more: readonly number[]): Float64Array {
  const K = new Float64Array(n * n);
  const common = commonOf(theta);
  const noise = Math.exp(theta[4]!);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * n + j;
      const same = groups[i] === groups[j];
      K[at] = (same ? 1 : common) * kernel(genes[at]!, analytic[at]!, products[at]!, theta) + (same ? OFFSET : 0) + (i === j ? noise + more[i]! : 0);
    }
  }
  return K;
}
