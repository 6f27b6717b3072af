import { randomUUID } from 'node:crypto';
import type { ExportFormat } from '@app/contracts';
import type {
  ExportRecord, FoldState, HistoryEntry, Lease, OfferedWeights, Page, StepCommit, StoredEvent, StudyQuery, StudyRecord, StudyStore, TrialCounts, TrialOutcome, TrialQuery, TrialRecord,
} from '@app/study';
import { lockDirectory } from '../directory-lock.js';
import { storedJson } from '../stored-json.js';
import { STEPPED_STATES } from '../study-life.js';
import { commitStep } from './apply-step.js';
import { createStudy, leaseStudy, patchStudy, removeStudy, transitionStudy } from './apply-study.js';
import { abandonTrial, cancelOpenTrials, createExport, finishExport, isHeldBy, leaseExport, leaseTrial, reportProgress, settleTrial } from './apply-trial.js';
import type { Change, ChangeOf } from './change.js';
import { dumpRows, loadDump, type DumpLine } from './dump.js';
import { Journal } from './journal.js';
import { listStudies, listTrials } from './memory-lists.js';
import { countTrials, holds, isHeld, MemoryRows, type LeaseRow, type TrialRow } from './memory-rows.js';
import { WeightFiles } from './weight-files.js';

type WithoutTime<C> = C extends Change ? Omit<C, 'at'> : never;

/** Studies in this process's memory; with a directory, every change is in a journal there before its promise resolves. */
export class MemoryStore implements StudyStore {
  private readonly rows = new MemoryRows();
  private journal: Journal | null = null;
  private weights = WeightFiles.inMemory();
  private unlock: () => void = () => undefined;

  constructor(private readonly clock: () => Date = () => new Date()) {}

  /**
   * The store that is kept in a directory, as its last process left it. Leases of that process are over.
   *
   * @throws DirectoryLocked if a living process has the directory; Error with file and line if the journal is damaged
   */
  static async open(directory: string, clock?: () => Date): Promise<MemoryStore> {
    const store = new MemoryStore(clock);
    store.unlock = lockDirectory(directory);
    try {
      const { journal, lines } = Journal.open(directory);
      for (const line of lines as (Change | DumpLine)[]) {
        if (line.op === 'study' || line.op === 'others') loadDump(store.rows, line);
        else store.replay(line);
      }
      store.weights = WeightFiles.open(directory, (id) => store.rows.trials.has(id));
      store.journal = journal;
      store.change<void>({ op: 'opened' });
    } catch (error) {
      store.unlock();
      throw error;
    }
    return store;
  }

  async close(): Promise<void> {
    this.journal?.close();
    this.journal = null;
    this.unlock();
  }

  /** Applies a change as it would be read back, then writes it down unless it changed nothing. */
  private change<T>(change: WithoutTime<Change>): T {
    const text = storedJson({ ...change, at: this.clock().getTime() });
    const result = this.apply(JSON.parse(text) as Change);
    if (this.journal && result !== null && result !== false) {
      this.journal.append(text);
      if (this.journal.isLong) this.journal.rewrite(dumpRows(this.rows));
    }
    return result as T;
  }

  /** A lease that was written down was free to take: that the one before it had been renewed or given back is in memory alone. */
  private replay(change: Change): void {
    const { studies, trials, exports } = this.rows;
    if (change.op === 'lease-study') endLease(studies.get(change.id));
    else if (change.op === 'lease-trial') endLease(trials.get(change.id));
    else if (change.op === 'lease-export') endLease(exports.get(change.id));
    this.apply(change);
  }

  private apply(change: Change): unknown {
    const { rows } = this;
    switch (change.op) {
      case 'opened': return this.endLeases();
      case 'create': return createStudy(rows, change);
      case 'patch': return patchStudy(rows, change);
      case 'transition': return transitionStudy(rows, change);
      case 'remove': return removeStudy(rows, change);
      case 'lease-study': return leaseStudy(rows, change);
      case 'commit-step': return commitStep(rows, change);
      case 'lease-trial': return leaseTrial(rows, change);
      case 'report-progress': return reportProgress(rows, change);
      case 'settle-trial': return settleTrial(rows, change);
      case 'abandon-trial': return abandonTrial(rows, change);
      case 'cancel-open-trials': return cancelOpenTrials(rows, change);
      case 'create-export': return createExport(rows, change);
      case 'lease-export': return leaseExport(rows, change);
      case 'finish-export': return finishExport(rows, change);
    }
  }

  private endLeases(): void {
    [...this.rows.studies.values(), ...this.rows.trials.values(), ...this.rows.exports.values()].forEach(endLease);
  }

  async create(study: Parameters<StudyStore['create']>[0]): Promise<{ study: StudyRecord; created: boolean }> {
    return this.change<{ study: StudyRecord; created: boolean }>({ op: 'create', study: { id: randomUUID(), ...study } });
  }

  async study(id: string): Promise<StudyRecord> {
    return this.rows.study(id).record;
  }

  async studies(query: StudyQuery): Promise<Page<StudyRecord>> {
    return listStudies([...this.rows.studies.values()].map((s) => s.record), query);
  }

  async counts(studyIds: readonly string[]): Promise<ReadonlyMap<string, TrialCounts>> {
    const known = studyIds.flatMap((id) => this.rows.studies.get(id) ?? []);
    return new Map(known.map((s) => [s.record.id, countTrials(s.trials)]));
  }

  async patch(id: string, change: ChangeOf<'patch'>['change'], expectedRevision?: number): Promise<StudyRecord | null> {
    return this.change<StudyRecord | null>({ op: 'patch', id, change, expectedRevision: expectedRevision ?? null });
  }

  async transition(...[id, from, to, why]: Parameters<StudyStore['transition']>): Promise<StudyRecord | null> {
    return this.change<StudyRecord | null>({ op: 'transition', id, from, to, why: why ?? null });
  }

  async remove(id: string): Promise<boolean> {
    const trials = this.rows.study(id).trials.map((t) => t.record.id);
    const removed = this.change<boolean>({ op: 'remove', id });
    if (removed) this.weights.drop(trials);
    return removed;
  }

  async leaseStudy(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; study: StudyRecord } | null> {
    return this.change<{ lease: Lease; study: StudyRecord } | null>({ op: 'lease-study', id, owner, ttlMs });
  }

  async renewStudy(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.renew(this.rows.studies.get(lease.id)?.lease, lease, ttlMs);
  }

  async releaseStudy(lease: Lease): Promise<void> {
    const row = this.rows.studies.get(lease.id)?.lease;
    if (row && holds(row, lease)) row.owner = null;
  }

  async fold(id: string): Promise<FoldState> {
    const { snapshot, told, trials, imports, prior } = this.rows.study(id);
    return { snapshot, told, trials: trials.map((t) => t.record), imports, prior };
  }

  async commitStep(lease: Lease, step: StepCommit): Promise<StudyRecord | null> {
    const study = this.change<StudyRecord | null>({ op: 'commit-step', lease, step });
    if (study !== null) this.weights.drop(step.weightsDropped ?? []);
    return study;
  }

  async leaseTrial(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; trial: TrialRecord } | null> {
    return this.change<{ lease: Lease; trial: TrialRecord } | null>({ op: 'lease-trial', id, owner, ttlMs });
  }

  async renewTrial(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.renew(this.rows.trials.get(lease.id)?.lease, lease, ttlMs);
  }

  async reportProgress(lease: Lease, progress: ChangeOf<'report-progress'>['progress']): Promise<boolean> {
    return this.change<boolean>({ op: 'report-progress', lease, progress });
  }

  async settleTrial(lease: Lease, outcome: TrialOutcome, weights?: OfferedWeights): Promise<{ settled: boolean; open: number }> {
    // before the outcome, so that one that is written has its weights
    if (weights !== undefined) this.keep(lease, weights);
    return this.change<{ settled: boolean; open: number }>({ op: 'settle-trial', lease, outcome });
  }

  async abandonTrial(lease: Lease, reason: string, message: string): Promise<void> {
    this.change<boolean>({ op: 'abandon-trial', lease, reason, message });
  }

  async cancelOpenTrials(studyId: string): Promise<number> {
    return this.change<number>({ op: 'cancel-open-trials', studyId });
  }

  async trial(id: string): Promise<TrialRecord> {
    return this.rows.trial(id).record;
  }

  async trialWeights(id: string): Promise<Uint8Array | null> {
    return this.weights.get(this.rows.trial(id).record.id);
  }

  private keep(lease: Lease, { content, limit }: OfferedWeights): void {
    const row = this.rows.trials.get(lease.id);
    if (!row || !isHeldBy(row, lease)) return;
    const others = this.rows.study(row.record.studyId).trials.map((t) => t.record.id).filter((id) => id !== lease.id);
    if (this.weights.total(others) + content.length <= limit) this.weights.put(lease.id, content);
  }

  async trials(studyId: string, query: TrialQuery): Promise<Page<TrialRecord>> {
    return listTrials(this.rows.study(studyId).trials.map((t) => t.record), query);
  }

  async allTrials(studyId: string): Promise<readonly TrialRecord[]> {
    return this.rows.study(studyId).trials.map((t) => ({ ...t.record, note: null }));
  }

  async front(studyId: string): Promise<readonly TrialRecord[]> {
    return this.rows.study(studyId).trials.map((t) => t.record).filter((t) => t.onFront);
  }

  async history(studyId: string): Promise<readonly HistoryEntry[]> {
    return [...this.rows.study(studyId).history];
  }

  async events(studyId: string, after: number, limit: number): Promise<readonly StoredEvent[]> {
    const later = (this.rows.studies.get(studyId)?.events ?? []).filter((e) => e.revision > after);
    const last = later[limit - 1]?.revision;
    return last === undefined ? later : later.filter((e) => e.revision <= last);
  }

  async createExport(trialId: string, format: ExportFormat, seed: number): Promise<ExportRecord> {
    return this.change<ExportRecord>({ op: 'create-export', id: randomUUID(), trialId, format, seed });
  }

  async export(id: string): Promise<ExportRecord> {
    return this.rows.export(id).record;
  }

  async exportContent(id: string): Promise<Uint8Array | null> {
    const { base64 } = this.rows.export(id);
    return base64 === null ? null : new Uint8Array(Buffer.from(base64, 'base64'));
  }

  async leaseExport(id: string, owner: string, ttlMs: number): Promise<Lease | null> {
    return this.change<Lease | null>({ op: 'lease-export', id, owner, ttlMs });
  }

  async renewExport(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.renew(this.rows.exports.get(lease.id)?.lease, lease, ttlMs);
  }

  async finishExport(lease: Lease, result: Parameters<StudyStore['finishExport']>[1]): Promise<boolean> {
    if ('error' in result) return this.change<boolean>({ op: 'finish-export', lease, result });
    const { fileName, content, sha256, manifest } = result;
    return this.change<boolean>({ op: 'finish-export', lease, result: { fileName, base64: Buffer.from(content).toString('base64'), sha256, manifest } });
  }

  async unclaimed(): ReturnType<StudyStore['unclaimed']> {
    const now = this.clock().getTime();
    const free = (row: { readonly lease: LeaseRow }): boolean => !isHeld(row.lease, now);
    const studies = [...this.rows.studies.values()];
    const open = (t: TrialRow): boolean => t.record.state === 'pending' || t.record.state === 'running';
    return {
      studies: studies.filter((s) => free(s) && STEPPED_STATES.includes(s.record.state)).map((s) => s.record.id),
      trials: studies
        .filter((s) => s.record.state === 'running' || s.record.state === 'stopping')
        .flatMap((s) => s.trials.filter((t) => free(t) && open(t)).map((t) => ({ id: t.record.id, studyId: s.record.id }))),
      exports: [...this.rows.exports.values()].filter((e) => free(e) && (e.record.state === 'queued' || e.record.state === 'running')).map((e) => e.record.id),
    };
  }

  async ping(): Promise<void> {}

  private renew(row: LeaseRow | undefined, lease: Lease, ttlMs: number): boolean {
    if (!row || !holds(row, lease)) return false;
    row.until = this.clock().getTime() + ttlMs;
    return true;
  }
}

const endLease = (row: { readonly lease: LeaseRow } | undefined): void => {
  if (row) row.lease.until = 0;
};
