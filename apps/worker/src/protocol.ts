import type { BundleRequest, Bundle } from '@app/export';
import type { EngineStudy, FoldState, ScoredCandidate, SettledTrial, StepOptions, StepResult, TrialOutcome } from '@app/study';

/** What the threads do for the worker; each call has one answer. */
export type ThreadCall =
  | { readonly op: 'open'; readonly study: EngineStudy; readonly fold: FoldState }
  | { readonly op: 'step'; readonly studyId: string; readonly budget: EngineStudy['spec']['budget']; readonly settled: readonly SettledTrial[]; readonly stop: boolean; readonly options: Omit<StepOptions, 'signal'> }
  | { readonly op: 'close'; readonly studyId: string }
  | { readonly op: 'foresee'; readonly candidate: ScoredCandidate }
  | { readonly op: 'export'; readonly request: BundleRequest };

export interface ThreadAnswers {
  /** `current`: ids of the round that is asked and not told */
  readonly open: { readonly inline: boolean; readonly current: readonly string[] };
  readonly step: StepResult;
  readonly close: null;
  readonly foresee: TrialOutcome | null;
  readonly export: Bundle;
}

export interface ThreadRequest {
  readonly id: number;
  readonly call: ThreadCall;
}

export type ThreadReply =
  | { readonly id: number; readonly value: ThreadAnswers[keyof ThreadAnswers] }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string; readonly stack: string | undefined } };
