/**
 * Chooses a method by rules that can be read here, changes it as trials come in, and says in `proposedBy` which one it was
 * (`auto>mads:poll`):
 *   - parameters that are not all categorical, or a space that counts features of its points; at most 20 parameters, 4 objectives and
 *     2000 trials: Bayesian optimisation, which needs the fewest trials but thinks longer at each, has the first fifty; then it shares the
 *     asks with MADS, up to the 200th trial, or the 400th if an evaluation takes ten seconds or more;
 *   - everything else: MADS, which thinks little, has no limit in dimension or objectives, and leads in spaces of plain categories from the
 *     start;
 *   - from the 200th trial (400th) on MADS and NSGA-II share the asks: where a front has many pieces or basins a population finds what a
 *     poll does not.
 * Shares go by what the latest candidates of each added to the hypervolume.
 * All of them are told everything. What is chosen depends on the problem and the told trials alone, so a study resumed makes it again.
 */
import { bo } from '../bo/bo.js';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { nsga2 } from '../evolution/nsga2.js';
import { readSnapshot } from '../ledger.js';
import { mads } from '../mads/mads.js';
import { Progress } from './progress.js';

const NAME = 'auto';
const VERSION = 10;
const PREFIX = `${NAME}>`;

const MOST_OBJECTIVES = 4;
const MOST_PARAMETERS = 20;
const MOST_TRIALS = 2000;
const LEAD_TRIALS = 50;
const SHARED_AFTER = 200;
/** an evaluation that takes so long leaves time to think */
const DEAR_SECONDS = 10;
const SHARED_AFTER_IF_DEAR = 400;

/** Who searches from so many told trials on; several share the asks by their progress. */
export interface Stage {
  readonly from: number;
  readonly optimizers: readonly Optimizer[];
}

/** What the rules choose, in order. */
export function planFor(problem: SearchProblem): readonly Stage[] {
  const { space, objectives } = problem;
  const trials = problem.maxTrials ?? MOST_TRIALS;
  const later = (from: number): Stage => ({ from, optimizers: [mads, nsga2] });
  const plainCategories = space.features === undefined && space.parameters.every((p) => p.type === 'categorical');
  if (plainCategories || objectives > MOST_OBJECTIVES || space.dimension > MOST_PARAMETERS || trials > MOST_TRIALS) return [{ from: 0, optimizers: [mads] }, later(SHARED_AFTER)];
  return [{ from: 0, optimizers: [bo] }, { from: LEAD_TRIALS, optimizers: [bo, mads] }, later((problem.secondsPerTrial ?? 0) >= DEAR_SECONDS ? SHARED_AFTER_IF_DEAR : SHARED_AFTER)];
}

interface Arm {
  readonly optimizer: Optimizer;
  readonly run: OptimizerRun;
}

interface State {
  stage: number;
  /** turns each arm of the stage is owed */
  credits: number[];
  /** keys asked and not told: an arm may not ask what another has */
  readonly open: Set<string>;
  /** by arms that are no longer at work */
  screenedBefore: number;
}

class AutoRun implements OptimizerRun {
  readonly #progress = new Progress();

  constructor(readonly problem: SearchProblem, readonly plan: readonly Stage[], private arms: readonly Arm[], private readonly history: Told[], private readonly state: State) {
    for (const told of history) this.#progress.tell(told);
  }

  get screened(): number {
    return this.arms.reduce((sum, a) => sum + a.run.screened, this.state.screenedBefore);
  }

  ask(n: number): Candidate[] {
    this.#change();
    const out: Candidate[] = [];
    while (out.length < n) {
      const candidate = this.#next();
      if (candidate === null) break;
      this.state.open.add(candidate.key);
      out.push({ ...candidate, proposedBy: PREFIX + candidate.proposedBy });
    }
    return out;
  }

  tell(settled: readonly Told[]): void {
    const told = settled.map(own);
    for (const t of told) {
      this.state.open.delete(t.key);
      this.#progress.tell(t);
    }
    this.history.push(...told);
    for (const arm of this.arms) arm.run.tell(told);
  }

  snapshot(): Json {
    const { stage, credits, open, screenedBefore } = this.state;
    const arms = this.arms.map(({ optimizer, run }): Json => ({ name: optimizer.name, state: run.snapshot() }));
    return { optimizer: NAME, version: VERSION, stage, credits: [...credits], open: [...open], screenedBefore, arms };
  }

  /** The arm whose turn it is, or else any that still has a candidate no other asked. */
  #next(): Candidate | null {
    const order = this.#turn();
    for (const { run } of order) {
      for (let [candidate] = run.ask(1); candidate !== undefined; [candidate] = run.ask(1)) if (!this.state.open.has(candidate.key)) return candidate;
    }
    return null;
  }

  /** Turns in proportion to the arms' shares, as even as can be; the one whose turn it is first. */
  #turn(): readonly Arm[] {
    if (this.arms.length === 1) return this.arms;
    const { credits } = this.state;
    const shares = this.#progress.shares(this.arms.map((a) => a.optimizer.name));
    shares.forEach((share, i) => (credits[i]! += share));
    const order = this.arms.map((_, i) => i).sort((a, b) => credits[b]! - credits[a]! || a - b);
    credits[order[0]!]!--;
    return order.map((i) => this.arms[i]!);
  }

  /** When its trials have come the next stage begins; a method that was not at work learns all that is known. */
  #change(): void {
    const { state, plan } = this;
    while (state.stage + 1 < plan.length && this.history.length >= plan[state.stage + 1]!.from) {
      const { optimizers } = plan[++state.stage]!;
      const next = optimizers.map((optimizer) => this.arms.find((a) => a.optimizer === optimizer) ?? { optimizer, run: taught(optimizer, this.problem, this.history) });
      for (const arm of this.arms) if (!next.includes(arm)) state.screenedBefore += arm.run.screened;
      this.arms = next;
      state.credits = next.map(() => 0);
    }
  }
}

function taught(optimizer: Optimizer, problem: SearchProblem, history: readonly Told[]): OptimizerRun {
  const run = optimizer.start(problem);
  run.tell(history);
  return run;
}

/** As the inner optimizers know it. */
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
    const arms = plan[0]!.optimizers.map((optimizer) => ({ optimizer, run: optimizer.start(problem, settings) }));
    return new AutoRun(problem, plan, arms, [], { stage: 0, credits: arms.map(() => 0), open: new Set(), screenedBefore: 0 });
  },
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const plan = planFor(problem);
    const stage = fields['stage'] as number;
    const kept = fields['arms'] as unknown as readonly { readonly name: string; readonly state: Json }[];
    const due = plan[stage]?.optimizers ?? [];
    if (due.length !== kept.length || due.some((o, i) => o.name !== kept[i]!.name)) {
      throw new RangeError(`expected a snapshot of ${plan.map((s) => s.optimizers.map((o) => o.name).join(' and ')).join(', then ')} inside ${NAME}, got one of ${kept.map((a) => a.name).join(' and ')}`);
    }
    const told = history.map(own);
    const arms = due.map((optimizer, i) => ({ optimizer, run: optimizer.restore(problem, kept[i]!.state, told, plan[0]!.optimizers.includes(optimizer) ? settings : undefined) }));
    return new AutoRun(problem, plan, arms, told, { stage, credits: [...(fields['credits'] as number[])], open: new Set(fields['open'] as string[]), screenedBefore: fields['screenedBefore'] as number });
  },
};
