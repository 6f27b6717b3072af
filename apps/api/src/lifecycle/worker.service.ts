import { Inject, Injectable, Optional, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { JobQueue, StudyStore } from '@app/study';
import { FeedsService } from '../events/feeds.service.js';
import { LOGGER, QUEUE, STORE, WORKER, type Logger, type StartWorker } from '../ports.js';

/**
 * The worker of the same process, if there is one, and the order in which all ends: readiness is off already (HealthService), then
 * jobs are no longer taken and running ones end, then the event streams are closed so that the HTTP server can be. Queue and
 * database come after that, see ClosingService.
 */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private worker: { close(): Promise<void> } | null = null;

  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(FeedsService) private readonly feeds: FeedsService,
    @Optional() @Inject(WORKER) private readonly start: StartWorker | null,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.start) return;
    this.worker = await this.start({ store: this.store, queue: this.queue, logger: this.logger, onChange: (studyId) => this.feeds.nudge(studyId) });
  }

  async beforeApplicationShutdown(): Promise<void> {
    try {
      await this.worker?.close();
    } finally {
      this.feeds.endAll();
    }
  }
}
