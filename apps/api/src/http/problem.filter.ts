import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Problem } from '@app/contracts';
import { BadCursor, IdempotencyConflict, NotFound } from '@app/study';
import { requestId, type Logger } from '../logger.js';
import { ProblemException, problemOf } from './problem.js';

const RETRY_AFTER_SECONDS = '5';

/** Every error leaves as `application/problem+json`. What we don't know is logged, and the client gets the request's id only. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = this.problem(error, request);
    if (problem.status >= 500) this.logger.error({ err: error, requestId: requestId(request), method: request.method, path: request.path }, problem.title);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof ProblemException) response.set(error.headers);
    if (problem.status === 503) response.set('Retry-After', RETRY_AFTER_SECONDS);
    response.removeHeader('ETag');
    response.status(problem.status).set('Cache-Control', 'no-store').type('application/problem+json').send(JSON.stringify(problem));
  }

  private problem(error: unknown, request: Request): Problem {
    const id = requestId(request);
    if (error instanceof ProblemException) return error.toProblem(id);
    if (error instanceof NotFound) return problemOf('not-found', id, error.message);
    if (error instanceof BadCursor) return problemOf('bad-cursor', id, error.message || undefined);
    if (error instanceof IdempotencyConflict) return problemOf('idempotency-conflict', id, error.message || 'the Idempotency-Key header came with another body before; use a new key');
    if (error instanceof URIError) return problemOf('not-found', id, 'the path is not a valid URI');
    if (error instanceof HttpException && error.getStatus() === 404) {
      return problemOf('not-found', id, `there is no ${request.method} ${request.path}; /openapi.json lists what there is`);
    }
    if (error instanceof HttpException && error.getStatus() < 500) return problemOf('invalid-request', id, error.message);
    if (isUnavailable(error)) return problemOf('unavailable', id, 'the database or the queue does not answer; nothing was lost, try again');
    return problemOf('internal-error', id);
  }
}

/** SQLSTATE classes: connection exception, insufficient resources, operator intervention (shutdown). */
const SQL_STATES = /^(08|53|57)/;
const NET_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN']);
const MESSAGES = /connection (is closed|terminated|timeout)|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|max retries per request|did not answer within|the queue is closed|not writeable|pool is draining|cannot use a pool after calling end/i;

/** Whether an error, or what caused it, says that a server behind us can't be reached. */
export function isUnavailable(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  const { code, cause, driverError } = error as Error & { code?: unknown; driverError?: unknown };
  if (typeof code === 'string' && (NET_CODES.has(code) || (code.length === 5 && SQL_STATES.test(code)))) return true;
  if (error.name === 'Unavailable' || error.name === 'MaxRetriesPerRequestError' || MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError && error.errors.some((e) => isUnavailable(e, depth + 1))) return true;
  return isUnavailable(cause, depth + 1) || isUnavailable(driverError, depth + 1);
}
