/**
 * Predictions at a fixed list of points, asked again and again while told points arrive: covariances with the rows so far are kept, so a
 * new row costs O(n) a point instead of O(n²). The sums run in the order of the rows whether they came at once or one by one, so that
 * a run taken up from its snapshot rounds as the first did.
 */
import { LEAST_VARIANCE, type GaussianProcess, type ProcessFactor } from './gaussian-process.js';

export class WatchedPoints {
  #factor: ProcessFactor | null = null;
  /** rows the sums cover for good; believed ones come and go */
  #rows = 0;
  #capacity = 0;
  /** [count, capacity]: k(point, row) */
  #K = new Float64Array(0);
  /** [count]: ‖L⁻¹ k‖² */
  readonly #squares: Float64Array;
  /** a multiple of four: the last point stands for those that lack */
  readonly #count: number;

  /** @param points  one or more */
  constructor(private readonly points: readonly Float64Array[]) {
    this.#count = 4 * Math.ceil(points.length / 4);
    this.#squares = new Float64Array(this.#count);
  }

  predict(process: GaussianProcess): { readonly mean: Float64Array; readonly sd: Float64Array } {
    const { base: factor, told } = process;
    if (factor !== this.#factor || told < this.#rows) this.#restart(factor);
    this.#reserve(factor.size);
    this.#extend(factor, this.#rows, told, this.#squares);
    this.#rows = told;
    const squares = factor.size > told ? this.#squares.slice() : this.#squares;
    if (factor.size > told) this.#extend(factor, told, factor.size, squares);
    const mean = new Float64Array(this.points.length);
    for (let p = 0; p < mean.length; p++) mean[p] = process.meanFrom(this.#K, p * this.#capacity);
    return { mean, sd: squares.subarray(0, mean.length).map((s) => Math.sqrt(Math.max(LEAST_VARIANCE, 1 - s))) };
  }

  #restart(factor: ProcessFactor): void {
    this.#factor = factor;
    this.#rows = 0;
    this.#squares.fill(0);
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    const capacity = rows + Math.max(16, rows >> 2);
    const K = new Float64Array(this.#count * capacity);
    for (let p = 0; p < this.#count; p++) K.set(this.#K.subarray(p * this.#capacity, p * this.#capacity + this.#rows), p * capacity);
    [this.#K, this.#capacity] = [K, capacity];
  }

  #extend({ rows, factor }: ProcessFactor, from: number, to: number, squares: Float64Array): void {
    if (from === to) return;
    const D = rows.shape.size;
    const z = new Float64Array(4 * D);
    for (let p = 0; p < this.#count; p += 4) {
      for (let c = 0; c < 4; c++) rows.scale(this.points[Math.min(p + c, this.points.length - 1)]!, z, c * D);
      rows.covariancesOfFour(z, 0, this.#K, p * this.#capacity + from, this.#capacity, from, to);
      factor.addSquaresOfFour(this.#K, p * this.#capacity, this.#capacity, from, to, squares, p);
    }
  }
}
