import type { Request, Response } from 'express';
import { ProblemException } from './problem.js';

/** A study's entity tag: its revision. Anything the study shows changes with it. */
export const revisionTag = (revision: number): string => `"${revision}"`;

/** Sets the tag. True: the client has this revision already, and 304 was answered. */
export function unchanged(request: Request, response: Response, tag: string): boolean {
  response.set('ETag', tag).set('Cache-Control', 'private, no-cache');
  const known = request.headers['if-none-match'];
  if (known === undefined || !(known.trim() === '*' || tags(known).includes(tag))) return false;
  response.status(304).end();
  return true;
}

const tags = (header: string): string[] => header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));

/**
 * The revision a change is meant for; undefined if the client doesn't say.
 *
 * @throws ProblemException 400 if the header isn't a tag of ours
 */
export function expectedRevision(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const found = /^\s*"?(\d{1,15})"?\s*$/.exec(ifMatch);
  if (found) return Number(found[1]);
  throw new ProblemException('invalid-request', `If-Match: expected the ETag of the study such as "12", got ${ifMatch}`, {
    errors: [{ pointer: 'If-Match', code: 'invalid', message: 'expected one entity tag as the ETag header gave it' }],
  });
}
