/** Quadratic models of every objective and constraint over the points near a centre, in a box that they fit. */
import type { Told } from '../contract.js';
import type { Listed } from './barrier.js';
import { freeCoordinates, type Context } from './context.js';
import { frameSize } from './granular-mesh.js';
import { quadraticFit, valueOf, type Quadratic } from './quadratic-model.js';

const FRAMES = 4;
/** Points of a fit: twice what a full quadratic needs, between these. */
const LEAST_KEPT = 60;
const MOST_POINTS = 160;
const MOST_COORDINATES = 60;
/** Residual of a metric that still passes, as a part of its standard deviation over the box. */
const MOST_MISFIT = 0.1;

export interface LocalModel {
  readonly free: readonly number[];
  /** gene length of z = 1, per free coordinate */
  readonly lengths: readonly number[];
  /** half side of the box that is searched, in z */
  readonly reach: number;
  readonly objectives: readonly Quadratic[];
  readonly constraints: readonly Quadratic[];
  /** range of each objective among the points fitted, 1 for a constant one */
  readonly spreads: readonly number[];
  z(genes: readonly number[]): number[];
}

/** A told point and how far it is from the centre: its largest coordinate in half sides of the first box. */
interface Near {
  readonly told: Told;
  readonly ratio: number;
}

/** Coefficients of a full quadratic in n variables. */
export function coefficients(n: number): number {
  return ((n + 1) * (n + 2)) / 2;
}

/**
 * Models over the points near a centre that share its categories and activity; null with too few of them.
 * The box of ±4 frames is doubled until it holds (n+1)(n+2)/2 points or all there are. With constraints and several objectives it is then
 * halved while a model misses its own points, as long as it holds twice so many: minimisers end on the constraints, where a model that
 * errs spends its trials on infeasible points.
 */
export function localModel(context: Context, centre: Listed): LocalModel | null {
  const { axes, problem } = context;
  const c = centre.point.genes;
  const free = freeCoordinates(context, c);
  const n = free.length;
  if (n === 0 || n > MOST_COORDINATES) return null;
  const frames = free.map((i) => FRAMES * frameSize(axes[i]!, centre.mesh[i]!));
  const near = context.kin(c)
    .map((told) => ({ told, ratio: largestRatio(told.genes, c, free, frames) }))
    .sort((a, b) => a.ratio - b.ratio);
  const complete = near.filter(({ told }) => told.objectives.every((v) => v !== null));
  const due = Math.min(coefficients(n), complete.length);
  if (due < n + 1) return null;
  let factor = 1;
  for (let k = 0; k < 20 && complete[due - 1]!.ratio > factor; k++) factor *= 2;
  const room = problem.objectives > 1 && problem.constraints > 0 ? (complete[2 * coefficients(n) - 1]?.ratio ?? Infinity) : Infinity;
  const within = (f: number): Fitted | null => fit(context, centre, near, complete, free, frames.map((frame) => frame * f), f);
  let fitted = within(factor);
  while (fitted !== null && room <= factor / 2 && fitted.misfit() > MOST_MISFIT) {
    factor /= 2;
    const closer = within(factor);
    if (closer === null) break;
    fitted = closer;
  }
  return fitted?.model ?? null;
}

interface Fitted {
  readonly model: LocalModel;
  /** the worst metric's relative residual */
  misfit(): number;
}

/** Models over the points of one box; null if they do not span. */
function fit(context: Context, centre: Listed, near: readonly Near[], complete: readonly Near[], free: readonly number[], lengths: readonly number[], factor: number): Fitted | null {
  const { problem, scales } = context;
  const c = centre.point.genes;
  const n = free.length;
  const z = (genes: readonly number[]): number[] => free.map((i, k) => (genes[i]! - c[i]!) / lengths[k]!);
  const most = Math.min(MOST_POINTS, Math.max(LEAST_KEPT, 2 * coefficients(n)));
  const inside = (list: readonly Near[]): Told[] => list.filter((p) => p.ratio <= factor).slice(0, most).map((p) => p.told);

  const used = inside(complete);
  const usedAt = used.map((t) => z(t.genes));
  const solve = quadraticFit(usedAt);
  if (!solve) return null;
  const values = centre.point.f.map((_, j) => used.map((t) => t.objectives[j]!));
  const objectives = values.map(solve);
  const spreads = values.map((y) => Math.max(...y) - Math.min(...y) || 1);
  const known = inside(near.filter(({ told }) => told.violations.every((v) => v !== null)));
  const same = known.length === used.length && known.every((t, i) => t === used[i]);
  const knownAt = same ? usedAt : known.map((t) => z(t.genes));
  const solveG = problem.constraints === 0 ? null : same ? solve : quadraticFit(knownAt);
  if (problem.constraints > 0 && !solveG) return null;
  const violations = scales.map((s, j) => known.map((t) => t.violations[j]! / s));
  const constraints = violations.map((y) => solveG!(y));
  const misfit = (): number =>
    Math.max(...objectives.map((q, j) => relativeResidual(q, usedAt, values[j]!)), ...constraints.map((q, j) => relativeResidual(q, knownAt, violations[j]!)));
  return { model: { free, lengths, reach: Math.min(1, 2 / factor), objectives, constraints, spreads, z }, misfit };
}

/** Standard error of a full quadratic beside the standard deviation of the values [p] at points [p][n]; 0 with too few to tell, or constant ones. */
export function relativeResidual(q: Quadratic, z: readonly (readonly number[])[], values: readonly number[]): number {
  const p = values.length;
  const freedom = p - coefficients(q.g.length);
  const mean = values.reduce((s, v) => s + v, 0) / p;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / p;
  if (freedom <= 0 || variance === 0) return 0;
  return Math.sqrt(values.reduce((s, v, i) => s + (v - valueOf(q, z[i]!)) ** 2, 0) / freedom / variance);
}

function largestRatio(genes: readonly number[], c: readonly number[], free: readonly number[], frames: readonly number[]): number {
  let largest = 0;
  for (let k = 0; k < free.length; k++) largest = Math.max(largest, Math.abs(genes[free[k]!]! - c[free[k]!]!) / frames[k]!);
  return largest;
}
