/**
 * Linear least squares by Householder QR with column pivoting; rank-deficient and under-determined systems get the solution of least
 * norm (complete orthogonal decomposition). Golub & Van Loan, Matrix Computations, 4th ed., § 5.2, 5.4, 5.5.
 */

export interface LeastSquares {
  /** [cols], minimises ‖A x - b‖, and among those ‖x‖ */
  readonly x: Float64Array;
  /** numerical rank: pivots above max(rows, cols)·1e-15 times the largest, or the tolerance given */
  readonly rank: number;
  /** ‖A x - b‖ */
  readonly residual: number;
}

/**
 * @param A     [rows, cols] row-major, finite; left untouched
 * @param b     [rows]
 * @param tolerance  pivots at most this times the largest count as zero
 * @throws RangeError if sizes do not match or an entry is not finite
 *
 * About 2·cols²·(rows - cols/3) flops.
 */
export function leastSquares(A: Float64Array, rows: number, cols: number, b: ArrayLike<number>, tolerance = Math.max(rows, cols) * 1e-15): LeastSquares {
  if (A.length !== rows * cols || b.length !== rows) throw new RangeError(`expected ${rows} × ${cols} entries and ${rows} right sides, got ${A.length} and ${b.length}`);
  if (!A.every(Number.isFinite) || !Float64Array.from(b).every(Number.isFinite)) throw new RangeError('expected finite entries and right sides');
  const R = A.slice();
  const c = Float64Array.from(b);
  const order = Int32Array.from({ length: cols }, (_, j) => j);
  const rank = pivotedQr(R, rows, cols, c, order, tolerance);
  const y = rank === cols ? solveUpper(R, cols, rank, c) : shortest(R, cols, rank, c);
  const x = new Float64Array(cols);
  for (let j = 0; j < cols; j++) x[order[j]!] = y[j]!;
  let square = 0;
  for (let i = 0; i < rows; i++) {
    let r = -b[i]!;
    for (let j = 0; j < cols; j++) r += A[i * cols + j]! * x[j]!;
    square += r * r;
  }
  return { x, rank, residual: Math.sqrt(square) };
}

/** R becomes upper trapezoidal, c becomes Qᵀ c; returns the rank, below which rows of R count as zero. */
function pivotedQr(R: Float64Array, rows: number, cols: number, c: Float64Array, order: Int32Array, tolerance: number): number {
  let largest = 0;
  for (let k = 0; k < Math.min(rows, cols); k++) {
    let [best, bestNorm] = [k, -1];
    for (let j = k; j < cols; j++) {
      const norm = columnNorm(R, rows, cols, j, k);
      if (norm > bestNorm) [best, bestNorm] = [j, norm];
    }
    largest = Math.max(largest, bestNorm);
    if (bestNorm <= tolerance * largest) return k;
    if (best !== k) {
      for (let i = 0; i < rows; i++) [R[i * cols + k], R[i * cols + best]] = [R[i * cols + best]!, R[i * cols + k]!];
      [order[k], order[best]] = [order[best]!, order[k]!];
    }
    reflect(R, rows, cols, k, bestNorm, c);
  }
  return Math.min(rows, cols);
}

/** Householder reflection that clears column k below its diagonal, applied to R and c. */
function reflect(R: Float64Array, rows: number, cols: number, k: number, norm: number, c: Float64Array | undefined): Float64Array {
  const v = new Float64Array(rows);
  for (let i = k; i < rows; i++) v[i] = R[i * cols + k]!;
  const alpha = v[k]! > 0 ? -norm : norm;
  v[k]! -= alpha;
  const square = norm * norm - alpha * R[k * cols + k]!;
  for (let j = k; j < cols; j++) {
    let dot = 0;
    for (let i = k; i < rows; i++) dot += v[i]! * R[i * cols + j]!;
    const f = dot / square;
    for (let i = k; i < rows; i++) R[i * cols + j]! -= f * v[i]!;
  }
  if (c) applyReflection(v, k, square, c);
  R[k * cols + k] = alpha;
  for (let i = k + 1; i < rows; i++) R[i * cols + k] = 0;
  return v;
}

/** c -= v (v·c) / square, where square = ½ v·v. */
function applyReflection(v: Float64Array, from: number, square: number, c: Float64Array): void {
  let dot = 0;
  for (let i = from; i < v.length; i++) dot += v[i]! * c[i]!;
  const f = dot / square;
  for (let i = from; i < v.length; i++) c[i]! -= f * v[i]!;
}

/** x with R x = c for the leading rank × rank triangle. */
function solveUpper(R: Float64Array, cols: number, rank: number, c: Float64Array): Float64Array {
  const x = new Float64Array(rank);
  for (let i = rank - 1; i >= 0; i--) {
    let sum = c[i]!;
    for (let j = i + 1; j < rank; j++) sum -= R[i * cols + j]! * x[j]!;
    x[i] = sum / R[i * cols + i]!;
  }
  return x;
}

/** y of least norm with [R11 R12] y = c: QR of the transpose, Bᵀ = T ᵀQᵀ, so y = Q T⁻ᵀ c. */
function shortest(R: Float64Array, cols: number, rank: number, c: Float64Array): Float64Array {
  const B = new Float64Array(cols * rank);
  for (let i = 0; i < rank; i++) for (let j = 0; j < cols; j++) B[j * rank + i] = R[i * cols + j]!;
  const reflections: { readonly v: Float64Array; readonly square: number }[] = [];
  for (let k = 0; k < rank; k++) {
    const norm = columnNorm(B, cols, rank, k, k);
    const v = reflect(B, cols, rank, k, norm, undefined);
    let square = 0;
    for (const e of v) square += (e * e) / 2;
    reflections.push({ v, square });
  }
  const y = new Float64Array(cols);
  for (let i = 0; i < rank; i++) {
    let sum = c[i]!;
    for (let j = 0; j < i; j++) sum -= B[j * rank + i]! * y[j]!;
    y[i] = sum / B[i * rank + i]!;
  }
  for (let k = rank - 1; k >= 0; k--) applyReflection(reflections[k]!.v, k, reflections[k]!.square, y);
  return y;
}

function columnNorm(A: Float64Array, rows: number, cols: number, j: number, from: number): number {
  let scale = 0;
  for (let i = from; i < rows; i++) scale = Math.max(scale, Math.abs(A[i * cols + j]!));
  if (scale === 0) return 0;
  let sum = 0;
  for (let i = from; i < rows; i++) sum += (A[i * cols + j]! / scale) ** 2;
  return scale * Math.sqrt(sum);
}
