import { Inject, Injectable } from '@nestjs/common';
import type { Job, JobQueue } from '@app/study';
import { FeedsService } from '../events/feeds.service.js';
import { LOGGER, QUEUE, type Logger } from '../ports.js';

/** A queue that doesn't answer must not hold up the request: the sweep puts the work on it later. */
const PATIENCE_MS = 2000;

/** Tells the queue and the listeners that a study has changed. Called after the change is committed. */
@Injectable()
export class WorkService {
  constructor(
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(FeedsService) private readonly feeds: FeedsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  step(studyId: string): Promise<boolean> {
    return this.add([{ name: 'study.step', studyId }]);
  }

  buildExport(exportId: string): Promise<boolean> {
    return this.add([{ name: 'export.build', exportId }]);
  }

  changed(studyId: string): void {
    this.feeds.nudge(studyId);
  }

  /** False: the queue did not take them; the rows still say that there is work. */
  async add(jobs: readonly Job[]): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the queue did not answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    });
    try {
      await Promise.race([this.queue.add(jobs), late]);
      return true;
    } catch (error) {
      this.logger.warn({ err: error, jobs: jobs.length }, 'jobs were not queued; the sweep will try again');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
