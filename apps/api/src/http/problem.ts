import { HttpException } from '@nestjs/common';
import type { Problem } from '@app/contracts';

/** Kinds of problems, the last part of their `type` URI. README.md explains each. */
export const PROBLEMS = {
  'malformed-body': { status: 400, title: 'The body could not be read' },
  'invalid-request': { status: 400, title: 'A query parameter or header is not valid' },
  'bad-cursor': { status: 400, title: 'The cursor was not given out by this list' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  'cross-origin': { status: 403, title: 'Changes from another origin are refused' },
  'commands-not-allowed': { status: 403, title: 'This service does not run commands of studies' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'state-conflict': { status: 409, title: 'The state does not allow this' },
  'not-ready': { status: 409, title: 'The content is not ready' },
  'revision-mismatch': { status: 412, title: 'The study has changed' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not known' },
  'invalid-spec': { status: 422, title: 'The body is well-formed but not valid' },
  'idempotency-conflict': { status: 422, title: 'The idempotency key was used with another request' },
  'internal-error': { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'The service cannot answer now' },
} as const;
export type ProblemKind = keyof typeof PROBLEMS;

export type ProblemDetails = Pick<Problem, 'errors' | 'allowedActions'>;

/** An error the client is told about, as RFC 9457 has it. */
export class ProblemException extends HttpException {
  constructor(readonly kind: ProblemKind, detail: string, readonly details: ProblemDetails = {}, readonly headers: Readonly<Record<string, string>> = {}) {
    super(detail, PROBLEMS[kind].status);
  }

  toProblem(instance: string): Problem {
    return problemOf(this.kind, instance, this.message, this.details);
  }
}

export function problemOf(kind: ProblemKind, instance: string, detail?: string, details: ProblemDetails = {}): Problem {
  const { status, title } = PROBLEMS[kind];
  return { type: `urn:caddis:problem:${kind}`, title, status, ...(detail === undefined ? {} : { detail }), instance, ...details };
}

interface Issue {
  readonly message: string;
  readonly code?: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** of an issue about unknown fields */
  readonly keys?: readonly string[];
}

const MOST_ERRORS = 100;

/** Schema issues as the errors of a problem. Paths into the body are JSON pointers (RFC 6901), a query parameter is its name. */
export function schemaErrors(issues: readonly Issue[], place: 'body' | 'query'): NonNullable<Problem['errors']> {
  const errors = issues.flatMap((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
    const error = (at: readonly string[], message: string): NonNullable<Problem['errors']>[number] => ({
      pointer: place === 'query' ? at.join('.') : at.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      code: issue.keys ? `unknown-${place === 'query' ? 'parameter' : 'field'}` : (issue.code ?? 'invalid').replaceAll('_', '-'),
      message,
    });
    return issue.keys ? issue.keys.map((key) => error([...path, key], `unknown ${place === 'query' ? 'parameter' : 'field'} "${key}"`)) : [error(path, issue.message)];
  });
  return errors.slice(0, MOST_ERRORS);
}

/** The first error in words, and how many more there are. */
export function inWords(errors: NonNullable<Problem['errors']>, what: string): string {
  const first = errors[0];
  if (!first) return `${what} is not valid`;
  return `${first.pointer === '' ? what : first.pointer}: ${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}`;
}
