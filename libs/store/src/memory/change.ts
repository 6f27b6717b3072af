import type { ExportFormat, StudyState, TrialProgress } from '@app/contracts';
import type { ImportedTrial, Lease, Prior, StepCommit, StudyDefinition, TrialOutcome } from '@app/study';

export interface NewStudy {
  readonly id: string;
  readonly definition: StudyDefinition;
  readonly state: 'draft' | 'queued';
  readonly imports?: readonly ImportedTrial[] | undefined;
  readonly prior?: Prior | null | undefined;
  readonly idempotency?: { readonly key: string; readonly bodyHash: string } | undefined;
}

export interface StudyPatch {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly budget?: StudyDefinition['spec']['budget'];
}

export type ExportResult = { readonly fileName: string; readonly base64: string; readonly sha256: string; readonly manifest: unknown } | { readonly error: string };

/** All that can happen to a memory store, as data: what is applied now is what is read back from the journal. `at`: ms since 1970. */
export type Change = { readonly at: number } & (
  | { readonly op: 'opened' }
  | { readonly op: 'create'; readonly study: NewStudy }
  | { readonly op: 'patch'; readonly id: string; readonly change: StudyPatch; readonly expectedRevision: number | null }
  | { readonly op: 'transition'; readonly id: string; readonly from: readonly StudyState[]; readonly to: StudyState; readonly why: { readonly reason: string; readonly message: string } | null }
  | { readonly op: 'remove'; readonly id: string }
  | { readonly op: 'lease-study'; readonly id: string; readonly owner: string; readonly ttlMs: number }
  | { readonly op: 'commit-step'; readonly lease: Lease; readonly step: StepCommit }
  | { readonly op: 'lease-trial'; readonly id: string; readonly owner: string; readonly ttlMs: number }
  | { readonly op: 'report-progress'; readonly lease: Lease; readonly progress: TrialProgress }
  | { readonly op: 'settle-trial'; readonly lease: Lease; readonly outcome: TrialOutcome }
  | { readonly op: 'abandon-trial'; readonly lease: Lease; readonly reason: string; readonly message: string }
  | { readonly op: 'cancel-open-trials'; readonly studyId: string }
  | { readonly op: 'create-export'; readonly id: string; readonly trialId: string; readonly format: ExportFormat; readonly seed: number }
  | { readonly op: 'lease-export'; readonly id: string; readonly owner: string; readonly ttlMs: number }
  | { readonly op: 'finish-export'; readonly lease: Lease; readonly result: ExportResult }
);
export type ChangeOf<O extends Change['op']> = Extract<Change, { readonly op: O }>;
