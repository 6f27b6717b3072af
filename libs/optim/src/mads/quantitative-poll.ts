import type { Listed } from './barrier.js';
import { freeCoordinates, fresh, fromCentre, type Context, type Proposal } from './context.js';
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

/** The point that makes the failed half basis around a centre a positive basis: against the sum of its steps. */
export function completingPoint(context: Context, centre: Listed, polled: readonly (readonly number[])[]): Proposal[] {
  const free = freeCoordinates(context, centre.point.genes);
  const c = centre.point.genes;
  const sum = free.map((i) => -polled.reduce((s, genes) => s + (genes[i]! - c[i]!) / (context.axes[i]!.range || 1), 0));
  if (sum.every((v) => Math.abs(v) < 1e-15)) return [];
  return fresh(context, [along(context, centre, free, sum, 'poll')]);
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
