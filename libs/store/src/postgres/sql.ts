import type { EntityManager } from 'typeorm';
import type { StudyRecord, TrialCounts } from '@app/study';
import type { TrialState } from '@app/contracts';
import { storedJson } from '../stored-json.js';
import { NO_TRIALS, type NewEvent } from '../study-life.js';

/** Rows of a statement, be it a query or a change with `returning`. */
export async function rows<T>(m: EntityManager, text: string, params: readonly unknown[] = []): Promise<T[]> {
  const result: unknown = await m.query(text, [...params]);
  return (isChange(result) ? result[0] : result) as T[];
}

/** How many rows an update or delete changed. */
export async function changed(m: EntityManager, text: string, params: readonly unknown[]): Promise<number> {
  const result: unknown = await m.query(text, [...params]);
  if (!isChange(result)) throw new Error(`expected an update or delete, got ${text.trim().slice(0, 40)}`);
  return result[1];
}

/** TypeORM answers updates and deletes with [rows, count]. */
const isChange = (result: unknown): result is [unknown[], number] => Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number';

/** Columns of a StudyRecord, of a study `s`. */
export const STUDY = `
  s.id, s.name, s.labels, s.spec, s.space, s.devices, s.state, s.reason, s.message, s.revision, s.created_at as "createdAt", s.started_at as "startedAt",
  s.finished_at as "finishedAt", s.running_ms as "runningMs", s.running_since as "runningSince", array_to_json(s.reference_point) as "referencePoint", s.hypervolume, s.screened,
  (select count(*)::int from trial f where f.study_id = s.id and f.on_front) as "frontSize"`;

/** Columns of a TrialRecord but `note` and `attempts`, of a trial `t`. Arrays come as JSON, which the driver reads faster. */
export const TRIAL = `
  t.id, t.study_id as "studyId", t.number, t.round, t.key, array_to_json(t.genes) as genes, t.parameters, t.fidelity, t.proposed_by as "proposedBy", t.state, t.reason, t.message, t.metrics,
  array_to_json(t.objectives) as objectives, array_to_json(t.violations) as violations, t.feasible, t.on_front as "onFront", t.rank, t.created_at as "createdAt",
  t.settled_at as "settledAt", t.duration_ms as "durationMs", t.progress`;
export const TRIAL_IN_FULL = `${TRIAL}, t.note, (select count(*)::int from attempt a where a.trial_id = t.id) as attempts`;

export const EXPORT = `
  e.id, e.study_id as "studyId", e.trial_id as "trialId", e.format, e.seed::double precision as seed, e.state, e.message, e.file_name as "fileName",
  octet_length(e.content) as bytes, e.sha256, e.manifest, e.created_at as "createdAt", e.finished_at as "finishedAt"`;

/** Condition under which a row's lease keeps others out. */
export const HELD = `(lease_owner is not null and lease_until > clock_timestamp())`;
/** End of a lease, its length in ms being parameter n. */
export const until = (n: number): string => `clock_timestamp() + $${n}::double precision * interval '1 millisecond'`;

/** The next revision of a locked study, with what else changes in it. */
export async function bump(m: EntityManager, id: string, set: Readonly<Record<string, unknown>> = {}): Promise<StudyRecord> {
  const columns = Object.keys(set);
  const [study] = await rows<StudyRecord>(
    m,
    `update study s set ${['revision = s.revision + 1', ...columns.map((c, i) => `${c} = $${i + 2}`)].join(', ')} where s.id = $1 returning ${STUDY}`,
    [id, ...Object.values(set)],
  );
  return study!;
}

/** The next revision of a study of which nothing else changes. */
export async function bumpRevision(m: EntityManager, id: string): Promise<number> {
  const [study] = await rows<{ revision: number }>(m, 'update study set revision = revision + 1 where id = $1 returning revision', [id]);
  return study!.revision;
}

export async function writeEvents(m: EntityManager, studyId: string, revision: number, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await rows(
    m,
    `insert into study_event (study_id, revision, position, type, data)
     select $1, $2, e.ordinality - 1, e.value ->> 'type', e.value -> 'data' from jsonb_array_elements($3::jsonb) with ordinality e`,
    [studyId, revision, storedJson(events)],
  );
}

export async function countTrials(m: EntityManager, studyId: string): Promise<TrialCounts> {
  const states = await rows<{ state: TrialState; count: number }>(m, 'select state, count(*)::int as count from trial where study_id = $1 group by state', [studyId]);
  return sumCounts(states);
}

export function sumCounts(states: readonly { readonly state: TrialState | null; readonly count: number }[]): TrialCounts {
  const counts = { ...NO_TRIALS };
  for (const { state, count } of states) {
    if (state === null) continue;
    counts[state] = count;
    counts.total += count;
  }
  return counts;
}
