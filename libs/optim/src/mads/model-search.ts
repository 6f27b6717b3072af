/** Search step by quadratic models of every objective and constraint around the poll centre. */
import type { Told } from '../contract.js';
import type { Listed } from './barrier.js';
import { freeCoordinates, fresh, fromCentre, type Context, type Proposal } from './context.js';
import { frameSize } from './granular-mesh.js';
import { ontoMesh } from './poll-directions.js';
import { achievement, minimiseInBox, quadraticFit, valueOf, type Quadratic, type Smooth } from './quadratic-model.js';
import { minimiseQuadratic } from './quadratic-program.js';
import { MOST_OBJECTIVES_VOLUME, VolumeGain } from './volume-gain.js';

const FRAMES = 4;
/** Points of a fit: twice what a full quadratic needs, between these. */
const LEAST_KEPT = 60;
const MOST_POINTS = 160;
/** Goals tried besides the one of the centre's neighbours. */
const FURTHER_GOALS = 3;
const MOST_COORDINATES = 60;
/** Search mesh of one objective, as a part of the frame: a model of its optimum may be exact long before the frame is small. */
const FINENESS_ONE = 1e-7;

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

/**
 * Models over the points near a centre that share its categories and activity; null with too few of them.
 * The box of ±4 frames is doubled until it holds (n+1)(n+2)/2 points or all there are.
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
  const due = Math.min(((n + 1) * (n + 2)) / 2, complete.length);
  if (due < n + 1) return null;
  let factor = 1;
  for (let k = 0; k < 20 && complete[due - 1]!.ratio > factor; k++) factor *= 2;
  const lengths = frames.map((f) => f * factor);
  const z = (genes: readonly number[]): number[] => free.map((i, k) => (genes[i]! - c[i]!) / lengths[k]!);
  const most = Math.min(MOST_POINTS, Math.max(LEAST_KEPT, (n + 1) * (n + 2)));
  const inside = (list: typeof near): Told[] => list.filter((p) => p.ratio <= factor).slice(0, most).map((p) => p.told);

  const used = inside(complete);
  const fit = quadraticFit(used.map((t) => z(t.genes)));
  if (!fit) return null;
  const objectives = centre.point.f.map((_, j) => fit(used.map((t) => t.objectives[j]!)));
  const spreads = objectives.map((_, j) => {
    const values = used.map((t) => t.objectives[j]!);
    return Math.max(...values) - Math.min(...values) || 1;
  });
  const known = inside(near.filter(({ told }) => told.violations.every((v) => v !== null)));
  const same = known.length === used.length && known.every((t, i) => t === used[i]);
  const fitG = problem.constraints === 0 ? null : same ? fit : quadraticFit(known.map((t) => z(t.genes)));
  if (problem.constraints > 0 && !fitG) return null;
  const constraints = context.scales.map((s, j) => fitG!(known.map((t) => t.violations[j]! / s)));
  return { free, lengths, reach: Math.min(1, 2 / factor), objectives, constraints, spreads, z };
}

function largestRatio(genes: readonly number[], c: readonly number[], free: readonly number[], frames: readonly number[]): number {
  let largest = 0;
  for (let k = 0; k < free.length; k++) largest = Math.max(largest, Math.abs(genes[free[k]!]! - c[free[k]!]!) / frames[k]!);
  return largest;
}

/**
 * One objective: itself. Several: at an end of the front that objective, elsewhere the move against the corner that the centre's
 * neighbours span (NOMAD's MULTI strategy in the smooth form of an achievement function).
 */
export function goalFor(context: Context, centre: Listed, { objectives: models, spreads }: LocalModel): Smooth {
  const m = models.length;
  const list = centre.point.h === 0 ? context.barrier.feasible : context.barrier.infeasible;
  const only = (j: number): Smooth => achievement([models[j]!], [Number.isFinite(centre.point.f[j]!) ? centre.point.f[j]! : 0], [spreads[j]!]);
  if (m === 1) return only(0);
  const ends = models.flatMap((_, j) => (list.every((l) => centre.point.f[j]! <= l.point.f[j]!) ? [j] : []));
  if (ends.length > 0) return only(context.rng.pick(ends));
  const reference = models.map((_, j) => {
    const above = list.map((l) => l.point.f[j]!).filter((v) => v > centre.point.f[j]!);
    return above.length > 0 ? Math.min(...above) : centre.point.f[j]!;
  });
  return achievement(models, reference.map((r) => (Number.isFinite(r) ? r : 0)), spreads);
}

/** The constraint kept off its bound by a part of its spread over the box: minimisers end on the bound, and models err. */
function withMargin(q: Quadratic, high: readonly number[], low: readonly number[], margin: number): Quadratic {
  const spread = q.g.reduce((s, v, i) => s + Math.abs(v) * (high[i]! - low[i]!), 0);
  return { ...q, alpha: q.alpha + margin * spread };
}

/**
 * Minimiser of the model in its box, on the search mesh; empty if that point is known. With several objectives and a front known: of the
 * minimisers of some goals, the one predicted to add most to the hypervolume.
 */
export function modelPoint(context: Context, centre: Listed, model: LocalModel, margin: number): Proposal[] {
  const c = centre.point.genes;
  const { free, lengths, reach } = model;
  const m = model.objectives.length;
  const low = free.map((i, k) => Math.max(-reach, -c[i]! / lengths[k]!));
  const high = free.map((i, k) => Math.min(reach, (context.axes[i]!.range - c[i]!) / lengths[k]!));
  const constraints = model.constraints.map((q) => withMargin(q, high, low, margin));
  const minimiser = (goal: Smooth): Proposal => {
    const corner = free.map((_, k) => low[k]! + (high[k]! - low[k]!) * context.rng.next());
    const starts = [free.map(() => 0), corner];
    const z = m === 1 ? minimiseQuadratic(model.objectives[0]!, constraints, low, high, starts) : minimiseInBox(goal, constraints, low, high, starts);
    const target = [...c];
    free.forEach((i, k) => {
      target[i] = c[i]! + z[k]! * lengths[k]!;
    });
    return fromCentre(centre, ontoMesh(target, c, context.axes, centre.mesh, m === 1 ? FINENESS_ONE : undefined), 'model', true);
  };
  if (m === 1 || m > MOST_OBJECTIVES_VOLUME || context.front().length === 0) return fresh(context, [minimiser(goalFor(context, centre, model))]);
  const volume = new VolumeGain(context, context.rng);
  const gain = (p: Proposal): number => {
    const z = model.z(p.genes);
    if (model.constraints.some((q) => valueOf(q, z) > 0)) return -1;
    return volume.of(model.objectives.map((q) => valueOf(q, z)));
  };
  const goals = [goalFor(context, centre, model), ...Array.from({ length: FURTHER_GOALS }, () => weightedGoal(context, centre, model))];
  const rated = fresh(context, goals.map(minimiser)).map((p) => ({ p, gain: gain(p) }));
  return rated.sort((a, b) => b.gain - a.gain).slice(0, 1).map((r) => r.p);
}

/** The largest of the objectives' moves from the centre under random weights: another part of the front near it. */
function weightedGoal(context: Context, centre: Listed, model: LocalModel): Smooth {
  const weights = model.objectives.map(() => -Math.log(1 - context.rng.next()));
  const total = weights.reduce((a, b) => a + b, 0);
  const from = centre.point.f.map((v, j) => (Number.isFinite(v) ? v : 0) - model.spreads[j]!);
  return achievement(model.objectives, from, model.spreads.map((s, j) => (s * total) / (weights.length * Math.max(1e-3, weights[j]!))));
}

/** Predicted feasible first by the goal, then by the predicted violation. */
export function rankByModel(model: LocalModel, goal: Smooth, proposals: readonly Proposal[]): readonly Proposal[] {
  const gradient = new Float64Array(model.free.length);
  const scored = proposals.map((p) => {
    const z = Float64Array.from(model.z(p.genes));
    const h = model.constraints.reduce((s, q) => s + Math.max(0, valueOf(q, z)) ** 2, 0);
    return { p, h, value: goal(z, gradient) };
  });
  return scored.sort((a, b) => (a.h === 0 && b.h === 0 ? a.value - b.value : a.h - b.h)).map((s) => s.p);
}
