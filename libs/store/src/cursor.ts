import { BadCursor } from '@app/study';

/** Where a page ended: the sort it belongs to, the last row's sort value, and its tie-breaker. */
export interface Cursor {
  readonly sort: string;
  readonly value: string | number | null;
  readonly tie: string | number;
}

export const encodeCursor = ({ sort, value, tie }: Cursor): string => Buffer.from(JSON.stringify([sort, value, tie])).toString('base64url');

/**
 * @param sort  `created` or `name`, with or without a minus: value is ms since 1970 or a name, tie-breaker an id
 * @throws BadCursor if the text is no cursor of that sort
 */
export function decodeStudyCursor(text: string, sort: string): Cursor {
  const { value, tie } = decode(text, sort);
  const valueFits = sort.endsWith('name') ? typeof value === 'string' : typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
  if (!valueFits || typeof tie !== 'string' || !isUuid(tie)) throw new BadCursor(EXPECTED);
  return { sort, value: value as string | number, tie };
}

/**
 * @param sort  `number` or a metric key, with or without a minus: value is a number or null, tie-breaker the trial's number
 * @throws BadCursor if the text is no cursor of that sort
 */
export function decodeTrialCursor(text: string, sort: string): Cursor {
  const { value, tie } = decode(text, sort);
  if ((value !== null && typeof value !== 'number') || typeof tie !== 'number' || !Number.isInteger(tie)) throw new BadCursor(EXPECTED);
  return { sort, value, tie };
}

const EXPECTED = 'cursor: expected a nextCursor of an earlier page';

function decode(text: string, sort: string): { readonly value: unknown; readonly tie: unknown } {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new BadCursor(EXPECTED);
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw new BadCursor(EXPECTED);
  const [of, value, tie] = parts as unknown[];
  if (of !== sort) throw new BadCursor(`cursor: it belongs to a list sorted by ${JSON.stringify(of)}, this one is sorted by ${JSON.stringify(sort)}`);
  return { value, tie };
}

/** @throws RangeError */
export function checkLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) throw new RangeError(`limit: expected a whole number from 1 to 100000, got ${limit}`);
  return limit;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (id: string): boolean => UUID.test(id);
