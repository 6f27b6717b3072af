import type { Job, JobHandlers, JobName, JobQueue } from '@app/study';
import { checkConcurrency, checkHandlers, handle, JOB_NAMES, jobId, warn, type QueueEvents } from './job.js';
import { RunningJobs } from './running-jobs.js';

/**
 * Jobs of this process, gone with it: what is unfinished is put back from the store's rows at the next start.
 * Up to `concurrency` jobs of each name run side by side, so that long evaluations hold up no step.
 */
export class MemoryQueue implements JobQueue {
  private readonly waiting = new Map<JobName, Map<string, Job>>(JOB_NAMES.map((name) => [name, new Map()]));
  private readonly active = new Map<JobName, number>(JOB_NAMES.map((name) => [name, 0]));
  private readonly running = new RunningJobs();
  private handlers: JobHandlers | null = null;
  private concurrency = 0;
  private state: 'open' | 'draining' | 'closed' = 'open';

  constructor(private readonly events: QueueEvents = {}) {}

  async add(jobs: readonly Job[]): Promise<void> {
    if (this.state === 'closed') throw new Error('the queue is closed');
    for (const job of jobs) {
      const waiting = this.waiting.get(job.name)!;
      const id = jobId(job);
      if (!waiting.has(id)) waiting.set(id, structuredClone(job));
    }
    setImmediate(() => this.start());
  }

  async work(handlers: JobHandlers, concurrency: number): Promise<void> {
    checkHandlers(handlers);
    checkConcurrency(concurrency);
    if (this.handlers) throw new Error('this queue has its handlers already');
    this.handlers = handlers;
    this.concurrency = concurrency;
    setImmediate(() => this.start());
  }

  async depth(): Promise<Readonly<Record<JobName, number>>> {
    return Object.fromEntries(JOB_NAMES.map((name) => [name, this.waiting.get(name)!.size + this.active.get(name)!])) as Record<JobName, number>;
  }

  async ping(): Promise<void> {
    if (this.state === 'closed') throw new Error('the queue is closed');
  }

  async close(graceMs = 10_000): Promise<void> {
    if (this.state === 'open') this.state = 'draining';
    await this.running.drain(graceMs);
    this.state = 'closed';
  }

  private start(): void {
    if (!this.handlers || this.state !== 'open') return;
    for (const name of JOB_NAMES) {
      for (const [id, job] of this.waiting.get(name)!) {
        if (this.active.get(name)! >= this.concurrency) break;
        this.waiting.get(name)!.delete(id);
        void this.run(this.handlers, job);
      }
    }
  }

  private async run(handlers: JobHandlers, job: Job): Promise<void> {
    this.active.set(job.name, this.active.get(job.name)! + 1);
    try {
      await this.running.run(async (signal) => handle(handlers, job, signal));
    } catch (error) {
      (this.events.onError ?? warn)(error as Error, job);
    } finally {
      this.active.set(job.name, this.active.get(job.name)! - 1);
      setImmediate(() => this.start());
    }
  }
}
