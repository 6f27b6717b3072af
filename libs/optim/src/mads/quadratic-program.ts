/**
 * Local minimiser of a quadratic under quadratic constraints in a box, to a precision that later iterations on a fine mesh can use:
 *   min q_0(z)  s.t.  q_j(z) ≤ 0,  low ≤ z ≤ high
 * by an augmented Lagrangian, its parts minimised by projected Newton steps (Bertsekas, SIAM J. Control Optim. 20 (1982); Birgin &
 * Martínez, Practical Augmented Lagrangian Methods (2014), algorithm 4.1). The box is scaled to [-1, 1]ⁿ and every quadratic to its
 * variation over it, so that the tolerances mean the same on any mesh.
 */
import { cholesky, NotPositiveDefinite, solveLower, solveLowerTransposed } from '@app/numeric';
import { addGradient, valueOf, type Quadratic } from './quadratic-model.js';

const OUTER_STEPS = 15;
const NEWTON_STEPS = 40;
const HALVINGS = 30;
const PENALTY = { first: 10, growth: 10, most: 1e8 } as const;
const STATIONARY = 1e-10;
const FEASIBLE = 1e-9;

/**
 * @param starts  in z; moved into the box
 * @returns the best of the starts' ends, least violation first: [n]
 */
export function minimiseQuadratic(objective: Quadratic, constraints: readonly Quadratic[], low: readonly number[], high: readonly number[], starts: readonly (readonly number[])[]): number[] {
  const half = low.map((l, i) => (high[i]! - l) / 2);
  const middle = low.map((l, i) => (high[i]! + l) / 2);
  const f = onUnitBox(objective, middle, half);
  const c = constraints.map((q) => onUnitBox(q, middle, half));
  let best: { u: Float64Array; value: number; violation: number } | null = null;
  for (const start of starts) {
    const u = Float64Array.from(start, (v, i) => (half[i]! > 0 ? clamp((v - middle[i]!) / half[i]!) : 0));
    descend(f, c, u);
    const violation = c.reduce((s, q) => s + Math.max(0, valueOf(q, u) - 10 * FEASIBLE), 0);
    const value = valueOf(f, u);
    if (best === null || violation < best.violation - FEASIBLE || (violation <= best.violation + FEASIBLE && value < best.value)) best = { u, value, violation };
  }
  return Array.from(best!.u, (v, i) => middle[i]! + half[i]! * v);
}

const clamp = (v: number): number => Math.min(1, Math.max(-1, v));

/** q(middle + half∘u) over its variation. */
function onUnitBox(q: Quadratic, middle: readonly number[], half: readonly number[]): Quadratic {
  const n = half.length;
  const g = new Float64Array(n);
  addGradient(q, middle, 1, g);
  const H = q.H.map((v, k) => v * half[Math.floor(k / n)]! * half[k % n]!);
  for (let i = 0; i < n; i++) g[i] = g[i]! * half[i]!;
  const size = g.reduce((s, v) => s + Math.abs(v), 0) + H.reduce((s, v) => s + Math.abs(v), 0) / 2 || 1;
  return { alpha: valueOf(q, middle) / size, g: g.map((v) => v / size), H: H.map((v) => v / size) };
}

/** Moves u. */
function descend(f: Quadratic, c: readonly Quadratic[], u: Float64Array): void {
  const multipliers = new Float64Array(c.length);
  let penalty: number = PENALTY.first;
  let before = Infinity;
  for (let outer = 0; outer < OUTER_STEPS; outer++) {
    projectedNewton(f, c, multipliers, penalty, u);
    let gap = 0;
    c.forEach((q, j) => {
      const v = valueOf(q, u);
      gap = Math.max(gap, Math.abs(Math.max(v, -multipliers[j]! / penalty)));
      multipliers[j] = Math.max(0, multipliers[j]! + penalty * v);
    });
    if (gap < FEASIBLE) return;
    if (gap > 0.25 * before) penalty = Math.min(PENALTY.most, penalty * PENALTY.growth);
    before = gap;
  }
}

function merit(f: Quadratic, c: readonly Quadratic[], multipliers: Float64Array, penalty: number, u: Float64Array): number {
  return c.reduce((s, q, j) => s + 0.5 * penalty * Math.max(0, valueOf(q, u) + multipliers[j]! / penalty) ** 2, valueOf(f, u));
}

/** Minimises the augmented Lagrangian over [-1, 1]ⁿ from u, which is moved. */
function projectedNewton(f: Quadratic, c: readonly Quadratic[], multipliers: Float64Array, penalty: number, u: Float64Array): void {
  const n = u.length;
  let value = merit(f, c, multipliers, penalty, u);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const gradient = new Float64Array(n);
    const B = f.H.slice();
    addGradient(f, u, 1, gradient);
    c.forEach((q, j) => {
      const t = valueOf(q, u) + multipliers[j]! / penalty;
      if (t <= 0) return;
      const slope = new Float64Array(n);
      addGradient(q, u, 1, slope);
      for (let r = 0; r < n; r++) {
        gradient[r] = gradient[r]! + penalty * t * slope[r]!;
        for (let k = 0; k < n; k++) B[r * n + k] = B[r * n + k]! + penalty * (slope[r]! * slope[k]! + t * q.H[r * n + k]!);
      }
    });
    const free = Array.from(u.keys()).filter((i) => Math.abs(clamp(u[i]! - gradient[i]!) - u[i]!) > STATIONARY && !(Math.abs(u[i]!) >= 1 && u[i]! * gradient[i]! < 0));
    if (free.length === 0) return;
    const direction = newtonDirection(B, gradient, free, n);
    let t = 1;
    let moved = false;
    for (let k = 0; k < HALVINGS; k++, t /= 2) {
      const next = u.map((v, i) => clamp(v + t * direction[i]!));
      const slope = next.reduce((s, v, i) => s + gradient[i]! * (v - u[i]!), 0);
      const there = merit(f, c, multipliers, penalty, next);
      if (there > value + 1e-4 * slope || there >= value) continue;
      u.set(next);
      value = there;
      moved = true;
      break;
    }
    if (!moved) return;
  }
}

/** -B⁻¹g over the free coordinates, B shifted until it is positive definite; 0 elsewhere. */
function newtonDirection(B: Float64Array, gradient: Float64Array, free: readonly number[], n: number): Float64Array {
  const k = free.length;
  const part = new Float64Array(k * k);
  free.forEach((i, r) => free.forEach((j, s) => (part[r * k + s] = B[i * n + j]!)));
  const largest = part.reduce((s, v) => Math.max(s, Math.abs(v)), 1e-12);
  const right = free.map((i) => -gradient[i]!);
  const out = new Float64Array(n);
  for (let shift = 0; ; shift = Math.max(1e-4 * largest, 4 * shift)) {
    const shifted = part.slice();
    for (let r = 0; r < k; r++) shifted[r * k + r] = shifted[r * k + r]! + shift;
    try {
      const { L, jitter } = cholesky(shifted, k);
      if (jitter > 0) continue;
      solveLowerTransposed(L, k, solveLower(L, k, right)).forEach((v, r) => (out[free[r]!] = v));
      return out;
    } catch (error) {
      if (!(error instanceof NotPositiveDefinite)) throw error;
    }
  }
}
