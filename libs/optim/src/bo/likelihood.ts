/** The likelihood of θ, with its gradient. */
import { cholesky, choleskyInverse, logDiagonal } from '@app/numeric';
import { addBias, biasOf, truncation } from './fidelity.js';
import { ScaledRows, type FeatureShape, type Theta } from './kernel.js';

/**
 * -log p(y | X, θ) of the process with its mean eliminated, and the gradient by θ (Rasmussen & Williams 2006, eq. 5.8 and 5.9; at the
 * optimal mean its own derivative is zero). n³/2 multiplications and D n².
 * @param gradient    [D + 1], overwritten; [D + 3] with fidelities
 * @param fidelities  of the points, where some are below 1, see fidelity.ts
 * @throws NotPositiveDefinite
 */
export function negativeLogLikelihood(shape: FeatureShape, points: readonly Float64Array[], y: ArrayLike<number>, theta: Theta | Float64Array, gradient: Float64Array, fidelities: readonly number[] | null = null): number {
  const [n, D, numeric] = [y.length, shape.size, shape.numeric];
  const rows = new ScaledRows(shape, theta, n);
  for (const x of points) rows.append(x);
  const noise = Math.exp(theta[D]!);
  const slopes = new Float64Array(n * n);
  const K = rows.matrix(slopes);
  for (let i = 0; i < n; i++) K[i * n + i] = 1 + noise;
  if (fidelities !== null) addBias(K, fidelities, theta, D);
  const { L } = cholesky(K, n);
  const inverse = choleskyInverse(L, n);
  const { mean, alpha } = withoutMean(inverse, y);
  let fit = 0;
  for (let i = 0; i < n; i++) fit += (y[i]! - mean) * alpha[i]!;
  gradient.fill(0);
  if (fidelities !== null) biasGradient(K, slopes, inverse, alpha, fidelities, theta, D, gradient);
  const Z = rows.values;
  for (let i = 0, zi = 0; i < n; i++, zi += D) {
    gradient[D]! -= 0.5 * noise * (alpha[i]! * alpha[i]! - inverse[i * n + i]!);
    for (let j = 0, zj = 0; j < i; j++, zj += D) {
      // dK_ij/d log l_d = -2 k'(s²) δ²/l²; both triangles carry it, halved.
      const c = 2 * (alpha[i]! * alpha[j]! - inverse[i * n + j]!) * slopes[i * n + j]!;
      for (let d = 0; d < numeric; d++) {
        const delta = Z[zi + d]! - Z[zj + d]!;
        gradient[d]! += c * delta * delta;
      }
      for (let d = numeric; d < D; d++) if (Z[zi + d] !== Z[zj + d]) gradient[d]! += c * rows.factors[d]!;
    }
  }
  return 0.5 * fit + logDiagonal(L, n) + 0.5 * n * Math.log(2 * Math.PI);
}

/** Slopes by log c and log b; scales dk/ds² by what the bias multiplies k with, so that the rest goes on as without. */
function biasGradient(K: Float64Array, slopes: Float64Array, inverse: Float64Array, alpha: Float64Array, fidelities: readonly number[], theta: Theta | Float64Array, D: number, gradient: Float64Array): void {
  const n = fidelities.length;
  const { shared, own } = biasOf(theta, D);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * n + j;
      const q = truncation(fidelities[i]!, fidelities[j]!);
      const k = i === j ? 1 : (K[at]! - q * shared) / (1 + q * own);
      const weight = (i === j ? 0.5 : 1) * q * (alpha[i]! * alpha[j]! - inverse[at]!);
      gradient[D + 1]! -= weight * shared;
      gradient[D + 2]! -= weight * own * k;
      slopes[at]! *= 1 + q * own;
    }
  }
}

/** The mean by generalised least squares, alpha = K⁻¹ (y - mean), ones = K⁻¹1, and trust = 1ᵀK⁻¹1, from K⁻¹. */
export function withoutMean(inverse: Float64Array, y: ArrayLike<number>): { readonly mean: number; readonly alpha: Float64Array; readonly ones: Float64Array; readonly trust: number } {
  const n = y.length;
  const solved = new Float64Array(n);
  const ones = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let a = 0, b = 0;
    for (let j = 0, at = i * n; j < n; j++, at++) {
      a += inverse[at]! * y[j]!;
      b += inverse[at]!;
    }
    solved[i] = a;
    ones[i] = b;
  }
  const trust = sum(ones);
  const mean = sum(solved) / trust;
  return { mean, alpha: solved.map((v, i) => v - mean * ones[i]!), ones, trust };
}

function sum(a: Float64Array): number {
  let s = 0;
  for (const v of a) s += v;
  return s;
}
