/**
 * Exact Gaussian process on standardised outputs: unit signal variance, automatic relevance lengths, constant mean.
 *
 *   s²(x, x') = Σ numeric (x_d - x'_d)² / l_d²  +  Σ categories [x_d ≠ x'_d] / l_d²
 *   k = (1 + r + r²/3) exp(-r), r = √(5 s²)     Matérn 5/2 (Rasmussen & Williams 2006, eq. 4.17)
 *   k = exp(-s²)                                spaces of categories only
 *
 * Shapes: X [n, D] row-major, y [n], L [n, n]. The mean is the generalised least-squares one, 1ᵀK⁻¹y / 1ᵀK⁻¹1. Vain outputs (n = 0)
 * are the caller's to avoid.
 */
import { cholesky, choleskyAppend, choleskyInverse, choleskySolve, logDiagonal, solveLower, solveLowerTransposed } from '@app/numeric';

export interface FeatureShape {
  readonly size: number;
  readonly numeric: number;
  readonly categoricalOnly: boolean;
}

/** θ = (log l_1 … log l_D, log noise variance). */
export type Theta = readonly number[];

export interface Prediction {
  readonly mean: number;
  /** standard deviation of the function, without noise; at least 1e-6 */
  readonly sd: number;
}

const LEAST_VARIANCE = 1e-12;
const SQRT5 = Math.sqrt(5);

export class GaussianProcess {
  #n: number;
  readonly #D: number;
  #X: Float64Array;
  #L: Float64Array;
  #alpha: Float64Array;
  /** 1 / l² */
  readonly #weights: Float64Array;
  readonly #noise: number;
  readonly #mean: number;

  /** @throws NotPositiveDefinite if jitter does not help either */
  constructor(readonly shape: FeatureShape, rows: readonly Float64Array[], y: ArrayLike<number>, theta: Theta) {
    this.#n = rows.length;
    this.#D = shape.size;
    this.#X = packRows(rows, shape.size);
    this.#weights = weightsOf(theta, shape.size);
    this.#noise = Math.exp(theta[shape.size]!);
    const { K } = covariance(this.#X, this.#n, shape, this.#weights, this.#noise, false);
    const { L, jitter } = cholesky(K, this.#n);
    this.#noise += jitter;
    this.#L = L;
    const solved = choleskySolve(L, this.#n, y);
    const ones = choleskySolve(L, this.#n, new Float64Array(this.#n).fill(1));
    this.#mean = sum(solved) / sum(ones);
    this.#alpha = solved.map((v, i) => v - this.#mean * ones[i]!);
  }

  predict(x: Float64Array): Prediction {
    const k = this.#covariances(x);
    const w = solveLower(this.#L, this.#n, k);
    return { mean: this.#mean + dot(k, this.#alpha), sd: Math.sqrt(Math.max(LEAST_VARIANCE, 1 - dot(w, w))) };
  }

  /** As `predict` with the slopes of both by each numeric feature: [numeric]. */
  predictWithSlopes(x: Float64Array, meanSlope: Float64Array, sdSlope: Float64Array): Prediction {
    const [n, D] = [this.#n, this.#D];
    const slopes = new Float64Array(n);
    const k = this.#covariances(x, slopes);
    const w = solveLower(this.#L, n, k);
    const v = solveLowerTransposed(this.#L, n, w);
    const variance = 1 - dot(w, w);
    const sd = Math.sqrt(Math.max(LEAST_VARIANCE, variance));
    meanSlope.fill(0);
    sdSlope.fill(0);
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < this.shape.numeric; d++) {
        const dk = 2 * slopes[i]! * this.#weights[d]! * (x[d]! - this.#X[i * D + d]!);
        meanSlope[d]! += dk * this.#alpha[i]!;
        if (variance > LEAST_VARIANCE) sdSlope[d]! -= (dk * v[i]!) / sd;
      }
    }
    return { mean: this.#mean + dot(k, this.#alpha), sd };
  }

  /** Predictions of many points; four forward substitutions share the loads of L. */
  predictMany(points: readonly Float64Array[]): { readonly mean: Float64Array; readonly sd: Float64Array } {
    const n = this.#n;
    const mean = new Float64Array(points.length);
    const sd = new Float64Array(points.length);
    const ks = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)] as const;
    for (let p = 0; p < points.length; p += 4) {
      const count = Math.min(4, points.length - p);
      for (let c = 0; c < count; c++) {
        this.#covariances(points[p + c]!, undefined, ks[c]!);
        mean[p + c] = this.#mean + dot(ks[c]!, this.#alpha);
      }
      const squares = this.#fourSquares(ks);
      for (let c = 0; c < count; c++) sd[p + c] = Math.sqrt(Math.max(LEAST_VARIANCE, 1 - squares[c]!));
    }
    return { mean, sd };
  }

  /** Takes the prediction at x for its outcome (kriging believer): the mean stays, the variance there collapses. */
  believe(x: Float64Array): void {
    const k = this.#covariances(x);
    const X = new Float64Array(this.#X.length + this.#D);
    X.set(this.#X);
    X.set(x, this.#X.length);
    this.#L = choleskyAppend(this.#L, this.#n, k, 1 + this.#noise);
    const alpha = new Float64Array(this.#n + 1);
    alpha.set(this.#alpha);
    this.#alpha = alpha;
    this.#X = X;
    this.#n++;
  }

  /** k(x, X_i), and dk/ds² into slopes. */
  #covariances(x: Float64Array, slopes?: Float64Array, out = new Float64Array(this.#n)): Float64Array {
    for (let i = 0; i < this.#n; i++) {
      const s2 = squaredDistance(this.#X, i * this.#D, x, 0, this.shape, this.#weights);
      if (this.shape.categoricalOnly) {
        out[i] = Math.exp(-s2);
        if (slopes) slopes[i] = -out[i]!;
      } else {
        const r = SQRT5 * Math.sqrt(s2);
        const e = Math.exp(-r);
        out[i] = (1 + r + (r * r) / 3) * e;
        if (slopes) slopes[i] = (-5 / 6) * (1 + r) * e;
      }
    }
    return out;
  }

  /** ‖L⁻¹ k‖² of four vectors, which are overwritten. */
  #fourSquares([a, b, c, d]: readonly [Float64Array, Float64Array, Float64Array, Float64Array]): number[] {
    const [L, n] = [this.#L, this.#n];
    const squares = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      let [s0, s1, s2, s3] = [a[i]!, b[i]!, c[i]!, d[i]!];
      for (let j = 0, at = i * n; j < i; j++, at++) {
        const l = L[at]!;
        s0 -= l * a[j]!;
        s1 -= l * b[j]!;
        s2 -= l * c[j]!;
        s3 -= l * d[j]!;
      }
      const pivot = L[i * n + i]!;
      a[i] = s0 / pivot;
      b[i] = s1 / pivot;
      c[i] = s2 / pivot;
      d[i] = s3 / pivot;
      squares[0]! += a[i]! * a[i]!;
      squares[1]! += b[i]! * b[i]!;
      squares[2]! += c[i]! * c[i]!;
      squares[3]! += d[i]! * d[i]!;
    }
    return squares;
  }
}

/**
 * -log p(y | X, θ) of the process with its mean eliminated, and the gradient by θ (Rasmussen & Williams 2006, eq. 5.8 and 5.9; at the
 * optimal mean its own derivative is zero). n³ flops plus D n²/2.
 * @param gradient  [D + 1], overwritten
 * @throws NotPositiveDefinite
 */
export function negativeLogLikelihood(shape: FeatureShape, X: Float64Array, y: ArrayLike<number>, theta: Theta | Float64Array, gradient: Float64Array): number {
  const [n, D] = [y.length, shape.size];
  const weights = weightsOf(theta, D);
  const noise = Math.exp(theta[D]!);
  const { K, slopes } = covariance(X, n, shape, weights, noise, true);
  const { L } = cholesky(K, n);
  const inverse = choleskyInverse(L, n);
  const solved = new Float64Array(n);
  const ones = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      solved[i]! += inverse[i * n + j]! * y[j]!;
      ones[i]! += inverse[i * n + j]!;
    }
  }
  const mean = sum(solved) / sum(ones);
  const alpha = solved.map((v, i) => v - mean * ones[i]!);
  let fit = 0;
  for (let i = 0; i < n; i++) fit += (y[i]! - mean) * alpha[i]!;
  gradient.fill(0);
  for (let i = 0; i < n; i++) {
    gradient[D]! -= 0.5 * noise * (alpha[i]! * alpha[i]! - inverse[i * n + i]!);
    for (let j = 0; j < i; j++) {
      // dK_ij/d log l_d = -2 k'(s²) δ²/l²; both triangles carry it, halved.
      const c = 2 * (alpha[i]! * alpha[j]! - inverse[i * n + j]!) * slopes[i * n + j]!;
      for (let d = 0; d < shape.numeric; d++) {
        const delta = X[i * D + d]! - X[j * D + d]!;
        gradient[d]! += c * delta * delta * weights[d]!;
      }
      for (let d = shape.numeric; d < D; d++) if (X[i * D + d] !== X[j * D + d]) gradient[d]! += c * weights[d]!;
    }
  }
  return 0.5 * fit + logDiagonal(L, n) + 0.5 * n * Math.log(2 * Math.PI);
}

export function packRows(rows: readonly Float64Array[], D: number): Float64Array {
  const X = new Float64Array(rows.length * D);
  rows.forEach((row, i) => X.set(row, i * D));
  return X;
}

function weightsOf(theta: ArrayLike<number>, D: number): Float64Array {
  return Float64Array.from({ length: D }, (_, d) => Math.exp(-2 * theta[d]!));
}

/** Lower triangle of K + noise·I, and of dk/ds². */
function covariance(X: Float64Array, n: number, shape: FeatureShape, weights: Float64Array, noise: number, withSlopes: boolean): { K: Float64Array; slopes: Float64Array } {
  const K = new Float64Array(n * n);
  const slopes = new Float64Array(withSlopes ? n * n : 0);
  for (let i = 0; i < n; i++) {
    K[i * n + i] = 1 + noise;
    for (let j = 0; j < i; j++) {
      const s2 = squaredDistance(X, i * shape.size, X, j * shape.size, shape, weights);
      if (shape.categoricalOnly) {
        K[i * n + j] = Math.exp(-s2);
        if (withSlopes) slopes[i * n + j] = -K[i * n + j]!;
      } else {
        const r = SQRT5 * Math.sqrt(s2);
        const e = Math.exp(-r);
        K[i * n + j] = (1 + r + (r * r) / 3) * e;
        if (withSlopes) slopes[i * n + j] = (-5 / 6) * (1 + r) * e;
      }
    }
  }
  return { K, slopes };
}

function squaredDistance(A: Float64Array, a: number, B: Float64Array, b: number, shape: FeatureShape, weights: Float64Array): number {
  let s2 = 0;
  for (let d = 0; d < shape.numeric; d++) {
    const delta = A[a + d]! - B[b + d]!;
    s2 += delta * delta * weights[d]!;
  }
  for (let d = shape.numeric; d < shape.size; d++) if (A[a + d] !== B[b + d]) s2 += weights[d]!;
  return s2;
}

function dot(a: Float64Array, b: Float64Array): number {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
}

function sum(a: Float64Array): number {
  let s = 0;
  for (const v of a) s += v;
  return s;
}
