import { createHash } from 'node:crypto';
import type { Job, JobHandlers, JobName } from '@app/study';

export const JOB_NAMES: readonly JobName[] = ['study.step', 'trials.evaluate', 'export.build'];

/** What a job is about: jobs with the same id say the same, so one that still waits stands for all of them. */
export function jobId(job: Job): string {
  switch (job.name) {
    case 'study.step': return job.studyId;
    case 'export.build': return job.exportId;
    case 'trials.evaluate': return job.trialIds.length === 1 ? job.trialIds[0]! : createHash('sha256').update([job.studyId, ...job.trialIds].join(' ')).digest('hex').slice(0, 32);
  }
}

export interface QueueEvents {
  /** A handler failed, or (job null) the queue itself did. Without it a warning of the process. */
  readonly onError?: ((error: Error, job: Job | null) => void) | undefined;
  /** A worker fell silent with this job, which is run again. */
  readonly onStalled?: ((job: Job) => void) | undefined;
}

export const warn = (error: Error, job: Job | null): void => process.emitWarning(`${job === null ? 'queue' : `job ${job.name} ${jobId(job)}`}: ${error.message}`);

/** Runs the handler of a job. @throws what the handler throws */
export function handle(handlers: JobHandlers, job: Job, signal: AbortSignal): Promise<void> {
  return (handlers[job.name] as (job: Job, signal: AbortSignal) => Promise<void>)(job, signal);
}

/** @throws Error naming the jobs without a handler */
export function checkHandlers(handlers: JobHandlers): void {
  const missing = JOB_NAMES.filter((name) => typeof handlers[name] !== 'function');
  if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}`);
}

/** @throws RangeError */
export function checkConcurrency(concurrency: number): void {
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new RangeError(`concurrency: expected a whole number of at least 1, got ${concurrency}`);
}
