import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { LoggerService } from '@nestjs/common';
import { destination, pino, type Logger } from 'pino';
import { pinoHttp, type HttpLogger } from 'pino-http';

export type { Logger };

const REDACTED = ['req.headers.authorization', 'req.headers["x-api-key"]', 'req.headers.cookie', 'apiKey', 'databaseUrl', 'redisUrl', '*.password'];

/** JSON lines on standard error: standard output belongs to the commands' results. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { service: 'caddis-api' }, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 2, sync: false }));
}

/** Nest's messages in our log. Its chatter about modules and routes is kept for `debug`. */
export function nestLogger(logger: Logger): LoggerService {
  const write = (level: 'debug' | 'warn' | 'error' | 'fatal') => (message: unknown, ...rest: unknown[]): void => {
    const context = rest.at(-1);
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    const about = message instanceof Error ? { err: message } : stack;
    logger[level]({ ...about, ...(typeof context === 'string' ? { context } : {}) }, message instanceof Error ? message.message : String(message));
  };
  return { log: write('debug'), debug: write('debug'), verbose: write('debug'), warn: write('warn'), error: write('error'), fatal: write('fatal') };
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const QUIET = /^\/(health|metrics|assets)(\/|$)/;

/** One line a request with ids only, and `X-Request-Id` in and out. An id that isn't a plain word is replaced. */
export function requestLogger(logger: Logger): HttpLogger {
  return pinoHttp({
    logger,
    genReqId: (request: IncomingMessage, response: ServerResponse): string => {
      const given = request.headers['x-request-id'];
      const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
      response.setHeader('X-Request-Id', id);
      return id;
    },
    autoLogging: { ignore: (request) => QUIET.test(request.url ?? '') },
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'error' : 'info'),
    serializers: {
      req: (request: { id: string; method: string; url: string }) => ({ id: request.id, method: request.method, path: request.url.split('?')[0] }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
}

/** The id `requestLogger` gave a request. */
export const requestId = (request: IncomingMessage): string => String((request as IncomingMessage & { id?: unknown }).id ?? '');
