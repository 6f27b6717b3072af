/**
 * L⁻¹ of a Cholesky factor K + jitter·I = L Lᵀ of a matrix that grows by rows: rows of L⁻¹ packed one after the other (row i begins at
 * i(i+1)/2), so that growing appends and shrinking forgets. Products with it have no order to wait for, unlike substitution.
 *
 * Forming L⁻¹ costs n³/3 multiplications once; its products are as accurate as substitution up to the condition of L, the root of K's.
 */
import { cholesky, invertLowerTransposed, NotPositiveDefinite } from './cholesky.js';

export class InverseFactor {
  #n: number;
  #rows: Float64Array;
  readonly jitter: number;

  /**
   * @param K  [n, n] row-major, lower triangle read
   * @throws NotPositiveDefinite as `cholesky`
   */
  constructor(K: Float64Array, n: number) {
    const { L, jitter } = cholesky(K, n);
    const T = invertLowerTransposed(L, n);
    const rows = new Float64Array(((n + 32) * (n + 33)) / 2);
    for (let j = 0; j < n; j++) for (let i = j; i < n; i++) rows[(i * (i + 1)) / 2 + j] = T[j * n + i]!;
    this.#n = n;
    this.#rows = rows;
    this.jitter = jitter;
  }

  get size(): number {
    return this.#n;
  }

  /**
   * One more row of K: O(n²).
   * @param row   [n] covariances with the rows before
   * @param diag  diagonal entry, jitter included
   * @throws NotPositiveDefinite if the new pivot is not positive; nothing has changed then
   */
  append(row: Float64Array, diag: number): void {
    const n = this.#n;
    const l = this.apply(row);
    let pivot = diag;
    for (let j = 0; j < n; j++) pivot -= l[j]! * l[j]!;
    if (!(pivot > 0)) throw new NotPositiveDefinite(n, pivot);
    const root = Math.sqrt(pivot);
    const start = (n * (n + 1)) / 2;
    if (this.#rows.length < start + n + 1) {
      const larger = new Float64Array(2 * (start + n + 1));
      larger.set(this.#rows);
      this.#rows = larger;
    }
    const last = this.applyTransposed(l);
    for (let j = 0; j < n; j++) this.#rows[start + j] = -last[j]! / root;
    this.#rows[start + n] = 1 / root;
    this.#n = n + 1;
  }

  /** Forgets all rows from n on. @throws RangeError if there are fewer */
  truncate(n: number): void {
    if (!(n >= 0 && n <= this.#n)) throw new RangeError(`expected at most ${this.#n} rows to keep, got ${n}`);
    this.#n = n;
  }

  /** L⁻¹ b. */
  apply(b: Float64Array, out = new Float64Array(this.#n)): Float64Array {
    const [n, R] = [this.#n, this.#rows];
    let i = 0;
    for (; i + 3 < n; i += 4) {
      const o0 = (i * (i + 1)) / 2, o1 = o0 + i + 1, o2 = o1 + i + 2, o3 = o2 + i + 3;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let p = 0; p <= i; p++) {
        const v = b[p]!;
        s0 += R[o0 + p]! * v;
        s1 += R[o1 + p]! * v;
        s2 += R[o2 + p]! * v;
        s3 += R[o3 + p]! * v;
      }
      const b1 = b[i + 1]!, b2 = b[i + 2]!;
      out[i] = s0;
      out[i + 1] = s1 + R[o1 + i + 1]! * b1;
      out[i + 2] = s2 + R[o2 + i + 1]! * b1 + R[o2 + i + 2]! * b2;
      out[i + 3] = s3 + R[o3 + i + 1]! * b1 + R[o3 + i + 2]! * b2 + R[o3 + i + 3]! * b[i + 3]!;
    }
    for (; i < n; i++) {
      let s = 0;
      for (let p = 0, at = (i * (i + 1)) / 2; p <= i; p++, at++) s += R[at]! * b[p]!;
      out[i] = s;
    }
    return out;
  }

  /** L⁻ᵀ w. */
  applyTransposed(w: Float64Array, out = new Float64Array(this.#n)): Float64Array {
    const [n, R] = [this.#n, this.#rows];
    out.fill(0);
    let i = 0;
    for (; i + 3 < n; i += 4) {
      const o0 = (i * (i + 1)) / 2, o1 = o0 + i + 1, o2 = o1 + i + 2, o3 = o2 + i + 3;
      const w0 = w[i]!, w1 = w[i + 1]!, w2 = w[i + 2]!, w3 = w[i + 3]!;
      for (let p = 0; p <= i; p++) out[p]! += R[o0 + p]! * w0 + R[o1 + p]! * w1 + R[o2 + p]! * w2 + R[o3 + p]! * w3;
      out[i + 1]! += R[o1 + i + 1]! * w1 + R[o2 + i + 1]! * w2 + R[o3 + i + 1]! * w3;
      out[i + 2]! += R[o2 + i + 2]! * w2 + R[o3 + i + 2]! * w3;
      out[i + 3]! += R[o3 + i + 3]! * w3;
    }
    for (; i < n; i++) for (let p = 0, at = (i * (i + 1)) / 2; p <= i; p++, at++) out[p]! += R[at]! * w[i]!;
    return out;
  }

  /** ‖L⁻¹ b‖² of four vectors that lie one after the other in B, `stride` apart; out[0 … 3] overwritten. */
  squaresOfFour(B: Float64Array, stride: number, out: Float64Array): void {
    const [n, R] = [this.#n, this.#rows];
    const [c1, c2, c3] = [stride, 2 * stride, 3 * stride];
    let q0 = 0, q1 = 0, q2 = 0, q3 = 0;
    for (let i = 0; i < n; i += 2) {
      const o0 = (i * (i + 1)) / 2, o1 = o0 + i + 1;
      let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      const pair = i + 1 < n;
      // Where the last row stands alone its neighbour's sums are read from it as well, and dropped.
      const other = pair ? o1 : o0;
      for (let p = 0; p <= i; p++) {
        const a = R[o0 + p]!, b = R[other + p]!;
        const v0 = B[p]!, v1 = B[c1 + p]!, v2 = B[c2 + p]!, v3 = B[c3 + p]!;
        s00 += a * v0; s01 += a * v1; s02 += a * v2; s03 += a * v3;
        s10 += b * v0; s11 += b * v1; s12 += b * v2; s13 += b * v3;
      }
      q0 += s00 * s00; q1 += s01 * s01; q2 += s02 * s02; q3 += s03 * s03;
      if (!pair) break;
      const d = R[o1 + i + 1]!;
      s10 += d * B[i + 1]!; s11 += d * B[c1 + i + 1]!; s12 += d * B[c2 + i + 1]!; s13 += d * B[c3 + i + 1]!;
      q0 += s10 * s10; q1 += s11 * s11; q2 += s12 * s12; q3 += s13 * s13;
    }
    out[0] = q0;
    out[1] = q1;
    out[2] = q2;
    out[3] = q3;
  }

  /**
   * Adds to sums[k … k + 3] the squares of entries from … to - 1 of L⁻¹ b for four vectors b that lie in B from `at` on, `stride` apart.
   * Sums run in the order of the entries, so it comes to the same in however many calls.
   */
  addSquaresOfFour(B: Float64Array, at: number, stride: number, from: number, to: number, sums: Float64Array, k: number): void {
    const R = this.#rows;
    const [b1, b2, b3] = [at + stride, at + 2 * stride, at + 3 * stride];
    for (let i = from; i < to; i++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let p = 0, o = (i * (i + 1)) / 2; p <= i; p++, o++) {
        const r = R[o]!;
        s0 += r * B[at + p]!;
        s1 += r * B[b1 + p]!;
        s2 += r * B[b2 + p]!;
        s3 += r * B[b3 + p]!;
      }
      sums[k]! += s0 * s0;
      sums[k + 1]! += s1 * s1;
      sums[k + 2]! += s2 * s2;
      sums[k + 3]! += s3 * s3;
    }
  }
}
