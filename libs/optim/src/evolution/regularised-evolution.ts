/**
 * Regularised evolution (Real, Aggarwal, Huang, Le 2019): the latest trials are the population, the best of a random sample of them is
 * changed in one parameter, and age alone removes. With several objectives the best of the sample is the one of lowest
 * non-domination rank, then the least crowded.
 */
import { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { readCounts } from './settings.js';
import { compareStandings, standings } from './standing.js';
import { mutated } from './variation.js';

const NAME = 'evolution';
const VERSION = 2;
const DEFAULTS = { population: 50, sample: 10 };
const LEAST = { population: 2, sample: 1 };
type Settings = Readonly<typeof DEFAULTS>;

class EvolutionRun implements OptimizerRun {
  constructor(readonly problem: SearchProblem, readonly settings: Settings, readonly ledger: Ledger, readonly rng: Rng) {}

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const start = this.ledger.nextStart();
      // A part of the population from anywhere first, so that there is something to choose from.
      const breeding = start === null && this.ledger.history.length > 0 && this.ledger.history.length + this.ledger.pending.size >= this.settings.population / 2;
      const genes = start ?? (breeding ? this.ledger.drawUnseen(this.rng, () => this.#mutant()) : this.ledger.drawRandom(this.rng));
      if (genes === null) break;
      out.push(this.ledger.propose(genes, start ? 'start' : breeding ? 'evolution:mutation' : 'evolution:random'));
    }
    return out;
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) this.ledger.settle(told);
  }

  get screened(): number {
    return this.ledger.screened;
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, rng: this.rng.state(), pending: this.ledger.pendingState() };
  }

  #mutant(): Genes {
    const { space } = this.problem;
    const genes = this.#best(this.ledger.history.slice(-this.settings.population)).genes;
    const active = space.active(genes);
    const free = genes.flatMap((_, i) => (active[i] && space.sizes[i]! > 1 ? [i] : []));
    return free.length === 0 ? genes : mutated(space, this.rng, genes, [this.rng.pick(free)]);
  }

  #best(population: readonly Told[]): Told {
    const sample = Array.from({ length: this.settings.sample }, () => this.rng.pick(population));
    const rated = standings(sample);
    let best = 0;
    for (let k = 1; k < sample.length; k++) if (compareStandings(rated[k]!, rated[best]!) < 0) best = k;
    return sample[best]!;
  }
}

export const regularisedEvolution: Optimizer = {
  name: NAME,
  title: 'Regularised evolution',
  version: VERSION,
  start: (problem, settings) => new EvolutionRun(problem, readCounts(settings, DEFAULTS, LEAST), new Ledger(problem), Rng.of(problem.seed, NAME)),
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    return new EvolutionRun(problem, readCounts(settings, DEFAULTS, LEAST), new Ledger(problem, fields['pending'], history), Rng.fromState(fields['rng'] as number[]));
  },
};
