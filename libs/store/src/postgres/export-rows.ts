import type { DataSource } from 'typeorm';
import type { ExportFormat } from '@app/contracts';
import { NotFound, type ExportRecord, type Lease, type StudyStore } from '@app/study';
import { isUuid } from '../cursor.js';
import { storedJson, storedText } from '../stored-json.js';
import { changed, EXPORT, HELD, rows, until } from './sql.js';

export class ExportRows {
  constructor(private readonly db: DataSource) {}

  async createExport(trialId: string, format: ExportFormat, seed: number): Promise<ExportRecord> {
    const [made] = isUuid(trialId)
      ? await rows<ExportRecord>(
        this.db.manager, `insert into export as e (study_id, trial_id, format, seed) select study_id, id, $2, $3 from trial where id = $1 returning ${EXPORT}`, [trialId, format, seed],
      )
      : [];
    if (!made) throw new NotFound('trial', trialId);
    return made;
  }

  async export(id: string): Promise<ExportRecord> {
    const [found] = isUuid(id) ? await rows<ExportRecord>(this.db.manager, `select ${EXPORT} from export e where e.id = $1`, [id]) : [];
    if (!found) throw new NotFound('export', id);
    return found;
  }

  async exportContent(id: string): Promise<Uint8Array | null> {
    const [found] = isUuid(id) ? await rows<{ content: Buffer | null }>(this.db.manager, 'select content from export where id = $1', [id]) : [];
    if (!found) throw new NotFound('export', id);
    return found.content === null ? null : new Uint8Array(found.content);
  }

  async leaseExport(id: string, owner: string, ttlMs: number): Promise<Lease | null> {
    if (!isUuid(id)) return null;
    const [taken] = await rows<{ epoch: number }>(
      this.db.manager,
      `update export set state = 'running', lease_owner = $2, lease_epoch = lease_epoch + 1, lease_until = ${until(3)}
       where id = $1 and state in ('queued', 'running') and not ${HELD} returning lease_epoch as epoch`,
      [id, owner, ttlMs],
    );
    return taken ? { id, owner, epoch: taken.epoch } : null;
  }

  async renewExport({ id, owner, epoch }: Lease, ttlMs: number): Promise<boolean> {
    return (await changed(this.db.manager, `update export set lease_until = ${until(4)} where id = $1 and lease_owner = $2 and lease_epoch = $3 and state = 'running'`, [id, owner, epoch, ttlMs])) === 1;
  }

  async finishExport({ id, owner, epoch }: Lease, result: Parameters<StudyStore['finishExport']>[1]): Promise<boolean> {
    const made = 'error' in result
      ? ['failed', storedText(result.error), null, null, null, null]
      : ['completed', null, storedText(result.fileName), Buffer.from(result.content), result.sha256, storedJson(result.manifest ?? null)];
    const finished = await changed(
      this.db.manager,
      `update export set state = $4, message = $5, file_name = $6, content = $7, sha256 = $8, manifest = $9, finished_at = clock_timestamp(),
         lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1
       where id = $1 and lease_owner = $2 and lease_epoch = $3 and state = 'running'`,
      [id, owner, epoch, ...made],
    );
    return finished === 1;
  }
}
