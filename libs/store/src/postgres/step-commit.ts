import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import type { Lease, StepCommit, StudyRecord } from '@app/study';
import { storedJson, storedText } from '../stored-json.js';
import { CommitConflict, enter, finishedEvent, stateEvent, type NewEvent } from '../study-life.js';
import { bump, changed, countTrials, rows, writeEvents } from './sql.js';
import { lockStudy, revokeStudy, timeColumns } from './study-rows.js';

/** Writes a step in one transaction; a fixed number of statements, however many trials it has. */
export async function commitStep(db: DataSource, lease: Lease, step: StepCommit): Promise<StudyRecord | null> {
  try {
    return await db.transaction(async (m) => {
      const before = await lockStudy(m, lease.id);
      if (!before || before.owner !== lease.owner || before.epoch !== lease.epoch) return null;
      await insertTrials(m, lease, step);
      await settleEarlier(m, lease, step);
      await markEarlier(m, lease.id, step);
      await writeHistory(m, lease.id, step);
      await dropWeights(m, lease.id, step);
      const { finish } = step;
      if (finish) await revokeStudy(m, lease.id);
      const study = await bump(m, lease.id, {
        told: step.told, snapshot_version: step.snapshot.version, snapshot: storedJson(step.snapshot.state), reference_point: step.referencePoint, hypervolume: step.hypervolume, screened: step.screened,
        ...(finish && { ...timeColumns(enter(before, finish.state, before.now)), reason: storedText(finish.reason), message: storedText(finish.message) }),
      });
      await writeEvents(m, lease.id, study.revision, await stepEvents(m, study, step));
      return study;
    });
  } catch (error) {
    throw asConflict(error);
  }
}

/** New trials as they are after the step: those evaluated within it have their outcome and one attempt. */
async function insertTrials(m: EntityManager, lease: Lease, step: StepCommit): Promise<void> {
  if (step.proposed.length === 0) return;
  const outcomes = new Map(step.settled.map((t) => [t.id, t]));
  const front = new Set(step.frontAdded);
  const ranks = new Map(step.ranks.map((r) => [r.id, r.rank]));
  const trials = step.proposed.map((t) => ({
    state: 'pending', metrics: {}, objectives: [], violations: [], ...outcomes.get(t.id), ...t, onFront: front.has(t.id), rank: ranks.get(t.id) ?? null,
  }));
  await rows(
    m,
    `with given as (
       select * from json_to_recordset($2::json) as g (
         id uuid, number int, round int, key text, genes double precision[], parameters json, fidelity double precision, "proposedBy" text, note json, state text, reason text, message text, metrics jsonb,
         objectives double precision[], violations double precision[], feasible boolean, "onFront" boolean, rank int, "durationMs" double precision)
     ), inserted as (
       insert into trial (id, study_id, number, round, key, genes, parameters, fidelity, proposed_by, note, state, reason, message, metrics, objectives, violations, feasible, on_front, rank, duration_ms, settled_at)
       select id, $1, number, round, key, genes, parameters, fidelity, "proposedBy", note, state, reason, message, metrics, objectives, violations, feasible, "onFront", rank, "durationMs",
         case when state <> 'pending' then clock_timestamp() end
       from given order by number
       returning id, study_id, state, reason, message
     )
     insert into attempt (trial_id, number, study_id, owner, state, reason, message, finished_at)
     select id, 1, study_id, $3, state, reason, message, clock_timestamp() from inserted where state <> 'pending'`,
    [lease.id, storedJson(trials), lease.owner],
  );
}

/** Outcomes of trials that an earlier step asked. Who has one leased loses it. */
async function settleEarlier(m: EntityManager, lease: Lease, step: StepCommit): Promise<void> {
  const fresh = new Set(step.proposed.map((t) => t.id));
  const earlier = step.settled.filter((t) => !fresh.has(t.id));
  if (earlier.length === 0) return;
  const ids = earlier.map((t) => t.id);
  const settled = await changed(
    m,
    `update trial t set state = g.state, reason = g.reason, message = g.message, metrics = g.metrics, objectives = g.objectives, violations = g.violations, feasible = g.feasible,
       duration_ms = g."durationMs", settled_at = clock_timestamp(), lease_owner = null, lease_until = null, lease_epoch = t.lease_epoch + 1
     from json_to_recordset($2::json) as g (
       id uuid, state text, reason text, message text, metrics jsonb, objectives double precision[], violations double precision[], feasible boolean, "durationMs" double precision)
     where t.id = g.id and t.study_id = $1 and t.state in ('pending', 'running')`,
    [lease.id, storedJson(earlier)],
  );
  if (settled !== ids.length) throw new CommitConflict(`outcomes for ${ids.length} trials of earlier steps, of which ${settled} are open trials of this study`);
  await changed(m, `update attempt set state = 'lost', reason = 'settled-by-step', finished_at = clock_timestamp() where trial_id = any($1::uuid[]) and finished_at is null`, [ids]);
  await rows(
    m,
    `insert into attempt (trial_id, number, study_id, owner, state, reason, message, finished_at)
     select t.id, (select count(*) + 1 from attempt a where a.trial_id = t.id), t.study_id, $2, t.state, t.reason, t.message, clock_timestamp() from trial t where t.id = any($1::uuid[])`,
    [ids, lease.owner],
  );
}

/** Front and ranks of trials that were there before; new ones were inserted with theirs. */
async function markEarlier(m: EntityManager, studyId: string, step: StepCommit): Promise<void> {
  const marks = new Map<string, { onFront?: boolean; ranked?: boolean; rank?: number | null }>();
  for (const id of step.frontRemoved) marks.set(id, { onFront: false });
  for (const id of step.frontAdded) marks.set(id, { onFront: true });
  for (const { id, rank } of step.ranks) marks.set(id, { ...marks.get(id), ranked: true, rank });
  for (const { id } of step.proposed) marks.delete(id);
  if (marks.size === 0) return;
  const marked = await changed(
    m,
    `update trial t set on_front = coalesce(g."onFront", t.on_front), rank = case when g.ranked then g.rank else t.rank end
     from json_to_recordset($2::json) as g (id uuid, "onFront" boolean, ranked boolean, rank int)
     where t.id = g.id and t.study_id = $1`,
    [studyId, storedJson([...marks].map(([id, mark]) => ({ id, ...mark })))],
  );
  if (marked !== marks.size) throw new CommitConflict(`front or ranks of ${marks.size} trials of earlier steps, of which ${marked} are trials of this study`);
}

async function writeHistory(m: EntityManager, studyId: string, step: StepCommit): Promise<void> {
  if (step.history.length === 0) return;
  await rows(
    m,
    `insert into front_history (study_id, number, hypervolume, front_size)
     select $1, number, hypervolume, "frontSize" from json_to_recordset($2::json) as g (number int, hypervolume double precision, "frontSize" int)
     on conflict (study_id, number) do update set hypervolume = excluded.hypervolume, front_size = excluded.front_size`,
    [studyId, storedJson(step.history)],
  );
}

async function dropWeights(m: EntityManager, studyId: string, { weightsDropped = [] }: StepCommit): Promise<void> {
  if (weightsDropped.length > 0) await changed(m, 'delete from trial_weights where study_id = $1 and trial_id = any($2::uuid[])', [studyId, weightsDropped]);
}

async function stepEvents(m: EntityManager, study: StudyRecord, step: StepCommit): Promise<NewEvent[]> {
  const events: NewEvent[] = [];
  if (step.settled.length > 0) events.push(finishedEvent(step.settled.map((t) => t.number), await countTrials(m, study.id)));
  if (step.frontAdded.length + step.frontRemoved.length > 0) {
    events.push({ type: 'front.changed', data: { added: step.frontAdded, removed: step.frontRemoved, size: study.frontSize, hypervolume: study.hypervolume } });
  }
  if (step.finish) events.push(stateEvent(study));
  return events;
}

const UNIQUE_VIOLATION = '23505';

function asConflict(error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  const { code, detail, constraint } = error.driverError as { code?: string; detail?: string; constraint?: string };
  return code === UNIQUE_VIOLATION && constraint?.startsWith('trial_') ? new CommitConflict(`a trial's id, number or point is in use: ${detail ?? constraint}`) : error;
}
