import type { HistoryEntry, ProposedTrial, SettledTrial, StudyRecord, TrialOutcome, TrialRecord } from '@app/study';
import { CommitConflict, enter, finishedEvent, OPEN_TRIAL_STATES, stateEvent, type NewEvent } from '../study-life.js';
import type { ChangeOf } from './change.js';
import { countTrials, holds, noLease, revoke, type MemoryRows, type StudyRow, type TrialRow } from './memory-rows.js';

/** Checks the whole step before it changes anything, so that it is all or nothing. */
export function commitStep(rows: MemoryRows, { lease, step, at }: ChangeOf<'commit-step'>): StudyRecord | null {
  const study = rows.studies.get(lease.id);
  if (!study || !holds(study.lease, lease)) return null;
  checkStep(rows, study, step);
  const now = new Date(at);
  for (const trial of step.proposed) {
    const row: TrialRow = { record: pending(study.record.id, trial, now), lease: noLease(), attempts: [] };
    study.trials.push(row);
    study.keys.add(trial.key);
    study.numbers.add(trial.number);
    rows.trials.set(trial.id, row);
  }
  study.trials.sort((a, b) => a.record.number - b.record.number);
  for (const trial of step.settled) {
    const row = rows.trial(trial.id);
    closeAttempt(row, at, 'lost', 'settled-by-step', null);
    revoke(row.lease);
    row.attempts.push({ number: row.attempts.length + 1, owner: lease.owner, startedAt: at, finishedAt: at, state: trial.state, reason: trial.reason, message: trial.message });
    settle(row, trial, now);
  }
  for (const id of step.frontRemoved) amend(rows.trial(id), { onFront: false });
  for (const id of step.frontAdded) amend(rows.trial(id), { onFront: true });
  for (const { id, rank } of step.ranks) amend(rows.trial(id), { rank });
  for (const entry of step.history) keepHistory(study, entry);
  study.told = step.told;
  study.snapshot = step.snapshot;
  const finish = step.finish && { ...enter(study.record, step.finish.state, now), reason: step.finish.reason, message: step.finish.message };
  if (step.finish) revoke(study.lease);
  const frontSize = study.trials.reduce((n, t) => n + (t.record.onFront ? 1 : 0), 0);
  return rows.bump(study, at, { referencePoint: step.referencePoint, hypervolume: step.hypervolume, frontSize, screened: step.screened ?? 0, ...finish }, (changed) => stepEvents(step, changed, study));
}

function keepHistory(study: StudyRow, entry: HistoryEntry): void {
  const { history } = study;
  let at = history.length;
  while (at > 0 && history[at - 1]!.number >= entry.number) at--;
  history.splice(at, history[at]?.number === entry.number ? 1 : 0, entry);
}

function stepEvents(step: ChangeOf<'commit-step'>['step'], changed: StudyRecord, study: StudyRow): NewEvent[] {
  const events: NewEvent[] = [];
  if (step.settled.length > 0) events.push(finishedEvent(step.settled.map((t) => t.number), countTrials(study.trials)));
  if (step.frontAdded.length + step.frontRemoved.length > 0) {
    events.push({ type: 'front.changed', data: { added: step.frontAdded, removed: step.frontRemoved, size: changed.frontSize, hypervolume: changed.hypervolume } });
  }
  if (step.finish) events.push(stateEvent(changed));
  return events;
}

function checkStep(rows: MemoryRows, study: StudyRow, step: ChangeOf<'commit-step'>['step']): void {
  const numbers = new Set<number>();
  const keys = new Set<string>();
  const added = new Set<string>();
  for (const { id, number, key } of step.proposed) {
    if (rows.trials.has(id) || added.has(id)) throw new CommitConflict(`trial ${number}: its id ${id} is in use`);
    if (study.numbers.has(number) || numbers.has(number)) throw new CommitConflict(`trial ${number}: its number is in use in this study`);
    if (study.keys.has(key) || keys.has(key)) throw new CommitConflict(`trial ${number}: its point "${key}" was asked before in this study`);
    numbers.add(number);
    keys.add(key);
    added.add(id);
  }
  const settled = new Set<string>();
  for (const { id, number } of step.settled) {
    const open = rows.trials.get(id);
    const fits = added.has(id) || (open?.record.studyId === study.record.id && OPEN_TRIAL_STATES.includes(open.record.state));
    if (!fits || settled.has(id)) throw new CommitConflict(`trial ${number}: an outcome for ${id}, which is no open trial of this study`);
    settled.add(id);
  }
  for (const id of [...step.frontAdded, ...step.frontRemoved, ...step.ranks.map((r) => r.id)]) {
    if (!added.has(id) && rows.trials.get(id)?.record.studyId !== study.record.id) throw new CommitConflict(`front or rank of ${id}, which is no trial of this study`);
  }
}

function pending(studyId: string, trial: ProposedTrial, now: Date): TrialRecord {
  const { id, number, round, key, genes, parameters, fidelity, proposedBy, note } = trial;
  return {
    id, number, round, key, genes, parameters, fidelity: fidelity ?? 1, proposedBy, note, studyId, state: 'pending', reason: null, message: null, metrics: {}, objectives: [], violations: [], feasible: null,
    onFront: false, rank: null, attempts: 0, createdAt: now, settledAt: null, durationMs: null, progress: null,
  };
}

export function amend(row: TrialRow, change: Partial<TrialRecord>): void {
  row.record = { ...row.record, ...change, attempts: row.attempts.length };
}

export function settle(row: TrialRow, outcome: TrialOutcome | SettledTrial, now: Date): void {
  const { state, reason, message, metrics, objectives, violations, feasible, durationMs } = outcome;
  amend(row, { state, reason, message, metrics, objectives, violations, feasible, durationMs, settledAt: now, progress: null, ...(outcome.reached === undefined ? {} : { fidelity: outcome.reached }) });
}

export function closeAttempt(row: TrialRow, at: number, state: string, reason: string | null, message: string | null): void {
  const last = row.attempts.at(-1);
  if (last && last.finishedAt === null) Object.assign(last, { finishedAt: at, state, reason, message });
}
