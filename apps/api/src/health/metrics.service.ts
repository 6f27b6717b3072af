import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { STUDY_STATES, TRIAL_STATES, type StudyState } from '@app/contracts';
import type { JobQueue, StudyStore } from '@app/study';
import { FeedsService } from '../events/feeds.service.js';
import { LOGGER, QUEUE, STORE, type Logger } from '../ports.js';

/** Counting all trials reads every study: not more often than this. */
const FRESH_MS = 10_000;
const PAGE = 200;

/** Requests, errors and durations per route; what waits in the queue; studies and trials by state. Labels never carry an id. */
@Injectable()
export class MetricsService implements OnApplicationShutdown {
  private readonly registry = new Registry();
  private readonly requests: Counter<'method' | 'route' | 'status'>;
  private readonly durations: Histogram<'method' | 'route'>;
  private counted = { at: Number.NEGATIVE_INFINITY, studies: new Map<string, number>(), trials: new Map<string, number>() };

  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(FeedsService) private readonly feeds: FeedsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Counter({ name: 'http_requests_total', help: 'requests answered', labelNames: ['method', 'route', 'status'], registers });
    this.durations = new Histogram({
      name: 'http_request_duration_seconds', help: 'time to answer a request', labelNames: ['method', 'route'], registers,
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    });
    this.gauge('sse_clients', 'open event streams', null, () => new Map([['', this.feeds.clients]]));
    this.gauge('queue_depth', 'jobs waiting', 'job', async () => new Map(Object.entries(await this.queue.depth())));
    if ('stalledCount' in queue) this.gauge('queue_stalled_jobs', 'jobs this process found whose worker fell silent', null, () => new Map([['', Number(queue.stalledCount)]]));
    this.gauge('studies', 'studies by state', 'state', async () => (await this.count()).studies);
    this.gauge('trials', 'trials by state', 'state', async () => (await this.count()).trials);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  onApplicationShutdown(): void {
    this.registry.clear();
  }

  /** Middleware: one count and one duration a request, under the route's pattern. */
  observe = (request: Request, response: Response, next: NextFunction): void => {
    const began = performance.now();
    response.once('finish', () => {
      const pattern: unknown = (request.route as { path?: unknown } | undefined)?.path;
      const route = typeof pattern === 'string' && pattern !== '/' ? pattern.replaceAll('\\', '') : response.statusCode < 400 ? 'page' : 'unmatched';
      this.requests.inc({ method: request.method, route, status: String(response.statusCode) });
      // A stream lasts as long as its reader likes; its length says nothing about us.
      if (response.getHeader('content-type')?.toString().startsWith('text/event-stream') !== true) {
        this.durations.observe({ method: request.method, route }, (performance.now() - began) / 1000);
      }
    });
    next();
  };

  private gauge(name: string, help: string, label: string | null, read: () => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>): void {
    const { logger } = this;
    new Gauge({
      name, help, labelNames: label === null ? [] : [label], registers: [this.registry],
      async collect() {
        try {
          const values = await read();
          this.reset();
          for (const [key, value] of values) this.set(label === null ? {} : { [label]: key }, value);
        } catch (error) {
          logger.warn({ err: error, metric: name }, 'a metric could not be read');
          this.reset();
        }
      },
    });
  }

  private async count(): Promise<typeof this.counted> {
    const now = performance.now();
    if (now - this.counted.at < FRESH_MS) return this.counted;
    const studies = new Map<string, number>(STUDY_STATES.map((state: StudyState) => [state, 0]));
    const trials = new Map<string, number>(TRIAL_STATES.map((state) => [state, 0]));
    let cursor: string | undefined;
    do {
      const page = await this.store.studies({ limit: PAGE, cursor });
      const counts = await this.store.counts(page.items.map((study) => study.id));
      for (const study of page.items) studies.set(study.state, studies.get(study.state)! + 1);
      for (const count of counts.values()) for (const state of TRIAL_STATES) trials.set(state, trials.get(state)! + count[state]);
      cursor = page.nextCursor;
    } while (cursor !== '');
    this.counted = { at: now, studies, trials };
    return this.counted;
  }
}
