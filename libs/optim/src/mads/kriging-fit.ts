/**
 * Weights of a kriging model by maximum likelihood, the process variance concentrated out, with a weak pull to where they began:
 *   ½ n log(yᵀK⁻¹y / n) + ½ log|K| + Σ log|dv/dy| + ½ κ Σ log²(θ/θ0),
 * by a coordinate search over factors; logarithms of the values are taken where they are more likely.
 * Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), § 5.4; Rivoirard and Snelson's warping by its Jacobian (2004).
 */
import { cholesky, solveLower } from '@app/numeric';
import type { Features } from './features.js';
import { linearPart, matern, Scale, startHyper, type Hyper } from './kriging.js';

const PULL = 0.05;
const BOUNDS = { weight: [1e-3, 300], linear: [1e-3, 1e3], quadratic: [1e-3, 1e3], shares: [1e-2, 30], noise: [1e-6, 0.3] } as const;

/** Pairs of points with what their covariance is made of, so that one weight is changed without going through the others. */
class Pairs {
  readonly #gaps: Float64Array[];
  readonly #linear: Float64Array;
  readonly #diagonal: Float64Array;
  readonly #c: Float64Array;
  readonly #r: Float64Array;
  readonly #s: Float64Array;
  readonly #n: number;

  constructor(readonly features: Features, points: readonly Float64Array[]) {
    const n = points.length;
    const count = (n * (n - 1)) / 2;
    const each = (value: (a: Float64Array, b: Float64Array) => number): Float64Array => {
      const out = new Float64Array(count);
      for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < i; j++) out[at++] = value(points[i]!, points[j]!);
      return out;
    };
    this.#n = n;
    this.#gaps = Array.from({ length: features.length }, (_, k) => each((a, b) => features.gap(k, a, b)));
    this.#linear = each((a, b) => linearPart(features, a, b));
    this.#diagonal = Float64Array.from(points, (p) => linearPart(features, p, p));
    [this.#c, this.#r, this.#s] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  }

  matrix(h: Hyper): Float64Array {
    const { features } = this;
    const n = this.#n;
    this.#sum(this.#c, 0, features.firstOrdered, h.weights);
    this.#sum(this.#r, features.firstOrdered, features.firstShare, h.weights);
    this.#sum(this.#s, features.firstShare, features.length, h.weights);
    const K = new Float64Array(n * n);
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = 0; j < i; j++, at++) {
        const r = this.#r[at]!;
        const s = this.#s[at]!;
        K[i * n + j] = Math.exp(-this.#c[at]! - s) * (r > 0 ? matern(r) : 1) + (h.linear + h.quadratic * this.#linear[at]!) * this.#linear[at]! + (h.shares > 0 ? h.shares * Math.exp(-s) : 0);
      }
      K[i * n + i] = 1 + (h.linear + h.quadratic * this.#diagonal[i]!) * this.#diagonal[i]! + h.shares + h.noise;
    }
    return K;
  }

  #sum(out: Float64Array, from: number, to: number, weights: readonly number[]): void {
    out.fill(0);
    for (let k = from; k < to; k++) {
      const w = weights[k]!;
      const gap = this.#gaps[k]!;
      for (let at = 0; at < out.length; at++) out[at]! += w * gap[at]!;
    }
  }
}

/** Negative log likelihood of standardised values; Infinity if the matrix is singular. */
function likelihood(pairs: Pairs, y: Float64Array, h: Hyper): number {
  const n = y.length;
  let L: Float64Array;
  try {
    L = cholesky(pairs.matrix(h), n).L;
  } catch {
    return Infinity;
  }
  const white = solveLower(L, n, y);
  let fit = 0;
  let determinant = 0;
  for (let i = 0; i < n; i++) {
    fit += white[i]! ** 2;
    determinant += Math.log(L[i * n + i]!);
  }
  return 0.5 * n * Math.log(Math.max(1e-300, fit / n)) + determinant;
}

/**
 * One sweep of the coordinate search from the given weights: some 2·features factorisations.
 * @param points  distinct features, [n]; @param values  [n], n ≥ 2
 * @param warps  whether logarithms may be taken
 */
export function fitHyper(features: Features, points: readonly Float64Array[], values: readonly number[], from: Hyper, warps: boolean): Hyper {
  const pairs = new Pairs(features, points);
  const start = startHyper(features);
  const pull = (h: Hyper): number => {
    const off = (v: number, v0: number): number => Math.log(v / v0) ** 2;
    return 0.5 * PULL * (h.weights.reduce((s, w, k) => s + off(w, start.weights[k]!), 0) + off(h.linear, start.linear) + (h.quadratic > 0 ? off(h.quadratic, start.quadratic) : 0) + (h.shares > 0 ? off(h.shares, start.shares) : 0));
  };
  const standardised = (log: boolean): { y: Float64Array; jacobian: number } => {
    const scale = new Scale(values, log);
    return { y: Float64Array.from(values, (v) => scale.standard(v)), jacobian: scale.jacobian };
  };
  const plain = standardised(false);
  let hyper = { ...from, log: false };
  let data = plain;
  let best = likelihood(pairs, plain.y, hyper) + plain.jacobian + pull(hyper);
  if (warps) {
    const logs = standardised(true);
    const other = likelihood(pairs, logs.y, hyper) + logs.jacobian + pull(hyper);
    if (other < best) [best, data, hyper] = [other, logs, { ...from, log: true }];
  }
  const attempt = (next: Hyper): boolean => {
    const value = likelihood(pairs, data.y, next) + data.jacobian + pull(next);
    if (!(value < best - 1e-6)) return false;
    [best, hyper] = [value, next];
    return true;
  };
  const within = (v: number, [least, most]: readonly [number, number]): number => Math.min(most, Math.max(least, v));
  const scaled = (factor: number, chosen: (k: number) => boolean): Hyper => ({ ...hyper, weights: hyper.weights.map((w, k) => (chosen(k) ? within(w * factor, BOUNDS.weight) : w)) });
  const either = (make: (factor: number) => Hyper, factor: number): boolean => attempt(make(factor)) || attempt(make(1 / factor));
  either((f) => scaled(f, () => true), 3);
  for (let k = 0; k < features.length; k++) either((f) => scaled(f, (i) => i === k), 3);
  either((f) => ({ ...hyper, linear: within(hyper.linear * f, BOUNDS.linear) }), 4);
  if (hyper.quadratic > 0) either((f) => ({ ...hyper, quadratic: within(hyper.quadratic * f, BOUNDS.quadratic) }), 4);
  if (hyper.shares > 0) either((f) => ({ ...hyper, shares: within(hyper.shares * f, BOUNDS.shares) }), 4);
  either((f) => ({ ...hyper, noise: within(hyper.noise * f, BOUNDS.noise) }), 10);
  return hyper;
}
