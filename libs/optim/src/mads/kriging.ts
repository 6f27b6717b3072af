/**
 * Kriging with a learned distance, for categories, grids and continuous variables together. The covariance of two points is
 *   exp(-c - s)·M(r) + λ·⟨x, y⟩ + κ·⟨x, y⟩² + σ·exp(-s)
 * with c = Σ w_j·[x_j ≠ y_j] over the categories, s the squared differences of the shares (features.ts) and r of the ordered parameters,
 * each under its own weights; M(r) = (1 + √(5r) + 5r/3)·exp(-√(5r)), Matérn 5/2; ⟨x, y⟩ linear in the shares, the ordered parameters and the
 * categories that belong to no group. The linear part is what a cost that adds up over operations needs, the quadratic one what a smooth
 * trend does; σ lets counts speak beyond them.
 * Distances between categories learned from the data: Hallé-Hannan et al., CatMADS (2025); the sum of kernels: Duvenaud et al. (2011).
 */
import { cholesky, choleskyAppend, NotPositiveDefinite, solveLower, solveLowerTransposed } from '@app/numeric';
import type { Features } from './features.js';

export interface Hyper {
  /** one a feature */
  readonly weights: readonly number[];
  readonly linear: number;
  readonly quadratic: number;
  readonly shares: number;
  /** variance of what no distance explains, as a part of the process variance */
  readonly noise: number;
  /** the values are modelled as logarithms of their excess over the least */
  readonly log: boolean;
}

export function startHyper(features: Features): Hyper {
  const n = features.ordered.length;
  const weights = Array.from({ length: features.length }, (_, k) => (k < features.firstOrdered || k >= features.firstShare ? 0.4 : Math.min(24 / n, 6)));
  return { weights, linear: 1, quadratic: n > 0 ? 0.3 : 0, shares: features.groups.length > 0 ? 0.3 : 0, noise: 1e-3, log: false };
}

/** Matérn 5/2 of the squared distance. */
export function matern(r: number): number {
  const t = Math.sqrt(5 * r);
  return (1 + t + (5 / 3) * r) * Math.exp(-t);
}

export function linearPart(features: Features, a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = features.firstOrdered; k < features.length; k++) sum += (a[k]! - features.centre[k]!) * (b[k]! - features.centre[k]!);
  for (const { feature, even } of features.alone) sum += (a[feature] === b[feature] ? 1 : 0) - even;
  return sum;
}

/** Values to standardised ones and back; logarithms of the excess over the least, continued in a straight line below it. */
export class Scale {
  readonly #least: number;
  readonly #shift: number;
  readonly mean: number;
  readonly sd: number;
  /** Σ log |dv/dy|: turns a likelihood of standardised values into one of the values */
  readonly jacobian: number;

  constructor(values: readonly number[], log: boolean) {
    const sorted = [...values].sort((a, b) => a - b);
    this.#least = sorted[0]!;
    this.#shift = log ? 0.5 * (sorted[Math.floor(sorted.length / 2)]! - sorted[0]!) : 0;
    const z = values.map((v) => this.#warp(v));
    this.mean = z.reduce((s, v) => s + v, 0) / z.length;
    this.sd = Math.sqrt(z.reduce((s, v) => s + (v - this.mean) ** 2, 0) / z.length) || 1;
    this.jacobian = values.length * Math.log(this.sd) + (this.#shift > 0 ? z.reduce((s, v) => s + v, 0) : 0);
  }

  #warp(v: number): number {
    const d = this.#shift;
    if (d === 0) return v;
    return v >= this.#least ? Math.log(v - this.#least + d) : Math.log(d) + (v - this.#least) / d;
  }

  standard(v: number): number {
    return (this.#warp(v) - this.mean) / this.sd;
  }

  natural(y: number): number {
    const z = this.mean + this.sd * y;
    const d = this.#shift;
    if (d === 0) return z;
    return z >= Math.log(d) ? this.#least + Math.exp(Math.min(z, 300)) - d : this.#least + d * (z - Math.log(d));
  }
}

export interface Prediction {
  readonly mean: number;
  readonly sd: number;
}

export class Kriging {
  readonly #scale: Scale;
  readonly #weights: Float64Array;
  /** [n, features] row-major */
  #points: Float64Array;
  #n: number;
  /** [≥ n] */
  #scratch: Float64Array;
  #factor: Float64Array;
  #white: number[];
  #alpha: Float64Array = new Float64Array(0);
  /** process standard deviation of the standardised values */
  deviation = 1;

  /** @param points  features, [n]; @param values  [n], n ≥ 2 */
  constructor(readonly features: Features, points: readonly Float64Array[], values: readonly number[], readonly hyper: Hyper) {
    const n = points.length;
    this.#n = n;
    this.#weights = Float64Array.from(hyper.weights);
    this.#points = new Float64Array(n * features.length);
    this.#scratch = new Float64Array(n + 50);
    points.forEach((p, i) => this.#points.set(p, i * features.length));
    this.#scale = new Scale(values, hyper.log);
    const K = new Float64Array(n * n);
    points.forEach((p, i) => {
      this.#covariances(p, i, K.subarray(i * n, i * n + i));
      K[i * n + i] = this.#variance(p) + hyper.noise;
    });
    this.#factor = cholesky(K, n).L;
    this.#white = [...solveLower(this.#factor, n, values.map((v) => this.#scale.standard(v)))];
    this.#conclude();
  }

  #conclude(): void {
    this.#alpha = solveLowerTransposed(this.#factor, this.#n, this.#white);
    let sum = 0;
    for (const v of this.#white) sum += v * v;
    this.deviation = Math.sqrt(Math.max(1e-12, sum / this.#n));
  }

  /** One more point, scales and weights unchanged: O(n²). A point that the others determine altogether is left out. */
  append(x: Float64Array, value: number): void {
    const n = this.#n;
    try {
      this.#factor = choleskyAppend(this.#factor, n, this.#covariances(x, n, this.#scratch), this.#variance(x) + this.hyper.noise);
    } catch (error) {
      if (error instanceof NotPositiveDefinite) return;
      throw error;
    }
    let rest = this.#scale.standard(value);
    for (let j = 0; j < n; j++) rest -= this.#factor[n * (n + 1) + j]! * this.#white[j]!;
    this.#white.push(rest / this.#factor[n * (n + 1) + n]!);
    const points = new Float64Array((n + 1) * x.length);
    points.set(this.#points);
    points.set(x, n * x.length);
    this.#points = points;
    this.#n = n + 1;
    if (this.#scratch.length <= n) this.#scratch = new Float64Array(2 * n);
    this.#conclude();
  }

  #variance(x: Float64Array): number {
    const dot = linearPart(this.features, x, x);
    return 1 + (this.hyper.linear + this.hyper.quadratic * dot) * dot + this.hyper.shares;
  }

  /** With the first `count` points. */
  #covariances(x: Float64Array, count: number, out: Float64Array): Float64Array {
    const { firstOrdered, firstShare, length, centre, alone } = this.features;
    const { linear, quadratic, shares } = this.hyper;
    const w = this.#weights;
    const points = this.#points;
    for (let i = 0, row = 0; i < count; i++, row += length) {
      let c = 0;
      let r = 0;
      let s = 0;
      let dot = 0;
      for (let k = 0; k < firstOrdered; k++) if (x[k] !== points[row + k]) c += w[k]!;
      for (let k = firstOrdered; k < length; k++) {
        const a = x[k]!;
        const b = points[row + k]!;
        const t = a - b;
        if (k < firstShare) r += w[k]! * t * t;
        else s += w[k]! * t * t;
        dot += (a - centre[k]!) * (b - centre[k]!);
      }
      for (let q = 0; q < alone.length; q++) {
        const { feature, even } = alone[q]!;
        dot += (x[feature] === points[row + feature] ? 1 : 0) - even;
      }
      out[i] = Math.exp(-c - s) * (r > 0 ? matern(r) : 1) + (linear + quadratic * dot) * dot + (shares > 0 ? shares * Math.exp(-s) : 0);
    }
    return out;
  }

  /** Of the standardised value. O(n²). */
  predict(x: Float64Array): Prediction {
    const n = this.#n;
    const k = this.#covariances(x, n, this.#scratch);
    let mean = 0;
    for (let i = 0; i < n; i++) mean += this.#alpha[i]! * k[i]!;
    const w = solveLower(this.#factor, n, k);
    let left = this.#variance(x);
    for (let i = 0; i < n; i++) left -= w[i]! * w[i]!;
    return { mean, sd: this.deviation * Math.sqrt(Math.max(1e-12, left)) };
  }

  /** Of the standardised value. O(n). */
  mean(x: Float64Array): number {
    const k = this.#covariances(x, this.#n, this.#scratch);
    let mean = 0;
    for (let i = 0; i < this.#n; i++) mean += this.#alpha[i]! * k[i]!;
    return mean;
  }

  standard(value: number): number {
    return this.#scale.standard(value);
  }

  natural(standard: number): number {
    return this.#scale.natural(standard);
  }
}
