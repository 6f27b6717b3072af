import type { ExportRecord, StoredEvent, StudyRecord, TrialRecord } from '@app/study';
import { storedJson } from '../stored-json.js';
import type { ExportRow, MemoryRows, StudyRow, TrialRow } from './memory-rows.js';

type AsJson<T> = { readonly [K in keyof T]: T[K] extends Date ? string : T[K] extends Date | null ? string | null : T[K] };

interface StudyLine extends Omit<StudyRow, 'record' | 'trials' | 'keys' | 'numbers' | 'events'> {
  readonly op: 'study';
  readonly record: AsJson<StudyRecord>;
  readonly trials: readonly (Omit<TrialRow, 'record'> & { readonly record: AsJson<TrialRecord> })[];
  readonly events: readonly AsJson<StoredEvent>[];
}

interface OthersLine {
  readonly op: 'others';
  readonly exports: readonly (Omit<ExportRow, 'record'> & { readonly record: AsJson<ExportRecord> })[];
  readonly idempotency: readonly (readonly [string, { readonly bodyHash: string; readonly studyId: string; readonly at: number }])[];
}

export type DumpLine = StudyLine | OthersLine;

/** The whole content as journal lines. */
export function* dumpRows(rows: MemoryRows): Generator<string> {
  for (const { keys: _keys, numbers: _numbers, ...study } of rows.studies.values()) yield storedJson({ op: 'study', ...study });
  yield storedJson({ op: 'others', exports: [...rows.exports.values()], idempotency: [...rows.idempotency] });
}

export function loadDump(rows: MemoryRows, line: DumpLine): void {
  if (line.op === 'others') {
    for (const e of line.exports) rows.exports.set(e.record.id, { ...e, record: { ...e.record, createdAt: new Date(e.record.createdAt), finishedAt: date(e.record.finishedAt) } });
    for (const [key, value] of line.idempotency) rows.idempotency.set(key, value);
    return;
  }
  const { op: _op, record, trials, events, ...rest } = line;
  const study: StudyRow = {
    ...rest,
    imports: rest.imports ?? [],
    prior: rest.prior ?? null,
    record: { ...record, screened: record.screened ?? 0, createdAt: new Date(record.createdAt), startedAt: date(record.startedAt), finishedAt: date(record.finishedAt), runningSince: date(record.runningSince) },
    trials: trials.map((t) => ({ ...t, record: { ...t.record, fidelity: t.record.fidelity ?? 1, createdAt: new Date(t.record.createdAt), settledAt: date(t.record.settledAt) } })),
    keys: new Set(trials.map((t) => t.record.key)),
    numbers: new Set(trials.map((t) => t.record.number)),
    events: events.map((e) => ({ ...e, at: new Date(e.at) })),
  };
  rows.studies.set(record.id, study);
  for (const t of study.trials) rows.trials.set(t.record.id, t);
}

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));
