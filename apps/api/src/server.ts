import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import { AppModule, type AppOptions } from './app.module.js';
import { describeConfig } from './config.js';
import { MetricsService } from './health/metrics.service.js';
import { builtPage, servePage } from './http/page.js';
import { requestBody } from './http/request-body.js';
import { sameOrigin, securityHeaders } from './http/security.js';
import { nestLogger, requestLogger } from './logger.js';
import { OpenApiDocument } from './openapi.js';

const BODY_LIMIT_BYTES = 1_000_000;

export interface ServiceOptions extends AppOptions {
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

export interface RunningServer {
  readonly url: string;
  readonly app: NestExpressApplication;
  close(): Promise<void>;
}

/**
 * Starts the service and waits until it listens.
 *
 * @param signals  end in order on SIGTERM and SIGINT
 * @throws the system's error (`EADDRINUSE`, …) after everything that was opened is closed again
 */
export async function listen(options: ServiceOptions, signals = true): Promise<RunningServer> {
  const { config, logger } = options;
  const app = await createApp(options);
  if (signals) app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  try {
    await app.listen(config.port, config.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = reachable(await app.getUrl());
  logger.info({ url, config: describeConfig(config) }, 'listening');
  return { url, app, close: () => app.close() };
}

/** An address to call: "every interface" is none. */
function reachable(listening: string): string {
  const url = new URL(listening);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}
