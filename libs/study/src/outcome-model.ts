/**
 * What is known of one evaluated quantity, such as accuracy, from the trials that have it: an exact Gaussian process over points in code and what is computed
 * of their networks.
 *
 *   y = c + f(x) + e,  c ~ N(0, 0.3),  f ~ GP(0, a·m(r) + b·⟨z, z'⟩ / q),  e ~ N(0, s),  r² = ‖u − u'‖² / (d·l²) + ‖z − z'‖² / (q·k²)
 *
 * u [d]: genes in the unit cube, categories one-hot; z [q]: analytic figures, standardised; y minimised, standardised; m Matérn 5/2. θ = ln (a, b, l, k, s) has a
 * broad normal prior. Of few values θ is drawn from its posterior and predictions are those of all draws together, since the most probable one alone is too sure;
 * of more it is the most probable one, by a pattern search. Rasmussen & Williams 2006, alg. 2.1, eqs. 4.17, 5.8, 5.10 – 5.12.
 *
 * With a process g known from elsewhere, the same quantity in other studies of the task, y = w·g(x) + c + f(x) + e: w ≥ 0 is sought with the others, c ~ N(0, 1)
 * is the study's own offset. Kennedy & O'Hagan 2000, eq. 1, g entering with its covariance. What g has wrong is mended by f, and by w, which may fall to nothing.
 *
 * Values that fell apart are drawn in and have more noise than others: see `bounded`.
 */
import { cholesky, choleskyInverse, choleskySolve, logDiagonal, mean, Rng, solveLower, studentQuantile } from '@app/numeric';
import {
  bounded, centreAndSpread, distance, distancesOf, FAR_NOISE, kernel, patternSearch, posteriorSamples, product, standardisationOf, standardised, type Distances, type Features, type Standardisation,
} from './outcome-kernel.js';
import type { Shared, SharedModel } from './shared-model.js';

export type { Features } from './outcome-kernel.js';

export interface Predicted {
  readonly mean: number;
  /** of a further evaluation, its noise included */
  readonly deviation: number;
}

/** ln of a, b, l, k, s; with a known process, of w too */
export type Hyperparameters = readonly number[];

const START: Hyperparameters = [0, Math.log(0.3), Math.log(0.5), 0, Math.log(0.05)];
const START_WEIGHT = Math.log(0.7);
/** Variance of the own offset, in variances of y: the values' mean is of the points that happened to be tried. */
const OFFSET = 0.3;
/** The same beside a known process. */
const OFFSET_BESIDE = 1;
/** Values up to which hyperparameters are drawn. */
const MOST_DRAWN = 30;

export interface FitOptions {
  /** draws that are taken as they are */
  readonly hyperparameters?: readonly Hyperparameters[] | undefined;
  /** what is known from elsewhere */
  readonly shared?: SharedModel | undefined;
}

/** The process of one θ. */
interface Draw {
  readonly theta: Hyperparameters;
  readonly L: Float64Array;
  /** K⁻¹ (y − w·mean of g), [n] */
  readonly alpha: Float64Array;
}

export class OutcomeModel {
  private constructor(
    private readonly draws: readonly Draw[],
    private readonly points: readonly Features[],
    private readonly scales: Scales,
    private readonly target: Float64Array,
    /** besides that of all, [n] */
    private readonly noise: Float64Array,
    private readonly known: { readonly model: SharedModel; readonly at: readonly Shared[] } | null,
  ) {}

  /**
   * @param y  [n], n ≥ 3, finite, minimised
   * @throws RangeError on fewer than 3 points or values that are not finite
   *
   * n³/3 flops a draw with hyperparameters given; without some 60 times n³/3, of up to 30 values 400 times.
   */
  static fit(points: readonly Features[], y: readonly number[], { hyperparameters: given, shared }: FitOptions = {}): OutcomeModel {
    const n = y.length;
    if (points.length !== n || n < 3) throw new RangeError(`expected at least 3 points and a value for each, got ${points.length} and ${n}`);
    if (!y.every(Number.isFinite)) throw new RangeError('expected finite values');
    const taken = bounded(y);
    const { centre, spread } = centreAndSpread(taken);
    const scales = { centre, spread: spread || 1, of: standardisationOf(points) };
    const scaled = points.map((p) => standardised(p, scales.of));
    const target = Float64Array.from(taken.values, (v) => (v - scales.centre) / scales.spread);
    const noise = Float64Array.from(taken.far, (f) => (f ? FAR_NOISE : 0));
    const known = shared === undefined ? null : { model: shared, at: points.map((p) => shared.at(p)) };
    const distances = distancesOf(scaled);
    const between = known === null ? null : covarianceOfShared(known.model, known.at);
    const draw = (theta: Hyperparameters): Draw & { readonly residual: Float64Array } => {
      const residual = known === null ? target : target.map((v, i) => v - Math.exp(theta[5]!) * known.at[i]!.mean);
      const { L } = cholesky(covariance(distances, theta, noise, between), n);
      return { theta, L, alpha: choleskySolve(L, n, residual), residual };
    };
    const misfit = (theta: Hyperparameters): number => {
      const { L, alpha, residual } = draw(theta);
      return 0.5 * residual.reduce((sum, v, i) => sum + v * alpha[i]!, 0) + logDiagonal(L, n);
    };
    return new OutcomeModel((given ?? sought(known === null ? START : [...START, START_WEIGHT], misfit, n)).map(draw), scaled, scales, target, noise, known);
  }

  get hyperparameters(): readonly Hyperparameters[] {
    return this.draws.map((d) => d.theta);
  }

  /** w: how much of the known process is believed, in deviations of y for one of its own; 0 without one. */
  get weight(): number {
    return this.known === null ? 0 : mean(this.draws.map((d) => Math.exp(d.theta[5]!)));
  }

  /**
   * How many deviations from its mean a prediction's quantile lies: Student's t, as centre and spread are of the same n values.
   * @param p  above 0 and below 1
   */
  deviations(p: number): number {
    return studentQuantile(p, this.target.length - 2);
  }

  predict(point: Features): Predicted {
    const x = standardised(point, this.scales.of);
    const near = this.points.map((p) => [distance(p.genes, x.genes), distance(p.analytic, x.analytic), product(p.analytic, x.analytic)] as const);
    const square = product(x.analytic, x.analytic);
    const known = this.known === null ? null : sharedAt(this.known.model, this.known.at, this.known.model.at(point));
    return this.together(this.draws.map(({ theta, L, alpha }) => {
      const [w, offset] = known === null ? [0, OFFSET] : [Math.exp(theta[5]!), OFFSET_BESIDE];
      const row = Float64Array.from(near, ([genes, analytic, dot], i) => offset + kernel(genes, analytic, dot, theta) + (known === null ? 0 : w * w * known.between[i]!));
      const own = offset + kernel(0, 0, square, theta) + Math.exp(theta[4]!) + (known === null ? 0 : w * w * known.own);
      const half = solveLower(L, row.length, row);
      return { mean: (known === null ? 0 : w * known.mean) + row.reduce((sum, v, i) => sum + v * alpha[i]!, 0), variance: own - half.reduce((sum, v) => sum + v * v, 0) };
    }));
  }

  /** Each point's value predicted from all the others, the hyperparameters staying as they are: RW eqs. 5.12. `far`: it fell apart, see `bounded`. */
  heldOut(): (Predicted & { readonly far: boolean })[] {
    const n = this.target.length;
    const inverses = this.draws.map(({ L }) => choleskyInverse(L, n));
    return Array.from(this.target, (y, i) => {
      const said = this.draws.map(({ alpha }, k) => {
        const own = inverses[k]![i * (n + 1)]!;
        return { mean: y - alpha[i]! / own, variance: 1 / own - this.noise[i]! };
      });
      return { ...this.together(said), far: this.noise[i]! > 0 };
    });
  }

  /** Mean and deviation of equal shares of normal distributions. */
  private together(said: readonly { readonly mean: number; readonly variance: number }[]): Predicted {
    const middle = mean(said.map((s) => s.mean));
    const variance = mean(said.map((s) => Math.max(s.variance, 1e-12) + (s.mean - middle) ** 2));
    return { mean: this.scales.centre + this.scales.spread * middle, deviation: this.scales.spread * Math.sqrt(variance) };
  }
}

interface Scales {
  readonly centre: number;
  readonly spread: number;
  readonly of: Standardisation;
}

/** The chain's chance is the same always: a model is a function of its values. */
function sought(start: Hyperparameters, misfit: (theta: Hyperparameters) => number, n: number): readonly Hyperparameters[] {
  const mode = patternSearch(start, misfit);
  return n > MOST_DRAWN ? [mode] : posteriorSamples(start, mode, misfit, Rng.of(0, 'outcome-model'));
}

/** Of a point: g's mean, its variance, and its covariance with the points fitted, [n]. */
function sharedAt(model: SharedModel, at: readonly Shared[], here: Shared): { readonly mean: number; readonly own: number; readonly between: readonly number[] } {
  return { mean: here.mean, own: model.covariance(here, here), between: at.map((there) => model.covariance(here, there)) };
}

/** [n, n], lower triangle */
function covarianceOfShared(model: SharedModel, at: readonly Shared[]): Float64Array {
  const n = at.length;
  const C = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) C[i * n + j] = model.covariance(at[i]!, at[j]!);
  return C;
}

/**
 * @param more     variance of noise besides that of all, [n]
 * @param between  covariance of the known process, null without one
 */
function covariance({ n, genes, analytic, products }: Distances, theta: Hyperparameters, more: Float64Array, between: Float64Array | null): Float64Array {
  const K = new Float64Array(n * n);
  const noise = Math.exp(theta[4]!);
  const squared = between === null ? 0 : Math.exp(2 * theta[5]!);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * n + j;
      K[at] = kernel(genes[at]!, analytic[at]!, products[at]!, theta) + (i === j ? noise + more[i]! : 0) + (between === null ? OFFSET : OFFSET_BESIDE + squared * between[at]!);
    }
  }
  return K;
}
