/**
 * Chooses a method by rules that can be read here, and says in `proposedBy` which it took (`auto>mads:poll`):
 *   - at most 4 objectives and 20 parameters: Bayesian optimisation, which needs the fewest trials but thinks longer at each; for up to
 *     150 trials, or 300 if a parameter is continuous. If one is, and up to 2000 trials are due, it has the first hundred, where its lead
 *     is largest, and MADS carries on from all that is known;
 *   - everything else: MADS, which thinks little and has no limit in dimension or objectives.
 * The choice depends on the problem and the number of told trials alone, so a study resumed makes it again.
 */
import { bo } from '../bo/bo.js';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { readSnapshot } from '../ledger.js';
import { mads } from '../mads/mads.js';

const NAME = 'auto';
const VERSION = 4;
const PREFIX = `${NAME}>`;

const MOST_OBJECTIVES = 4;
const MOST_PARAMETERS = 20;
const MOST_TRIALS = 2000;
const FIRST_TRIALS = 100;

export interface Plan {
  readonly first: Optimizer;
  /** who carries on, and after how many told trials; null: the first to the end */
  readonly then: { readonly optimizer: Optimizer; readonly after: number } | null;
}

/** What the rules choose. */
export function planFor(problem: SearchProblem): Plan {
  const { space, objectives } = problem;
  const trials = problem.maxTrials ?? MOST_TRIALS;
  if (objectives > MOST_OBJECTIVES || space.dimension > MOST_PARAMETERS || trials > MOST_TRIALS) return { first: mads, then: null };
  const continuous = space.sizes.includes(Infinity);
  if (trials <= (continuous ? 300 : 150)) return { first: bo, then: null };
  return continuous ? { first: bo, then: { optimizer: mads, after: FIRST_TRIALS } } : { first: mads, then: null };
}

class AutoRun implements OptimizerRun {
  /**
   * @param history         all told, kept until the second method has taken them over
   * @param open            keys the first method asked and that were not told at the change: the second must not ask them again
   * @param screenedBefore  by the first method, once the second has taken over
   */
  constructor(readonly problem: SearchProblem, readonly plan: Plan, private chosen: Optimizer, private run: OptimizerRun, private history: Told[], private open: Set<string>, private screenedBefore = 0) {}

  ask(n: number): Candidate[] {
    this.#change();
    const out: Candidate[] = [];
    while (out.length < n) {
      const fresh = this.run.ask(n - out.length);
      if (fresh.length === 0) break;
      out.push(...fresh.filter((c) => this.chosen === this.plan.first || !this.open.has(c.key)));
    }
    if (this.chosen === this.plan.first) for (const c of out) this.open.add(c.key);
    return out.map((c) => ({ ...c, proposedBy: PREFIX + c.proposedBy }));
  }

  tell(settled: readonly Told[]): void {
    const told = settled.map(own);
    for (const t of told) this.open.delete(t.key);
    if (this.chosen === this.plan.first) this.history.push(...told);
    this.run.tell(told);
  }

  get screened(): number {
    return this.screenedBefore + this.run.screened;
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, chosen: this.chosen.name, inner: this.run.snapshot(), open: [...this.open], screenedBefore: this.screenedBefore };
  }

  /** Once the first method has had its trials the other learns all that is known and carries on. */
  #change(): void {
    const { then } = this.plan;
    if (then === null || this.chosen === then.optimizer || this.history.length < then.after) return;
    this.chosen = then.optimizer;
    this.screenedBefore = this.run.screened;
    this.run = then.optimizer.start(this.problem);
    this.run.tell(this.history);
    this.history = [];
  }
}

/** As the inner optimizer knew it. */
function own(told: Told): Told {
  return told.proposedBy.startsWith(PREFIX) ? { ...told, proposedBy: told.proposedBy.slice(PREFIX.length) } : told;
}

/** Settings go to the first method chosen. */
export const auto: Optimizer = {
  name: NAME,
  title: 'Automatic',
  version: VERSION,
  start(problem, settings) {
    const plan = planFor(problem);
    return new AutoRun(problem, plan, plan.first, plan.first.start(problem, settings), [], new Set());
  },
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const plan = planFor(problem);
    const chosen = [plan.first, plan.then?.optimizer].find((o) => o?.name === fields['chosen']);
    if (!chosen) throw new RangeError(`expected a snapshot of ${plan.first.name}${plan.then ? ` or ${plan.then.optimizer.name}` : ''} inside ${NAME}, got one of ${String(fields['chosen'])}`);
    const told = history.map(own);
    const run = chosen.restore(problem, fields['inner'] ?? null, told, chosen === plan.first ? settings : undefined);
    return new AutoRun(problem, plan, chosen, run, chosen === plan.first ? told : [], new Set(fields['open'] as string[]), fields['screenedBefore'] as number);
  },
};
