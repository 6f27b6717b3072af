/**
 * Non-negative least squares: x ≥ 0 that minimises ‖A x − b‖. Active set of Lawson & Hanson, Solving Least Squares Problems (1974),
 * ch. 23, on the normal equations G = AᵀA, h = Aᵀb, as Bro & de Jong (J. Chemometrics 1997) do: one pass over the rows, then work in
 * columns only. Columns are scaled to unit length first, so that units do not matter.
 */

export interface NonNegativeLeastSquares {
  /** [cols], every entry ≥ 0 */
  readonly x: Float64Array;
  /** ‖A x − b‖² */
  readonly squaredResidual: number;
  /** columns with x > 0 */
  readonly active: readonly number[];
}

/**
 * @param A  [rows, cols] row-major, finite; left untouched
 * @param b  [rows]
 * @throws RangeError if sizes do not match or an entry is not finite
 *
 * rows·cols²/2 flops for the normal equations; columns that depend on others to within 1e-10 of their length stay out.
 */
export function nonNegativeLeastSquares(A: Float64Array, rows: number, cols: number, b: ArrayLike<number>): NonNegativeLeastSquares {
  if (A.length !== rows * cols || b.length !== rows) throw new RangeError(`expected ${rows} × ${cols} entries and ${rows} right sides, got ${A.length} and ${b.length}`);
  if (!A.every(Number.isFinite) || !Float64Array.from(b).every(Number.isFinite)) throw new RangeError('expected finite entries and right sides');
  const G = new Float64Array(cols * cols);
  const h = new Float64Array(cols);
  let squared = 0;
  for (let r = 0; r < rows; r++) {
    const y = b[r]!;
    squared += y * y;
    for (let i = 0; i < cols; i++) {
      const a = A[r * cols + i]!;
      if (a === 0) continue;
      h[i]! += a * y;
      for (let j = i; j < cols; j++) G[i * cols + j]! += a * A[r * cols + j]!;
    }
  }
  return solveNormal(G, h, squared, cols);
}

/** G: upper triangle of AᵀA; h = Aᵀb; squared = bᵀb. */
function solveNormal(G: Float64Array, h: Float64Array, squared: number, cols: number): NonNegativeLeastSquares {
  const length = Float64Array.from({ length: cols }, (_, i) => Math.sqrt(G[i * cols + i]!) || 1);
  const entry = (i: number, j: number): number => (i <= j ? G[i * cols + j]! : G[j * cols + i]!) / (length[i]! * length[j]!);
  const right = h.map((v, i) => v / length[i]!);
  const x = new Float64Array(cols);
  const active: number[] = [];
  const refused = new Set<number>();
  const tolerance = 1e-12 * Math.max(1e-300, Math.sqrt(squared));

  for (let round = 0; round < 10 * cols; round++) {
    let enter = -1;
    let steepest = tolerance;
    for (let j = 0; j < cols; j++) {
      if (active.includes(j) || refused.has(j) || G[j * cols + j] === 0) continue;
      let w = right[j]!;
      for (const i of active) w -= entry(i, j) * x[i]!;
      if (w > steepest) [enter, steepest] = [j, w];
    }
    if (enter < 0) break;
    active.push(enter);
    for (;;) {
      const z = solveActive(entry, right, active);
      if (z === null) {
        // the newcomer depends on the others
        refused.add(active.pop()!);
        break;
      }
      if (z.every((v) => v > 0)) {
        active.forEach((j, k) => (x[j] = z[k]!));
        refused.clear();
        break;
      }
      // from x towards z as far as all stay ≥ 0; who comes to 0 leaves. The newcomer's x is 0: where its z is not positive it leaves.
      let step = 1;
      active.forEach((j, k) => {
        if (z[k]! <= 0) step = Math.min(step, x[j]! / (x[j]! - z[k]! || 1));
      });
      active.forEach((j, k) => (x[j]! += step * (z[k]! - x[j]!)));
      const before = active.length;
      for (let k = active.length - 1; k >= 0; k--) {
        const j = active[k]!;
        if (x[j]! > 1e-14 * Math.abs(z[k]!) && x[j]! > 0) continue;
        x[j] = 0;
        if (j === enter) refused.add(j);
        active.splice(k, 1);
      }
      if (active.length === 0 || active.length === before) break;
    }
  }
  for (let j = 0; j < cols; j++) x[j]! /= length[j]!;
  let residual = squared;
  for (let i = 0; i < cols; i++) {
    if (x[i] === 0) continue;
    residual -= 2 * x[i]! * h[i]!;
    for (let j = 0; j < cols; j++) residual += x[i]! * x[j]! * (i <= j ? G[i * cols + j]! : G[j * cols + i]!);
  }
  return { x, squaredResidual: Math.max(0, residual), active: [...active].sort((a, b) => a - b) };
}

/** Solution on the active columns by Cholesky; null if they are dependent (a pivot below 1e-10 of a unit column). */
function solveActive(entry: (i: number, j: number) => number, right: Float64Array, active: readonly number[]): Float64Array | null {
  const n = active.length;
  const L = new Float64Array(n * n);
  const z = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = entry(active[i]!, active[j]!);
      for (let k = 0; k < j; k++) sum -= L[i * n + k]! * L[j * n + k]!;
      if (i === j) {
        if (sum < 1e-10) return null;
        L[i * n + i] = Math.sqrt(sum);
      } else L[i * n + j] = sum / L[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = right[active[i]!]!;
    for (let k = 0; k < i; k++) sum -= L[i * n + k]! * z[k]!;
    z[i] = sum / L[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = z[i]!;
    for (let k = i + 1; k < n; k++) sum -= L[k * n + i]! * z[k]!;
    z[i] = sum / L[i * n + i]!;
  }
  return z;
}
