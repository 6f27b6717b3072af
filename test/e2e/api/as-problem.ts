import { expect } from 'vitest';
import { problem, type Problem } from '@app/contracts';

/** The answer is a problem as RFC 9457 and our schema have it, and carries the request's id. */
export function asProblem(answer: { readonly status: number; readonly type: string; readonly text: string; readonly headers: Readonly<Record<string, string>> }, kind: string): Problem {
  expect(answer.type).toBe('application/problem+json');
  const body = problem.parse(JSON.parse(answer.text));
  expect(body.type).toBe(`urn:caddis:problem:${kind}`);
  expect(body.status).toBe(answer.status);
  expect(body.instance).toBe(answer.headers['x-request-id']);
  return body;
}
