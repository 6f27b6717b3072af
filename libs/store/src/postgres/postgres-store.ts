import type { DataSource } from 'typeorm';
import type { ExportFormat } from '@app/contracts';
import type { Lease, StepCommit, StudyRecord, StudyStore } from '@app/study';
import { commitStep } from './step-commit.js';
import { ExportRows } from './export-rows.js';
import { HELD, rows } from './sql.js';
import { StudyRows } from './study-rows.js';
import { TrialRows } from './trial-rows.js';

/** Studies in Postgres, a real one or the embedded one. Times and leases go by the database's clock, so workers need not agree on theirs. */
export class PostgresStore implements StudyStore {
  private readonly studyRows: StudyRows;
  private readonly trialRows: TrialRows;
  private readonly exportRows: ExportRows;

  constructor(private readonly db: DataSource) {
    this.studyRows = new StudyRows(db);
    this.trialRows = new TrialRows(db);
    this.exportRows = new ExportRows(db);
  }

  create(...args: Parameters<StudyStore['create']>): ReturnType<StudyStore['create']> {
    return this.studyRows.create(...args);
  }

  study(id: string): Promise<StudyRecord> {
    return this.studyRows.study(id);
  }

  studies(...args: Parameters<StudyStore['studies']>): ReturnType<StudyStore['studies']> {
    return this.studyRows.studies(...args);
  }

  counts(studyIds: readonly string[]): ReturnType<StudyStore['counts']> {
    return this.studyRows.counts(studyIds);
  }

  patch(...args: Parameters<StudyStore['patch']>): ReturnType<StudyStore['patch']> {
    return this.studyRows.patch(...args);
  }

  transition(...args: Parameters<StudyStore['transition']>): ReturnType<StudyStore['transition']> {
    return this.studyRows.transition(...args);
  }

  remove(id: string): Promise<boolean> {
    return this.studyRows.remove(id);
  }

  leaseStudy(...args: Parameters<StudyStore['leaseStudy']>): ReturnType<StudyStore['leaseStudy']> {
    return this.studyRows.leaseStudy(...args);
  }

  renewStudy(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.studyRows.renewStudy(lease, ttlMs);
  }

  releaseStudy(lease: Lease): Promise<void> {
    return this.studyRows.releaseStudy(lease);
  }

  fold(id: string): ReturnType<StudyStore['fold']> {
    return this.trialRows.fold(id);
  }

  commitStep(lease: Lease, step: StepCommit): Promise<StudyRecord | null> {
    return commitStep(this.db, lease, step);
  }

  leaseTrial(...args: Parameters<StudyStore['leaseTrial']>): ReturnType<StudyStore['leaseTrial']> {
    return this.trialRows.leaseTrial(...args);
  }

  renewTrial(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.trialRows.renewTrial(lease, ttlMs);
  }

  reportProgress(...args: Parameters<StudyStore['reportProgress']>): Promise<boolean> {
    return this.trialRows.reportProgress(...args);
  }

  settleTrial(...args: Parameters<StudyStore['settleTrial']>): ReturnType<StudyStore['settleTrial']> {
    return this.trialRows.settleTrial(...args);
  }

  abandonTrial(...args: Parameters<StudyStore['abandonTrial']>): Promise<void> {
    return this.trialRows.abandonTrial(...args);
  }

  cancelOpenTrials(studyId: string): Promise<number> {
    return this.trialRows.cancelOpenTrials(studyId);
  }

  trial(id: string): ReturnType<StudyStore['trial']> {
    return this.trialRows.trial(id);
  }

  trialWeights(id: string): Promise<Uint8Array | null> {
    return this.trialRows.trialWeights(id);
  }

  trials(...args: Parameters<StudyStore['trials']>): ReturnType<StudyStore['trials']> {
    return this.trialRows.trials(...args);
  }

  allTrials(studyId: string): ReturnType<StudyStore['allTrials']> {
    return this.trialRows.allTrials(studyId);
  }

  front(studyId: string): ReturnType<StudyStore['front']> {
    return this.trialRows.front(studyId);
  }

  history(studyId: string): ReturnType<StudyStore['history']> {
    return this.trialRows.history(studyId);
  }

  events(...args: Parameters<StudyStore['events']>): ReturnType<StudyStore['events']> {
    return this.trialRows.events(...args);
  }

  createExport(trialId: string, format: ExportFormat, seed: number): ReturnType<StudyStore['createExport']> {
    return this.exportRows.createExport(trialId, format, seed);
  }

  export(id: string): ReturnType<StudyStore['export']> {
    return this.exportRows.export(id);
  }

  exportContent(id: string): Promise<Uint8Array | null> {
    return this.exportRows.exportContent(id);
  }

  leaseExport(...args: Parameters<StudyStore['leaseExport']>): Promise<Lease | null> {
    return this.exportRows.leaseExport(...args);
  }

  renewExport(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.exportRows.renewExport(lease, ttlMs);
  }

  finishExport(...args: Parameters<StudyStore['finishExport']>): Promise<boolean> {
    return this.exportRows.finishExport(...args);
  }

  async unclaimed(): ReturnType<StudyStore['unclaimed']> {
    const { manager } = this.db;
    const studies = await rows<{ id: string }>(manager, `select id from study where state in ('queued', 'running', 'stopping') and not ${HELD} order by created_at, id`);
    const trials = await rows<{ id: string; studyId: string }>(
      manager,
      `select t.id, t.study_id as "studyId" from trial t join (select id from study where state in ('running', 'stopping')) s on s.id = t.study_id
       where t.state in ('pending', 'running') and not ${HELD} order by t.study_id, t.number`,
    );
    const exports = await rows<{ id: string }>(manager, `select id from export where state in ('queued', 'running') and not ${HELD} order by created_at, id`);
    return { studies: studies.map((s) => s.id), trials, exports: exports.map((e) => e.id) };
  }

  async ping(): Promise<void> {
    const done = new Set((await rows<{ name: string }>(this.db.manager, 'select name from migrations')).map((m) => m.name));
    const missing = this.db.migrations.map((m) => m.name ?? m.constructor.name).filter((name) => !done.has(name));
    if (missing.length > 0) throw new Error(`the database lacks the migrations ${missing.join(', ')}`);
  }
}
