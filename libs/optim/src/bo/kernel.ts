/**
 * The kernel of all processes here, with unit signal variance and a length a feature.
 *
 *   s²(x, x') = Σ numeric (x_d - x'_d)² / l_d²  +  Σ categories [x_d ≠ x'_d] / l_d²
 *   k = (1 + r + r²/3) exp(-r), r = √(5 s²)     Matérn 5/2 (Rasmussen & Williams 2006, eq. 4.17)
 *   k = exp(-s²)                                spaces of categories only
 */
export interface FeatureShape {
  readonly size: number;
  /** features below this index are numeric, the others categories */
  readonly numeric: number;
  readonly categoricalOnly: boolean;
}

/** θ = (log l_1 … log l_D, log noise variance). */
export type Theta = readonly number[];


/** Points under given lengths: numeric features divided by them, categories as they are. Grows and shrinks at its end. */
export class ScaledRows {
  #n = 0;
  #Z: Float64Array;
  readonly #D: number;
  /** 1 / l of numeric features, 1 / l² of categories */
  readonly factors: Float64Array;

  constructor(readonly shape: FeatureShape, theta: ArrayLike<number>, capacity: number) {
    this.#D = shape.size;
    this.#Z = new Float64Array(capacity * shape.size);
    this.factors = Float64Array.from({ length: shape.size }, (_, d) => Math.exp((d < shape.numeric ? -1 : -2) * theta[d]!));
  }

  get size(): number {
    return this.#n;
  }

  /** [size, D] row-major, scaled */
  get values(): Float64Array {
    return this.#Z;
  }

  append(x: Float64Array): void {
    const start = this.#n * this.#D;
    if (this.#Z.length < start + this.#D) {
      const larger = new Float64Array(2 * (start + this.#D));
      larger.set(this.#Z);
      this.#Z = larger;
    }
    this.scale(x, this.#Z, start);
    this.#n++;
  }

  truncate(n: number): void {
    this.#n = n;
  }

  scale(x: Float64Array, out: Float64Array, start = 0): void {
    const { numeric } = this.shape;
    for (let d = 0; d < this.#D; d++) out[start + d] = d < numeric ? x[d]! * this.factors[d]! : x[d]!;
  }

  /**
   * k of a scaled point, that begins at `at` of z, with rows from … to - 1; into out from `start` on.
   * @param slopes  dk/ds², overwritten in the same places if given
   */
  covariances(z: Float64Array, at: number, out: Float64Array, start = 0, from = 0, to = this.#n, slopes?: Float64Array): void {
    const [Z, D, numeric, factors] = [this.#Z, this.#D, this.shape.numeric, this.factors];
    for (let i = from, row = from * D; i < to; i++, row += D) {
      let s2 = 0;
      for (let d = 0; d < numeric; d++) {
        const delta = z[at + d]! - Z[row + d]!;
        s2 += delta * delta;
      }
      for (let d = numeric; d < D; d++) if (z[at + d] !== Z[row + d]) s2 += factors[d]!;
      out[start + i - from] = s2;
    }
    this.#fromDistances(out, start, to - from, slopes);
  }

  /** As `covariances` for four points one after the other in z, into rows of `out` that lie `stride` apart. */
  covariancesOfFour(z: Float64Array, at: number, out: Float64Array, start: number, stride: number, from = 0, to = this.#n, slopes?: Float64Array): void {
    const [Z, D, numeric, factors] = [this.#Z, this.#D, this.shape.numeric, this.factors];
    const [z1, z2, z3] = [at + D, at + 2 * D, at + 3 * D];
    const first = start - from;
    const [o1, o2, o3] = [first + stride, first + 2 * stride, first + 3 * stride];
    for (let i = from, row = from * D; i < to; i++, row += D) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let d = 0; d < numeric; d++) {
        const v = Z[row + d]!;
        const a = z[at + d]! - v, b = z[z1 + d]! - v, c = z[z2 + d]! - v, e = z[z3 + d]! - v;
        s0 += a * a;
        s1 += b * b;
        s2 += c * c;
        s3 += e * e;
      }
      for (let d = numeric; d < D; d++) {
        const [v, f] = [Z[row + d]!, factors[d]!];
        if (z[at + d] !== v) s0 += f;
        if (z[z1 + d] !== v) s1 += f;
        if (z[z2 + d] !== v) s2 += f;
        if (z[z3 + d] !== v) s3 += f;
      }
      out[first + i] = s0;
      out[o1 + i] = s1;
      out[o2 + i] = s2;
      out[o3 + i] = s3;
    }
    for (const o of [first, o1, o2, o3]) this.#fromDistances(out, o + from, to - from, slopes);
  }

  /**
   * Lower triangle of the covariances of the rows with each other, diagonal 1; what stands above it is of no account.
   * @param slopes  dk/ds², alike
   */
  matrix(slopes?: Float64Array): Float64Array {
    const [n, D] = [this.#n, this.#D];
    const K = new Float64Array(n * n);
    let i = 0;
    for (; i + 4 <= n; i += 4) this.covariancesOfFour(this.#Z, i * D, K, i * n, n, 0, i + 4, slopes);
    for (; i < n; i++) this.covariances(this.#Z, i * D, K, i * n, 0, i + 1, slopes);
    return K;
  }

  /** In place: k from s². */
  #fromDistances(out: Float64Array, start: number, count: number, slopes: Float64Array | undefined): void {
    if (this.shape.categoricalOnly) {
      for (let i = start; i < start + count; i++) {
        out[i] = Math.exp(-out[i]!);
        if (slopes) slopes[i] = -out[i]!;
      }
      return;
    }
    for (let i = start; i < start + count; i++) {
      const r2 = 5 * out[i]!;
      const r = Math.sqrt(r2);
      const e = Math.exp(-r);
      out[i] = (1 + r + r2 / 3) * e;
      if (slopes) slopes[i] = (-5 / 6) * (1 + r) * e;
    }
  }
}
