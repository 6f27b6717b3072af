/**
 * Interpolation by learned distances, for spaces with categories: every metric has its own weights
 *   d(x, y) = Σ_j w_j·[x_j ≠ y_j]  (categories)  +  Σ_i w_i·(u_i - v_i)²  (ordered, unit scale)  +  Σ_l w_l·(s_l - t_l)²
 * where s_l is the share of the categories with one common list of values that stand at level l (for a cell: how many 3×3 convolutions).
 * The predictor is kriging with kernel exp(-d) and a nugget; the weights minimise its leave-one-out error
 *   e_i = α_i / (K⁻¹)_ii   (Dubrule, Cross validation of kriging in a unique neighborhood, 1983),
 * by a coordinate search over factors of three. Distances between categories learned from the data: Hallé-Hannan et al., CatMADS (2025).
 */
import type { Genes, SearchSpace } from '@app/space';
import { choleskyInPlace, inverseDiagonal, solveLower, solveUpper } from './linear-solve.js';

const NUGGET = 1e-3;
const WEIGHTS = { least: 1e-3, most: 30, start: 0.4 } as const;

/** Turns genes into features; the first `categories` of them compare by equality. */
export class Features {
  readonly categories: readonly number[];
  readonly ordered: readonly number[];
  /** groups of ≥ 2 categories with one list of values: indexes and number of levels */
  readonly groups: readonly { readonly members: readonly number[]; readonly levels: number }[];
  readonly length: number;

  constructor(readonly space: SearchSpace) {
    const all = space.parameters.map((_, i) => i).filter((i) => space.sizes[i] !== 1);
    this.categories = all.filter((i) => space.parameters[i]!.type === 'categorical');
    this.ordered = all.filter((i) => space.parameters[i]!.type !== 'categorical');
    const byList = new Map<string, number[]>();
    for (const i of this.categories) {
      const p = space.parameters[i]!;
      const list = p.type === 'categorical' ? JSON.stringify(p.values) : '';
      byList.set(list, [...(byList.get(list) ?? []), i]);
    }
    this.groups = [...byList.values()].filter((g) => g.length > 1).map((members) => ({ members, levels: space.sizes[members[0]!]! }));
    this.length = all.length + this.groups.reduce((s, g) => s + g.levels, 0);
  }

  of(genes: Genes): Float64Array {
    const unit = this.space.toUnit(genes);
    const shares = this.groups.flatMap(({ members, levels }) => Array.from({ length: levels }, (_, l) => members.filter((i) => genes[i] === l).length / members.length));
    return Float64Array.from([...this.categories.map((i) => genes[i]!), ...this.ordered.map((i) => unit[i]!), ...shares]);
  }

  distance(a: Float64Array, b: Float64Array, weights: readonly number[]): number {
    let d = 0;
    const c = this.categories.length;
    for (let k = 0; k < c; k++) if (a[k] !== b[k]) d += weights[k]!;
    for (let k = c; k < this.length; k++) {
      const t = a[k]! - b[k]!;
      if (t !== 0) d += weights[k]! * t * t;
    }
    return d;
  }

  startWeights(): number[] {
    return new Array<number>(this.length).fill(WEIGHTS.start);
  }
}

export interface Prediction {
  readonly mean: number;
  readonly sd: number;
}

export class DistanceModel {
  readonly #mean: number;
  readonly #scale: number;
  readonly #alpha: Float64Array;
  readonly #factor: Float64Array;
  readonly #kernel: Float64Array;

  /** @param points  features, [n]; @param values  [n], n ≥ 2; @throws RangeError if the points are not distinct */
  constructor(readonly features: Features, readonly points: readonly Float64Array[], values: readonly number[], readonly weights: readonly number[]) {
    const n = points.length;
    const standard = standardise(values);
    this.#mean = standard.mean;
    const factor = kernelMatrix(features, points, weights);
    if (!choleskyInPlace(factor, n)) throw new RangeError('the kernel matrix is singular: a point stands twice');
    const white = solveLower(factor, n, standard.values);
    this.#alpha = solveUpper(factor, n, white);
    this.#factor = factor;
    let variance = 0;
    for (let i = 0; i < n; i++) variance += white[i]! ** 2;
    this.#scale = standard.sd;
    this.deviation = Math.sqrt(Math.max(1e-12, variance / n)) * standard.sd;
    this.#kernel = new Float64Array(n);
  }

  /** process standard deviation, in the values' units */
  readonly deviation: number;

  mean(x: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.points.length; i++) sum += this.#alpha[i]! * Math.exp(-this.features.distance(x, this.points[i]!, this.weights));
    return this.#mean + this.#scale * sum;
  }

  predict(x: Float64Array): Prediction {
    const n = this.points.length;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const k = Math.exp(-this.features.distance(x, this.points[i]!, this.weights));
      this.#kernel[i] = k;
      sum += this.#alpha[i]! * k;
    }
    const w = solveLower(this.#factor, n, this.#kernel);
    let explained = 0;
    for (let i = 0; i < n; i++) explained += w[i]! ** 2;
    return { mean: this.#mean + this.#scale * sum, sd: this.deviation * Math.sqrt(Math.max(1e-12, 1 + NUGGET - explained)) };
  }
}

/** One sweep of the coordinate search from the given weights. n³ flops a trial, 2·features trials. */
export function fitWeights(features: Features, points: readonly Float64Array[], values: readonly number[], from: readonly number[]): number[] {
  const y = standardise(values).values;
  const weights = [...from];
  let best = leaveOneOut(features, points, y, weights);
  for (let j = 0; j < weights.length; j++) {
    const own = weights[j]!;
    for (const factor of [3, 1 / 3]) {
      const trial = own * factor;
      if (trial < WEIGHTS.least || trial > WEIGHTS.most) continue;
      const before = weights[j]!;
      weights[j] = trial;
      const error = leaveOneOut(features, points, y, weights);
      if (error < best * (1 - 1e-9)) {
        best = error;
        break;
      }
      weights[j] = before;
    }
  }
  return weights;
}

/** Mean squared leave-one-out error; Infinity if the matrix is singular. */
export function leaveOneOut(features: Features, points: readonly Float64Array[], y: ArrayLike<number>, weights: readonly number[]): number {
  const n = points.length;
  const k = kernelMatrix(features, points, weights);
  if (!choleskyInPlace(k, n)) return Infinity;
  const alpha = solveUpper(k, n, solveLower(k, n, y));
  const diagonal = inverseDiagonal(k, n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (alpha[i]! / diagonal[i]!) ** 2;
  return sum / n;
}

function kernelMatrix(features: Features, points: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const n = points.length;
  const k = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) k[i * n + j] = Math.exp(-features.distance(points[i]!, points[j]!, weights));
    k[i * n + i] = 1 + NUGGET;
  }
  return k;
}

function standardise(values: readonly number[]): { values: number[]; mean: number; sd: number } {
  const n = values.length;
  const mean = values.reduce((s, v) => s + v, 0) / n;
  const sd = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / n) || 1;
  return { values: values.map((v) => (v - mean) / sd), mean, sd };
}
