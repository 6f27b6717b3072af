/**
 * Limits that can be computed before an evaluation: how far a point is from meeting them, and a search for one that does. It asks
 * `problem.known` alone, so it spends no trial.
 */
import type { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import type { SearchProblem } from './contract.js';
import { crossover, mutated } from './evolution/variation.js';

/** Points looked at in one search. */
const LOOKS = 400;

/** Σ max(0, g_j)² over the violations that are known; 0 where none is. */
export function knownExcess(problem: SearchProblem, genes: Genes): number {
  if (problem.known === undefined || problem.constraints === 0) return 0;
  let sum = 0;
  for (const g of problem.known(genes).violations) if (g !== null && g > 0) sum += g * g;
  return sum;
}

/**
 * Phase one: a random descent of the excess from a point, one parameter at a time or towards a mark, until it is 0 at a point that is
 * not taken. Where it is 0 and taken the walk goes on among points that meet the limits.
 *
 * @param marks  points that meet the limits, if any are known
 * @returns null after 400 points, and how many of them broke a limit
 */
export function findMeeting(problem: SearchProblem, rng: Rng, from: Genes, marks: readonly Genes[], taken: (key: string) => boolean): { readonly genes: Genes | null; readonly screened: number } {
  const { space } = problem;
  let at = from;
  let excess = knownExcess(problem, from);
  let screened = 0;
  for (let look = 0; look < LOOKS; look++) {
    const genes = move(problem, rng, at, marks);
    const own = knownExcess(problem, genes);
    if (own > 0) screened++;
    else if (!taken(space.key(genes))) return { genes, screened };
    if (own <= excess) [at, excess] = [genes, own];
  }
  return { genes: null, screened };
}

/** A small step in one active parameter, a fresh value for it, or a cross with a mark. */
function move({ space }: SearchProblem, rng: Rng, at: Genes, marks: readonly Genes[]): Genes {
  if (marks.length > 0 && rng.next() < 0.3) return crossover(space, rng, at, rng.pick(marks));
  const active = space.active(at);
  const free = at.flatMap((_, i) => (active[i] && space.sizes[i]! > 1 ? [i] : []));
  if (free.length === 0) return at;
  const i = rng.pick(free);
  if (rng.next() < 0.5) return mutated(space, rng, at, [i]);
  const unit = space.toUnit(at);
  unit[i] = rng.next();
  return space.canonical(at.map((g, k) => (k === i ? space.fromUnit(unit)[i]! : g)));
}
