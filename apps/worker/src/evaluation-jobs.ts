import { PASSING_FAULTS, studyEvaluator } from '@app/measure';
import type { TrialProgress } from '@app/contracts';
import { EvaluatorError, evaluateCandidate, isStart, keptWeights, SCORE, skipOf, studyTerms, type AccuracyEvaluator, type EarlyStopping, type EvaluationContext, type Lease, type OfferedWeights, type Prefilter, type StudyRecord, type TrialOutcome, type TrialRecord } from '@app/study';
import { Thread } from './thread.js';
import { throttled } from './throttle.js';
import { keepLease, type JobContext } from './worker.js';

/** A trial whose workers died this often is taken to be what kills them. */
const MAX_LOST_WORKERS = 10;
/** Progress of a trial is stored this often at the most. */
const PROGRESS_MS = 1000;
/** Accidents of the evaluator, not results of the candidate: worth another attempt. */
const RETRYABLE = new Set(['evaluator-exited', 'trainer-unreachable', 'trainer-silent', 'worker-lost', ...PASSING_FAULTS]);

/** Evaluates trials that take long: one job each, any number at a time over all workers. */
export class EvaluationJobs {
  private readonly evaluators = new Map<string, AccuracyEvaluator>();
  /** study → what its evaluations lack, if anything */
  private readonly preparations = new Map<string, Promise<EvaluatorError | null>>();
  private readonly running = new Map<string, number>();
  /** foresees */
  private readonly thread = new Thread();

  constructor(private readonly context: JobContext) {}

  async run(studyId: string, trialIds: readonly string[], signal: AbortSignal): Promise<void> {
    const study = await this.context.store.study(studyId);
    this.running.set(studyId, (this.running.get(studyId) ?? 0) + 1);
    try {
      for (const id of trialIds) await this.evaluate(study, id, signal);
    } finally {
      const left = this.running.get(studyId)! - 1;
      this.running.set(studyId, left);
      if (left === 0 && ['completed', 'failed', 'cancelled'].includes((await this.context.store.study(studyId)).state)) await this.forget(studyId);
    }
  }

  private async evaluate(study: StudyRecord, trialId: string, signal: AbortSignal): Promise<void> {
    const { store, queue, leaseMs, owner, changed } = this.context;
    const leased = await store.leaseTrial(trialId, owner, leaseMs);
    if (!leased) return;
    const { lease, trial } = leased;
    const abort = new AbortController();
    const stop = keepLease(() => store.renewTrial(lease, leaseMs), leaseMs, () => abort.abort(new Error('the lease was lost')));
    const progress = throttled<TrialProgress>(async (so) => {
      if (await store.reportProgress(lease, so)) changed(study.id);
    }, PROGRESS_MS);
    let outcome: TrialOutcome | EvaluatorError;
    let weights: Uint8Array | null = null;
    try {
      const stopped = AbortSignal.any([signal, abort.signal]);
      outcome = (await this.preparation(study, stopped)) ?? (await this.outcome(study, trial, stopped, progress.push, (trained) => { weights = trained; }));
    } finally {
      stop();
      progress.stop();
    }
    if (outcome instanceof EvaluatorError) {
      const { reason, message } = outcome;
      await store.abandonTrial(lease, reason, message);
      await store.transition(study.id, ['running', 'stopping'], 'failed', { reason, message });
      changed(study.id);
      return;
    }
    if (signal.aborted || abort.signal.aborted) {
      await store.abandonTrial(lease, 'worker-stopped', 'the worker was stopped during the evaluation');
      return;
    }
    if (outcome.state === 'failed' && RETRYABLE.has(outcome.reason ?? '') && trial.attempts < study.spec.budget.maxAttempts) {
      await this.again(lease, study.id, outcome);
      return;
    }
    const { settled, open } = await store.settleTrial(lease, outcome, offered(study, trial, outcome, weights));
    if (!settled) return;
    changed(study.id);
    if (open === 0) await queue.add([{ name: 'study.step', studyId: study.id }]);
  }

  private async again(lease: Lease, studyId: string, outcome: TrialOutcome): Promise<void> {
    await this.context.store.abandonTrial(lease, outcome.reason!, outcome.message ?? '');
    await this.context.queue.add([{ name: 'trials.evaluate', studyId, trialIds: [lease.id] }]);
  }

  private async outcome(study: StudyRecord, trial: TrialRecord, stopped: AbortSignal, onProgress: (progress: TrialProgress) => void, onWeights: (weights: Uint8Array) => void): Promise<TrialOutcome> {
    const terms = studyTerms(study.spec);
    const unknown = { objectives: terms.objectives.map(() => null), violations: terms.constraints.map(() => null), feasible: null, metrics: {}, durationMs: 0 };
    if (trial.attempts > MAX_LOST_WORKERS) {
      return { ...unknown, state: 'failed', reason: 'worker-lost', message: `${trial.attempts - 1} workers ended while they evaluated this trial` };
    }
    const timeout = study.spec.budget.trialTimeout;
    const signal = timeout === undefined ? stopped : AbortSignal.any([stopped, AbortSignal.timeout(timeout * 1000)]);
    try {
      const context: EvaluationContext = { definition: study, terms, evaluator: this.evaluator(study), now: () => performance.now(), onProgress, onWeights: keptWeights(study.spec) === null || trial.fidelity < 1 ? undefined : onWeights, stopping: await this.stopping(study, trial), prefilter: await this.prefilter(study, trial), foresee: this.foresee(study, trial) };
      const outcome = await evaluateCandidate(context, trial.parameters, signal, trial.fidelity);
      return timeout !== undefined && signal.aborted && !stopped.aborted ? { ...outcome, state: 'failed', reason: 'timeout', message: `took longer than ${timeout} s` } : outcome;
    } catch (error) {
      this.context.log.error({ studyId: study.id, trialId: trial.id, error: (error as Error).message, stack: (error as Error).stack }, 'evaluation failed');
      return { ...unknown, state: 'failed', reason: 'internal-error', message: (error as Error).message };
    }
  }

  /** By what was told before the trial's round, so that it does not matter when and where it is evaluated. */
  private async stopping(study: StudyRecord, trial: TrialRecord): Promise<EarlyStopping | null> {
    const { accuracy } = study.spec;
    if (!('stop' in accuracy) || accuracy.stop === undefined) return null;
    const [front, trials] = await Promise.all([this.context.store.front(study.id), this.context.store.allTrials(study.id)]);
    const before = trials.filter((t) => t.round < trial.round && t.fidelity === 1 && (t.state === 'completed' || t.state === 'infeasible'));
    return { ...accuracy.stop, front: front.map((t) => t.objectives as number[]), curves: (key) => before.flatMap((t) => (t.metrics[key]?.curve ? [t.metrics[key].curve] : [])) };
  }

  /** By what was told before the trial's round, too. Start points were named by the user. */
  private async prefilter(study: StudyRecord, trial: TrialRecord): Promise<Prefilter | null> {
    const { accuracy } = study.spec;
    if (accuracy.method !== 'train' || accuracy.prefilter === undefined || isStart(trial)) return null;
    const before = (await this.context.store.allTrials(study.id)).filter((t) => t.round < trial.round);
    return { ...accuracy.prefilter, scored: before.flatMap((t) => (t.metrics[SCORE] === undefined ? [] : [{ score: t.metrics[SCORE].value, objectives: t.objectives }])) };
  }

  /** By what was told before the trial's round, once more: what the engine left open when it asked. */
  private foresee(study: StudyRecord, trial: TrialRecord): EvaluationContext['foresee'] {
    const { accuracy } = study.spec;
    if (accuracy.method !== 'train' || accuracy.prefilter === undefined || skipOf(study.spec) === null || isStart(trial)) return null;
    return async (score, known) => {
      const [front, { imports, trials, prior }] = await Promise.all([this.context.store.front(study.id), this.context.store.fold(study.id)]);
      const { spec, space, devices } = study;
      return this.thread.call({
        op: 'foresee',
        candidate: { definition: { spec, space, devices }, fold: { imports, trials: trials.filter((t) => t.round < trial.round), prior }, answered: this.evaluator(study).metrics, genes: trial.genes, known, front: front.map((t) => t.objectives as number[]), score },
      });
    };
  }

  private evaluator(study: StudyRecord): AccuracyEvaluator {
    const known = this.evaluators.get(study.id);
    if (known) return known;
    const evaluator = studyEvaluator(study, { allowCommands: this.context.allowCommands });
    this.evaluators.set(study.id, evaluator);
    return evaluator;
  }

  /** Why no candidate of the study can be evaluated here, asked once. An accident is no verdict: the evaluation will meet it itself. */
  private preparation(study: StudyRecord, signal: AbortSignal): Promise<EvaluatorError | null> {
    const known = this.preparations.get(study.id);
    if (known) return known;
    const asked = (async () => this.evaluator(study).prepare?.(signal))().then(() => null, (error: unknown) => {
      if (error instanceof EvaluatorError && !RETRYABLE.has(error.reason)) return error;
      this.preparations.delete(study.id);
      return null;
    });
    this.preparations.set(study.id, asked);
    return asked;
  }

  private async forget(studyId: string): Promise<void> {
    const evaluator = this.evaluators.get(studyId);
    this.evaluators.delete(studyId);
    this.preparations.delete(studyId);
    this.running.delete(studyId);
    await evaluator?.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.thread.close(), ...[...this.evaluators.keys()].map((id) => this.forget(id))]);
  }
}

/** Weights of a result only: what broke a limit, failed or was ended is on no front. */
function offered(study: StudyRecord, trial: TrialRecord, outcome: TrialOutcome, weights: Uint8Array | null): OfferedWeights | undefined {
  const kept = keptWeights(study.spec);
  if (kept === null || weights === null || outcome.state !== 'completed' || trial.fidelity < 1) return undefined;
  return { content: weights, limit: kept.mebibytes * 2 ** 20 };
}
