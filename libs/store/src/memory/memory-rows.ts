import { NotFound, type ExportRecord, type HistoryEntry, type ImportedTrial, type Lease, type Prior, type StepCommit, type StoredEvent, type StudyRecord, type TrialCounts, type TrialRecord } from '@app/study';
import { NO_TRIALS, type NewEvent } from '../study-life.js';

export interface LeaseRow {
  owner: string | null;
  epoch: number;
  until: number;
}

export interface AttemptRow {
  readonly number: number;
  readonly owner: string;
  readonly startedAt: number;
  finishedAt: number | null;
  state: string;
  reason: string | null;
  message: string | null;
}

export interface TrialRow {
  record: TrialRecord;
  readonly lease: LeaseRow;
  readonly attempts: AttemptRow[];
}

export interface StudyRow {
  record: StudyRecord;
  readonly lease: LeaseRow;
  told: number;
  snapshot: StepCommit['snapshot'] | null;
  /** by number */
  readonly trials: TrialRow[];
  readonly keys: Set<string>;
  readonly numbers: Set<number>;
  readonly history: HistoryEntry[];
  readonly events: StoredEvent[];
  readonly imports: readonly ImportedTrial[];
  readonly prior: Prior | null;
}

export interface ExportRow {
  record: ExportRecord;
  readonly lease: LeaseRow;
  base64: string | null;
}

export const noLease = (): LeaseRow => ({ owner: null, epoch: 0, until: 0 });
export const isHeld = (lease: LeaseRow, now: number): boolean => lease.owner !== null && lease.until > now;
/** Whether the lease is still the holder's: that it ran out only lets others in. */
export const holds = (row: LeaseRow, lease: Lease): boolean => row.owner === lease.owner && row.epoch === lease.epoch;

export function take(row: LeaseRow, id: string, owner: string, until: number): Lease {
  row.owner = owner;
  row.epoch++;
  row.until = until;
  return { id, owner, epoch: row.epoch };
}

/** Ends the lease for good: what its holder still writes counts for nothing. */
export function revoke(row: LeaseRow): void {
  row.owner = null;
  row.epoch++;
  row.until = 0;
}

export function countTrials(trials: readonly TrialRow[]): TrialCounts {
  const counts = { ...NO_TRIALS, total: trials.length };
  for (const t of trials) counts[t.record.state]++;
  return counts;
}

/** The tables, without their rules. */
export class MemoryRows {
  readonly studies = new Map<string, StudyRow>();
  readonly trials = new Map<string, TrialRow>();
  readonly exports = new Map<string, ExportRow>();
  readonly idempotency = new Map<string, { readonly bodyHash: string; readonly studyId: string; readonly at: number }>();

  study(id: string): StudyRow {
    const row = this.studies.get(id);
    if (!row) throw new NotFound('study', id);
    return row;
  }

  trial(id: string): TrialRow {
    const row = this.trials.get(id);
    if (!row) throw new NotFound('trial', id);
    return row;
  }

  export(id: string): ExportRow {
    const row = this.exports.get(id);
    if (!row) throw new NotFound('export', id);
    return row;
  }

  /** A changed study: its next revision, and the events that tell of it. */
  bump(study: StudyRow, now: number, change: Partial<StudyRecord>, events: (changed: StudyRecord) => readonly NewEvent[]): StudyRecord {
    study.record = { ...study.record, ...change, revision: study.record.revision + 1 };
    const { revision } = study.record;
    for (const { type, data } of events(study.record)) study.events.push({ revision, type, data, at: new Date(now) });
    return study.record;
  }
}
