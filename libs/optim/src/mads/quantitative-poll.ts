import type { Listed } from './barrier.js';
import { freeCoordinates, fresh, fromCentre, type Context, type Proposal } from './context.js';
import type { LocalModel } from './local-model.js';
import type { Quadratic } from './quadratic-model.js';
import { minimiseQuadratic } from './quadratic-program.js';
import { independentHalf, meshStep, orthogonalDirections, unitVector } from './poll-directions.js';

/** Fresh directions are drawn this often before a frame counts as fully known. */
const RETRIES = 10;

/** Ranks poll points, most promising first. */
export type Ranking = (proposals: readonly Proposal[]) => readonly Proposal[];

/**
 * Unseen points of the frame around a centre: 2n directions, or n of them that are independent, best ranked first.
 * Empty: nothing on the mesh, or ten draws of directions gave only known points.
 */
export function pollAround(context: Context, centre: Listed, half: boolean, rank: Ranking, step = 'poll'): Proposal[] {
  const free = freeCoordinates(context, centre.point.genes);
  if (free.length === 0) return [];
  for (let t = 0; t < RETRIES; t++) {
    const all = orthogonalDirections(context.rng, free.length).map((direction) => ({ direction, proposal: along(context, centre, free, direction, step) }));
    const ranked = rank(all.map((a) => a.proposal));
    const kept = half ? new Set(independentHalf(ranked.map((p) => all.find((a) => a.proposal === p)!.direction))) : null;
    const chosen = ranked.filter((p) => kept === null || kept.has(all.find((a) => a.proposal === p)!.direction));
    const unseen = fresh(context, chosen);
    if (unseen.length > 0) return unseen;
  }
  return [];
}

/** Least weight of a failed step in a completing direction: the cone is open. */
const LEAST_WEIGHT = 0.1;

/**
 * The point that makes the failed half basis around a centre a positive basis: the minimiser of the model over the negative combinations of
 * its steps, as long as the frame; without a model against their sum. Audet, Ianni, Le Digabel, Tribes, Reducing the number of function
 * evaluations in mesh adaptive direct search algorithms, SIAM J. Optim. 24 (2014).
 */
export function completingPoint(context: Context, centre: Listed, polled: readonly (readonly number[])[], model: LocalModel | null = null): Proposal[] {
  const free = freeCoordinates(context, centre.point.genes);
  const c = centre.point.genes;
  const back = polled.map((genes) => free.map((i) => (c[i]! - genes[i]!) / (context.axes[i]!.range || 1)));
  const weights = model ? completingWeights(model, polled.map((genes) => model.z(genes).map((v) => -v))) : back.map(() => 1);
  const sum = free.map((_, k) => back.reduce((s, step, j) => s + weights[j]! * step[k]!, 0));
  if (sum.every((v) => Math.abs(v) < 1e-15)) return [];
  return fresh(context, [along(context, centre, free, sum, 'poll')]);
}

/** Weights in [LEAST_WEIGHT, 1] of steps [p][n] whose combination the model likes best. */
function completingWeights({ objectives, constraints }: LocalModel, steps: readonly (readonly number[])[]): number[] {
  const p = steps.length;
  const onWeights = (q: Quadratic): Quadratic => {
    const n = q.g.length;
    const H = new Float64Array(p * p);
    const turned = steps.map((s) => s.map((_, r) => s.reduce((t, v, k) => t + q.H[r * n + k]! * v, 0)));
    for (let a = 0; a < p; a++) for (let b = 0; b < p; b++) H[a * p + b] = turned[a]!.reduce((t, v, k) => t + v * steps[b]![k]!, 0);
    return { alpha: q.alpha, g: Float64Array.from(steps, (s) => s.reduce((t, v, k) => t + q.g[k]! * v, 0)), H };
  };
  return minimiseQuadratic(onWeights(objectives[0]!), constraints.map(onWeights), steps.map(() => LEAST_WEIGHT), steps.map(() => 1), [steps.map(() => 0.5)]);
}

/** Two opposite directions. */
export function pollPair(context: Context, centre: Listed): Proposal[] {
  const free = freeCoordinates(context, centre.point.genes);
  if (free.length === 0) return [];
  const u = unitVector(context.rng, free.length);
  return fresh(context, [u, u.map((v) => -v)].map((d) => along(context, centre, free, d, 'poll-second')));
}

/** From the last success on along its step, out to four frames. */
export function speculate(context: Context, centre: Listed, step: readonly number[]): Proposal[] {
  const free = freeCoordinates(context, centre.point.genes);
  const direction = free.map((i) => step[i]!);
  if (direction.every((v) => v === 0)) return [];
  const once = meshStep(direction, free, context.axes, centre.mesh);
  return fresh(context, [fromCentre(centre, centre.point.genes.map((g, i) => g + 4 * once[i]!), 'speculative', true)]);
}

function along(context: Context, centre: Listed, free: readonly number[], direction: readonly number[], step: string): Proposal {
  const move = meshStep(direction, free, context.axes, centre.mesh);
  return fromCentre(centre, context.space.canonical(centre.point.genes.map((g, i) => g + move[i]!)), step, true);
}
