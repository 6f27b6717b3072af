import { BadCursor } from '@app/study';

/** Where a page ended: the sort it belongs to, the last row's sort value, and its tie-breaker. */
export interface Cursor {
  readonly sort: string;
  readonly value: string | number | null;
  readonly tie: string | number;
}

export const encodeCursor = ({ sort, value, tie }: Cursor): string => Buffer.from(JSON.stringify([sort, value, tie])).toString('base64url');

/**
 * @param sort   the sort the page is asked with
 * @param types  what value and tie-breaker are in that sort
 * @throws BadCursor if the text is no cursor of that sort
 */
export function decodeCursor(text: string, sort: string, types: { readonly value: 'string' | 'number' | 'number or null'; readonly tie: 'string' | 'number' }): Cursor {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new BadCursor('cursor: expected a nextCursor of an earlier page');
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw new BadCursor('cursor: expected a nextCursor of an earlier page');
  const [of, value, tie] = parts as unknown[];
  if (of !== sort) throw new BadCursor(`cursor: it belongs to a list sorted by ${JSON.stringify(of)}, this one is sorted by ${JSON.stringify(sort)}`);
  const valueFits = typeof value === types.value || (types.value === 'number or null' && (value === null || typeof value === 'number'));
  if (!valueFits || typeof tie !== types.tie || (types.tie === 'number' && !Number.isInteger(tie))) throw new BadCursor('cursor: expected a nextCursor of an earlier page');
  return { sort, value: value as Cursor['value'], tie: tie as Cursor['tie'] };
}

/** @throws RangeError */
export function checkLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) throw new RangeError(`limit: expected a whole number from 1 to 100000, got ${limit}`);
  return limit;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (id: string): boolean => UUID.test(id);
