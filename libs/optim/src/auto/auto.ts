/**
 * Chooses a method by rules that can be read here, and says in `proposedBy` which it took (`auto>mads:poll`):
 *   - at most 4 objectives, 20 parameters, and 150 trials (300 if a parameter is continuous): Bayesian optimisation, which needs the
 *     fewest trials but thinks longer at each;
 *   - everything else, or an unknown number of trials: MADS, which thinks little and has no limit in dimension or objectives.
 * The choice depends on the problem alone, so a study resumed makes it again.
 */
import { bo } from '../bo/bo.js';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { readSnapshot } from '../ledger.js';
import { mads } from '../mads/mads.js';

const NAME = 'auto';
const VERSION = 1;
const PREFIX = `${NAME}>`;

/** The optimizer the rules choose. */
export function chooseOptimizer(problem: SearchProblem): Optimizer {
  const { space, objectives } = problem;
  const trials = problem.maxTrials ?? Infinity;
  if (objectives > 4 || space.dimension > 20) return mads;
  const continuous = space.sizes.includes(Infinity);
  return trials <= (continuous ? 300 : 150) ? bo : mads;
}

class AutoRun implements OptimizerRun {
  constructor(readonly chosen: Optimizer, readonly run: OptimizerRun) {}

  ask(n: number): Candidate[] {
    return this.run.ask(n).map((c) => ({ ...c, proposedBy: PREFIX + c.proposedBy }));
  }

  tell(settled: readonly Told[]): void {
    this.run.tell(settled.map(own));
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, chosen: this.chosen.name, inner: this.run.snapshot() };
  }
}

/** As the inner optimizer knew it. */
function own(told: Told): Told {
  return told.proposedBy.startsWith(PREFIX) ? { ...told, proposedBy: told.proposedBy.slice(PREFIX.length) } : told;
}

/** Settings go to the method chosen. */
export const auto: Optimizer = {
  name: NAME,
  title: 'Automatic',
  version: VERSION,
  start(problem, settings) {
    const chosen = chooseOptimizer(problem);
    return new AutoRun(chosen, chosen.start(problem, settings));
  },
  restore(problem, snapshot, history, settings) {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const chosen = chooseOptimizer(problem);
    if (fields['chosen'] !== chosen.name) throw new RangeError(`expected a snapshot of ${chosen.name} inside ${NAME}, got one of ${String(fields['chosen'])}`);
    return new AutoRun(chosen, chosen.restore(problem, fields['inner'] ?? null, history.map(own), settings));
  },
};
