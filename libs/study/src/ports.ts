import type { ExportFormat, StudyState, TrialProgress, TrialState } from '@app/contracts';
import type { FoldState, HistoryEntry, ImportedTrial, Prior, StepCommit, StudyDefinition, StudyRecord, TrialCounts, TrialOutcome, TrialRecord } from './records.js';

/** Fencing: a write with an old epoch changes nothing. */
export interface Lease {
  readonly id: string;
  readonly owner: string;
  readonly epoch: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** empty: no more */
  readonly nextCursor: string;
}

export interface StudyQuery {
  readonly states?: readonly StudyState[] | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly search?: string | undefined;
  readonly sort?: 'created' | '-created' | 'name' | '-name' | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface TrialQuery {
  readonly states?: readonly TrialState[] | undefined;
  readonly feasible?: boolean | undefined;
  readonly onFront?: boolean | undefined;
  /** `number`, `-number`, or a metric key such as `latency@pixel-3` / `-latency@pixel-3` (nulls last either way) */
  readonly sort?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface StoredEvent {
  readonly revision: number;
  readonly type: string;
  readonly data: unknown;
  readonly at: Date;
}

export interface ExportRecord {
  readonly id: string;
  readonly studyId: string;
  readonly trialId: string;
  readonly format: ExportFormat;
  readonly seed: number;
  readonly state: 'queued' | 'running' | 'completed' | 'failed';
  readonly message: string | null;
  readonly fileName: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly manifest: unknown;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** What a trial was trained to, offered to a store. */
export interface OfferedWeights {
  readonly content: Uint8Array;
  /** not kept if the study's would then be more, bytes */
  readonly limit: number;
}

/** Raised by reads and writes that name something that isn't there. */
export class NotFound extends Error {
  constructor(readonly what: 'study' | 'trial' | 'export', readonly id: string) {
    super(`no ${what} "${id}"`);
  }
}

/** A page token that this store did not give out. */
export class BadCursor extends Error {}

/**
 * The rows are the truth: the queue only says where to look. Every method that changes a study adds 1 to its revision and
 * writes its events in the same transaction.
 */
export interface StudyStore {
  /**
   * @returns the study, and false if `idempotency` named an earlier identical request
   * @throws IdempotencyConflict if its key was used with another body
   */
  create(study: { readonly definition: StudyDefinition; readonly state: 'draft' | 'queued'; readonly imports?: readonly ImportedTrial[] | undefined; readonly prior?: Prior | null | undefined; readonly idempotency?: { readonly key: string; readonly bodyHash: string } | undefined }): Promise<{ study: StudyRecord; created: boolean }>;
  /** @throws NotFound */
  study(id: string): Promise<StudyRecord>;
  studies(query: StudyQuery): Promise<Page<StudyRecord>>;
  counts(studyIds: readonly string[]): Promise<ReadonlyMap<string, TrialCounts>>;
  /** Name, labels, budget. Null: the revision is not the expected one. @throws NotFound */
  patch(id: string, change: { readonly name?: string; readonly labels?: Readonly<Record<string, string>>; readonly budget?: StudyDefinition['spec']['budget'] }, expectedRevision?: number): Promise<StudyRecord | null>;
  /** Compare and set, keeps the times. Null: it was in none of the states `from`. @throws NotFound */
  transition(id: string, from: readonly StudyState[], to: StudyState, why?: { readonly reason: string; readonly message: string }): Promise<StudyRecord | null>;
  /** False: it is running. @throws NotFound */
  remove(id: string): Promise<boolean>;

  /** Right to step the study, exclusive until `ttlMs` from now; null: someone else holds it, or its state is not queued, running or stopping. Queued becomes running. */
  leaseStudy(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; study: StudyRecord } | null>;
  /** False: lost. */
  renewStudy(lease: Lease, ttlMs: number): Promise<boolean>;
  releaseStudy(lease: Lease): Promise<void>;
  fold(id: string): Promise<FoldState>;
  /** All or nothing. Null: the lease was lost, nothing written. Otherwise the study as it is now. */
  commitStep(lease: Lease, step: StepCommit): Promise<StudyRecord | null>;

  /** Starts an attempt of a pending trial (or of a running one whose lease ran out); null: taken, settled, or its study is not running or stopping. */
  leaseTrial(id: string, owner: string, ttlMs: number): Promise<{ lease: Lease; trial: TrialRecord } | null>;
  renewTrial(lease: Lease, ttlMs: number): Promise<boolean>;
  /** What a running trial's evaluator has reported so far, in place of what it reported before; gone with the attempt. False: the lease was lost; nothing written. */
  reportProgress(lease: Lease, progress: TrialProgress): Promise<boolean>;
  /** Writes the outcome once, with the weights if they fit. False: the lease was lost or the trial is settled; nothing written. `open`: trials of its study that are not settled yet. */
  settleTrial(lease: Lease, outcome: TrialOutcome, weights?: OfferedWeights): Promise<{ settled: boolean; open: number }>;
  /** Gives the trial back for another attempt, with the reason kept on the attempt. */
  abandonTrial(lease: Lease, reason: string, message: string): Promise<void>;
  /** Pending and running trials become cancelled (study cancelled). */
  cancelOpenTrials(studyId: string): Promise<number>;

  /** @throws NotFound */
  trial(id: string): Promise<TrialRecord>;
  /** What the trial was trained to; null: not kept. @throws NotFound */
  trialWeights(id: string): Promise<Uint8Array | null>;
  /** @throws NotFound, BadCursor */
  trials(studyId: string, query: TrialQuery): Promise<Page<TrialRecord>>;
  /** All trials by number (for series, fronts); light: no notes. */
  allTrials(studyId: string): Promise<readonly TrialRecord[]>;
  front(studyId: string): Promise<readonly TrialRecord[]>;
  history(studyId: string): Promise<readonly HistoryEntry[]>;
  /** Events with a revision above `after`, oldest first. */
  events(studyId: string, after: number, limit: number): Promise<readonly StoredEvent[]>;

  createExport(trialId: string, format: ExportFormat, seed: number): Promise<ExportRecord>;
  export(id: string): Promise<ExportRecord>;
  exportContent(id: string): Promise<Uint8Array | null>;
  leaseExport(id: string, owner: string, ttlMs: number): Promise<Lease | null>;
  renewExport(lease: Lease, ttlMs: number): Promise<boolean>;
  finishExport(lease: Lease, result: { readonly fileName: string; readonly content: Uint8Array; readonly sha256: string; readonly manifest: unknown } | { readonly error: string }): Promise<boolean>;

  /** Work that no one holds: after a crash, or when a message was lost. Put on the queue at boot and by the sweep. */
  unclaimed(): Promise<{ readonly studies: readonly string[]; readonly trials: readonly { readonly id: string; readonly studyId: string }[]; readonly exports: readonly string[] }>;
  /** Rejects if the database can't be reached or its migrations are not current. */
  ping(): Promise<void>;
}

export class IdempotencyConflict extends Error {}

/** All jobs there are. Payloads carry ids only; running a job twice leaves one result. */
export type Job =
  | { readonly name: 'study.step'; readonly studyId: string }
  | { readonly name: 'trials.evaluate'; readonly studyId: string; readonly trialIds: readonly string[] }
  | { readonly name: 'export.build'; readonly exportId: string };
export type JobName = Job['name'];
export type JobHandlers = { readonly [N in JobName]: (job: Extract<Job, { name: N }>, signal: AbortSignal) => Promise<void> };

/** At least once: a job may come twice or, after a crash, again. */
export interface JobQueue {
  add(jobs: readonly Job[]): Promise<void>;
  /** @throws if a job of the union has no handler */
  work(handlers: JobHandlers, concurrency: number): Promise<void>;
  depth(): Promise<Readonly<Record<JobName, number>>>;
  ping(): Promise<void>;
  /** Stops taking jobs, lets running ones end (their signal is aborted after `graceMs`), then closes. */
  close(graceMs?: number): Promise<void>;
}
