import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job, StudyStore } from '@app/study';
import { LOGGER, STORE, type Logger } from '../ports.js';
import { WorkService } from './work.service.js';

const INTERVAL_MS = 3000;

/**
 * Puts work that no one holds on the queue, at start and every few seconds: what a crash left behind, and what was committed when the
 * queue did not answer. Adding a job twice does no harm: one that waits stands for both, and one that finds its work taken ends at once.
 */
@Injectable()
export class SweepService implements OnApplicationBootstrap, BeforeApplicationShutdown {
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

  private next(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.running = this.sweep()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'the sweep failed; it runs again'))
        .finally(() => { if (!this.stopped) this.next(INTERVAL_MS); });
    }, delayMs);
    this.timer.unref();
  }

  private async sweep(): Promise<void> {
    const { studies, trials, exports } = await this.store.unclaimed();
    const jobs: Job[] = [
      ...studies.map((studyId): Job => ({ name: 'study.step', studyId })),
      ...trials.map(({ id, studyId }): Job => ({ name: 'trials.evaluate', studyId, trialIds: [id] })),
      ...exports.map((exportId): Job => ({ name: 'export.build', exportId })),
    ];
    if (jobs.length > 0) await this.work.add(jobs);
  }
}
