import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import { AppModule } from './app.module.js';
import { MetricsService } from './health/metrics.service.js';
import { builtPage, servePage } from './http/page.js';
import { requestBody } from './http/request-body.js';
import { sameOrigin, securityHeaders } from './http/security.js';
import { nestLogger, requestLogger } from './logger.js';
import { OpenApiDocument } from './openapi.js';
import type { PortOptions } from './ports.module.js';

const BODY_LIMIT_BYTES = 1_000_000;

export interface ServiceOptions extends PortOptions {
  readonly version: string;
  /** folder of the built page */
  readonly page?: string | undefined;
}

/** The service, ready to listen. Whoever creates it closes it: that ends worker, streams, queue and store in this order. */
export async function createApp(options: ServiceOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.register(options), { bodyParser: false, abortOnError: false, logger: nestLogger(options.logger) });
  app.set('query parser', 'simple');
  app.use(requestLogger(options.logger));
  app.use(app.get(MetricsService).observe);
  app.use(securityHeaders());
  app.use(compression({ filter: (request, response) => !String(response.getHeader('content-type')).startsWith('text/event-stream') && compression.filter(request, response) }));
  app.use(sameOrigin());
  servePage(app, options.page ?? builtPage());
  app.use(requestBody(BODY_LIMIT_BYTES));
  app.get(OpenApiDocument).make(app, options.version);
  return app;
}
