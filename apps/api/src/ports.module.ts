import { BullModule, getQueueToken } from '@nestjs/bull';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { Queue } from 'bull';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { BullQueue, bullOptions, JOB_NAMES, QUEUE_NAMES, type BullQueues } from '@app/queue';
import { PostgresStore, type Database } from '@app/store';
import type { Job, JobQueue, StudyStore } from '@app/study';
import { CATALOG, CLOSE_STORE, CONFIG, EVALUATORS, LOGGER, QUEUE, STORE, WORKER, type ApiCatalog, type Config, type EvaluatorFactory, type Logger, type StartWorker } from './ports.js';

export interface PortOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** a store, or an open database to make one on; the service closes the database last */
  readonly store: StudyStore | Database;
  /** a queue, or the Redis to make one on */
  readonly queue: JobQueue | { readonly redisUrl: string; readonly prefix?: string | undefined };
  readonly catalog: ApiCatalog;
  readonly evaluators: EvaluatorFactory;
  /** a worker in the same process */
  readonly worker?: StartWorker | undefined;
  /** closes what is behind a store that was handed in */
  readonly closeStore?: (() => Promise<void>) | undefined;
}

type Wiring = Required<Pick<DynamicModule, 'imports' | 'providers'>>;

/** Postgres through TypeORM where there is a database, else the store as it is. */
function storeWiring(choice: PortOptions['store']): Wiring {
  if (!('dataSource' in choice)) return { imports: [], providers: [{ provide: STORE, useValue: choice }] };
  const { dataSource } = choice;
  return {
    // It is open and migrated already: the module takes it over.
    imports: [TypeOrmModule.forRootAsync({ useFactory: (): DataSourceOptions => dataSource.options, dataSourceFactory: () => Promise.resolve(dataSource) })],
    providers: [{ provide: STORE, useFactory: (connected: DataSource) => new PostgresStore(connected), inject: [getDataSourceToken()] }],
  };
}

/** Bull where Redis is configured, else the queue as it is. */
function queueWiring(choice: PortOptions['queue'], logger: Logger): Wiring {
  if (!('redisUrl' in choice)) return { imports: [], providers: [{ provide: QUEUE, useValue: choice }] };
  const events = {
    onError: (error: Error, job: Job | null) => logger.error({ err: error, job: job?.name }, job === null ? 'the queue failed' : 'a job failed'),
    onStalled: (job: Job) => logger.warn({ job: job.name }, 'a worker fell silent with a job, which is run again'),
  };
  return {
    imports: [BullModule.registerQueue(...JOB_NAMES.map((name) => ({ name: QUEUE_NAMES[name], ...bullOptions(choice.redisUrl, choice.prefix) })))],
    providers: [{
      provide: QUEUE,
      useFactory: (...queues: Queue<Job>[]) => new BullQueue(Object.fromEntries(JOB_NAMES.map((name, i) => [name, queues[i]])) as unknown as BullQueues, events),
      inject: JOB_NAMES.map((name) => getQueueToken(QUEUE_NAMES[name])),
    }],
  };
}

/** Store, queue and the like for every module. */
@Module({})
export class PortsModule {
  static register(options: PortOptions): DynamicModule {
    const store = storeWiring(options.store);
    const queue = queueWiring(options.queue, options.logger);
    const closeDatabase = 'dataSource' in options.store ? options.store.close : null;
    const providers = [
      ...store.providers,
      ...queue.providers,
      { provide: CONFIG, useValue: options.config },
      { provide: LOGGER, useValue: options.logger },
      { provide: CATALOG, useValue: options.catalog },
      { provide: EVALUATORS, useValue: options.evaluators },
      { provide: WORKER, useValue: options.worker ?? null },
      { provide: CLOSE_STORE, useValue: options.closeStore ?? closeDatabase ?? (() => Promise.resolve()) },
    ];
    return { module: PortsModule, global: true, imports: [...store.imports, ...queue.imports], providers, exports: providers.map(tokenOf) };
  }
}

const tokenOf = (provider: Provider): symbol => (provider as { readonly provide: symbol }).provide;
