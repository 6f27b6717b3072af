/**
 * Lengthscales and noise by maximum a posteriori.
 *
 * Priors scaled by the number of features D (Hvarfner, Hellsten, Nardi, Vanilla Bayesian optimization performs great in high
 * dimensions, 2024): log l ~ N(√2 + ½ log D, 3), l ≥ 0.025. Noise variance, outputs standardised: log σ² ~ N(-4, 1), σ² ≥ 1e-6. Of exact
 * outcomes what is called noise is what the model can't follow; they are fitted under N(-8, 4) too, and the θ that foretells each
 * outcome better from the others is taken: a smooth function is followed closely where the first calls its bends noise.
 */
import { minimiseLbfgs, type Rng } from '@app/numeric';
import { addBiasPrior, BIAS_BOUNDS, BIAS_START } from './fidelity.js';
import type { FeatureShape, Theta } from './kernel.js';
import { leaveOneOutScore } from './leave-one-out.js';
import { negativeLogLikelihood } from './likelihood.js';

/** of log σ² */
interface NoisePrior {
  readonly centre: number;
  readonly variance: number;
}

const LOOSE: NoisePrior = { centre: -4, variance: 1 };
const TIGHT: NoisePrior = { centre: -8, variance: 4 };
const LENGTH_VARIANCE = 3;
const LEAST_LENGTH = Math.log(0.025);
const LARGEST_LENGTH = Math.log(1e3);
const LEAST_NOISE = Math.log(1e-6);

/** Mode of the prior as a density of l, 0.205·√D, and noise a deviation of the loose prior below its centre, e⁻⁵ there. */
export function priorTheta(D: number, prior = LOOSE): Theta {
  return [...new Array<number>(D).fill(Math.SQRT2 - 3 + 0.5 * Math.log(D)), prior.centre - 1];
}

/** -log posterior of θ up to a constant, with gradient; Infinity where the matrix can not be factorised. */
export function negativeLogPosterior(shape: FeatureShape, points: readonly Float64Array[], y: ArrayLike<number>, theta: Float64Array, gradient: Float64Array, fidelities: readonly number[] | null = null, prior = LOOSE): number {
  const D = shape.size;
  let value: number;
  try {
    value = negativeLogLikelihood(shape, points, y, theta, gradient, fidelities);
  } catch {
    return Infinity;
  }
  const centre = Math.SQRT2 + 0.5 * Math.log(D);
  for (let d = 0; d < D; d++) {
    value += (theta[d]! - centre) ** 2 / (2 * LENGTH_VARIANCE);
    gradient[d]! += (theta[d]! - centre) / LENGTH_VARIANCE;
  }
  value += (theta[D]! - prior.centre) ** 2 / (2 * prior.variance);
  gradient[D]! += (theta[D]! - prior.centre) / prior.variance;
  if (fidelities !== null) value += addBiasPrior(theta, D, gradient);
  return value;
}

export interface FitEffort {
  /** optimum of an earlier fit, the first start */
  readonly previous: Theta | null;
  /** Start from the prior's mode too; always done without a previous optimum. */
  readonly fromMode: boolean;
  /** draws of the prior to start from besides */
  readonly draws: number;
  /** iterations of each local search */
  readonly iterations: number;
  /** Outcomes carry no noise: see above. Full evaluations only. */
  readonly exact?: boolean;
  /** log noise variance if that is known */
  readonly noise?: number | undefined;
  /** of the points, where some are below 1; θ then has the bias too */
  readonly fidelities?: readonly number[] | undefined;
}

/**
 * Best of local searches from the previous optimum, the prior's mode, and draws of the prior. The mode has to come now and then: a
 * parameter once given a long lengthscale has hardly any slope left to come back by. A fit that calls all variance noise loses to one
 * that does not by its posterior; the noise prior sees to that.
 * @param y  standardised
 */
export function fitTheta(shape: FeatureShape, points: readonly Float64Array[], y: ArrayLike<number>, effort: FitEffort, rng: Rng): Theta {
  const loose = fitUnder(LOOSE, shape, points, y, effort, rng);
  if (!effort.exact || effort.fidelities !== undefined) return loose;
  const tight = fitUnder(TIGHT, shape, points, y, effort, rng);
  return leaveOneOutScore(shape, points, y, tight) > leaveOneOutScore(shape, points, y, loose) ? tight : loose;
}

function fitUnder(prior: NoisePrior, shape: FeatureShape, points: readonly Float64Array[], y: ArrayLike<number>, { previous, fromMode, draws, iterations, noise, fidelities }: FitEffort, rng: Rng): Theta {
  const D = shape.size;
  const bias = fidelities === undefined ? [] : BIAS_START;
  const mode = [...priorTheta(D, prior), ...bias];
  const lower = [...new Array<number>(D).fill(LEAST_LENGTH), noise ?? LEAST_NOISE, ...bias.map(() => BIAS_BOUNDS.lower)];
  const upper = [...new Array<number>(D).fill(LARGEST_LENGTH), noise ?? 0, ...bias.map(() => BIAS_BOUNDS.upper)];
  const starts: Theta[] = previous === null ? [] : [previous];
  if (fromMode || previous === null) starts.push(mode);
  for (let r = 0; r < draws; r++) {
    // Half the prior's deviation, around its mode: a start in the far tails is a wasted one.
    starts.push(mode.map((v, d) => v + (d < D ? 0.5 * Math.sqrt(LENGTH_VARIANCE) : 1) * rng.normal()));
  }
  let best: { theta: Theta; value: number } | null = null;
  for (const start of starts) {
    const objective = (t: Float64Array, g: Float64Array): number => negativeLogPosterior(shape, points, y, t, g, fidelities ?? null, prior);
    try {
      const { x, value } = minimiseLbfgs(objective, start, { lower, upper, maxIterations: iterations, gradientTolerance: 1e-2, valueTolerance: 1e-5 });
      if (best === null || value < best.value) best = { theta: [...x], value };
    } catch {
      continue;
    }
  }
  return best?.theta ?? mode.map((v, d) => (d === D ? noise ?? v : v));
}
