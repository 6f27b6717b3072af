import { IdempotencyConflict, type Lease, type StudyRecord } from '@app/study';
import { enter, IDEMPOTENCY_MS, isTerminal, STEPPED_STATES, stateEvent } from '../study-life.js';
import type { ChangeOf } from './change.js';
import { isHeld, noLease, revoke, take, type MemoryRows, type StudyRow } from './memory-rows.js';

export function createStudy(rows: MemoryRows, { study, at }: ChangeOf<'create'>): { study: StudyRecord; created: boolean } {
  const { id, definition, state, idempotency } = study;
  if (idempotency) {
    const earlier = rows.idempotency.get(idempotency.key);
    if (earlier && at - earlier.at < IDEMPOTENCY_MS) {
      if (earlier.bodyHash !== idempotency.bodyHash) throw new IdempotencyConflict(`idempotency key "${idempotency.key}" was used with another body`);
      return { study: rows.study(earlier.studyId).record, created: false };
    }
    rows.idempotency.set(idempotency.key, { bodyHash: idempotency.bodyHash, studyId: id, at });
  }
  const record: StudyRecord = {
    ...definition, id, name: definition.spec.name, labels: definition.spec.labels, state, reason: null, message: null, revision: 0,
    createdAt: new Date(at), startedAt: null, finishedAt: null, runningMs: 0, runningSince: null, referencePoint: null, hypervolume: null, frontSize: 0, screened: 0,
  };
  const row: StudyRow = { record, lease: noLease(), told: 0, snapshot: null, trials: [], keys: new Set(), numbers: new Set(), history: [], events: [], imports: study.imports ?? [], prior: study.prior ?? null };
  rows.studies.set(id, row);
  return { study: rows.bump(row, at, {}, (s) => [stateEvent(s)]), created: true };
}

export function patchStudy(rows: MemoryRows, { id, change, expectedRevision, at }: ChangeOf<'patch'>): StudyRecord | null {
  const row = rows.study(id);
  if (expectedRevision !== null && expectedRevision !== row.record.revision) return null;
  const spec = { ...row.record.spec, ...change };
  return rows.bump(row, at, { spec, name: spec.name, labels: spec.labels }, (s) => [stateEvent(s)]);
}

export function transitionStudy(rows: MemoryRows, { id, from, to, why, at }: ChangeOf<'transition'>): StudyRecord | null {
  const row = rows.study(id);
  if (!from.includes(row.record.state)) return null;
  if (isTerminal(to)) revoke(row.lease);
  return rows.bump(row, at, { ...enter(row.record, to, new Date(at)), reason: why?.reason ?? null, message: why?.message ?? null }, (s) => [stateEvent(s)]);
}

export function removeStudy(rows: MemoryRows, { id }: ChangeOf<'remove'>): boolean {
  const row = rows.study(id);
  if (row.record.state === 'running' || row.record.state === 'stopping') return false;
  rows.studies.delete(id);
  for (const t of row.trials) rows.trials.delete(t.record.id);
  for (const [key, e] of rows.exports) if (e.record.studyId === id) rows.exports.delete(key);
  for (const [key, i] of rows.idempotency) if (i.studyId === id) rows.idempotency.delete(key);
  return true;
}

export function leaseStudy(rows: MemoryRows, { id, owner, ttlMs, at }: ChangeOf<'lease-study'>): { lease: Lease; study: StudyRecord } | null {
  const row = rows.studies.get(id);
  if (!row || !STEPPED_STATES.includes(row.record.state) || isHeld(row.lease, at)) return null;
  const lease = take(row.lease, id, owner, at + ttlMs);
  if (row.record.state === 'queued') rows.bump(row, at, { ...enter(row.record, 'running', new Date(at)), reason: null, message: null }, (s) => [stateEvent(s)]);
  return { lease, study: row.record };
}
