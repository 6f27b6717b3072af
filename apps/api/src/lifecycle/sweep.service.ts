import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job, StudyStore } from '@app/study';
import { LOGGER, STORE, type Logger } from '../ports.js';
import { WorkService } from './work.service.js';

const INTERVAL_MS = 3000;
/** A job that waits in a long queue is not added again before this. */
const AGAIN_AFTER_MS = 30_000;
const TRIALS_PER_JOB = 16;

/**
 * Puts work that no one holds on the queue, at start and every few seconds: what a crash left behind, and what was committed when the
 * queue did not answer. Adding a job twice does no harm, since a job that finds its work taken ends at once.
 */
@Injectable()
export class SweepService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly added = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(WorkService) private readonly work: WorkService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.next(0);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** @returns the jobs it added */
  async sweep(now = Date.now()): Promise<readonly Job[]> {
    const { studies, trials, exports } = await this.store.unclaimed();
    for (const [id, at] of this.added) if (now - at >= AGAIN_AFTER_MS) this.added.delete(id);
    const due = (id: string): boolean => !this.added.has(id);
    const jobs: Job[] = studies.filter(due).map((studyId) => ({ name: 'study.step', studyId }));
    const byStudy = groupByStudy(trials.filter((trial) => due(trial.id)));
    for (const [studyId, open] of byStudy) {
      for (let i = 0; i < open.length; i += TRIALS_PER_JOB) {
        jobs.push({ name: 'trials.evaluate', studyId, trialIds: open.slice(i, i + TRIALS_PER_JOB).map((trial) => trial.id) });
      }
    }
    jobs.push(...exports.filter(due).map((exportId): Job => ({ name: 'export.build', exportId })));
    if (jobs.length === 0 || !(await this.work.add(jobs))) return [];
    for (const id of [...studies, ...trials.map((trial) => trial.id), ...exports]) if (due(id)) this.added.set(id, now);
    return jobs;
  }

  private next(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.running = this.sweep().then(
        (jobs) => { if (jobs.length > 0) this.logger.debug({ jobs: jobs.length }, 'unclaimed work was queued'); },
        (error: unknown) => this.logger.warn({ err: error }, 'the sweep failed; it runs again'),
      ).finally(() => { if (!this.stopped) this.next(INTERVAL_MS); });
    }, delayMs);
    this.timer.unref();
  }
}

function groupByStudy(trials: readonly { readonly id: string; readonly studyId: string }[]): Map<string, { readonly id: string }[]> {
  const groups = new Map<string, { readonly id: string }[]>();
  for (const trial of trials) {
    const group = groups.get(trial.studyId);
    if (group) group.push(trial);
    else groups.set(trial.studyId, [trial]);
  }
  return groups;
}
