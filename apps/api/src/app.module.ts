import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import { CatalogModule } from './catalog/catalog.module.js';
import { EventsModule } from './events/events.module.js';
import { ExportsModule } from './exports/exports.module.js';
import { HealthModule } from './health/health.module.js';
import { ApiKeyGuard } from './http/api-key.guard.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { OpenApiController, OpenApiDocument } from './openapi.js';
import { PortsModule, type PortOptions } from './ports.module.js';
import { SessionModule } from './session/session.module.js';
import { StudiesModule } from './studies/studies.module.js';
import { TrialsModule } from './trials/trials.module.js';

/** The service. The same modules run embedded and deployed: only the ports differ. */
@Module({})
export class AppModule {
  static register(options: PortOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [PortsModule.register(options), EventsModule, LifecycleModule, HealthModule, SessionModule, CatalogModule, StudiesModule, TrialsModule, ExportsModule],
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
