import { convert } from '@app/contracts';
import { Rng } from '@app/numeric';
import { knownExcess, type SearchProblem } from '@app/optim';
import type { Genes } from '@app/space';
import { inWords } from './in-words.js';
import type { StudyTerms } from './problem.js';

/** Points drawn, and steps from the best of them. */
const DRAWS = 256;
const STEPS = 512;

/**
 * How near a point comes to limits that can be computed, where none was found that meets them: the least Σ max(0, g)² of uniform draws and of a descent
 * from the best, one parameter at a time.
 *
 * @returns its broken limits in words; null where it meets all, or nothing is known
 */
export function nearestMiss(problem: SearchProblem, terms: StudyTerms, seed: number): string | null {
  const { space, known } = problem;
  if (known === undefined) return null;
  const rng = Rng.of(seed, 'nearest-miss');
  const unit = (): number[] => Array.from({ length: space.dimension }, () => rng.next());
  let best: Genes | null = null;
  let least = Infinity;
  const look = (genes: Genes): void => {
    if (known(genes).violations.every((g) => g === null)) return;
    const excess = knownExcess(problem, genes);
    if (excess > least) return;
    [best, least] = [genes, excess];
  };
  for (let k = 0; k < DRAWS; k++) look(space.fromUnit(unit()));
  for (let k = 0; k < STEPS && best !== null; k++) {
    const at: number[] = [...space.toUnit(best)];
    at[rng.int(space.dimension)] = rng.next();
    look(space.fromUnit(at));
  }
  if (best === null || least === 0) return null;
  const { violations } = known(best);
  return terms.constraints.flatMap((c, i) => {
    const g = violations[i];
    if (g == null || g <= 0) return [];
    const excess = c.limit === 0 ? g : g * Math.abs(c.limit);
    const quantity = (v: number): string => inWords(convert(v, c.unit, c.shownUnit), c.shownUnit);
    return [`${c.key} of ${quantity(c.op === '<=' ? c.limit + excess : c.limit - excess)}, the limit is ${c.op} ${quantity(c.limit)}`];
  }).join('; ');
}
