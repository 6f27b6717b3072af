import { resolve } from 'node:path';
import { createQueue } from '@app/queue';
import { openDatabase, PostgresStore } from '@app/store';
import { ConfigError, createLogger, readConfig, startServer, type Config, type Logger, type RunningServer } from '../../api/src/server.js';
import { startWorker, type Log } from '../../worker/src/worker.js';
import { InputError } from './output.js';
import { VERSION } from './version.js';

export interface ServiceOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  /** if the port is taken, take any */
  readonly anyFreePort?: boolean;
  readonly dataDir?: string | undefined;
  /** embedded whatever the environment says, and only warnings in the log */
  readonly quiet?: boolean;
  readonly signals?: boolean;
}

/** API and page, with a worker in this process unless Redis is configured. */
export async function startService(options: ServiceOptions): Promise<RunningServer> {
  const config = settings(options);
  const logger = createLogger(config.logLevel);
  const start = (port: number): Promise<RunningServer> =>
    startServer({
      config: { ...config, port }, version: VERSION, logger, signals: options.signals ?? false,
      worker: ({ store, queue, onChange }) => startWorker({ store, queue, onChange, log: workerLog(logger), version: VERSION, allowCommands: config.allowCommands, sweepMs: 0 }),
    });
  try {
    return await start(config.port);
  } catch (error) {
    if (!options.anyFreePort || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw asInput(error);
    return start(0);
  }
}

/** A worker alone, for a deployment; resolves when it has stopped after SIGTERM or SIGINT. */
export async function runWorker(concurrency: number | undefined): Promise<void> {
  const config = settings({});
  if (config.databaseUrl === null || config.redisUrl === null) throw new InputError('a worker of its own needs DATABASE_URL and REDIS_URL; without them "caddis serve" has one inside');
  const logger = createLogger(config.logLevel);
  const database = await openDatabase({ url: config.databaseUrl });
  const queue = createQueue({
    redisUrl: config.redisUrl, prefix: config.queuePrefix,
    onError: (error, job) => logger.error({ err: error, job: job?.name }, job === null ? 'the queue failed' : 'a job failed'),
    onStalled: (job) => logger.warn({ job: job.name }, 'a worker fell silent with a job, which is run again'),
  });
  const worker = await startWorker({ store: new PostgresStore(database.dataSource), queue, log: workerLog(logger), version: VERSION, allowCommands: config.allowCommands, ...(concurrency === undefined ? {} : { concurrency }) });
  logger.info('worker started');
  await new Promise<void>((stop) => {
    process.once('SIGTERM', () => stop());
    process.once('SIGINT', () => stop());
  });
  await worker.close();
  await database.close();
  logger.info('stopped');
}

function settings(options: ServiceOptions): Config {
  try {
    const { DATABASE_URL: _d, REDIS_URL: _r, ...rest } = process.env;
    const config = readConfig(options.quiet ? { LOG_LEVEL: 'warn', ...rest } : process.env);
    return { ...config, port: options.port ?? config.port, host: options.host ?? config.host, dataDir: resolve(options.dataDir ?? config.dataDir) };
  } catch (error) {
    throw asInput(error);
  }
}

const asInput = (error: unknown): unknown =>
  error instanceof ConfigError || (error as Error).name === 'DirectoryLocked' ? new InputError((error as Error).message)
  : (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? new InputError(`the port is taken: ${(error as Error).message}`)
  : error;

const workerLog = (logger: Logger): Log => ({
  info: (fields, message) => logger.info(fields, message),
  warn: (fields, message) => logger.warn(fields, message),
  error: (fields, message) => logger.error(fields, message),
});
