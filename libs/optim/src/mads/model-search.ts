/** Search step by quadratic models of every objective and constraint around the poll centre. */
import type { Listed } from './barrier.js';
import { fresh, fromCentre, type Context, type Proposal } from './context.js';
import type { LocalModel } from './local-model.js';
import { ontoMesh } from './poll-directions.js';
import { achievement, minimiseInBox, valueOf, type Quadratic, type Smooth } from './quadratic-model.js';
import { minimiseQuadratic } from './quadratic-program.js';
import { MOST_OBJECTIVES_VOLUME, VolumeGain } from './volume-gain.js';

/** Goals tried besides the one of the centre's neighbours. */
const FURTHER_GOALS = 3;
/** Search mesh of one objective, as a part of the frame: a model of its optimum may be exact long before the frame is small. */
const FINENESS_ONE = 1e-7;

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
