import { loadCatalog } from '@app/catalog';
import { studyEvaluator } from '@app/measure';
import { MemoryQueue } from '@app/queue';
import { openDatabase } from '@app/store';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeConfig, type Config } from './config.js';
import { createApp, type ServiceOptions } from './create-app.js';
import { createLogger } from './logger.js';
import type { StartWorker } from './ports.js';

export { createApp, type ServiceOptions } from './create-app.js';
export { ConfigError, describeConfig, readConfig, type Config } from './config.js';
export { createLogger, type Logger } from './logger.js';
export type { StartWorker } from './ports.js';

export interface RunningServer {
  /** address to call */
  readonly url: string;
  readonly app: NestExpressApplication;
  /** Ends worker, streams, HTTP server, queue and database in this order; twice is harmless. */
  close(): Promise<void>;
}

export interface ServerOptions extends Partial<Omit<ServiceOptions, 'config' | 'version' | 'worker'>> {
  readonly config: Config;
  readonly version: string;
  /** run in this process unless Redis is configured: then workers are processes of their own */
  readonly worker?: StartWorker | undefined;
  /** end in order on SIGTERM and SIGINT, with exit code 0; default true */
  readonly signals?: boolean | undefined;
}

/**
 * Opens what the configuration names, starts the service and waits until it listens. What is handed in is used instead.
 *
 * @throws the system's error (`EADDRINUSE`, …), DirectoryLocked or the driver's, after everything that was opened is closed again
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, signals = true } = options;
  const logger = options.logger ?? createLogger(config.logLevel);
  const store = options.store ?? (await openDatabase(config.databaseUrl === null ? { dataDir: config.dataDir } : { url: config.databaseUrl }));
  let app: NestExpressApplication;
  try {
    app = await createApp({
      ...options, logger, store,
      queue: options.queue ?? (config.redisUrl === null ? new MemoryQueue({ onError: (error, job) => logger.error({ err: error, job: job?.name }, 'a job failed') }) : { redisUrl: config.redisUrl, prefix: config.queuePrefix }),
      catalog: options.catalog ?? loadCatalog(),
      evaluators: options.evaluators ?? ((definition) => studyEvaluator(definition, { allowCommands: config.allowCommands })),
      worker: config.redisUrl === null ? options.worker : undefined,
    });
  } catch (error) {
    if ('dataSource' in store) await store.close();
    throw error;
  }
  if (signals) app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  try {
    await app.listen(config.port, config.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = reachable(await app.getUrl());
  logger.info({ url, config: describeConfig(config) }, 'listening');
  let closing: Promise<void> | null = null;
  return { url, app, close: () => (closing ??= app.close()) };
}

/** An address to call: "every interface" is none. */
function reachable(listening: string): string {
  const url = new URL(listening);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}
