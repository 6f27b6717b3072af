import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { JobQueue } from '@app/study';
import { CLOSE_STORE, LOGGER, QUEUE, type Logger } from '../ports.js';

/** Runs when the HTTP server is closed and nobody can ask for anything any more: queue first, database last. */
@Injectable()
export class ClosingService implements OnApplicationShutdown {
  constructor(
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(CLOSE_STORE) private readonly closeStore: () => Promise<void>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    for (const [what, close] of [['queue', () => this.queue.close()], ['store', this.closeStore]] as const) {
      try {
        await close();
      } catch (error) {
        this.logger.error({ err: error }, `the ${what} was not closed cleanly`);
      }
    }
    this.logger.info('stopped');
  }
}
