/**
 * Tree-structured Parzen estimator: told points are split into the best tenth and the rest, each with a density; of points drawn from
 * the first the one with the largest ratio of densities is asked. With several objectives the best go by non-domination rank, then by
 * their contribution to the hypervolume (Ozaki, Tanigaki, Watanabe, Onishi, Multiobjective tree-structured Parzen estimator, 2020);
 * feasible before infeasible, those by violation. Pending points stand with the rest, so that others are asked meanwhile.
 */
import { Rng } from '@app/numeric';
import { hypervolumeContributions, RankedFronts } from '@app/pareto';
import type { Genes } from '@app/space';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { compareStandings, standings } from '../evolution/standing.js';
import { readCounts } from '../evolution/settings.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { ParzenMixture } from './parzen.js';

const NAME = 'tpe';
const VERSION = 2;
const DEFAULTS = { initialPoints: 10, candidates: 24 };
const LEAST = { initialPoints: 1, candidates: 1 };
type Settings = Readonly<typeof DEFAULTS>;

/** Points of the lower density at most, and the latest others that make up the upper one. */
const MOST_GOOD = 25;
const MOST_REST = 400;
const MOST_OBJECTIVES_VOLUME = 4;

class TpeRun implements OptimizerRun {
  /** feasible points by place in the history */
  readonly #fronts = new RankedFronts<number>();
  #mixtures: { readonly told: number; readonly pending: number; readonly good: ParzenMixture; readonly rest: ParzenMixture } | null = null;

  constructor(readonly problem: SearchProblem, readonly settings: Settings, readonly ledger: Ledger, readonly rng: Rng) {
    this.ledger.history.forEach((told, i) => this.#rank(told, i));
  }

  ask(n: number): Candidate[] {
    return this.ledger.ask(n, () => {
      const learned = this.ledger.history.length >= 2 && this.ledger.history.length + this.ledger.pending.size >= this.settings.initialPoints;
      return learned ? [this.#best(), 'tpe:ratio'] : [this.ledger.drawRandom(this.rng), 'tpe:random'];
    });
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) if (this.ledger.settle(told)) this.#rank(told, this.ledger.history.length - 1);
  }

  get screened(): number {
    return this.ledger.screened;
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, rng: this.rng.state(), pending: this.ledger.pendingState() };
  }

  #rank(told: Told, index: number): void {
    if (told.state === 'completed' && told.objectives.every((v) => v !== null)) this.#fronts.insert(index, told.objectives as readonly number[]);
  }

  /** Of the draws that are not taken the one with the largest ratio; an unseen point from anywhere if all were. */
  #best(): Genes | null {
    const { good, rest } = this.#densities();
    let best: { readonly genes: Genes; readonly value: number } | null = null;
    for (let c = 0; c < this.settings.candidates; c++) {
      const genes = good.sample(this.rng);
      if (!this.ledger.admit(genes)) continue;
      const value = good.logDensity(genes) - rest.logDensity(genes);
      if (best === null || value > best.value) best = { genes, value };
    }
    return best?.genes ?? this.ledger.drawUnseen(this.rng, () => good.sample(this.rng));
  }

  #densities(): { readonly good: ParzenMixture; readonly rest: ParzenMixture } {
    const { history, pending } = this.ledger;
    if (this.#mixtures?.told === history.length && this.#mixtures.pending === pending.size) return this.#mixtures;
    const chosen = new Set(this.#goodPoints());
    const others: Genes[] = [];
    for (let i = history.length - 1; i >= 0 && others.length < MOST_REST; i--) if (!chosen.has(i)) others.push(history[i]!.genes);
    others.push(...[...pending.values()].map((c) => c.genes));
    const good = new ParzenMixture(this.problem.space, [...chosen].map((i) => history[i]!.genes));
    this.#mixtures = { told: history.length, pending: pending.size, good, rest: new ParzenMixture(this.problem.space, others.length > 0 ? others : good.points) };
    return this.#mixtures;
  }

  /** Places of the best tenth, at most 25. */
  #goodPoints(): number[] {
    const { history } = this.ledger;
    const due = Math.min(MOST_GOOD, Math.ceil(0.1 * history.length));
    const out: number[] = [];
    for (let rank = 0; out.length < due && rank < this.#fronts.depth; rank++) {
      const members = this.#fronts.front(rank).sort((a, b) => a - b);
      out.push(...(out.length + members.length <= due ? members : this.#mostTelling(members).slice(0, due - out.length)));
    }
    if (out.length < due) {
      const known = new Set(out);
      const others = history.map((_, i) => i).filter((i) => !known.has(i) && history[i]!.state !== 'completed');
      const rated = standings(others.map((i) => history[i]!));
      const order = others.map((_, k) => k).sort((a, b) => compareStandings(rated[a]!, rated[b]!) || a - b);
      out.push(...order.slice(0, due - out.length).map((k) => others[k]!));
    }
    return out.length > 0 ? out : [history.length - 1];
  }

  /** Of one rank: the largest contributions to the hypervolume first; the latest first above four objectives. */
  #mostTelling(members: readonly number[]): number[] {
    const points = members.map((i) => this.ledger.history[i]!.objectives as readonly number[]);
    if (this.problem.objectives > MOST_OBJECTIVES_VOLUME) return [...members].reverse();
    const reference = points[0]!.map((_, j) => {
      const column = points.map((p) => p[j]!);
      const [low, high] = [Math.min(...column), Math.max(...column)];
      return high + (0.1 * (high - low) || 1e-9 * Math.max(1, Math.abs(high)));
    });
    const contributions = hypervolumeContributions(points, reference);
    return members.map((_, k) => k).sort((a, b) => contributions[b]! - contributions[a]! || a - b).map((k) => members[k]!);
  }
}

export const tpe: Optimizer = {
  name: NAME,
  title: 'Tree-structured Parzen estimator',
  version: VERSION,
  start: (problem, settings) => new TpeRun(problem, readCounts(settings, DEFAULTS, LEAST), new Ledger(problem), Rng.of(problem.seed, NAME)),
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    return new TpeRun(problem, readCounts(settings, DEFAULTS, LEAST), new Ledger(problem, fields['pending'], history), Rng.fromState(fields['rng'] as number[]));
  },
};
