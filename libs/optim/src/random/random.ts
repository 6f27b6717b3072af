/** Independent uniform draws over the values of each parameter: the baseline every other method has to beat. */
import { Rng } from '@app/numeric';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot, refuseUnknownSettings } from '../ledger.js';

const NAME = 'random';
const VERSION = 2;

class RandomRun implements OptimizerRun {
  constructor(readonly ledger: Ledger, readonly rng: Rng) {}

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const start = this.ledger.nextStart();
      const genes = start ?? this.ledger.drawRandom(this.rng);
      if (genes === null) break;
      out.push(this.ledger.propose(genes, start ? 'start' : NAME));
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
}

export const random: Optimizer = {
  name: NAME,
  title: 'Random search',
  version: VERSION,
  start(problem: SearchProblem, settings) {
    refuseUnknownSettings(settings, []);
    return new RandomRun(new Ledger(problem), Rng.of(problem.seed, NAME));
  },
  restore(problem, snapshot, history, settings) {
    refuseUnknownSettings(settings, []);
    const state = readSnapshot(snapshot, NAME, VERSION);
    return new RandomRun(new Ledger(problem, state['pending'], history), Rng.fromState(state['rng'] as number[]));
  },
};
