import { evaluateCandidate, type EvaluationContext } from './evaluate.js';
import type { StudyEngine } from './engine.js';
import type { SettledTrial, StepCommit } from './records.js';

/** Evaluations quicker than this are done within the step; slower ones go to the queue, a job each. */
export const INLINE_SECONDS = 0.25;

export interface StepOptions {
  /** wall time the step may take before it hands over what it has, ms */
  readonly sliceMs: number;
  /** trials after which it hands over */
  readonly maxTrials: number;
  /** time the study had been running when the step began, s */
  readonly elapsedSeconds: number;
  readonly signal: AbortSignal;
}

export interface StepResult {
  readonly commit: StepCommit;
  /** trials that wait for an evaluation job */
  readonly waiting: readonly string[];
}

/**
 * Carries the search on: tells what has settled, asks, and where evaluations are quick does them too, many rounds in one step, so
 * that neither the queue nor the database is the bottleneck of a cheap search.
 *
 * @param settled  outcomes of the current round that evaluation jobs stored; the round is told if all are there
 */
export async function runStep(engine: StudyEngine, context: EvaluationContext, settled: readonly SettledTrial[], options: StepOptions): Promise<StepResult> {
  const began = context.now();
  const inline = context.evaluator.secondsPerTrial < INLINE_SECONDS;
  if (engine.completes(settled)) engine.tell(settled, false);
  if (!inline) {
    // a round of which nothing is left to evaluate is told at once
    for (let asked = 0; engine.current.length === 0 && engine.finished === null && asked < options.maxTrials && context.now() - began < options.sliceMs; ) {
      asked += engine.ask(options.elapsedSeconds + (context.now() - began) / 1000).length;
      if (engine.completes([])) engine.tell([], false);
    }
    return { commit: engine.takeCommit(), waiting: engine.waiting.map((t) => t.id) };
  }
  let done = 0;
  while (!engine.finished) {
    const elapsed = options.elapsedSeconds + (context.now() - began) / 1000;
    // A round that an earlier, slower evaluator left open is evaluated here as well; its trials are in the store already.
    const leftOver = engine.current.length > 0;
    if (!leftOver) engine.ask(elapsed);
    const round = engine.waiting;
    const outcomes: SettledTrial[] = [];
    for (const trial of round) outcomes.push({ ...trial, ...(await evaluateCandidate(context, trial.parameters, options.signal, trial.fidelity)) });
    if (options.signal.aborted) break;
    done += engine.current.length;
    if (engine.completes(outcomes)) engine.tell(outcomes, true);
    if (done >= options.maxTrials || context.now() - began >= options.sliceMs) break;
  }
  return { commit: engine.takeCommit(), waiting: [] };
}
