import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import type { JobQueue, StudyStore } from '@app/study';
import { CatalogModule } from './catalog/catalog.module.js';
import { EventsModule } from './events/events.module.js';
import { ExportsModule } from './exports/exports.module.js';
import { HealthModule } from './health/health.module.js';
import { ApiKeyGuard } from './http/api-key.guard.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { OpenApiController, OpenApiDocument } from './openapi.js';
import { CATALOG, CLOSE_STORE, CONFIG, EVALUATORS, LOGGER, QUEUE, STORE, WORKER, type ApiCatalog, type Config, type EvaluatorFactory, type Logger, type StartWorker } from './ports.js';
import { StudiesModule } from './studies/studies.module.js';
import { TrialsModule } from './trials/trials.module.js';

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: StudyStore;
  readonly queue: JobQueue;
  readonly catalog: ApiCatalog;
  readonly evaluators: EvaluatorFactory;
  /** a worker in the same process */
  readonly worker?: StartWorker | undefined;
  /** closes what is behind the store; called last */
  readonly closeStore?: (() => Promise<void>) | undefined;
  /** modules that bring store and queue along (TypeORM, Bull) */
  readonly imports?: NonNullable<ModuleMetadata['imports']> | undefined;
}

/** Store, queue and the like for every module. */
@Module({})
class PortsModule {
  static register(options: AppOptions): DynamicModule {
    const providers: Provider[] = [
      { provide: CONFIG, useValue: options.config },
      { provide: LOGGER, useValue: options.logger },
      { provide: STORE, useValue: options.store },
      { provide: QUEUE, useValue: options.queue },
      { provide: CATALOG, useValue: options.catalog },
      { provide: EVALUATORS, useValue: options.evaluators },
      { provide: WORKER, useValue: options.worker ?? null },
      { provide: CLOSE_STORE, useValue: options.closeStore ?? (() => Promise.resolve()) },
    ];
    return { module: PortsModule, global: true, imports: [...(options.imports ?? [])], providers, exports: providers.map((p) => (p as { provide: symbol }).provide) };
  }
}

/** The service. The same modules run embedded and deployed: only the ports differ. */
@Module({})
export class AppModule {
  static register(options: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [PortsModule.register(options), EventsModule, LifecycleModule, HealthModule, CatalogModule, StudiesModule, TrialsModule, ExportsModule],
      controllers: [OpenApiController],
      providers: [
        OpenApiDocument,
        { provide: APP_PIPE, useClass: ValidationPipe },
        { provide: APP_FILTER, useFactory: () => new ProblemFilter(options.logger) },
        { provide: APP_GUARD, useFactory: (reflector: Reflector) => new ApiKeyGuard(options.config.apiKey, reflector), inject: [Reflector] },
      ],
    };
  }
}
