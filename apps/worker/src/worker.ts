import { hostname } from 'node:os';
import type { Job, JobHandlers, JobQueue, StudyStore } from '@app/study';
import { EvaluationJobs } from './evaluation-jobs.js';
import { ExportJobs } from './export-jobs.js';
import { StepJobs } from './step-jobs.js';

/** Ids and reasons, never specifications. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WorkerOptions {
  readonly store: StudyStore;
  readonly queue: JobQueue;
  readonly log: Log;
  readonly version: string;
  /** jobs at a time */
  readonly concurrency?: number;
  /** studies may name commands of their own as evaluators */
  readonly allowCommands?: boolean;
  /** ms a lease lasts; it is renewed at a third of that */
  readonly leaseMs?: number;
  /** called after every commit, so that a server in the same process can tell its listeners at once */
  readonly onChange?: (studyId: string) => void;
  /** put unclaimed work back every so many ms; 0: someone else does */
  readonly sweepMs?: number;
}

export interface RunningWorker {
  /** Lets running jobs end, then stops. */
  close(graceMs?: number): Promise<void>;
}

export interface JobContext extends Required<Omit<WorkerOptions, 'onChange' | 'sweepMs' | 'concurrency'>> {
  readonly owner: string;
  readonly changed: (studyId: string) => void;
}

/** Takes jobs until closed. Any number of workers on any number of machines may run at once. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { store, queue, log } = options;
  const context: JobContext = {
    store, queue, log, version: options.version, allowCommands: options.allowCommands ?? false, leaseMs: options.leaseMs ?? 15_000,
    owner: `${hostname()}/${process.pid}/${Math.trunc(performance.timeOrigin)}`, changed: options.onChange ?? (() => undefined),
  };
  const steps = new StepJobs(context);
  const evaluations = new EvaluationJobs(context);
  const exports = new ExportJobs(context);
  const handlers: JobHandlers = {
    'study.step': (job) => steps.run(job.studyId),
    'trials.evaluate': (job, signal) => evaluations.run(job.studyId, job.trialIds, signal),
    'export.build': (job) => exports.run(job.exportId),
  };
  await queue.work(handlers, options.concurrency ?? 4);
  const stopSweep = options.sweepMs === 0 ? () => undefined : startSweep(store, queue, log, options.sweepMs ?? 5000);
  return {
    async close(graceMs = 10_000) {
      stopSweep();
      steps.drain();
      await queue.close(graceMs);
      await Promise.all([steps.close(), evaluations.close(), exports.close()]);
    },
  };
}

/** Work that no one holds goes back on the queue: at start what a crash left, later what a lost message left. */
function startSweep(store: StudyStore, queue: JobQueue, log: Log, everyMs: number): () => void {
  let busy = false;
  const sweep = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const jobs = await unclaimedJobs(store);
      if (jobs.length > 0) await queue.add(jobs);
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'sweep failed');
    } finally {
      busy = false;
    }
  };
  void sweep();
  const timer = setInterval(() => void sweep(), everyMs);
  return () => clearInterval(timer);
}

export async function unclaimedJobs(store: StudyStore): Promise<Job[]> {
  const { studies, trials, exports } = await store.unclaimed();
  return [
    ...studies.map((studyId): Job => ({ name: 'study.step', studyId })),
    ...trials.map((t): Job => ({ name: 'trials.evaluate', studyId: t.studyId, trialIds: [t.id] })),
    ...exports.map((exportId): Job => ({ name: 'export.build', exportId })),
  ];
}

/** Renews a lease until the returned function is called; `lost` is called once if it can't. */
export function keepLease(renew: () => Promise<boolean>, leaseMs: number, lost: () => void): () => void {
  const timer = setInterval(() => {
    renew().then((held) => { if (!held) { clearInterval(timer); lost(); } }, () => undefined);
  }, leaseMs / 3);
  return () => clearInterval(timer);
}
