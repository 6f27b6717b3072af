import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';

/** Name of the cookie, and how long it holds, s. */
export const SESSION_COOKIE = 'caddis_session';
export const SESSION_SECONDS = 12 * 3600;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Digests have one length, so the comparison tells nothing about that of the secret. */
export const sameSecret = (given: string, expected: Buffer): boolean => timingSafeEqual(digest(given), expected);
export const secretDigest = digest;

const sign = (apiKey: string, until: number): string => createHmac('sha256', digest(apiKey)).update(`session until ${until}`).digest('base64url');

/** What a browser that gave the key carries in its place: an end, signed with the key. A new key ends all sessions. */
export const issueSession = (apiKey: string, now: number): string => {
  const until = now + 1000 * SESSION_SECONDS;
  return `${until}.${sign(apiKey, until)}`;
};

export function holdsSession(request: Request, apiKey: string, now: number): boolean {
  const cookie = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=(\\d{1,16})\\.([\\w-]+)`).exec(request.headers.cookie ?? '');
  if (cookie === null || !(Number(cookie[1]) > now)) return false;
  return sameSecret(cookie[2]!, digest(sign(apiKey, Number(cookie[1]))));
}
