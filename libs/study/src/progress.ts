import type { StudySummary } from '@app/contracts';
import type { StudyRecord, TrialCounts } from './records.js';

export function runningSeconds(study: StudyRecord, now: Date): number {
  const since = study.runningSince ? now.getTime() - study.runningSince.getTime() : 0;
  return Math.max(0, study.runningMs + since) / 1000;
}

/**
 * How far the study is and when it will end: the most used dimension of the budget binds; the rate is the mean over the time it
 * ran, the range ± 25 % plus one trial, hidden before 5 trials.
 */
export function studyProgress(study: StudyRecord, counts: TrialCounts, now: Date): StudySummary['progress'] {
  const { maxTrials, maxDuration } = study.spec.budget;
  const done = counts.completed + counts.infeasible + counts.failed;
  const seconds = runningSeconds(study, now);
  const byTrials = Math.min(1, done / maxTrials);
  const byDuration = maxDuration === undefined ? 0 : Math.min(1, seconds / maxDuration);
  const binding = byDuration > byTrials ? 'duration' : 'trials';
  const ended = study.state === 'completed' || study.state === 'failed' || study.state === 'cancelled';
  const rate = done > 0 && seconds > 0 ? done / seconds : null;
  let eta: [number, number] | null = null;
  if (!ended && rate !== null && done >= 5) {
    const left = (maxTrials - done) / rate;
    const limit = maxDuration === undefined ? Infinity : Math.max(0, maxDuration - seconds);
    eta = [Math.min(left * 0.75, limit), Math.min(left * 1.25 + 1 / rate, limit)];
  }
  return { fraction: study.state === 'completed' ? 1 : Math.max(byTrials, byDuration), binding, etaSeconds: eta, trialsPerSecond: rate, screened: study.screened };
}
