/** Search step by quadratic models of every objective and constraint around the poll centre. */
import type { Told } from '../contract.js';
import type { Listed } from './barrier.js';
import { freeCoordinates, fresh, fromCentre, type Context, type Proposal } from './context.js';
import { frameSize } from './granular-mesh.js';
import { ontoMesh } from './poll-directions.js';
import { achievement, minimiseInBox, quadraticFit, valueOf, type Quadratic, type Smooth } from './quadratic-model.js';

const FRAMES = 4;
const MOST_POINTS = 250;
const MOST_COORDINATES = 60;

export interface LocalModel {
  readonly free: readonly number[];
  /** gene length of z = 1, per free coordinate */
  readonly lengths: readonly number[];
  /** half side of the box that is searched, in z */
  readonly reach: number;
  readonly objectives: readonly Quadratic[];
  readonly constraints: readonly Quadratic[];
  readonly goal: Smooth;
  z(genes: readonly number[]): number[];
}

/**
 * Models over the points near a centre that share its categories and activity; null with too few of them.
 * The box of ±4 frames is doubled until it holds (n+1)(n+2)/2 points or all there are.
 */
export function localModel(context: Context, centre: Listed): LocalModel | null {
  const { space, axes, ledger, problem } = context;
  const c = centre.point.genes;
  const free = freeCoordinates(context, c);
  const n = free.length;
  if (n === 0 || n > MOST_COORDINATES) return null;
  const active = space.active(c);
  const fixed = space.parameters.flatMap((_, i) => (active[i] && !free.includes(i) ? [i] : []));
  const frames = free.map((i) => FRAMES * frameSize(axes[i]!, centre.mesh[i]!));
  const near = ledger.history
    .filter((t) => fixed.every((i) => t.genes[i] === c[i]) && space.active(t.genes).every((a, i) => a === active[i]))
    .map((told) => ({ told, ratio: Math.max(...free.map((i, k) => Math.abs(told.genes[i]! - c[i]!) / frames[k]!)) }))
    .sort((a, b) => a.ratio - b.ratio);
  const complete = near.filter(({ told }) => told.objectives.every((v) => v !== null));
  const due = Math.min(((n + 1) * (n + 2)) / 2, complete.length);
  if (due < n + 1) return null;
  let factor = 1;
  for (let k = 0; k < 20 && complete[due - 1]!.ratio > factor; k++) factor *= 2;
  const lengths = frames.map((f) => f * factor);
  const z = (genes: readonly number[]): number[] => free.map((i, k) => (genes[i]! - c[i]!) / lengths[k]!);
  const inside = (list: typeof near): Told[] => list.filter((p) => p.ratio <= factor).slice(0, MOST_POINTS).map((p) => p.told);

  const used = inside(complete);
  const fit = quadraticFit(used.map((t) => z(t.genes)));
  if (!fit) return null;
  const objectives = centre.point.f.map((_, j) => fit(used.map((t) => t.objectives[j]!)));
  const known = inside(near.filter(({ told }) => told.violations.every((v) => v !== null)));
  const fitG = problem.constraints > 0 ? quadraticFit(known.map((t) => z(t.genes))) : null;
  if (problem.constraints > 0 && !fitG) return null;
  const constraints = context.scales.map((s, j) => fitG!(known.map((t) => t.violations[j]! / s)));
  return { free, lengths, reach: Math.min(1, 2 / factor), objectives, constraints, goal: goalFor(context, centre, objectives, used), z };
}

/**
 * One objective: itself. Several: at an end of the front that objective, elsewhere the move against the corner that the centre's
 * neighbours span (NOMAD's MULTI strategy in the smooth form of an achievement function).
 */
function goalFor(context: Context, centre: Listed, models: readonly Quadratic[], used: readonly Told[]): Smooth {
  const m = models.length;
  const list = centre.point.h === 0 ? context.barrier.feasible : context.barrier.infeasible;
  const spread = (j: number): number => {
    const values = used.map((t) => t.objectives[j]!);
    return Math.max(...values) - Math.min(...values) || 1;
  };
  const only = (j: number): Smooth => achievement([models[j]!], [Number.isFinite(centre.point.f[j]!) ? centre.point.f[j]! : 0], [spread(j)]);
  if (m === 1) return only(0);
  const ends = models.flatMap((_, j) => (list.every((l) => centre.point.f[j]! <= l.point.f[j]!) ? [j] : []));
  if (ends.length > 0) return only(context.rng.pick(ends));
  const scales = models.map((_, j) => spread(j));
  const reference = models.map((_, j) => {
    const above = list.map((l) => l.point.f[j]!).filter((v) => v > centre.point.f[j]!);
    return above.length > 0 ? Math.min(...above) : centre.point.f[j]!;
  });
  return achievement(models, reference.map((r) => (Number.isFinite(r) ? r : 0)), scales);
}

/** Minimiser of the model in its box, on the mesh; empty if that point is known. */
export function modelPoint(context: Context, centre: Listed, model: LocalModel): Proposal[] {
  const c = centre.point.genes;
  const { free, lengths, reach } = model;
  const low = free.map((i, k) => Math.max(-reach, -c[i]! / lengths[k]!));
  const high = free.map((i, k) => Math.min(reach, (context.axes[i]!.range - c[i]!) / lengths[k]!));
  const corner = free.map((_, k) => low[k]! + (high[k]! - low[k]!) * context.rng.next());
  const z = minimiseInBox(model.goal, model.constraints, low, high, [free.map(() => 0), corner]);
  const target = [...c];
  free.forEach((i, k) => {
    target[i] = c[i]! + z[k]! * lengths[k]!;
  });
  return fresh(context, [fromCentre(centre, ontoMesh(target, c, context.axes, centre.mesh), 'model', true)]);
}

/** Predicted feasible first by the goal, then by the predicted violation. */
export function rankByModel(model: LocalModel, proposals: readonly Proposal[]): readonly Proposal[] {
  const gradient = new Float64Array(model.free.length);
  const scored = proposals.map((p) => {
    const z = Float64Array.from(model.z(p.genes));
    const h = model.constraints.reduce((s, q) => s + Math.max(0, valueOf(q, z)) ** 2, 0);
    return { p, h, value: model.goal(z, gradient) };
  });
  return scored.sort((a, b) => (a.h === 0 && b.h === 0 ? a.value - b.value : a.h - b.h)).map((s) => s.p);
}
