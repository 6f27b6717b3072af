/**
 * A process whose outcomes carry noise, as S draws of the noise-free function at the told and the pending points. Given a draw, the
 * function elsewhere is a process without noise: its mean differs from draw to draw, its deviation does not.
 *
 *   α_s = L⁻ᵀ z_s + (K + σ² I)⁻¹ (y - m - g_s - ε_s),  g_s = L z_s,  K = L Lᵀ
 *   mean_s(x) = m + k(x)ᵀ α_s                             Matheron's rule (Wilson et al. 2021, eq. 6)
 *
 * Draws come in pairs z, ε and -z, -ε, so that their mean is the posterior's.
 */
import { cholesky, InverseFactor, type Rng } from '@app/numeric';
import { addBias } from './fidelity.js';
import { LEAST_VARIANCE, type ProcessFactor } from './gaussian-process.js';
import { ScaledRows } from './kernel.js';

/** Variance of what two points that are alike to the kernel may differ by. */
const NUGGET = 1e-8;

export class SampledProcess {
  /** [S][rows]: the function at the rows, told ones first */
  readonly values: readonly Float64Array[];
  /** [S], by the last look: means of the draws */
  readonly means: Float64Array;
  readonly #mean: number;
  readonly #weights: readonly Float64Array[];
  readonly #rows: ScaledRows;
  readonly #factor: InverseFactor;
  readonly #z: Float64Array<ArrayBuffer>;
  readonly #k: Float64Array<ArrayBuffer>;
  readonly #slopes: Float64Array<ArrayBuffer>;
  readonly #w: Float64Array<ArrayBuffer>;
  readonly #v: Float64Array<ArrayBuffer>;
  #variance = 0;

  /**
   * @param base     of the told points
   * @param told     their features
   * @param y        [told]
   * @param pending  features of points without outcomes
   * @param shares   of a full evaluation, of the told ones; null: all are full
   * @param rngs     one a pair of draws; numbers for told points are drawn first, so that one more pending point changes none of theirs
   */
  constructor(base: ProcessFactor, told: readonly Float64Array[], y: ArrayLike<number>, pending: readonly Float64Array[], shares: readonly number[] | null, rngs: readonly Rng[]) {
    const { shape, theta } = base;
    const [t, n] = [told.length, told.length + pending.length];
    const deviation = Math.exp(0.5 * theta[shape.size]!);
    this.#rows = new ScaledRows(shape, theta, n);
    for (const x of [...told, ...pending]) this.#rows.append(x);
    const K = this.#rows.matrix();
    for (let i = 0; i < n; i++) K[i * n + i] = 1 + NUGGET;
    if (shares !== null) addBias(K, [...shares, ...pending.map(() => 1)], theta, shape.size);
    const { L } = cholesky(K, n);
    this.#factor = new InverseFactor(K, n);
    const solve = (b: Float64Array): Float64Array => base.factor.applyTransposed(base.factor.apply(b));
    const [solved, ones] = [solve(Float64Array.from(y)), solve(new Float64Array(t).fill(1))];
    this.#mean = sum(solved) / sum(ones);
    const [values, weights]: [Float64Array[], Float64Array[]] = [[], []];
    for (const rng of rngs) {
      const [z, noiseDraw] = [new Float64Array(n), new Float64Array(t)];
      for (let i = 0; i < t; i++) [z[i], noiseDraw[i]] = [rng.normal(), deviation * rng.normal()];
      for (let i = t; i < n; i++) z[i] = rng.normal();
      for (const sign of [1, -1]) {
        const g = timesLower(L, n, z, sign);
        const beta = solve(Float64Array.from(noiseDraw, (e, i) => y[i]! - this.#mean - g[i]! - sign * e));
        const alpha = this.#factor.applyTransposed(z);
        for (let i = 0; i < n; i++) alpha[i] = sign * alpha[i]! + (i < t ? beta[i]! : 0);
        weights.push(alpha);
        values.push(g.map((v, i) => this.#mean + v + symmetricRow(K, n, i, beta)));
      }
    }
    [this.values, this.#weights] = [values, weights];
    this.means = new Float64Array(values.length);
    this.#z = new Float64Array(shape.size);
    [this.#k, this.#slopes, this.#w, this.#v] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  }

  /** Fills `means`. @returns the deviation that all draws share */
  look(x: Float64Array, withSlopes = false): number {
    this.#rows.scale(x, this.#z);
    this.#rows.covariances(this.#z, 0, this.#k, 0, 0, this.#k.length, withSlopes ? this.#slopes : undefined);
    const w = this.#factor.apply(this.#k, this.#w);
    if (withSlopes) this.#factor.applyTransposed(w, this.#v);
    this.#variance = 1 - dot(w, w);
    for (let s = 0; s < this.means.length; s++) this.means[s] = this.#mean + dot(this.#k, this.#weights[s]!);
    return Math.sqrt(Math.max(LEAST_VARIANCE, this.#variance));
  }

  /**
   * Adds the slope by each numeric feature of something that depends on the means and the deviation at the point last looked at with slopes.
   * @param byMean  [S]
   */
  addSlopes(byMean: ArrayLike<number>, bySd: number, slope: Float64Array): void {
    const { values: Z, factors, shape } = this.#rows;
    const [n, D] = [this.#k.length, shape.size];
    const combined = new Float64Array(n);
    for (let s = 0; s < this.means.length; s++) {
      const weight = byMean[s]!;
      if (weight !== 0) for (let i = 0; i < n; i++) combined[i]! += weight * this.#weights[s]![i]!;
    }
    // d sd = -vᵀ dk / sd
    const spread = this.#variance > LEAST_VARIANCE ? bySd / Math.sqrt(this.#variance) : 0;
    for (let i = 0, row = 0; i < n; i++, row += D) {
      const c = 2 * this.#slopes[i]! * (combined[i]! - spread * this.#v[i]!);
      for (let d = 0; d < shape.numeric; d++) slope[d]! += c * (this.#z[d]! - Z[row + d]!) * factors[d]!;
    }
  }
}

/** sign · L z */
function timesLower(L: Float64Array, n: number, z: Float64Array, sign: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0, row = 0; i < n; i++, row += n) {
    let s = 0;
    for (let j = 0; j <= i; j++) s += L[row + j]! * z[j]!;
    out[i] = sign * s;
  }
  return out;
}

/** Row i of a symmetric matrix, of which the lower triangle is there, times a vector that may be shorter. */
function symmetricRow(K: Float64Array, n: number, i: number, b: Float64Array): number {
  let s = 0;
  for (let j = 0; j < b.length; j++) s += K[j <= i ? i * n + j : j * n + i]! * b[j]!;
  return s;
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
