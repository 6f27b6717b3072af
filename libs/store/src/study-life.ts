import { TERMINAL_STATES, type StudyEvent, type StudyState, type TrialState } from '@app/contracts';
import type { StudyRecord, TrialCounts } from '@app/study';

export type StudyTimes = Pick<StudyRecord, 'state' | 'startedAt' | 'finishedAt' | 'runningMs' | 'runningSince'>;

const runs = (state: StudyState): boolean => state === 'running' || state === 'stopping';
export const isTerminal = (state: StudyState): boolean => TERMINAL_STATES.includes(state);
/** States in which a study has steps to take. */
export const STEPPED_STATES: readonly StudyState[] = ['queued', 'running', 'stopping'];
export const OPEN_TRIAL_STATES: readonly TrialState[] = ['pending', 'running'];

/** The times of a study that goes to a state: it starts once, runs while running or stopping, and is finished in a terminal state only. */
export function enter(times: StudyTimes, to: StudyState, now: Date): StudyTimes {
  const ranMs = times.runningSince === null ? 0 : Math.max(0, now.getTime() - times.runningSince.getTime());
  const keepsRunning = runs(to) && times.runningSince !== null;
  return {
    state: to,
    startedAt: times.startedAt ?? (runs(to) ? now : null),
    finishedAt: isTerminal(to) ? now : null,
    runningMs: keepsRunning ? times.runningMs : times.runningMs + ranMs,
    runningSince: keepsRunning ? times.runningSince : runs(to) ? now : null,
  };
}

/** A study event before it has a revision. */
export type NewEvent = StudyEvent extends infer E ? (E extends { type: infer T; data: infer D } ? { readonly type: T; readonly data: D } : never) : never;

export const stateEvent = (study: Pick<StudyRecord, 'state' | 'reason' | 'message'>): NewEvent => ({
  type: 'study.state', data: { state: study.state, reason: study.reason, message: study.message },
});

/** @param numbers trials that were settled, at least one */
export const finishedEvent = (numbers: readonly number[], counts: TrialCounts): NewEvent => ({
  type: 'trial.finished', data: { from: numbers.reduce((a, b) => Math.min(a, b)), to: numbers.reduce((a, b) => Math.max(a, b)), counts },
});

export const progressEvent = (number: number): NewEvent => ({ type: 'trial.progress', data: { numbers: [number] } });

export const NO_TRIALS: TrialCounts = { pending: 0, running: 0, completed: 0, infeasible: 0, failed: 0, cancelled: 0, total: 0 };

/** Idempotency keys are remembered this long. */
export const IDEMPOTENCY_MS = 24 * 3600 * 1000;

/** A step that contradicts what is stored: a number or key used twice, an outcome for a settled trial, an id that is not there. Nothing was written. */
export class CommitConflict extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommitConflict';
  }
}
