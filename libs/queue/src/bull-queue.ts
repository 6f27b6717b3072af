import Bull from 'bull';
import type { Job, JobHandlers, JobName, JobQueue } from '@app/study';
import { checkConcurrency, checkHandlers, handle, JOB_NAMES, jobId, warn, type QueueEvents } from './job.js';
import { RunningJobs } from './running-jobs.js';

/** One Bull queue a job name, so that each has its own depth and long evaluations hold up no step. */
export const QUEUE_NAMES: Readonly<Record<JobName, string>> = { 'study.step': 'study-step', 'trials.evaluate': 'trials-evaluate', 'export.build': 'export-build' };
export type BullQueues = Readonly<Record<JobName, Bull.Queue<Job>>>;

const ANSWER_MS = 5000;
const LOCK_MS = 60_000;
const STALLED_CHECK_MS = 30_000;
/** The store's leases decide what is run again and how often; a job must only not circle for ever. */
const MAX_STALLED = 20;

/**
 * Options of a Bull queue, for `new Bull(name, options)` or `BullModule.registerQueue({ name, ...options })`.
 *
 * @param redisUrl  `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS
 * @throws Error if it is no such URL
 */
export function bullOptions(redisUrl: string, prefix = 'caddis'): Bull.QueueOptions {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : null;
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || !/^\/?\d*$/.test(url.pathname)) {
    throw new Error(`expected a URL such as redis://127.0.0.1:6379/0, got ${url === null ? 'something else' : `${url.protocol}//${url.host}${url.pathname}`}`);
  }
  return {
    prefix,
    redis: {
      host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379), db: Number(url.pathname.slice(1) || 0),
      ...(url.username && { username: decodeURIComponent(url.username) }), ...(url.password && { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' && { tls: {} }),
      maxRetriesPerRequest: null, enableReadyCheck: false,
      retryStrategy: (times: number) => Math.min(100 * times, 2000),
    },
    settings: { lockDuration: LOCK_MS, stalledInterval: STALLED_CHECK_MS, maxStalledCount: MAX_STALLED },
    // A finished job goes at once: its id must be free for the next one about the same thing.
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  };
}

/** A Bull queue for each job name, for entry points without Nest. */
export function createBullQueues(redisUrl: string, prefix?: string): BullQueues {
  return Object.fromEntries(JOB_NAMES.map((name) => [name, new Bull<Job>(QUEUE_NAMES[name], bullOptions(redisUrl, prefix))])) as unknown as BullQueues;
}

/** Jobs on Redis, for any number of processes. Up to `concurrency` jobs of each name run side by side in each. */
export class BullQueue implements JobQueue {
  private readonly running = new RunningJobs();
  private readonly cancels = new Map<string, AbortController>();
  private handlers: JobHandlers | null = null;
  private closing: Promise<void> | null = null;
  private stalled = 0;

  constructor(private readonly queues: BullQueues, private readonly events: QueueEvents = {}) {
    for (const name of JOB_NAMES) {
      queues[name].on('error', (error: Error) => this.report(error, null));
      queues[name].on('stalled', (job: Bull.Job<Job>) => {
        this.stalled++;
        this.events.onStalled?.(job.data);
      });
      // Another worker may have the job by now; what this one would write is fenced off.
      queues[name].on('lock-extension-failed', (job: Bull.Job<Job>) => this.cancels.get(`${name} ${job.id}`)?.abort(new Error('the lock of the job was lost')));
    }
  }

  /** Jobs this process found whose worker fell silent. */
  get stalledCount(): number {
    return this.stalled;
  }

  /**
   * A job that still waits stands for one that is added. One that runs does not: it may have read its rows before they changed, so a
   * second is put behind it.
   */
  async add(jobs: readonly Job[]): Promise<void> {
    await answered('add', Promise.all(JOB_NAMES.map((name) => this.addTo(this.queues[name], jobs.filter((j) => j.name === name)))));
  }

  private async addTo(queue: Bull.Queue<Job>, jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const { defaultJobOptions } = bullOptions('redis://any');
    // Read before adding: a job that starts later reads rows that are at least as new as what this one is about.
    const active = new Set((await queue.getActive()).map((job) => String(job?.id)));
    const freeId = (job: Job): string => {
      let id = jobId(job);
      while (active.has(id)) id += '+';
      return id;
    };
    await queue.addBulk(jobs.map((data) => ({ data, opts: { ...defaultJobOptions, jobId: freeId(data) } })));
  }

  async work(handlers: JobHandlers, concurrency: number): Promise<void> {
    checkHandlers(handlers);
    checkConcurrency(concurrency);
    if (this.handlers) throw new Error('this queue has its handlers already');
    this.handlers = handlers;
    for (const name of JOB_NAMES) {
      this.queues[name].process(concurrency, (job) => this.run(handlers, name, job)).catch((error: Error) => this.report(error, null));
    }
    await answered('work', Promise.all(JOB_NAMES.map((name) => this.queues[name].isReady())));
  }

  private async run(handlers: JobHandlers, name: JobName, job: Bull.Job<Job>): Promise<void> {
    const cancel = new AbortController();
    const key = `${name} ${job.id}`;
    this.cancels.set(key, cancel);
    try {
      await this.running.run(async (signal) => handle(handlers, job.data, signal), cancel);
    } catch (error) {
      this.report(error as Error, job.data);
      throw error;
    } finally {
      this.cancels.delete(key);
    }
  }

  async depth(): Promise<Readonly<Record<JobName, number>>> {
    const counts = await answered('depth', Promise.all(JOB_NAMES.map((name) => this.queues[name].getJobCounts())));
    return Object.fromEntries(JOB_NAMES.map((name, i) => [name, counts[i]!.waiting + counts[i]!.active + counts[i]!.delayed])) as Record<JobName, number>;
  }

  async ping(): Promise<void> {
    await answered('ping', this.queues['study.step'].client.ping());
  }

  close(graceMs = 10_000): Promise<void> {
    this.closing ??= this.drainAndClose(graceMs);
    return this.closing;
  }

  /** Workers first: a job that ends may still add others. */
  private async drainAndClose(graceMs: number): Promise<void> {
    const queues = JOB_NAMES.map((name) => this.queues[name]);
    if (this.handlers) await settledWithin(ANSWER_MS, queues.map((queue) => queue.pause(true, true)));
    const ended = await this.running.drain(graceMs);
    await settledWithin(ANSWER_MS, queues.map((queue) => queue.close(!ended)));
  }

  private report(error: Error, job: Job | null): void {
    (this.events.onError ?? warn)(error, job);
  }
}

/** While Redis is away its client keeps commands for later; callers are told instead of being kept waiting. */
async function answered<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`the queue's Redis did not answer within ${ANSWER_MS / 1000} s (${what})`)), ANSWER_MS); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function settledWithin(ms: number, promises: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([Promise.allSettled(promises), new Promise((resolve) => { timer = setTimeout(resolve, ms); })]);
  clearTimeout(timer);
}
