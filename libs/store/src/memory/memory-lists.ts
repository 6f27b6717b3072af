import type { Page, StudyQuery, StudyRecord, TrialQuery, TrialRecord } from '@app/study';
import { checkLimit, decodeStudyCursor, decodeTrialCursor, encodeCursor, type Cursor } from '../cursor.js';

type Value = string | number | null;

/** Nulls last in either direction; ties in ascending order of the tie-breaker. */
function compare(a: Value, b: Value, descending: boolean): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b === descending ? 1 : -1;
}

export function listStudies(all: Iterable<StudyRecord>, query: StudyQuery): Page<StudyRecord> {
  const sort = query.sort ?? '-created';
  const by = sort.replace('-', '') as 'created' | 'name';
  const value = (s: StudyRecord): Value => (by === 'created' ? s.createdAt.getTime() : s.name.toLowerCase());
  const { states, label, search } = query;
  const kept = [...all].filter(
    (s) =>
      (!states?.length || states.includes(s.state)) &&
      (!label || (Object.hasOwn(s.labels, label.key) && s.labels[label.key] === label.value)) &&
      (!search || s.name.toLowerCase().includes(search.toLowerCase())),
  );
  return page(kept, sort, decodeStudyCursor, value, (s) => s.id, query);
}

export function listTrials(all: readonly TrialRecord[], query: TrialQuery): Page<TrialRecord> {
  const sort = query.sort ?? 'number';
  const key = sort.replace(/^-/, '');
  const value = (t: TrialRecord): Value => (key === 'number' ? t.number : Object.hasOwn(t.metrics, key) ? (t.metrics[key]?.value ?? null) : null);
  const { states, feasible, onFront } = query;
  const kept = all.filter(
    (t) => (!states?.length || states.includes(t.state)) && (feasible === undefined || t.feasible === feasible) && (onFront === undefined || t.onFront === onFront),
  );
  return page(kept, sort, decodeTrialCursor, value, (t) => t.number, query);
}

function page<T>(
  kept: T[], sort: string, decode: (text: string, sort: string) => Cursor, value: (item: T) => Value, tie: (item: T) => string | number, query: { readonly limit: number; readonly cursor?: string | undefined },
): Page<T> {
  const limit = checkLimit(query.limit);
  const descending = sort.startsWith('-');
  const order = (a: readonly [Value, string | number], b: readonly [Value, string | number]): number => compare(a[0], b[0], descending) || compare(a[1], b[1], false);
  const sorted = kept.sort((a, b) => order([value(a), tie(a)], [value(b), tie(b)]));
  let rest = sorted;
  if (query.cursor) {
    const after = decode(query.cursor, sort);
    rest = sorted.filter((item) => order([value(item), tie(item)], [after.value, after.tie]) > 0);
  }
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rest.length > limit && last !== undefined ? encodeCursor({ sort, value: value(last), tie: tie(last) }) : '' };
}
