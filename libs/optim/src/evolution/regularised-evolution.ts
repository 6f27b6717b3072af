/**
 * Regularised evolution (Real, Aggarwal, Huang, Le 2019): the latest trials are the population, the best of a random sample of them is
 * changed in one parameter, and age alone removes. With several objectives the best of the sample is the one of lowest
 * non-domination rank, then the least crowded.
 */
import { Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { Optimizer, Told } from '../contract.js';
import { DrawingRun } from '../drawing-run.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { readCounts } from './settings.js';
import { compareStandings, standings } from './standing.js';
import { mutated } from './variation.js';

const NAME = 'evolution';
const VERSION = 2;
const DEFAULTS = { population: 50, sample: 10 };
const LEAST = { population: 2, sample: 1 };
type Settings = Readonly<typeof DEFAULTS>;

function run({ population, sample }: Settings, ledger: Ledger, rng: Rng): DrawingRun {
  return new DrawingRun(regularisedEvolution, ledger, rng, () => {
    // A part of the population from anywhere first, so that there is something to choose from.
    const breeding = ledger.history.length > 0 && ledger.history.length + ledger.pending.size >= population / 2;
    if (!breeding) return [ledger.drawRandom(rng), 'evolution:random'];
    return [ledger.drawUnseen(rng, () => mutant(ledger.space, rng, bestOf(rng, ledger.history.slice(-population), sample).genes)), 'evolution:mutation'];
  });
}

/** Changed in one of its active parameters. */
function mutant(space: SearchSpace, rng: Rng, genes: Genes): Genes {
  const active = space.active(genes);
  const free = genes.flatMap((_, i) => (active[i] && space.sizes[i]! > 1 ? [i] : []));
  return free.length === 0 ? genes : mutated(space, rng, genes, [rng.pick(free)]);
}

function bestOf(rng: Rng, population: readonly Told[], size: number): Told {
  const sample = Array.from({ length: size }, () => rng.pick(population));
  const rated = standings(sample);
  let best = 0;
  for (let k = 1; k < sample.length; k++) if (compareStandings(rated[k]!, rated[best]!) < 0) best = k;
  return sample[best]!;
}

export const regularisedEvolution: Optimizer = {
  name: NAME,
  title: 'Regularised evolution',
  version: VERSION,
  start: (problem, settings) => run(readCounts(settings, DEFAULTS, LEAST), new Ledger(problem), Rng.of(problem.seed, NAME)),
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    return run(readCounts(settings, DEFAULTS, LEAST), new Ledger(problem, fields['pending'], history), Rng.fromState(fields['rng'] as number[]));
  },
};
