/**
 * Quadratic models around a centre, and their minimiser in a box.
 *
 * q(z) = α + gᵀz + ½ zᵀHz with the smallest ‖H‖_F among those that fit the points (minimum Frobenius norm), Conn, Scheinberg, Vicente,
 * Introduction to Derivative-Free Optimization, § 5.3: with A_ij = ½(z_i·z_j)², M = [1 z],
 *   [A + εI  M; Mᵀ 0] [λ; (α, g)] = [y; 0],   H = Σ λ_i z_i z_iᵀ.
 * ε = 1e-8·trace(A)/p + 1e-10 turns interpolation into regularised least squares where there are more points than coefficients, so one solver
 * serves both. The factor is shared by all metrics.
 */
import { cholesky, NotPositiveDefinite, solveLower, solveLowerTransposed } from '@app/numeric';

export interface Quadratic {
  readonly alpha: number;
  /** [n] */
  readonly g: Float64Array;
  /** [n, n] row-major, symmetric */
  readonly H: Float64Array;
}

export function valueOf(q: Quadratic, z: ArrayLike<number>): number {
  const n = q.g.length;
  let v = q.alpha;
  for (let i = 0; i < n; i++) {
    let row = 0;
    for (let j = 0; j < n; j++) row += q.H[i * n + j]! * z[j]!;
    v += z[i]! * (q.g[i]! + 0.5 * row);
  }
  return v;
}

/** Adds factor·∇q(z) to out. */
export function addGradient(q: Quadratic, z: ArrayLike<number>, factor: number, out: Float64Array): void {
  const n = q.g.length;
  for (let i = 0; i < n; i++) {
    let row = q.g[i]!;
    for (let j = 0; j < n; j++) row += q.H[i * n + j]! * z[j]!;
    out[i] = out[i]! + factor * row;
  }
}

/** @returns a function from values [p] to the model, or null if the points do not span: fewer than n + 1, or in a plane */
export function quadraticFit(z: readonly (readonly number[])[]): ((y: readonly number[]) => Quadratic) | null {
  const p = z.length;
  const n = z[0]?.length ?? 0;
  if (n === 0 || p < n + 1) return null;
  const gram = new Float64Array(p * p);
  let trace = 0;
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let dot = 0;
      for (let k = 0; k < n; k++) dot += z[i]![k]! * z[j]![k]!;
      gram[i * p + j] = 0.5 * dot * dot;
    }
    trace += gram[i * p + i]!;
  }
  const epsilon = (1e-8 * trace) / p + 1e-10;
  for (let i = 0; i < p; i++) gram[i * p + i] = gram[i * p + i]! + epsilon;
  const A = factorOf(gram, p);
  if (!A) return null;
  const q = n + 1;
  // Schur complement Mᵀ A⁻¹ M from the columns L⁻¹ M.
  const columns = Array.from({ length: q }, (_, c) => solveLower(A, p, z.map((row) => (c === 0 ? 1 : row[c - 1]!))));
  const schur = new Float64Array(q * q);
  for (let a = 0; a < q; a++) for (let b = 0; b <= a; b++) schur[a * q + b] = dotOf(columns[a]!, columns[b]!);
  const S = factorOf(schur, q);
  if (!S) return null;
  return (y) => {
    const white = solveLower(A, p, y);
    const right = Float64Array.from(columns, (c) => dotOf(c, white));
    const beta = solveLowerTransposed(S, q, solveLower(S, q, right));
    const rest = white.map((v, i) => v - columns.reduce((s, c, a) => s + c[i]! * beta[a]!, 0));
    const lambda = solveLowerTransposed(A, p, rest);
    const H = new Float64Array(n * n);
    for (let i = 0; i < p; i++) {
      for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) H[r * n + c] = H[r * n + c]! + lambda[i]! * z[i]![r]! * z[i]![c]!;
    }
    return { alpha: beta[0]!, g: beta.slice(1), H };
  };
}

/** Lower factor; null if a pivot is not above 1e-14 of the largest diagonal entry. */
function factorOf(a: Float64Array, n: number): Float64Array | null {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, a[i * n + i]!);
  try {
    const { L, jitter } = cholesky(a, n);
    if (jitter > 0) return null;
    for (let i = 0; i < n; i++) if (!(L[i * n + i]! ** 2 > 1e-14 * largest)) return null;
    return L;
  } catch (error) {
    if (error instanceof NotPositiveDefinite) return null;
    throw error;
  }
}

function dotOf(a: Float64Array, b: Float64Array): number {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
}

/** A smooth function with its gradient, to be minimised. */
export type Smooth = (z: Float64Array, gradient: Float64Array) => number;

/**
 * max over j of (q_j - ref_j)/scale_j, smoothed: τ·log Σ exp(·/τ). One objective: q itself, scaled.
 * The achievement of Wierzbicki, The use of reference objectives in multiobjective optimization (1980).
 */
export function achievement(models: readonly Quadratic[], reference: readonly number[], scales: readonly number[], tau = 0.05): Smooth {
  return (z, gradient) => {
    gradient.fill(0);
    const t = models.map((q, j) => (valueOf(q, z) - reference[j]!) / scales[j]!);
    const top = Math.max(...t);
    const e = t.map((v) => Math.exp((v - top) / tau));
    const sum = e.reduce((s, v) => s + v, 0);
    models.forEach((q, j) => addGradient(q, z, e[j]! / sum / scales[j]!, gradient));
    return top + tau * Math.log(sum);
  };
}

/**
 * Minimiser of f in the box, constraint models ≤ 0, by an augmented Lagrangian with projected gradient inside, from several starts.
 * @returns the best of the starts' ends, least violation first; [n]
 */
export function minimiseInBox(f: Smooth, constraints: readonly Quadratic[], low: readonly number[], high: readonly number[], starts: readonly (readonly number[])[]): number[] {
  let best: { z: number[]; value: number; violation: number } | null = null;
  const scratch = new Float64Array(low.length);
  for (const start of starts) {
    const z = Float64Array.from(start, (v, i) => Math.min(high[i]!, Math.max(low[i]!, v)));
    const multipliers = new Float64Array(constraints.length);
    let penalty = 10;
    for (let outer = 0; outer < (constraints.length > 0 ? 6 : 1); outer++) {
      const merit: Smooth = (p, gradient) => {
        let v = f(p, gradient);
        constraints.forEach((q, j) => {
          const t = valueOf(q, p) + multipliers[j]! / penalty;
          if (t <= 0) return;
          v += 0.5 * penalty * t * t;
          addGradient(q, p, penalty * t, gradient);
        });
        return v;
      };
      projectedGradient(merit, z, low, high);
      constraints.forEach((q, j) => {
        multipliers[j] = Math.max(0, multipliers[j]! + penalty * valueOf(q, z));
      });
      penalty *= 4;
    }
    const violation = constraints.reduce((s, q) => s + Math.max(0, valueOf(q, z) - 1e-6), 0);
    const value = f(z, scratch);
    if (best === null || violation < best.violation - 1e-9 || (violation <= best.violation + 1e-9 && value < best.value)) best = { z: [...z], value, violation };
  }
  return best!.z;
}

/** Spectral projected gradient with backtracking (Birgin, Martínez, Raydan 2000), monotone; z is moved. At most 60 steps. */
function projectedGradient(f: Smooth, z: Float64Array, low: readonly number[], high: readonly number[]): void {
  const n = z.length;
  let g = new Float64Array(n);
  let value = f(z, g);
  let length = 1;
  const next = new Float64Array(n);
  for (let step = 0; step < 60; step++) {
    let t = 1;
    let moved = 0;
    const gNext = new Float64Array(n);
    let valueNext = value;
    for (let tries = 0; tries < 25; tries++, t *= 0.4) {
      let slope = 0;
      moved = 0;
      for (let i = 0; i < n; i++) {
        next[i] = Math.min(high[i]!, Math.max(low[i]!, z[i]! - t * length * g[i]!));
        slope += g[i]! * (next[i]! - z[i]!);
        moved = Math.max(moved, Math.abs(next[i]! - z[i]!));
      }
      valueNext = f(next, gNext);
      if (valueNext <= value + 1e-4 * slope) break;
      moved = 0;
    }
    if (moved < 1e-9) return;
    let ss = 0;
    let sy = 0;
    for (let i = 0; i < n; i++) {
      const s = next[i]! - z[i]!;
      ss += s * s;
      sy += s * (gNext[i]! - g[i]!);
    }
    length = sy > 1e-12 ? Math.min(1e4, Math.max(1e-6, ss / sy)) : 1e2;
    z.set(next);
    g = gNext;
    value = valueNext;
  }
}
