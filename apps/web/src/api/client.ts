import type { Problem } from '@app/contracts';
import { createStore } from '../state/store.js';

/** The service answered, and it was not what was asked for (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

/** No answer at all: service stopped, network gone, or an answer that isn't ours. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export type FieldErrors = NonNullable<Problem['errors']>;

const SESSION = '/v1/session';

/** @throws ApiError `unauthorized` on another key */
export const signIn = (apiKey: string): Promise<void> => request<void>(SESSION, { method: 'POST', body: { apiKey } });

export interface RequestOptions {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The service asked for its key: the page does, too. */
export const keyWanted = createStore(false);

/** @throws ApiError with the service's problem; Unreachable if there was no usable answer */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = 'GET', body, headers, signal } = options;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(`The service does not answer at ${location.origin}.`);
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  if (response.status === 401 && path !== SESSION) keyWanted.set(true);
  throw new ApiError(toProblem(response.status, response.statusText, text));
}

function toProblem(status: number, statusText: string, text: string): Problem {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'title' in parsed) return { ...(parsed as Problem), status };
  } catch {
    // a proxy's own page, for instance: the status is all there is to tell
  }
  return { type: 'about:blank', title: statusText || `HTTP ${status}`, status };
}
