/**
 * Exact Gaussian process on standardised outputs: the kernel of kernel.ts, constant mean by generalised least squares,
 * 1ᵀK⁻¹y / 1ᵀK⁻¹1.
 *
 * `ProcessFactor` is what depends on the points and θ alone, and is kept from ask to ask: points are appended in O(n²).
 * `GaussianProcess` adds the outputs. Shapes: y [n]; no points (n = 0) are the caller's to avoid.
 */
import { InverseFactor } from '@app/numeric';
import { addBias, biasOf, truncation } from './fidelity.js';
import { ScaledRows, type FeatureShape, type Theta } from './kernel.js';

export interface Prediction {
  readonly mean: number;
  /** standard deviation of the function, without noise; at least 1e-6 */
  readonly sd: number;
}

/** of a prediction */
export const LEAST_VARIANCE = 1e-12;

export class ProcessFactor {
  readonly rows: ScaledRows;
  readonly factor: InverseFactor;
  readonly #noise: number;

  /** of the rows; null: all were evaluated in full */
  readonly #fidelities: number[] | null;

  /**
   * @param fidelities  of the points, where some are below 1; θ then has the bias, see fidelity.ts
   * @throws NotPositiveDefinite if jitter does not help either
   */
  constructor(readonly shape: FeatureShape, points: readonly Float64Array[], readonly theta: Theta, fidelities: readonly number[] | null = null) {
    const n = points.length;
    this.rows = new ScaledRows(shape, theta, n + 32);
    const noise = Math.exp(theta[shape.size]!);
    for (const x of points) this.rows.append(x);
    const K = this.rows.matrix();
    for (let i = 0; i < n; i++) K[i * n + i] = 1 + noise;
    this.#fidelities = fidelities && [...fidelities];
    if (fidelities !== null) addBias(K, fidelities, theta, shape.size);
    this.factor = new InverseFactor(K, n);
    this.#noise = noise + this.factor.jitter;
  }

  get size(): number {
    return this.rows.size;
  }

  /** A point that rounding makes the kernel unable to tell from others gets a little more noise. */
  append(x: Float64Array, fidelity = 1): void {
    const n = this.size;
    const k = new Float64Array(n);
    const z = new Float64Array(this.shape.size);
    this.rows.scale(x, z);
    this.rows.covariances(z, 0, k);
    let bias = 0;
    if (this.#fidelities !== null) {
      const { shared, own } = biasOf(this.theta, this.shape.size);
      for (let i = 0; i < n; i++) k[i]! += truncation(fidelity, this.#fidelities[i]!) * (shared + own * k[i]!);
      bias = truncation(fidelity, fidelity) * (shared + own);
      this.#fidelities.push(fidelity);
    }
    for (let extra = 0; ; extra = extra === 0 ? 1e-8 : 10 * extra) {
      try {
        this.factor.append(k, 1 + this.#noise + bias + extra);
        break;
      } catch (error) {
        if (extra > 1) throw error;
      }
    }
    this.rows.append(x);
  }

  truncate(n: number): void {
    this.rows.truncate(n);
    if (this.#fidelities !== null) this.#fidelities.length = n;
    this.factor.truncate(n);
  }
}

export class GaussianProcess {
  /** [n at least]; zero for believed points */
  #alpha: Float64Array;
  readonly #mean: number;
  /** rows whose outcome is known; those after them are believed */
  readonly told: number;
  /** scratch of single predictions */
  #k = new Float64Array(0);
  #slopes = new Float64Array(0);
  #w = new Float64Array(0);
  #v = new Float64Array(0);
  readonly #z: Float64Array;

  /** @param y  one value a row of the factor */
  constructor(readonly base: ProcessFactor, y: ArrayLike<number>) {
    const { factor } = base;
    const n = (this.told = base.size);
    const solve = (b: Float64Array): Float64Array => factor.applyTransposed(factor.apply(b));
    const solved = solve(Float64Array.from(y));
    const ones = solve(new Float64Array(n).fill(1));
    this.#mean = sum(solved) / sum(ones);
    this.#alpha = solved.map((v, i) => v - this.#mean * ones[i]!);
    this.#z = new Float64Array(base.shape.size);
  }

  predict(x: Float64Array): Prediction {
    this.#prepare(x, false);
    const w = this.base.factor.apply(this.#k, this.#w);
    return { mean: this.#mean + dot(this.#k, this.#alpha, this.base.size), sd: Math.sqrt(Math.max(LEAST_VARIANCE, 1 - dot(w, w, this.base.size))) };
  }

  /** As `predict` with the slopes of both by each numeric feature: [numeric]. */
  predictWithSlopes(x: Float64Array, meanSlope: Float64Array, sdSlope: Float64Array): Prediction {
    const { rows, factor, shape } = this.base;
    const [n, D] = [this.base.size, shape.size];
    this.#prepare(x, true);
    const [k, z, slopes] = [this.#k, this.#z, this.#slopes];
    const w = factor.apply(k, this.#w);
    const v = factor.applyTransposed(w, this.#v);
    const variance = 1 - dot(w, w, n);
    const sd = Math.sqrt(Math.max(LEAST_VARIANCE, variance));
    meanSlope.fill(0);
    sdSlope.fill(0);
    const Z = rows.values;
    for (let i = 0, row = 0; i < n; i++, row += D) {
      const [a, b] = [slopes[i]! * this.#alpha[i]!, slopes[i]! * v[i]!];
      for (let d = 0; d < shape.numeric; d++) {
        const delta = z[d]! - Z[row + d]!;
        meanSlope[d]! += a * delta;
        sdSlope[d]! += b * delta;
      }
    }
    for (let d = 0; d < shape.numeric; d++) {
      meanSlope[d]! *= 2 * rows.factors[d]!;
      sdSlope[d] = variance > LEAST_VARIANCE ? (-2 * rows.factors[d]! * sdSlope[d]!) / sd : 0;
    }
    return { mean: this.#mean + dot(k, this.#alpha, n), sd };
  }

  /** Predictions of many points; four of them share the loads of the factor. */
  predictMany(points: readonly Float64Array[], mean = new Float64Array(points.length), sd = new Float64Array(points.length)): { readonly mean: Float64Array; readonly sd: Float64Array } {
    const { rows, factor } = this.base;
    const n = this.base.size;
    const ks = new Float64Array(4 * n);
    const zs = new Float64Array(4 * rows.shape.size);
    const squares = new Float64Array(4);
    for (let p = 0; p < points.length; p += 4) {
      const count = Math.min(4, points.length - p);
      for (let c = 0; c < count; c++) rows.scale(points[p + c]!, zs, c * rows.shape.size);
      rows.covariancesOfFour(zs, 0, ks, 0, n);
      for (let c = 0; c < count; c++) mean[p + c] = this.meanFrom(ks, c * n);
      factor.squaresOfFour(ks, n, squares);
      for (let c = 0; c < count; c++) sd[p + c] = Math.sqrt(Math.max(LEAST_VARIANCE, 1 - squares[c]!));
    }
    return { mean, sd };
  }

  /** Mean at a point, from its covariances with the rows, which begin at `at`. */
  meanFrom(covariances: Float64Array, at: number): number {
    let m = this.#mean;
    for (let i = 0; i < this.base.size; i++) m += covariances[at + i]! * this.#alpha[i]!;
    return m;
  }

  /** Takes the prediction at x for its outcome (kriging believer): the mean stays, the variance there collapses. */
  believe(x: Float64Array): void {
    this.base.append(x);
    if (this.#alpha.length < this.base.size) {
      const alpha = new Float64Array(this.base.size + 16);
      alpha.set(this.#alpha);
      this.#alpha = alpha;
    }
  }

  #prepare(x: Float64Array, withSlopes: boolean): void {
    const n = this.base.size;
    if (this.#k.length < n) [this.#k, this.#slopes, this.#w, this.#v] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    this.base.rows.scale(x, this.#z);
    this.base.rows.covariances(this.#z, 0, this.#k, 0, 0, n, withSlopes ? this.#slopes : undefined);
  }
}

function dot(a: Float64Array, b: Float64Array, n: number): number {
  let s = 0;
  for (let i = 0; i < n; i++) s += a[i]! * b[i]!;
  return s;
}

function sum(a: Float64Array): number {
  let s = 0;
  for (const v of a) s += v;
  return s;
}
