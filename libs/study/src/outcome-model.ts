/**
 * What is known of one evaluated quantity, such as accuracy, from the trials that have it: an exact Gaussian process over points in code and what is computed
 * of their networks.
 *
 *   y = f(x) + e,  f ~ GP(0, a·m(r) + b·⟨z, z'⟩ / q),  e ~ N(0, s),  r² = ‖u − u'‖² / (d·l²) + ‖z − z'‖² / (q·k²)
 *
 * u [d]: genes in the unit cube, categories one-hot; z [q]: analytic figures, standardised; y standardised; m Matérn 5/2. (a, b, l, k, s) maximise the marginal
 * likelihood under broad log-normal priors, by a pattern search that holds no chance. Rasmussen & Williams 2006, alg. 2.1, eqs. 4.17, 5.8, 5.10 – 5.12.
 *
 * With a process g known from elsewhere, the same quantity in other studies of the task, y = w·g(x) + c + f(x) + e: w ≥ 0 is sought with the others, c ~ N(0, 1)
 * is the study's own offset. Kennedy & O'Hagan 2000, eq. 1, g entering with its covariance. What g has wrong is mended by f, and by w, which may fall to nothing.
 */
import { cholesky, choleskyInverse, choleskySolve, logDiagonal, mean, solveLower, standardDeviation } from '@app/numeric';
import { distance, distancesOf, kernel, patternSearch, product, standardisationOf, standardised, type Distances, type Features, type Standardisation } from './outcome-kernel.js';
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
/** Variance of the own offset beside a known process, in variances of y. */
const OFFSET = 1;

export interface FitOptions {
  /** taken as they are */
  readonly hyperparameters?: Hyperparameters | undefined;
  /** what is known from elsewhere */
  readonly shared?: SharedModel | undefined;
}

export class OutcomeModel {
  private constructor(
    readonly hyperparameters: Hyperparameters,
    private readonly points: readonly Features[],
    private readonly scales: Scales,
    private readonly L: Float64Array,
    /** K⁻¹ (y − w·mean of g), [n] */
    private readonly alpha: Float64Array,
    private readonly known: { readonly model: SharedModel; readonly at: readonly Shared[] } | null,
  ) {}

  /**
   * @param y  [n], n ≥ 3, finite
   * @throws RangeError on fewer than 3 points or values that are not finite
   *
   * n³/3 flops with hyperparameters given, some 60 times that without.
   */
  static fit(points: readonly Features[], y: readonly number[], { hyperparameters: given, shared }: FitOptions = {}): OutcomeModel {
    if (points.length !== y.length || y.length < 3) throw new RangeError(`expected at least 3 points and a value for each, got ${points.length} and ${y.length}`);
    if (!y.every(Number.isFinite)) throw new RangeError('expected finite values');
    const scales = { centre: mean(y), spread: standardDeviation(y) || 1, of: standardisationOf(points) };
    const scaled = points.map((p) => standardised(p, scales.of));
    const target = Float64Array.from(y, (v) => (v - scales.centre) / scales.spread);
    const known = shared === undefined ? null : { model: shared, at: points.map((p) => shared.at(p)) };
    const distances = distancesOf(scaled);
    const between = known === null ? null : covarianceOfShared(known.model, known.at);
    const residual = (theta: Hyperparameters): Float64Array => (known === null ? target : target.map((v, i) => v - Math.exp(theta[5]!) * known.at[i]!.mean));
    const hyperparameters = given ?? patternSearch(known === null ? START : [...START, START_WEIGHT], (theta) => {
      const { L } = cholesky(covariance(distances, theta, between), y.length);
      const r = residual(theta);
      const alpha = choleskySolve(L, y.length, r);
      return 0.5 * r.reduce((sum, v, i) => sum + v * alpha[i]!, 0) + logDiagonal(L, y.length);
    });
    const { L } = cholesky(covariance(distances, hyperparameters, between), y.length);
    return new OutcomeModel(hyperparameters, scaled, scales, L, choleskySolve(L, y.length, residual(hyperparameters)), known);
  }

  /** w: how much of the known process is believed, in deviations of y for one of its own; 0 without one. */
  get weight(): number {
    return this.known === null ? 0 : Math.exp(this.hyperparameters[5]!);
  }

  predict(point: Features): Predicted {
    const x = standardised(point, this.scales.of);
    const row = Float64Array.from(this.points, (p) => kernel(distance(p.genes, x.genes), distance(p.analytic, x.analytic), product(p.analytic, x.analytic), this.hyperparameters));
    let own = kernel(0, 0, product(x.analytic, x.analytic), this.hyperparameters) + Math.exp(this.hyperparameters[4]!);
    let value = 0;
    if (this.known !== null) {
      const { model, at } = this.known;
      const here = model.at(point);
      const w = this.weight;
      at.forEach((there, i) => { row[i]! += OFFSET + w * w * model.covariance(here, there); });
      own += OFFSET + w * w * model.covariance(here, here);
      value = w * here.mean;
    }
    const half = solveLower(this.L, row.length, row);
    value += row.reduce((sum, v, i) => sum + v * this.alpha[i]!, 0);
    return this.shown(value, own - half.reduce((sum, v) => sum + v * v, 0));
  }

  /** Each point's value predicted from all the others, the hyperparameters staying as they are: RW eqs. 5.12. */
  heldOut(): Predicted[] {
    const n = this.alpha.length;
    const inverse = choleskyInverse(this.L, n);
    const target = new Float64Array(n);
    // y = L Lᵀ α
    const upper = new Float64Array(n);
    for (let j = 0; j < n; j++) for (let i = j; i < n; i++) upper[j]! += this.L[i * n + j]! * this.alpha[i]!;
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) target[i]! += this.L[i * n + j]! * upper[j]!;
    const foreknown = (i: number): number => (this.known === null ? 0 : this.weight * this.known.at[i]!.mean);
    return Array.from({ length: n }, (_, i) => this.shown(foreknown(i) + target[i]! - this.alpha[i]! / inverse[i * (n + 1)]!, 1 / inverse[i * (n + 1)]!));
  }

  private shown(value: number, variance: number): Predicted {
    return { mean: this.scales.centre + this.scales.spread * value, deviation: this.scales.spread * Math.sqrt(Math.max(variance, 1e-12)) };
  }
}

interface Scales {
  readonly centre: number;
  readonly spread: number;
  readonly of: Standardisation;
}

/** [n, n], lower triangle */
function covarianceOfShared(model: SharedModel, at: readonly Shared[]): Float64Array {
  const n = at.length;
  const C = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) C[i * n + j] = model.covariance(at[i]!, at[j]!);
  return C;
}

/** @param between  covariance of the known process, null without one */
function covariance({ n, genes, analytic, products }: Distances, theta: Hyperparameters, between: Float64Array | null): Float64Array {
  const K = new Float64Array(n * n);
  const noise = Math.exp(theta[4]!);
  const squared = between === null ? 0 : Math.exp(2 * theta[5]!);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * n + j;
      K[at] = kernel(genes[at]!, analytic[at]!, products[at]!, theta) + (i === j ? noise : 0) + (between === null ? 0 : OFFSET + squared * between[at]!);
    }
  }
  return K;
}
