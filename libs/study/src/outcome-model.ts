/**
 * What is known of one evaluated quantity, such as accuracy, from the trials that have it: an exact Gaussian process over points in code and what is computed
 * of their networks.
 *
 *   y = f(x) + e,  f ~ GP(0, a·m(r) + b·⟨z, z'⟩ / q),  e ~ N(0, s),  r² = ‖u − u'‖² / (d·l²) + ‖z − z'‖² / (q·k²)
 *
 * u [d]: genes in the unit cube, categories one-hot; z [q]: analytic figures, standardised; y standardised; m Matérn 5/2. (a, b, l, k, s) maximise the marginal
 * likelihood under broad log-normal priors, by a pattern search that holds no chance. Rasmussen & Williams 2006, alg. 2.1, eqs. 4.17, 5.8, 5.10 – 5.12.
 */
import { cholesky, choleskyInverse, choleskySolve, logDiagonal, mean, solveLower, standardDeviation } from '@app/numeric';

export interface Features {
  /** [d] */
  readonly genes: Float64Array;
  /** [q], may be empty */
  readonly analytic: Float64Array;
}

export interface Predicted {
  readonly mean: number;
  /** of a further evaluation, its noise included */
  readonly deviation: number;
}

/** ln of a, b, l, k, s */
export type Hyperparameters = readonly [number, number, number, number, number];

const START: Hyperparameters = [0, Math.log(0.3), Math.log(0.5), 0, Math.log(0.05)];
/** Deviation of ln θ about the start, in the prior. */
const PRIOR = 2;
const STEPS = [Math.log(4), Math.log(2), Math.log(Math.SQRT2)] as const;
const SWEEPS = 4;

export class OutcomeModel {
  private constructor(
    readonly hyperparameters: Hyperparameters,
    private readonly points: readonly Features[],
    private readonly scales: Scales,
    private readonly L: Float64Array,
    /** K⁻¹ y, [n] */
    private readonly alpha: Float64Array,
  ) {}

  /**
   * @param y      [n], n ≥ 3, finite
   * @param given  hyperparameters to take as they are
   * @throws RangeError on fewer than 3 points or values that are not finite
   *
   * n³/3 flops with hyperparameters given, some 60 times that without.
   */
  static fit(points: readonly Features[], y: readonly number[], given?: Hyperparameters): OutcomeModel {
    if (points.length !== y.length || y.length < 3) throw new RangeError(`expected at least 3 points and a value for each, got ${points.length} and ${y.length}`);
    if (!y.every(Number.isFinite)) throw new RangeError('expected finite values');
    const scales = scalesOf(points, y);
    const scaled = points.map((p) => standardised(p, scales));
    const target = Float64Array.from(y, (v) => (v - scales.centre) / scales.spread);
    const hyperparameters = given ?? bestHyperparameters(distancesOf(scaled), target);
    const { L } = cholesky(covariance(distancesOf(scaled), hyperparameters), y.length);
    return new OutcomeModel(hyperparameters, scaled, scales, L, choleskySolve(L, y.length, target));
  }

  predict(point: Features): Predicted {
    const x = standardised(point, this.scales);
    const row = Float64Array.from(this.points, (p) => kernel(distance(p.genes, x.genes), distance(p.analytic, x.analytic), product(p.analytic, x.analytic), this.hyperparameters));
    const half = solveLower(this.L, row.length, row);
    const own = kernel(0, 0, product(x.analytic, x.analytic), this.hyperparameters) + Math.exp(this.hyperparameters[4]);
    const value = row.reduce((sum, v, i) => sum + v * this.alpha[i]!, 0);
    const variance = own - half.reduce((sum, v) => sum + v * v, 0);
    return this.shown(value, variance);
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
    return Array.from({ length: n }, (_, i) => this.shown(target[i]! - this.alpha[i]! / inverse[i * (n + 1)]!, 1 / inverse[i * (n + 1)]!));
  }

  private shown(value: number, variance: number): Predicted {
    return { mean: this.scales.centre + this.scales.spread * value, deviation: this.scales.spread * Math.sqrt(Math.max(variance, 1e-12)) };
  }
}

interface Scales {
  readonly centre: number;
  readonly spread: number;
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

function scalesOf(points: readonly Features[], y: readonly number[]): Scales {
  const columns = Array.from({ length: points[0]!.analytic.length }, (_, j) => points.map((p) => p.analytic[j]!));
  return { centre: mean(y), spread: standardDeviation(y) || 1, means: columns.map(mean), deviations: columns.map((c) => standardDeviation(c) || 1) };
}

const standardised = ({ genes, analytic }: Features, { means, deviations }: Scales): Features => ({ genes, analytic: analytic.map((v, j) => (v - means[j]!) / deviations[j]!) });

/** Mean of squared differences; 0 without dimensions. */
function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return a.length === 0 ? 0 : sum / a.length;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return a.length === 0 ? 0 : sum / a.length;
}

interface Distances {
  readonly n: number;
  /** [n, n] each, lower triangles */
  readonly genes: Float64Array;
  readonly analytic: Float64Array;
  readonly products: Float64Array;
}

function distancesOf(points: readonly Features[]): Distances {
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

function kernel(genes: number, analytic: number, dot: number, [a, b, l, k]: Hyperparameters): number {
  const r = Math.sqrt(5 * (genes * Math.exp(-2 * l) + analytic * Math.exp(-2 * k)));
  return Math.exp(a) * (1 + r + (r * r) / 3) * Math.exp(-r) + Math.exp(b) * dot;
}

function covariance({ n, genes, analytic, products }: Distances, theta: Hyperparameters): Float64Array {
  const K = new Float64Array(n * n);
  const noise = Math.exp(theta[4]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * n + j;
      K[at] = kernel(genes[at]!, analytic[at]!, products[at]!, theta) + (i === j ? noise : 0);
    }
  }
  return K;
}

/** Pattern search on ln θ, one coordinate after the other, with steps that shrink. */
function bestHyperparameters(distances: Distances, y: Float64Array): Hyperparameters {
  const { n } = distances;
  const loss = (theta: Hyperparameters): number => {
    const { L } = cholesky(covariance(distances, theta), n);
    const alpha = choleskySolve(L, n, y);
    const fit = 0.5 * y.reduce((sum, v, i) => sum + v * alpha[i]!, 0) + logDiagonal(L, n);
    return fit + theta.reduce((sum, t, i) => sum + 0.5 * ((t - START[i]!) / PRIOR) ** 2, 0);
  };
  let best: Hyperparameters = START;
  let least = loss(best);
  for (const step of STEPS) {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const before = least;
      for (let i = 0; i < best.length; i++) {
        for (const sign of [1, -1]) {
          const tried = best.map((t, j) => (j === i ? t + sign * step : t)) as unknown as Hyperparameters;
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
