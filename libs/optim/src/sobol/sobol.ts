/** Scrambled Sobol points in their order: even cover of the space, as a design or as a baseline without chance between points. */
import { Rng, Sobol } from '@app/numeric';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot, refuseUnknownSettings } from '../ledger.js';

const NAME = 'sobol';
const VERSION = 2;

class SobolRun implements OptimizerRun {
  readonly #sequence: Sobol;

  /** @param index  of the next point of the sequence */
  constructor(problem: SearchProblem, readonly ledger: Ledger, readonly rng: Rng, private index: number) {
    this.#sequence = new Sobol(problem.space.dimension, problem.seed);
  }

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const start = this.ledger.nextStart();
      const genes = start ?? this.ledger.drawUnseen(this.rng, () => this.ledger.space.fromUnit(this.#sequence.point(this.index++)));
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
    return { optimizer: NAME, version: VERSION, index: this.index, rng: this.rng.state(), pending: this.ledger.pendingState() };
  }
}

export const sobol: Optimizer = {
  name: NAME,
  title: 'Scrambled Sobol sequence',
  version: VERSION,
  start(problem, settings) {
    refuseUnknownSettings(settings, []);
    return new SobolRun(problem, new Ledger(problem), Rng.of(problem.seed, NAME), 0);
  },
  restore(problem, snapshot, history, settings) {
    refuseUnknownSettings(settings, []);
    const state = readSnapshot(snapshot, NAME, VERSION);
    return new SobolRun(problem, new Ledger(problem, state['pending'], history), Rng.fromState(state['rng'] as number[]), state['index'] as number);
  },
};
