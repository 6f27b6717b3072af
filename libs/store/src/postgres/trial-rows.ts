import type { DataSource, EntityManager } from 'typeorm';
import type { TrialProgress } from '@app/contracts';
import { NotFound, type FoldState, type HistoryEntry, type Lease, type Page, type StoredEvent, type OfferedWeights, type TrialOutcome, type TrialQuery, type TrialRecord } from '@app/study';
import { checkLimit, decodeTrialCursor, encodeCursor, isUuid } from '../cursor.js';
import { FrontHistoryEntity } from '../entities/index.js';
import { storedJson, storedText } from '../stored-json.js';
import { finishedEvent, progressEvent } from '../study-life.js';
import { bumpRevision, changed, countTrials, HELD, rows, TRIAL, TRIAL_IN_FULL, until, writeEvents } from './sql.js';
import { lockStudy, type LockedStudy } from './study-rows.js';

/** Trials and what is read of a study as a whole. */
export class TrialRows {
  constructor(private readonly db: DataSource) {}

  async leaseTrial(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; trial: TrialRecord } | null> {
    return this.withStudyOf(id, null, async (m, study, studyId) => {
      if (study.state !== 'running' && study.state !== 'stopping') return null;
      const [taken] = await rows<{ epoch: number }>(
        m,
        `update trial set state = 'running', progress = null, lease_owner = $2, lease_epoch = lease_epoch + 1, lease_until = ${until(3)}
         where id = $1 and state in ('pending', 'running') and not ${HELD} returning lease_epoch as epoch`,
        [id, owner, ttlMs],
      );
      if (!taken) return null;
      await closeAttempts(m, [id], 'lost', 'worker-lost', 'the lease ran out');
      await rows(m, 'insert into attempt (trial_id, number, study_id, owner, state) select $1, count(*) + 1, $2, $3, $4 from attempt where trial_id = $1', [id, studyId, owner, 'running']);
      await bumpRevision(m, studyId);
      return { lease: { id, owner, epoch: taken.epoch }, trial: await readTrial(m, id) };
    });
  }

  async renewTrial({ id, owner, epoch }: Lease, ttlMs: number): Promise<boolean> {
    return (await changed(this.db.manager, `update trial set lease_until = ${until(4)} where id = $1 and lease_owner = $2 and lease_epoch = $3`, [id, owner, epoch, ttlMs])) === 1;
  }

  async reportProgress({ id, owner, epoch }: Lease, progress: TrialProgress): Promise<boolean> {
    return this.withStudyOf(id, false, async (m, _study, studyId) => {
      const [trial] = await rows<{ number: number }>(
        m, `update trial set progress = $4 where id = $1 and lease_owner = $2 and lease_epoch = $3 and state = 'running' returning number`, [id, owner, epoch, storedJson(progress)],
      );
      if (!trial) return false;
      await writeEvents(m, studyId, await bumpRevision(m, studyId), [progressEvent(trial.number)]);
      return true;
    });
  }

  async settleTrial({ id, owner, epoch }: Lease, outcome: TrialOutcome, weights?: OfferedWeights): Promise<{ settled: boolean; open: number }> {
    return this.withStudyOf(id, { settled: false, open: 0 }, async (m, _study, studyId) => {
      const [trial] = await rows<{ number: number }>(
        m,
        `update trial t set state = g.state, reason = g.reason, message = g.message, metrics = g.metrics, objectives = g.objectives, violations = g.violations, feasible = g.feasible,
           duration_ms = g."durationMs", fidelity = coalesce(g.reached, t.fidelity), settled_at = clock_timestamp(), progress = null, lease_owner = null, lease_until = null, lease_epoch = t.lease_epoch + 1
         from json_to_record($4::json) as g (
           state text, reason text, message text, metrics jsonb, objectives double precision[], violations double precision[], feasible boolean, "durationMs" double precision, reached double precision)
         where t.id = $1 and t.lease_owner = $2 and t.lease_epoch = $3 and t.state = 'running' returning t.number`,
        [id, owner, epoch, storedJson(outcome)],
      );
      const counts = await countTrials(m, studyId);
      if (trial) {
        await closeAttempts(m, [id], outcome.state, outcome.reason, outcome.message);
        if (weights !== undefined) await keepWeights(m, studyId, id, weights);
        await writeEvents(m, studyId, await bumpRevision(m, studyId), [finishedEvent([trial.number], counts)]);
      }
      return { settled: trial !== undefined, open: counts.pending + counts.running };
    });
  }

  async abandonTrial({ id, owner, epoch }: Lease, reason: string, message: string): Promise<void> {
    await this.withStudyOf(id, undefined, async (m, _study, studyId) => {
      const given = await changed(
        m,
        `update trial set state = 'pending', progress = null, lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1 where id = $1 and lease_owner = $2 and lease_epoch = $3 and state = 'running'`,
        [id, owner, epoch],
      );
      if (given === 0) return;
      await closeAttempts(m, [id], 'abandoned', reason, message);
      await bumpRevision(m, studyId);
    });
  }

  async cancelOpenTrials(studyId: string): Promise<number> {
    if (!isUuid(studyId)) return 0;
    return this.db.transaction(async (m) => {
      if (!(await lockStudy(m, studyId))) return 0;
      const cancelled = await rows<{ id: string; number: number }>(
        m,
        `update trial set state = 'cancelled', reason = 'cancelled', settled_at = clock_timestamp(), progress = null, lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1
         where study_id = $1 and state in ('pending', 'running') returning id, number`,
        [studyId],
      );
      if (cancelled.length === 0) return 0;
      await closeAttempts(m, cancelled.map((t) => t.id), 'cancelled', 'cancelled', null);
      await writeEvents(m, studyId, await bumpRevision(m, studyId), [finishedEvent(cancelled.map((t) => t.number), await countTrials(m, studyId))]);
      return cancelled.length;
    });
  }

  async trial(id: string): Promise<TrialRecord> {
    if (!isUuid(id)) throw new NotFound('trial', id);
    return readTrial(this.db.manager, id);
  }

  async trialWeights(id: string): Promise<Uint8Array | null> {
    const [found] = isUuid(id) ? await rows<{ content: Buffer | null }>(this.db.manager, 'select w.content from trial t left join trial_weights w on w.trial_id = t.id where t.id = $1', [id]) : [];
    if (!found) throw new NotFound('trial', id);
    return found.content === null ? null : new Uint8Array(found.content);
  }

  async trials(studyId: string, query: TrialQuery): Promise<Page<TrialRecord>> {
    const limit = checkLimit(query.limit);
    const sort = query.sort ?? 'number';
    const key = sort.replace(/^-/, '');
    const params: unknown[] = [studyId];
    const param = (v: unknown): string => `$${params.push(v)}`;
    const value = key === 'number' ? 't.number' : `(t.metrics -> ${param(storedText(key))}::text ->> 'value')::double precision`;
    const where = ['t.study_id = $1'];
    if (query.states?.length) where.push(`t.state = any(${param(query.states)}::text[])`);
    if (query.feasible !== undefined) where.push(`t.feasible = ${param(query.feasible)}`);
    if (query.onFront !== undefined) where.push(`t.on_front = ${param(query.onFront)}`);
    if (query.cursor) {
      const after = decodeTrialCursor(query.cursor, sort);
      const tie = `t.number > ${param(after.tie)}::double precision`;
      const v = `${param(after.value)}::double precision`;
      where.push(after.value === null ? `${value} is null and ${v} is null and ${tie}` : `(${value} ${sort.startsWith('-') ? '<' : '>'} ${v} or ${value} is null or (${value} = ${v} and ${tie}))`);
    }
    const direction = `${sort.startsWith('-') ? 'desc' : 'asc'}${key === 'number' ? '' : ' nulls last'}`;
    const found = isUuid(studyId)
      ? await rows<TrialRecord & { sortValue: number | null }>(
        this.db.manager, `select ${TRIAL_IN_FULL}, ${value} as "sortValue" from trial t where ${where.join(' and ')} order by ${value} ${direction}, t.number limit ${param(limit + 1)}`, params,
      )
      : [];
    if (found.length === 0) await this.mustExist(studyId);
    const last = found.length > limit ? found[limit - 1]! : null;
    const nextCursor = last === null ? '' : encodeCursor({ sort, value: last.sortValue, tie: last.number });
    return { items: found.slice(0, limit).map(({ sortValue: _, ...trial }) => trial), nextCursor };
  }

  async allTrials(studyId: string): Promise<readonly TrialRecord[]> {
    return this.whole(studyId, 'null as note');
  }

  async fold(studyId: string): Promise<FoldState> {
    await this.mustExist(studyId);
    const [study] = await rows<{ told: number; version: string | null; state: never; imports: FoldState['imports'] | null; prior: FoldState['prior'] | null }>(
      this.db.manager, 'select told, snapshot_version as version, snapshot as state, imports, prior from study where id = $1', [studyId],
    );
    if (!study) throw new NotFound('study', studyId);
    const { told, version, state, imports, prior } = study;
    return { snapshot: version === null ? null : { version, state }, told, trials: await this.whole(studyId, 't.note'), imports: imports ?? [], prior: prior ?? null };
  }

  async front(studyId: string): Promise<readonly TrialRecord[]> {
    await this.mustExist(studyId);
    return rows<TrialRecord>(this.db.manager, `select ${TRIAL_IN_FULL} from trial t where t.study_id = $1 and t.on_front order by t.number`, [studyId]);
  }

  async history(studyId: string): Promise<readonly HistoryEntry[]> {
    await this.mustExist(studyId);
    const entries = await this.db.getRepository(FrontHistoryEntity).find({ where: { studyId }, order: { number: 'asc' } });
    return entries.map(({ number, hypervolume, frontSize }) => ({ number, hypervolume, frontSize }));
  }

  async events(studyId: string, after: number, limit: number): Promise<readonly StoredEvent[]> {
    if (!isUuid(studyId)) return [];
    return rows<StoredEvent>(
      this.db.manager,
      `select revision, type, data, at from (
         select * from study_event where study_id = $1 and revision > $2::double precision order by revision fetch first $3 rows with ties
       ) e order by revision, position`,
      [studyId, after, limit],
    );
  }

  private async whole(studyId: string, note: string): Promise<TrialRecord[]> {
    const found = isUuid(studyId)
      ? await rows<TrialRecord>(
        this.db.manager,
        `select ${TRIAL}, ${note}, coalesce(a.attempts, 0) as attempts from trial t
         left join (select trial_id, count(*)::int as attempts from attempt where study_id = $1 group by trial_id) a on a.trial_id = t.id
         where t.study_id = $1 order by t.number`,
        [studyId],
      )
      : [];
    if (found.length === 0) await this.mustExist(studyId);
    return found;
  }

  private async mustExist(studyId: string): Promise<void> {
    const found = isUuid(studyId) ? await rows(this.db.manager, 'select 1 from study where id = $1', [studyId]) : [];
    if (found.length === 0) throw new NotFound('study', studyId);
  }

  /** Runs a change of a trial with its study's row locked, or answers `gone` if there is no such trial. */
  private async withStudyOf<T>(trialId: string, gone: T, change: (m: EntityManager, study: LockedStudy, studyId: string) => Promise<T>): Promise<T> {
    if (!isUuid(trialId)) return gone;
    return this.db.transaction(async (m) => {
      const [trial] = await rows<{ studyId: string }>(m, 'select study_id as "studyId" from trial where id = $1', [trialId]);
      const study = trial ? await lockStudy(m, trial.studyId) : null;
      return trial && study ? change(m, study, trial.studyId) : gone;
    });
  }
}

async function readTrial(m: EntityManager, id: string): Promise<TrialRecord> {
  const [trial] = await rows<TrialRecord>(m, `select ${TRIAL_IN_FULL} from trial t where t.id = $1`, [id]);
  if (!trial) throw new NotFound('trial', id);
  return trial;
}

/** The study is locked, so that two can't take the last of the room. */
async function keepWeights(m: EntityManager, studyId: string, trialId: string, { content, limit }: OfferedWeights): Promise<void> {
  await rows(
    m,
    `insert into trial_weights (trial_id, study_id, content) select $1, $2, $3::bytea
     where (select coalesce(sum(octet_length(content)), 0) from trial_weights where study_id = $2) + octet_length($3::bytea) <= $4::double precision`,
    [trialId, studyId, Buffer.from(content.buffer, content.byteOffset, content.byteLength), limit],
  );
}

async function closeAttempts(m: EntityManager, trialIds: readonly string[], state: string, reason: string | null, message: string | null): Promise<void> {
  await changed(
    m, 'update attempt set state = $2, reason = $3, message = $4, finished_at = clock_timestamp() where trial_id = any($1::uuid[]) and finished_at is null',
    [trialIds, state, reason === null ? null : storedText(reason), message === null ? null : storedText(message)],
  );
}
