import { cholesky, choleskyInverse } from '@app/numeric';
import { ScaledRows, type FeatureShape, type Theta } from './kernel.js';
import { withoutMean } from './likelihood.js';

/**
 * Σ log p(y_i | the other points, θ): how well each outcome is foretold by the others, mean estimated from them too. Unlike the likelihood
 * it does not take the model for true (Rasmussen & Williams 2006, section 5.4.2). In closed form from one inverse (Dubrule 1983): with
 * Q = K⁻¹ - K⁻¹11ᵀK⁻¹ / 1ᵀK⁻¹1 the error left out is (Qy)_i / Q_ii and its variance 1 / Q_ii. n³/2 multiplications.
 * @param y  standardised, at least 2
 * @returns -Infinity where the matrix can not be factorised
 */
export function leaveOneOutScore(shape: FeatureShape, points: readonly Float64Array[], y: ArrayLike<number>, theta: Theta): number {
  const n = points.length;
  const rows = new ScaledRows(shape, theta, n);
  for (const x of points) rows.append(x);
  const K = rows.matrix();
  for (let i = 0; i < n; i++) K[i * n + i] = 1 + Math.exp(theta[shape.size]!);
  let inverse: Float64Array;
  try {
    inverse = choleskyInverse(cholesky(K, n).L, n);
  } catch {
    return -Infinity;
  }
  const { alpha, ones, trust } = withoutMean(inverse, y);
  let score = -0.5 * n * Math.log(2 * Math.PI);
  for (let i = 0; i < n; i++) {
    const precision = inverse[i * n + i]! - ones[i]! ** 2 / trust;
    score += 0.5 * (Math.log(precision) - alpha[i]! ** 2 / precision);
  }
  return score;
}
