/**
 * Outcomes of partial evaluations in a process for full ones: what is told at a share φ of an evaluation is the function plus a bias that
 * vanishes as φ comes to 1.
 *
 *   cov(f(x, φ), f(x', φ')) = k(x, x') + q(φ, φ') (c + b k(x, x')),  q = (1 - φ)(1 - φ')(1 + φφ')
 *
 * Poloczek, Wang, Frazier 2017; the truncation as in BoTorch's LinearTruncatedFidelityKernel (power 1). c: a bias that all points share, b:
 * one of each point's own, with the lengths of k. At φ = 1 q is 0: predictions of full evaluations need k alone.
 *
 * θ has (log c, log b) after the noise variance.
 */
import type { Theta } from './kernel.js';

/** Mean and variance of the normal priors of log c and log b, outputs standardised and levels shifted by their mean gains. */
const PRIOR = [{ mean: -3, variance: 4 }, { mean: -1.5, variance: 2 }] as const;
export const BIAS_BOUNDS = { lower: Math.log(1e-5), upper: Math.log(1e2) } as const;
/** Mode of the priors: what θ starts from. */
export const BIAS_START: readonly number[] = PRIOR.map((p) => p.mean);

export function truncation(a: number, b: number): number {
  return (1 - a) * (1 - b) * (1 + a * b);
}

/** (c, b) of θ. */
export function biasOf(theta: Theta | Float64Array, D: number): { readonly shared: number; readonly own: number } {
  return { shared: Math.exp(theta[D + 1]!), own: Math.exp(theta[D + 2]!) };
}

/** K, [n, n] with its lower triangle there and its diagonal the kernel's and the noise's, with the biases added. */
export function addBias(K: Float64Array, fidelities: readonly number[], theta: Theta | Float64Array, D: number): void {
  const n = fidelities.length;
  const { shared, own } = biasOf(theta, D);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const q = truncation(fidelities[i]!, fidelities[j]!);
      K[i * n + j]! += q * (shared + own * K[i * n + j]!);
    }
    K[i * n + i]! += truncation(fidelities[i]!, fidelities[i]!) * (shared + own);
  }
}

/** Adds -log prior of (log c, log b), up to a constant, and its gradient. */
export function addBiasPrior(theta: Float64Array, D: number, gradient: Float64Array): number {
  return PRIOR.reduce((sum, { mean, variance }, k) => {
    const delta = theta[D + 1 + k]! - mean;
    gradient[D + 1 + k]! += delta / variance;
    return sum + (delta * delta) / (2 * variance);
  }, 0);
}
