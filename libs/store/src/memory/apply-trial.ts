import type { ExportRecord, Lease, TrialRecord } from '@app/study';
import { finishedEvent, OPEN_TRIAL_STATES, progressEvent } from '../study-life.js';
import { amend, closeAttempt, settle } from './apply-step.js';
import type { ChangeOf } from './change.js';
import { countTrials, holds, isHeld, noLease, revoke, take, type MemoryRows, type TrialRow } from './memory-rows.js';

const isOpen = (row: TrialRow): boolean => OPEN_TRIAL_STATES.includes(row.record.state);

export const isHeldBy = (row: TrialRow, lease: Lease): boolean => row.record.state === 'running' && holds(row.lease, lease);

export function leaseTrial(rows: MemoryRows, { id, owner, ttlMs, at }: ChangeOf<'lease-trial'>): { lease: Lease; trial: TrialRecord } | null {
  const row = rows.trials.get(id);
  if (!row || !isOpen(row) || isHeld(row.lease, at)) return null;
  const study = rows.study(row.record.studyId);
  if (study.record.state !== 'running' && study.record.state !== 'stopping') return null;
  closeAttempt(row, at, 'lost', 'worker-lost', 'the lease ran out');
  const lease = take(row.lease, id, owner, at + ttlMs);
  row.attempts.push({ number: row.attempts.length + 1, owner, startedAt: at, finishedAt: null, state: 'running', reason: null, message: null });
  amend(row, { state: 'running', progress: null });
  rows.bump(study, at, {}, () => []);
  return { lease, trial: row.record };
}

export function reportProgress(rows: MemoryRows, { lease, progress, at }: ChangeOf<'report-progress'>): boolean {
  const row = rows.trials.get(lease.id);
  if (!row || !isHeldBy(row, lease)) return false;
  amend(row, { progress });
  rows.bump(rows.study(row.record.studyId), at, {}, () => [progressEvent(row.record.number)]);
  return true;
}

export function settleTrial(rows: MemoryRows, { lease, outcome, at }: ChangeOf<'settle-trial'>): { settled: boolean; open: number } {
  const row = rows.trials.get(lease.id);
  if (!row) return { settled: false, open: 0 };
  const study = rows.study(row.record.studyId);
  const settled = isHeldBy(row, lease);
  if (settled) {
    closeAttempt(row, at, outcome.state, outcome.reason, outcome.message);
    revoke(row.lease);
    settle(row, outcome, new Date(at));
    rows.bump(study, at, {}, () => [finishedEvent([row.record.number], countTrials(study.trials))]);
  }
  const { pending, running } = countTrials(study.trials);
  return { settled, open: pending + running };
}

export function abandonTrial(rows: MemoryRows, { lease, reason, message, at }: ChangeOf<'abandon-trial'>): boolean {
  const row = rows.trials.get(lease.id);
  if (!row || !isHeldBy(row, lease)) return false;
  closeAttempt(row, at, 'abandoned', reason, message);
  revoke(row.lease);
  amend(row, { state: 'pending', progress: null });
  rows.bump(rows.study(row.record.studyId), at, {}, () => []);
  return true;
}

export function cancelOpenTrials(rows: MemoryRows, { studyId, at }: ChangeOf<'cancel-open-trials'>): number {
  const study = rows.studies.get(studyId);
  const open = study?.trials.filter(isOpen) ?? [];
  if (!study || open.length === 0) return 0;
  for (const row of open) {
    closeAttempt(row, at, 'cancelled', 'cancelled', null);
    revoke(row.lease);
    amend(row, { state: 'cancelled', reason: 'cancelled', settledAt: new Date(at), progress: null });
  }
  rows.bump(study, at, {}, () => [finishedEvent(open.map((t) => t.record.number), countTrials(study.trials))]);
  return open.length;
}

export function createExport(rows: MemoryRows, { id, trialId, format, seed, at }: ChangeOf<'create-export'>): ExportRecord {
  const { studyId } = rows.trial(trialId).record;
  const record: ExportRecord = {
    id, studyId, trialId, format, seed, state: 'queued', message: null, fileName: null, bytes: null, sha256: null, manifest: null, createdAt: new Date(at), finishedAt: null,
  };
  rows.exports.set(id, { record, lease: noLease(), base64: null });
  return record;
}

export function leaseExport(rows: MemoryRows, { id, owner, ttlMs, at }: ChangeOf<'lease-export'>): Lease | null {
  const row = rows.exports.get(id);
  if (!row || (row.record.state !== 'queued' && row.record.state !== 'running') || isHeld(row.lease, at)) return null;
  row.record = { ...row.record, state: 'running' };
  return take(row.lease, id, owner, at + ttlMs);
}

export function finishExport(rows: MemoryRows, { lease, result, at }: ChangeOf<'finish-export'>): boolean {
  const row = rows.exports.get(lease.id);
  if (!row || row.record.state !== 'running' || !holds(row.lease, lease)) return false;
  revoke(row.lease);
  const finishedAt = new Date(at);
  if ('error' in result) {
    row.record = { ...row.record, state: 'failed', message: result.error, finishedAt };
    return true;
  }
  const { fileName, base64, sha256, manifest } = result;
  row.base64 = base64;
  row.record = { ...row.record, state: 'completed', fileName, bytes: Buffer.byteLength(base64, 'base64'), sha256, manifest, finishedAt };
  return true;
}
