/**
 * Cholesky factorisation of dense symmetric matrices, row-major Float64Array. Golub & Van Loan, Matrix Computations, 4th ed., § 4.2.
 *
 * Every inner loop is a dot product of two rows, contiguous in memory; 4 × 4 of them at a time keep sixteen sums in registers.
 */

export class NotPositiveDefinite extends Error {
  constructor(
    /** index of the pivot that failed */
    readonly pivot: number,
    readonly value: number,
  ) {
    super(`matrix is not positive definite: pivot ${pivot} is ${value}`);
    this.name = 'NotPositiveDefinite';
  }
}

export interface CholeskyFactor {
  /** [n, n] row-major, zero above the diagonal */
  readonly L: Float64Array;
  /** what was added to the diagonal */
  readonly jitter: number;
}

const BLOCK = 32;
const JITTERS = [0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];

/**
 * Cholesky factor of K + jitter·I, with the least jitter of 0, 1e-10, 1e-9 … 1e-4 times the mean of the diagonal that suffices.
 *
 * @param K  symmetric, [n, n] row-major, only the lower triangle is read; left untouched
 * @throws   NotPositiveDefinite, with the pivot's index and value, if jitter 1e-4·mean(diag) was not enough or K is not finite
 * @throws   RangeError if K does not have n² entries
 *
 * n³/3 flops an attempt.
 */
export function cholesky(K: Float64Array, n: number): CholeskyFactor {
  if (K.length !== n * n) throw new RangeError(`expected a matrix of ${n} × ${n} = ${n * n} entries, got ${K.length}`);
  let scale = 0;
  for (let i = 0; i < n; i++) scale += K[i * n + i]! / n;
  let failure = new NotPositiveDefinite(0, NaN);
  for (const step of JITTERS) {
    const jitter = step * scale;
    const L = K.slice();
    for (let i = 0; i < n; i++) L[i * n + i]! += jitter;
    const failed = factorise(L, n);
    if (failed === undefined) return { L, jitter };
    failure = failed;
    if (!Number.isFinite(failed.value)) break;
  }
  throw failure;
}

/**
 * The factor of a matrix grown by one row: O(n²).
 * @param L     [n, n]
 * @param row   [n], covariances of the new row with the old ones
 * @param diag  its diagonal entry
 * @returns     [n + 1, n + 1]
 * @throws      NotPositiveDefinite if the new pivot is not positive
 */
export function choleskyAppend(L: Float64Array, n: number, row: ArrayLike<number>, diag: number): Float64Array {
  const out = new Float64Array((n + 1) * (n + 1));
  for (let i = 0; i < n; i++) out.set(L.subarray(i * n, (i + 1) * n), i * (n + 1));
  const last = solveLower(L, n, row);
  let pivot = diag;
  for (let j = 0; j < n; j++) pivot -= last[j]! * last[j]!;
  if (!(pivot > 0)) throw new NotPositiveDefinite(n, pivot);
  out.set(last, n * (n + 1));
  out[(n + 1) * (n + 1) - 1] = Math.sqrt(pivot);
  return out;
}

/** x with L x = b. */
export function solveLower(L: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let j = 0, at = i * n; j < i; j++, at++) sum -= L[at]! * x[j]!;
    x[i] = sum / L[i * n + i]!;
  }
  return x;
}

/** x with Lᵀ x = b. */
export function solveLowerTransposed(L: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b);
  for (let i = n - 1; i >= 0; i--) {
    const v = x[i]! / L[i * n + i]!;
    x[i] = v;
    for (let j = 0, at = i * n; j < i; j++, at++) x[j]! -= L[at]! * v;
  }
  return x;
}

/** x with L Lᵀ x = b. */
export function choleskySolve(L: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  return solveLowerTransposed(L, n, solveLower(L, n, b));
}

/** Σ log L_ii = ½ log det(L Lᵀ). */
export function logDiagonal(L: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.log(L[i * n + i]!);
  return sum;
}

/**
 * L⁻¹, transposed: row j is column j of L⁻¹, zero left of the diagonal. [n, n], n³/3 flops.
 */
export function invertLowerTransposed(L: Float64Array, n: number): Float64Array {
  // All products run along rows.
  const M = new Float64Array(n * n);
  for (let j = 0; j < n; j += 4) {
    const end = Math.min(j + 4, n);
    for (let b = j; b < end; b++) {
      M[b * n + b] = 1 / L[b * n + b]!;
      for (let i = b + 1; i < (end - j === 4 ? end : n); i++) M[b * n + i] = -rowDot(L, i * n + b, M, b * n + b, i - b) / L[i * n + i]!;
    }
    if (end - j === 4) invertFour(L, M, n, j);
  }
  return M;
}

/**
 * (L Lᵀ)⁻¹ in full, [n, n]; for traces with many matrices, not for solving. 2n³/3 flops.
 */
export function choleskyInverse(L: Float64Array, n: number): Float64Array {
  const M = invertLowerTransposed(L, n);
  const inverse = new Float64Array(n * n);
  const tile = new Float64Array(16);
  for (let a = 0; a < n; a += 4) {
    for (let b = 0; b <= a; b += 4) {
      if (a + 4 <= n) {
        // Rows of M are zero left of their diagonal, so all sixteen sums may start at the larger index.
        tileDots(M, n, a, b, a, n, tile);
        for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) setBoth(inverse, n, a + i, b + j, tile[4 * i + j]!);
      } else {
        for (let i = a; i < n; i++) for (let j = b; j < Math.min(b + 4, n); j++) setBoth(inverse, n, i, j, rowDot(M, i * n + a, M, j * n + a, n - a));
      }
    }
  }
  return inverse;
}

/** Rows j … j + 3 of M from column j + 4 on: forward substitution with four right sides, which share the loads of L. */
function invertFour(L: Float64Array, M: Float64Array, n: number, j: number): void {
  const [m0, m1, m2, m3] = [j * n, (j + 1) * n, (j + 2) * n, (j + 3) * n];
  for (let i = j + 4; i < n; i++) {
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let p = j; p < i; p++) {
      const l = L[i * n + p]!;
      s0 += l * M[m0 + p]!;
      s1 += l * M[m1 + p]!;
      s2 += l * M[m2 + p]!;
      s3 += l * M[m3 + p]!;
    }
    const scale = -1 / L[i * n + i]!;
    M[m0 + i] = s0 * scale;
    M[m1 + i] = s1 * scale;
    M[m2 + i] = s2 * scale;
    M[m3 + i] = s3 * scale;
  }
}

/** Lower triangle in place, upper set to zero. Returns the failure, if any. */
function factorise(A: Float64Array, n: number): NotPositiveDefinite | undefined {
  const tile = new Float64Array(16);
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(start + BLOCK, n);
    if (start > 0) subtractEarlier(A, n, start, end, tile);
    for (let j = start; j < end; j++) {
      const pivot = A[j * n + j]! - rowDot(A, j * n + start, A, j * n + start, j - start);
      if (!(pivot > 0) || pivot === Infinity) return new NotPositiveDefinite(j, pivot);
      const root = Math.sqrt(pivot);
      A[j * n + j] = root;
      for (let i = j + 1; i < n; i++) A[i * n + j] = (A[i * n + j]! - rowDot(A, i * n + start, A, j * n + start, j - start)) / root;
    }
  }
  for (let i = 0; i < n; i++) A.fill(0, i * n + i + 1, (i + 1) * n);
  return undefined;
}

/** A[i, j] -= Σ_{p < start} L[i, p] L[j, p] for the block column start … end, rows from start on. */
function subtractEarlier(A: Float64Array, n: number, start: number, end: number, tile: Float64Array): void {
  for (let i = start; i < n; i += 4) {
    for (let j = start; j < end && j <= i + 3; j += 4) {
      if (i + 4 <= n && j + 4 <= end) {
        tileDots(A, n, i, j, 0, start, tile);
        for (let a = 0; a < 4; a++) for (let b = 0; b < 4; b++) A[(i + a) * n + j + b]! -= tile[4 * a + b]!;
      } else {
        for (let a = i; a < Math.min(i + 4, n); a++) for (let b = j; b < Math.min(j + 4, end); b++) A[a * n + b]! -= rowDot(A, a * n, A, b * n, start);
      }
    }
  }
}

function setBoth(A: Float64Array, n: number, i: number, j: number, v: number): void {
  A[i * n + j] = v;
  A[j * n + i] = v;
}

function rowDot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let [s0, s1] = [0, 0];
  let p = 0;
  for (; p + 1 < length; p += 2) {
    s0 += a[i + p]! * b[j + p]!;
    s1 += a[i + p + 1]! * b[j + p + 1]!;
  }
  return p < length ? s0 + s1 + a[i + p]! * b[j + p]! : s0 + s1;
}

/** tile[4a + b] = Σ_{from ≤ p < to} A[i + a, p] A[j + b, p]. */
function tileDots(A: Float64Array, n: number, i: number, j: number, from: number, to: number, tile: Float64Array): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  const [i0, i1, i2, i3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
  const [j0, j1, j2, j3] = [j * n, (j + 1) * n, (j + 2) * n, (j + 3) * n];
  for (let p = from; p < to; p++) {
    const b0 = A[j0 + p]!, b1 = A[j1 + p]!, b2 = A[j2 + p]!, b3 = A[j3 + p]!;
    let a = A[i0 + p]!;
    s00 += a * b0; s01 += a * b1; s02 += a * b2; s03 += a * b3;
    a = A[i1 + p]!;
    s10 += a * b0; s11 += a * b1; s12 += a * b2; s13 += a * b3;
    a = A[i2 + p]!;
    s20 += a * b0; s21 += a * b1; s22 += a * b2; s23 += a * b3;
    a = A[i3 + p]!;
    s30 += a * b0; s31 += a * b1; s32 += a * b2; s33 += a * b3;
  }
  tile[0] = s00; tile[1] = s01; tile[2] = s02; tile[3] = s03; tile[4] = s10; tile[5] = s11; tile[6] = s12; tile[7] = s13;
  tile[8] = s20; tile[9] = s21; tile[10] = s22; tile[11] = s23; tile[12] = s30; tile[13] = s31; tile[14] = s32; tile[15] = s33;
}
