/**
 * NSGA-II (Deb, Pratap, Agarwal, Meyarivan 2002), above three objectives NSGA-III (see niching.ts), as ask and tell: a generation ends when as many points are told as the population
 * holds, whoever proposed them, and the best of population and newcomers survive. Children asked meanwhile come from the present
 * population, so no worker waits.
 */
import { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { readCounts } from './settings.js';
import { nicheSurvivors, referenceDirections } from './niching.js';
import { compareStandings, isFeasible, standings, type Standing } from './standing.js';
import { child } from './variation.js';

const NAME = 'nsga2';
const VERSION = 3;
/** With more the survivors are chosen, and parents only by feasibility, as NSGA-III does. */
const MOST_CROWDED_OBJECTIVES = 3;
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
  /** null: NSGA-II */
  readonly #directions: readonly Float64Array[] | null;

  constructor(readonly problem: SearchProblem, readonly size: number, readonly ledger: Ledger, readonly rng: Rng, public state: State) {
    this.#standings = standings(this.#members());
    this.#directions = problem.objectives > MOST_CROWDED_OBJECTIVES ? referenceDirections(problem.objectives, size) : null;
  }

  ask(n: number): Candidate[] {
    return this.ledger.ask(n, () => {
      if (this.state.population.length === 0) return [this.ledger.drawRandom(this.rng), 'nsga2:random'];
      return [this.ledger.drawUnseen(this.rng, () => this.#child()), this.#directions === null ? 'nsga2:child' : 'nsga3:child'];
    });
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
    const kept = this.#directions === null ? order.slice(0, this.size) : this.#niched(this.#directions, rated, order, (k) => history[all[k]!]!.objectives as readonly number[]);
    this.state = { population: kept.map((k) => all[k]!), newcomers: history.length };
    this.#standings = standings(this.#members());
  }

  /** Whole ranks as they fit, and of the next what the reference directions choose; the infeasible stand behind in any case. */
  #niched(directions: readonly Float64Array[], rated: readonly Standing[], order: readonly number[], point: (k: number) => readonly number[]): number[] {
    const last = rated[order[this.size - 1] ?? -1];
    if (!last || !isFeasible(last)) return order.slice(0, this.size);
    const safe = order.filter((k) => isFeasible(rated[k]!) && rated[k]![1] < last[1]);
    const edge = order.filter((k) => isFeasible(rated[k]!) && rated[k]![1] === last[1]);
    return [...safe, ...nicheSurvivors(this.rng, directions, safe.map(point), edge.map(point), this.size - safe.length).map((i) => edge[i]!)];
  }

  #child(): Genes {
    return child(this.problem.space, this.rng, this.#parent(), this.#parent());
  }

  /** The better of two. */
  #parent(): Genes {
    const [a, b] = [this.rng.int(this.state.population.length), this.rng.int(this.state.population.length)];
    const [x, y] = [this.#standings[a]!, this.#standings[b]!];
    const equal = this.#directions !== null && isFeasible(x) && isFeasible(y);
    const better = equal || compareStandings(x, y) <= 0 ? a : b;
    return this.ledger.history[this.state.population[better]!]!.genes;
  }
}

export const nsga2: Optimizer = {
  name: NAME,
  title: 'NSGA-II, above three objectives NSGA-III',
  version: VERSION,
  start: (problem, settings) => new Nsga2Run(problem, readCounts(settings, DEFAULTS, LEAST).population, new Ledger(problem), Rng.of(problem.seed, NAME), { population: [], newcomers: 0 }),
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const state: State = { population: fields['population'] as number[], newcomers: fields['newcomers'] as number };
    return new Nsga2Run(problem, readCounts(settings, DEFAULTS, LEAST).population, new Ledger(problem, fields['pending'], history), Rng.fromState(fields['rng'] as number[]), state);
  },
};
