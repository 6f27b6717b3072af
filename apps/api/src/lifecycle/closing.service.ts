import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import type { JobQueue } from '@app/study';
import { CLOSE_STORE, LOGGER, QUEUE, type Logger } from '../ports.js';

const IDLE_CHECK_MS = 50;

/** The end: connections that answered their last request are closed, then, when nobody can ask any more, queue and database. */
@Injectable()
export class ClosingService implements BeforeApplicationShutdown, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(CLOSE_STORE) private readonly closeStore: () => Promise<void>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The server closes idle connections once; one that was busy then would be kept alive for seconds. */
  beforeApplicationShutdown(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    this.timer = setInterval(() => { if (!server.listening) server.closeIdleConnections(); }, IDLE_CHECK_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
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
