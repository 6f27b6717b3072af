/**
 * NSGA-II (Deb, Pratap, Agarwal, Meyarivan 2002) as ask and tell: a generation ends when as many points are told as the population
 * holds, whoever proposed them, and the best of population and newcomers survive. Children asked meanwhile come from the present
 * population, so no worker waits.
 */
import { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { readCounts } from './settings.js';
import { compareStandings, standings, type Standing } from './standing.js';
import { child } from './variation.js';

const NAME = 'nsga2';
const VERSION = 2;
/** Small, since a trial is dear: with 100 the first hundreds would be a random search. */
const DEFAULTS = { population: 20 };
const LEAST = { population: 2 };

interface State {
  /** places in the history; empty before the first generation is told */
  readonly population: readonly number[];
  /** place in the history where the present generation's newcomers begin */
  readonly newcomers: number;
}

class Nsga2Run implements OptimizerRun {
  /** of the population */
  #standings: Standing[];

  constructor(readonly problem: SearchProblem, readonly size: number, readonly ledger: Ledger, readonly rng: Rng, public state: State) {
    this.#standings = standings(this.#members());
  }

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const start = this.ledger.nextStart();
      const breeding = start === null && this.state.population.length > 0;
      const genes = start ?? (breeding ? this.ledger.drawUnseen(this.rng, () => this.#child()) : this.ledger.drawRandom(this.rng));
      if (genes === null) break;
      out.push(this.ledger.propose(genes, start ? 'start' : breeding ? 'nsga2:child' : 'nsga2:random'));
    }
    return out;
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) if (this.ledger.settle(told)) this.#endGeneration();
  }

  get screened(): number {
    return this.ledger.screened;
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, rng: this.rng.state(), population: [...this.state.population], newcomers: this.state.newcomers, pending: this.ledger.pendingState() };
  }

  #members(): Told[] {
    return this.state.population.map((i) => this.ledger.history[i]!);
  }

  #endGeneration(): void {
    const { history } = this.ledger;
    if (history.length - this.state.newcomers < this.size) return;
    const all = [...this.state.population, ...history.slice(this.state.newcomers).map((_, k) => this.state.newcomers + k)];
    const rated = standings(all.map((i) => history[i]!));
    const order = all.map((_, k) => k).sort((a, b) => compareStandings(rated[a]!, rated[b]!) || a - b);
    this.state = { population: order.slice(0, this.size).map((k) => all[k]!), newcomers: history.length };
    this.#standings = standings(this.#members());
  }

  #child(): Genes {
    return child(this.problem.space, this.rng, this.#parent(), this.#parent());
  }

  /** The better of two. */
  #parent(): Genes {
    const [a, b] = [this.rng.int(this.state.population.length), this.rng.int(this.state.population.length)];
    const better = compareStandings(this.#standings[a]!, this.#standings[b]!) <= 0 ? a : b;
    return this.ledger.history[this.state.population[better]!]!.genes;
  }
}

export const nsga2: Optimizer = {
  name: NAME,
  title: 'NSGA-II',
  version: VERSION,
  start: (problem, settings) => new Nsga2Run(problem, readCounts(settings, DEFAULTS, LEAST).population, new Ledger(problem), Rng.of(problem.seed, NAME), { population: [], newcomers: 0 }),
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const state: State = { population: fields['population'] as number[], newcomers: fields['newcomers'] as number };
    return new Nsga2Run(problem, readCounts(settings, DEFAULTS, LEAST).population, new Ledger(problem, fields['pending'], history), Rng.fromState(fields['rng'] as number[]), state);
  },
};
