import { halving, optimizerNamed, type Candidate, type Json, type OptimizerRun, type Told } from '@app/optim';
import type { AccuracyEvaluator } from './accuracy.js';
import { STOPPED_EARLY } from './early-stopping.js';
import { passedOver, PREDICTED_DOMINATED } from './foresight.js';
import { FrontTracker } from './front-tracker.js';
import { keptWeights } from './kept-weights.js';
import { knownOf } from './known.js';
import { nearestMiss } from './nearest-miss.js';
import { givenReference, studyProblem, type StudyProblem } from './problem.js';
import type { FoldState, ImportedTrial, ProposedTrial, SettledTrial, StepCommit, StudyDefinition, TrialOutcome, TrialRecord } from './records.js';
import { Skipping, skipOf } from './skipping.js';
import { trialId } from './trial-id.js';

export interface EngineStudy extends StudyDefinition {
  readonly id: string;
  readonly referencePoint: readonly number[] | null;
  readonly hypervolume: number | null;
}

export type Finish = NonNullable<StepCommit['finish']>;

const SNAPSHOT_FORMAT = 1;

/**
 * The search as a fold (design.md, decision 4): what comes next is a function of the definition, the seed and the settled trials.
 *
 * It runs in rounds. A round asks up to `maxParallelTrials` candidates; they are evaluated anywhere, in any order; when all have
 * settled they are told in order of number and the next round is asked. So the order in which workers answer changes nothing, and
 * a search can be taken up between any two rounds, by its snapshot or by replaying its trials.
 */
export class StudyEngine {
  private readonly front: FrontTracker;
  private readonly open = new Map<number, ProposedTrial>();
  private readonly proposed: ProposedTrial[] = [];
  private readonly settled: SettledTrial[] = [];
  /** told since the last commit, where only the front's weights are kept */
  private readonly toldNow: string[] = [];
  /** of the open round: settled without an evaluation */
  private readonly foreseen = new Map<number, SettledTrial>();
  private round = 0;
  private asked = 0;
  private told = 0;
  private failed = 0;
  private finish: Finish | null = null;
  private spec: StudyDefinition['spec'];

  private constructor(
    private readonly study: EngineStudy,
    readonly problem: StudyProblem,
    private readonly run: OptimizerRun,
    private readonly version: string,
    private readonly skipping: Skipping | null,
    told: readonly TrialRecord[],
  ) {
    this.spec = study.spec;
    const reference = givenReference(study.spec, problem.terms) ?? study.referencePoint;
    this.front = FrontTracker.of(problem.terms.objectives.length, reference, study.hypervolume, told.filter((t) => t.fidelity === 1));
    this.failed = told.filter((t) => t.state === 'failed').length;
  }

  /**
   * @param evaluator  what it answers is not computed beforehand; the time it takes is what an optimizer may think beside
   * @throws SpaceError if the definition's parameters or start points are at fault
   */
  static open(study: EngineStudy, fold: FoldState, evaluator: Pick<AccuracyEvaluator, 'metrics' | 'secondsPerTrial'>): StudyEngine {
    const given = studyProblem(study);
    const problem: StudyProblem = { ...given, problem: { ...given.problem, known: knownOf(study, given.terms, given.space, evaluator), secondsPerTrial: evaluator.secondsPerTrial } };
    const chosen = optimizerNamed(study.spec.algorithm.name);
    const optimizer = study.spec.fidelity ? halving(chosen) : chosen;
    const version = `${optimizer.name}@${optimizer.version}/${SNAPSHOT_FORMAT}`;
    const toldTrials = fold.trials.filter((t) => t.number <= fold.told);
    const history = [...fold.imports.map(asImport), ...toldTrials.map(asTold)];
    const settings = study.spec.algorithm.settings;
    const usable = fold.snapshot?.version === version;
    const run = usable
      ? optimizer.restore(problem.problem, fold.snapshot!.state, history, settings)
      : replay(optimizer.start(problem.problem, settings), fold);
    const skip = skipOf(study.spec);
    const skipping = skip === null ? null : new Skipping(study, given.terms, given.space, evaluator, skip, fold.prior);
    for (const t of [...fold.imports, ...toldTrials]) skipping?.learn(t);
    const engine = new StudyEngine(study, problem, run, version, skipping, toldTrials);
    for (const t of fold.trials) {
      if (t.number <= fold.told) continue;
      engine.open.set(t.number, t);
      if (t.reason === PREDICTED_DOMINATED) engine.foreseen.set(t.number, { ...t, state: 'infeasible', durationMs: t.durationMs ?? 0 });
    }
    engine.told = fold.told;
    engine.asked = fold.trials.at(-1)?.number ?? 0;
    engine.round = fold.trials.at(-1)?.round ?? 0;
    return engine;
  }

  /** The budget may change while a study runs. */
  setBudget(budget: StudyDefinition['spec']['budget']): void {
    this.spec = { ...this.spec, budget };
  }

  /** Trials of the current round that have not been told, in order of number. */
  get current(): readonly ProposedTrial[] {
    return [...this.open.values()];
  }

  /** Of the current round those that are to be evaluated: the others were settled by what was foreseen of them. */
  get waiting(): readonly ProposedTrial[] {
    return this.current.filter((t) => !this.foreseen.has(t.number));
  }

  /** Whether these outcomes, with what was foreseen, are the whole round. */
  completes(settled: readonly { readonly number: number }[]): boolean {
    const numbers = new Set(settled.map((t) => t.number));
    return this.open.size > 0 && this.waiting.every((t) => numbers.has(t.number));
  }

  get finished(): Finish | null {
    return this.finish;
  }

  get counts(): { readonly asked: number; readonly told: number; readonly failed: number; readonly screened: number } {
    return { asked: this.asked, told: this.told, failed: this.failed, screened: this.run.screened };
  }

  /**
   * Asks the next round. Empty: the study is at its end and `finished` says why.
   *
   * @param elapsedSeconds time the study has been running
   * @throws Error if the last round has not been told yet
   */
  ask(elapsedSeconds: number): readonly ProposedTrial[] {
    if (this.open.size > 0) throw new Error(`round ${this.round} still has ${this.open.size} trials to settle`);
    const { maxTrials, maxDuration, maxFailedTrials, maxParallelTrials } = this.spec.budget;
    if (maxFailedTrials !== undefined && this.failed >= maxFailedTrials) {
      return this.end('failed', 'too-many-failures', `${this.failed} trials failed; the budget allows fewer than ${maxFailedTrials}`);
    }
    if (this.asked >= maxTrials) return this.end('completed', 'budget-trials', `all ${maxTrials} trials are done`);
    if (maxDuration !== undefined && elapsedSeconds >= maxDuration) {
      return this.end('completed', 'budget-duration', `${Math.round(elapsedSeconds)} s of ${maxDuration} s are used; ${this.told} trials are done`);
    }
    const candidates = this.run.ask(Math.min(maxParallelTrials, maxTrials - this.asked));
    if (candidates.length === 0) return this.nothingLeft();
    this.round++;
    for (const c of candidates) {
      const number = ++this.asked;
      const trial: ProposedTrial = {
        id: trialId(this.study.id, number), number, round: this.round, key: c.key, genes: c.genes, parameters: this.problem.space.decode(c.genes), fidelity: c.fidelity ?? 1, proposedBy: c.proposedBy, note: c.note ?? null,
      };
      this.open.set(number, trial);
      this.proposed.push(trial);
      const outcome = this.foresee(c);
      if (outcome === null) continue;
      this.foreseen.set(number, { ...trial, ...outcome });
      this.settled.push({ ...trial, ...outcome });
    }
    return this.current;
  }

  private foresee(c: Candidate): TrialOutcome | null {
    // a start point was named by the user
    if (this.skipping === null || isStart(c) || (c.fidelity ?? 1) < 1 || this.skipping.looksAtScores) return null;
    const known = this.problem.problem.known?.(c.genes).objectives ?? this.problem.terms.objectives.map(() => null);
    return this.skipping.hopeless(c.genes, known, this.front.points());
  }

  /** Ends the study before its budget does (a user's stop). */
  stop(): void {
    this.end('completed', 'stopped', `stopped by request after ${this.told} trials`);
  }

  /** Every point is tried, or none was found any more that meets the limits that can be computed. */
  private nothingLeft(): readonly ProposedTrial[] {
    if (this.problem.problem.known === undefined || this.asked >= this.problem.space.cardinality) return this.end('completed', 'space-exhausted', `every point of the space has been tried: ${this.told} trials`);
    const computed = this.problem.terms.constraints.map((c) => c.key).join(', ');
    const which = this.told === 0 ? 'no point was found' : `after ${this.told} trials no further point was found`;
    const miss = this.front.size === 0 ? nearestMiss(this.problem.problem, this.problem.terms, this.spec.seed) : null;
    return this.end('completed', 'limits-exhausted', `${which} that meets the limits on ${computed}; ${this.run.screened} candidates were screened${miss === null ? '' : `; the nearest found has ${miss}`}`);
  }

  private end(state: Finish['state'], reason: string, message: string): readonly ProposedTrial[] {
    this.front.finish();
    this.finish = { state, reason, message };
    return [];
  }

  /**
   * Tells the round. All of it at once: that is what makes the order of arrival count for nothing.
   *
   * @param fresh  evaluated within this step, so that the commit must write their outcomes; false: stored already
   * @throws Error if a trial of the round is missing
   */
  tell(trials: readonly SettledTrial[], fresh: boolean): void {
    const given = new Set(trials.map((t) => t.number));
    const ordered = [...trials, ...[...this.foreseen.values()].filter((t) => !given.has(t.number))].sort((a, b) => a.number - b.number);
    if (ordered.length !== this.open.size || !ordered.every((t) => this.open.has(t.number))) {
      throw new Error(`round ${this.round} is told whole: trials ${[...this.open.keys()].join(', ')} are due, got ${ordered.map((t) => t.number).join(', ')}`);
    }
    this.run.tell(ordered.map(asTold));
    for (const t of ordered) {
      if (t.fidelity === 1) this.front.tell(t.id, t.number, t.objectives, t.feasible === true);
      if (t.state === 'failed') this.failed++;
      if (keptWeights(this.spec)?.of === 'front') this.toldNow.push(t.id);
      this.skipping?.learn(t);
      if (fresh && !this.foreseen.has(t.number)) this.settled.push(t);
      this.open.delete(t.number);
      this.told = t.number;
    }
    this.foreseen.clear();
  }

  /** What the store has to write since the last call. */
  takeCommit(): StepCommit {
    const { added, removed, ranks, history } = this.front.takeDelta();
    return {
      proposed: this.proposed.splice(0),
      settled: this.settled.splice(0),
      told: this.told,
      snapshot: { version: this.version, state: this.run.snapshot() as Json },
      referencePoint: this.front.reference,
      hypervolume: this.front.hypervolume,
      frontSize: this.front.size,
      frontAdded: added,
      frontRemoved: removed,
      ranks,
      history,
      screened: this.run.screened,
      weightsDropped: [...this.toldNow.splice(0).filter((id) => !added.includes(id)), ...(keptWeights(this.spec)?.of === 'front' ? removed : [])],
      finish: this.finish,
    };
  }
}

/** Whether the user named the point. */
export const isStart = ({ proposedBy }: { readonly proposedBy: string }): boolean => /(^|[:>])start$/.test(proposedBy);

function asTold(t: SettledTrial | TrialRecord): Told {
  // what was foreseen, outscored, or ended before its end has no result to learn from
  if (passedOver(t) || t.reason === STOPPED_EARLY) return { genes: t.genes, key: t.key, proposedBy: t.proposedBy, note: t.note, state: 'failed', objectives: t.objectives, violations: t.violations };
  const state = t.state === 'completed' || t.state === 'infeasible' ? t.state : 'failed';
  return { genes: t.genes, key: t.key, proposedBy: t.proposedBy, note: t.note, state, objectives: t.objectives, violations: t.violations, ...(t.fidelity === 1 ? {} : { fidelity: t.fidelity }) };
}

function asImport({ genes, key, state, objectives, violations }: ImportedTrial): Told {
  return { genes, key, proposedBy: 'import', state, objectives, violations };
}

/**
 * A fresh run brought to where the trials are: told the imports first, then asks and tells round by round. If the optimizer has changed since and asks for other
 * candidates, the trials are told as imports, so that nothing of what was learned is lost.
 */
function replay(run: OptimizerRun, { imports, trials, told }: FoldState): OptimizerRun {
  if (imports.length > 0) run.tell(imports.map(asImport));
  for (let start = 0; start < trials.length; ) {
    let end = start;
    while (end < trials.length && trials[end]!.round === trials[start]!.round) end++;
    const round = trials.slice(start, end);
    run.ask(round.length);
    if (round.every((t) => t.number <= told)) run.tell(round.map(asTold));
    start = end;
  }
  return run;
}
