/** Parts that models of evaluated outcomes share: points as they see them, the kernel, and the search for its hyperparameters. */
import { mean, median, standardDeviation, type Rng } from '@app/numeric';

export interface Features {
  /** [d] */
  readonly genes: Float64Array;
  /** [q], may be empty; NaN: not known, taken to be as usual */
  readonly analytic: Float64Array;
}

export interface Standardisation {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Of analytic figures: their means and deviations over the points that have them. */
export function standardisationOf(points: readonly Features[]): Standardisation {
  const columns = Array.from({ length: points[0]!.analytic.length }, (_, j) => points.map((p) => p.analytic[j]!).filter((v) => !Number.isNaN(v)));
  return { means: columns.map((c) => (c.length === 0 ? 0 : mean(c))), deviations: columns.map((c) => (c.length === 0 ? 1 : standardDeviation(c) || 1)) };
}

export const standardised = ({ genes, analytic }: Features, { means, deviations }: Standardisation): Features => ({
  genes, analytic: analytic.map((v, j) => (Number.isNaN(v) ? 0 : (v - means[j]!) / deviations[j]!)),
});

/** Mean of squared differences; 0 without dimensions. */
export function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return a.length === 0 ? 0 : sum / a.length;
}

export function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return a.length === 0 ? 0 : sum / a.length;
}

export interface Distances {
  readonly n: number;
  /** [n, n] each, lower triangles */
  readonly genes: Float64Array;
  readonly analytic: Float64Array;
  readonly products: Float64Array;
}

export function distancesOf(points: readonly Features[]): Distances {
  const n = points.length;
  const [genes, analytic, products] = [new Float64Array(n * n), new Float64Array(n * n), new Float64Array(n * n)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      genes[i * n + j] = distance(points[i]!.genes, points[j]!.genes);
      analytic[i * n + j] = distance(points[i]!.analytic, points[j]!.analytic);
      products[i * n + j] = product(points[i]!.analytic, points[j]!.analytic);
    }
  }
  return { n, genes, analytic, products };
}

/** a·m(r) + b·⟨z, z'⟩ / q. `theta` begins with ln of a, b, l, k. */
export function kernel(genes: number, analytic: number, dot: number, theta: readonly number[]): number {
  const r = Math.sqrt(5 * (genes * Math.exp(-2 * theta[2]!) + analytic * Math.exp(-2 * theta[3]!)));
  return Math.exp(theta[0]!) * (1 + r + (r * r) / 3) * Math.exp(-r) + Math.exp(theta[1]!) * dot;
}

export interface Bounded {
  readonly values: readonly number[];
  /** whether a value was beyond the bound */
  readonly far: readonly boolean[];
}

/** Robust deviations above the median that a value counts for at the most; more of few values, whose deviation is known badly. */
const FARTHEST = 12;
const FARTHEST_OF_FEW = 6;
/** Variance of the noise that a value beyond the bound has besides that of others, in variances of the others: at the bound it is no wonder. */
export const FAR_NOISE = 64;

/**
 * Minimised values with those that fell apart, such as trainings that collapsed, drawn in: none lies farther above the median than 12·(1 + 6/n)
 * deviations (1.4826 × the median distance from the median; Hampel 1974). How bad they are says nothing of others, that they are bad may. Values that are good are left.
 */
export function bounded(values: readonly number[]): Bounded {
  const centre = median(values);
  const deviation = 1.4826 * median(values.map((v) => Math.abs(v - centre)));
  // more than half are the same
  const bound = deviation === 0 ? Infinity : centre + FARTHEST * (1 + FARTHEST_OF_FEW / values.length) * deviation;
  return { values: values.map((v) => Math.min(v, bound)), far: values.map((v) => v > bound) };
}

/** Mean and deviation of the values that are not far (divisor n − 1). */
export function centreAndSpread({ values, far }: Bounded): { readonly centre: number; readonly spread: number } {
  const sound = values.filter((_, i) => !far[i]!);
  return { centre: mean(sound), spread: standardDeviation(sound) * Math.sqrt(sound.length / Math.max(sound.length - 1, 1)) };
}

/** Deviation of θ about the start, in the prior. */
const PRIOR = 2;
const STEPS = [Math.log(4), Math.log(2), Math.log(Math.SQRT2)] as const;
const SWEEPS = 4;

/**
 * Pattern search for the largest posterior of θ, one coordinate after the other, with steps that shrink.
 *
 * @param misfit  negative logarithm of the likelihood
 */
export function patternSearch(start: readonly number[], misfit: (theta: readonly number[]) => number): readonly number[] {
  const loss = (theta: readonly number[]): number => misfit(theta) + theta.reduce((sum, t, i) => sum + 0.5 * ((t - start[i]!) / PRIOR) ** 2, 0);
  let best = start;
  let least = loss(best);
  for (const step of STEPS) {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const before = least;
      for (let i = 0; i < best.length; i++) {
        for (const sign of [1, -1]) {
          const tried = best.map((t, j) => (j === i ? t + sign * step : t));
          const value = loss(tried);
          if (value < least) {
            [best, least] = [tried, value];
            break;
          }
        }
      }
      if (least === before) break;
    }
  }
  return best;
}

const SAMPLES = 16;
const THINNED = 4;
const WARMED = 8;
/** The slice is a point. */
const NARROWEST = 1e-6;

/**
 * θ drawn from its posterior, a Markov chain by elliptical slice sampling from the most probable one on: Murray, Adams & MacKay 2010, fig. 2. Some 300 likelihoods.
 *
 * @param misfit  negative logarithm of the likelihood
 */
export function posteriorSamples(start: readonly number[], mode: readonly number[], misfit: (theta: readonly number[]) => number, rng: Rng): readonly (readonly number[])[] {
  const samples: (readonly number[])[] = [];
  let [at, likelihood] = [mode, -misfit(mode)];
  for (let step = 1; step <= WARMED + SAMPLES * THINNED; step++) {
    const other = start.map(() => PRIOR * rng.normal());
    const level = likelihood + Math.log(1 - rng.next());
    let angle = 2 * Math.PI * rng.next();
    let [low, high] = [angle - 2 * Math.PI, angle];
    while (high - low > NARROWEST) {
      const tried = at.map((v, i) => start[i]! + (v - start[i]!) * Math.cos(angle) + other[i]! * Math.sin(angle));
      const value = -misfit(tried);
      if (value > level) {
        [at, likelihood] = [tried, value];
        break;
      }
      if (angle < 0) low = angle;
      else high = angle;
      angle = low + (high - low) * rng.next();
    }
    if (step > WARMED && (step - WARMED) % THINNED === 0) samples.push(at);
  }
  return samples;
}
