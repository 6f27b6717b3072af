import type { DataSource, EntityManager } from 'typeorm';
import type { TrialState } from '@app/contracts';
import { IdempotencyConflict, NotFound, type Lease, type Page, type StudyQuery, type StudyRecord, type StudyStore, type TrialCounts } from '@app/study';
import { checkLimit, decodeStudyCursor, encodeCursor, isUuid } from '../cursor.js';
import { IdempotencyEntity } from '../entities/index.js';
import { storedJson, storedText } from '../stored-json.js';
import { enter, IDEMPOTENCY_MS, isTerminal, STEPPED_STATES, stateEvent, type StudyTimes } from '../study-life.js';
import { bump, changed, HELD, rows, STUDY, sumCounts, until, writeEvents } from './sql.js';

export type LockedStudy = StudyTimes & Pick<StudyRecord, 'spec' | 'revision'> & { readonly now: Date; readonly held: boolean; readonly owner: string | null; readonly epoch: number };

/** The study's row, locked until the transaction ends. Whoever changes a study or its trials takes this lock first, so none can block another for good. */
export async function lockStudy(m: EntityManager, id: string): Promise<LockedStudy | null> {
  const [study] = await rows<LockedStudy>(
    m,
    `select state, started_at as "startedAt", finished_at as "finishedAt", running_ms as "runningMs", running_since as "runningSince", spec, revision,
       date_trunc('milliseconds', clock_timestamp()) as now, ${HELD} as held, lease_owner as owner, lease_epoch as epoch
     from study where id = $1 for no key update`,
    [id],
  );
  return study ?? null;
}

export const timeColumns = (times: StudyTimes): Record<string, unknown> => ({
  state: times.state, started_at: times.startedAt, finished_at: times.finishedAt, running_ms: times.runningMs, running_since: times.runningSince,
});

/** Studies: their making, their states, and the right to step them. */
export class StudyRows {
  constructor(private readonly db: DataSource) {}

  async create({ definition, state, imports, prior, idempotency }: Parameters<StudyStore['create']>[0]): Promise<{ study: StudyRecord; created: boolean }> {
    for (;;) {
      const earlier = idempotency ? await this.answered(idempotency) : null;
      if (earlier) return { study: earlier, created: false };
      const study = await this.db.transaction((m) => insertStudy(m, definition, state, { imports, prior }, idempotency)).catch((error: unknown) => {
        if (error instanceof KeyTaken) return null;
        throw error;
      });
      if (study) return { study, created: true };
    }
  }

  private async answered({ key, bodyHash }: { readonly key: string; readonly bodyHash: string }): Promise<StudyRecord | null> {
    const earlier = await this.db.getRepository(IdempotencyEntity).findOneBy({ key: storedText(key) });
    if (!earlier || Date.now() - earlier.createdAt.getTime() >= IDEMPOTENCY_MS) return null;
    if (earlier.bodyHash !== bodyHash) throw new IdempotencyConflict(`idempotency key "${key}" was used with another body`);
    return this.study(earlier.studyId);
  }

  async study(id: string): Promise<StudyRecord> {
    const [study] = isUuid(id) ? await rows<StudyRecord>(this.db.manager, `select ${STUDY} from study s where s.id = $1`, [id]) : [];
    if (!study) throw new NotFound('study', id);
    return study;
  }

  async studies(query: StudyQuery): Promise<Page<StudyRecord>> {
    const limit = checkLimit(query.limit);
    const sort = query.sort ?? '-created';
    const byName = sort.endsWith('name');
    const value = byName ? 'lower(s.name) collate "C"' : 's.created_at';
    const params: unknown[] = [];
    const param = (v: unknown): string => `$${params.push(v)}`;
    const where = ['true'];
    if (query.states?.length) where.push(`s.state = any(${param(query.states)}::text[])`);
    if (query.label) where.push(`s.labels @> ${param(storedJson({ [query.label.key]: query.label.value }))}::jsonb`);
    if (query.search) where.push(`strpos(lower(s.name), lower(${param(storedText(query.search))})) > 0`);
    if (query.cursor) {
      const after = decodeStudyCursor(query.cursor, sort);
      const v = byName ? `${param(after.value)}::text` : `${param(new Date(after.value as number))}::timestamptz`;
      where.push(`(${value} ${sort.startsWith('-') ? '<' : '>'} ${v} or (${value} = ${v} and s.id > ${param(after.tie)}::uuid))`);
    }
    const found = await rows<StudyRecord & { sortName: string }>(
      this.db.manager,
      `select ${STUDY}, lower(s.name) as "sortName" from study s where ${where.join(' and ')} order by ${value} ${sort.startsWith('-') ? 'desc' : 'asc'}, s.id limit ${param(limit + 1)}`,
      params,
    );
    const last = found.length > limit ? found[limit - 1]! : null;
    const nextCursor = last === null ? '' : encodeCursor({ sort, value: byName ? last.sortName : last.createdAt.getTime(), tie: last.id });
    return { items: found.slice(0, limit).map(({ sortName: _, ...study }) => study), nextCursor };
  }

  async counts(studyIds: readonly string[]): Promise<ReadonlyMap<string, TrialCounts>> {
    const found = await rows<{ id: string; state: TrialState | null; count: number }>(
      this.db.manager,
      `select s.id, t.state, count(t.id)::int as count from study s left join trial t on t.study_id = s.id where s.id = any($1::uuid[]) group by s.id, t.state`,
      [studyIds.filter(isUuid)],
    );
    const byStudy = new Map<string, typeof found>();
    for (const row of found) byStudy.set(row.id, [...(byStudy.get(row.id) ?? []), row]);
    return new Map([...byStudy].map(([id, states]) => [id, sumCounts(states)]));
  }

  async patch(id: string, change: Parameters<StudyStore['patch']>[1], expectedRevision?: number): Promise<StudyRecord | null> {
    return this.locked(id, async (m, study) => {
      if (expectedRevision !== undefined && expectedRevision !== study.revision) return null;
      const spec = { ...study.spec, ...(JSON.parse(storedJson(change)) as typeof change) };
      const patched = await bump(m, id, { spec: storedJson(spec), name: storedText(spec.name), labels: storedJson(spec.labels) });
      await writeEvents(m, id, patched.revision, [stateEvent(patched)]);
      return patched;
    });
  }

  async transition(...[id, from, to, why]: Parameters<StudyStore['transition']>): Promise<StudyRecord | null> {
    return this.locked(id, async (m, study) => {
      if (!from.includes(study.state)) return null;
      if (isTerminal(to)) await revokeStudy(m, id);
      const set = { ...timeColumns(enter(study, to, study.now)), reason: why ? storedText(why.reason) : null, message: why ? storedText(why.message) : null };
      const moved = await bump(m, id, set);
      await writeEvents(m, id, moved.revision, [stateEvent(moved)]);
      return moved;
    });
  }

  async remove(id: string): Promise<boolean> {
    if (isUuid(id) && (await changed(this.db.manager, `delete from study where id = $1 and state not in ('running', 'stopping')`, [id])) === 1) return true;
    await this.study(id);
    return false;
  }

  async leaseStudy(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; study: StudyRecord } | null> {
    if (!isUuid(id)) return null;
    return this.db.transaction(async (m) => {
      const before = await lockStudy(m, id);
      if (!before || before.held || !STEPPED_STATES.includes(before.state)) return null;
      const [taken] = await rows<{ epoch: number }>(
        m, `update study set lease_owner = $2, lease_epoch = lease_epoch + 1, lease_until = ${until(3)} where id = $1 returning lease_epoch as epoch`, [id, owner, ttlMs],
      );
      const lease = { id, owner, epoch: taken!.epoch };
      if (before.state !== 'queued') {
        const [study] = await rows<StudyRecord>(m, `select ${STUDY} from study s where s.id = $1`, [id]);
        return { lease, study: study! };
      }
      const study = await bump(m, id, { ...timeColumns(enter(before, 'running', before.now)), reason: null, message: null });
      await writeEvents(m, id, study.revision, [stateEvent(study)]);
      return { lease, study };
    });
  }

  async renewStudy({ id, owner, epoch }: Lease, ttlMs: number): Promise<boolean> {
    return (await changed(this.db.manager, `update study set lease_until = ${until(4)} where id = $1 and lease_owner = $2 and lease_epoch = $3`, [id, owner, epoch, ttlMs])) === 1;
  }

  async releaseStudy({ id, owner, epoch }: Lease): Promise<void> {
    await changed(this.db.manager, `update study set lease_owner = null, lease_until = null where id = $1 and lease_owner = $2 and lease_epoch = $3`, [id, owner, epoch]);
  }

  private async locked<T>(id: string, change: (m: EntityManager, study: LockedStudy) => Promise<T>): Promise<T> {
    if (!isUuid(id)) throw new NotFound('study', id);
    return this.db.transaction(async (m) => {
      const study = await lockStudy(m, id);
      if (!study) throw new NotFound('study', id);
      return change(m, study);
    });
  }
}

/** Ends the lease for good: what its holder still writes counts for nothing. */
export async function revokeStudy(m: EntityManager, id: string): Promise<void> {
  await changed(m, 'update study set lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1 where id = $1', [id]);
}

class KeyTaken extends Error {}

async function insertStudy(m: EntityManager, { spec, space, devices }: Parameters<StudyStore['create']>[0]['definition'], state: string, { imports, prior }: Pick<Parameters<StudyStore['create']>[0], 'imports' | 'prior'>, idempotency: Parameters<StudyStore['create']>[0]['idempotency']): Promise<StudyRecord> {
  const [{ id }] = (await rows<{ id: string }>(
    m, `insert into study (name, labels, spec, space, devices, state, imports, prior) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [storedText(spec.name), storedJson(spec.labels), storedJson(spec), storedJson(space), storedJson(devices), state, imports?.length ? storedJson(imports) : null, prior ? storedJson(prior) : null],
  )) as [{ id: string }];
  if (idempotency) {
    const key = storedText(idempotency.key);
    await changed(m, `delete from idempotency where key = $1 and created_at <= clock_timestamp() - $2 * interval '1 millisecond'`, [key, IDEMPOTENCY_MS]);
    // Waits for a racing request with the same key, then finds its row.
    const kept = await rows(m, 'insert into idempotency (key, body_hash, study_id) values ($1, $2, $3) on conflict do nothing returning key', [key, idempotency.bodyHash, id]);
    if (kept.length === 0) throw new KeyTaken();
  }
  const study = await bump(m, id);
  await writeEvents(m, id, study.revision, [stateEvent(study)]);
  return study;
}
