import type { Metrics, ProblemSpec, StudySpec, StudyState, TrialProgress, TrialState } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import type { Json } from '@app/optim';
import type { Genes, Parameter, Point } from '@app/space';

/** A space as a study keeps it: its own copy, so that a later change of the built-in one changes nothing. */
export interface SpaceDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** decoder of the space (`flynet`, `nas-bench-201`, …) or `none`: points have no network */
  readonly family: string;
  readonly parameters: readonly Parameter[];
  /** settings the decoder takes besides the point */
  readonly settings: Readonly<Record<string, Json>>;
  readonly sources: readonly string[];
  /** task of studies that state none, where it is not the usual one (1,000 classes, 3 channels) */
  readonly task?: { readonly numClasses?: number; readonly inputChannels?: number };
}

/** All a search is a function of (design.md, decision 4): with the settled trials it determines every further step. */
export interface StudyDefinition {
  readonly spec: StudySpec;
  readonly space: SpaceDefinition;
  readonly devices: readonly DeviceProfile[];
}

export interface StudyRecord extends StudyDefinition {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: StudyState;
  readonly reason: string | null;
  readonly message: string | null;
  /** grows with every committed change; events carry it */
  readonly revision: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** time spent in state running, up to `runningSince` */
  readonly runningMs: number;
  /** since when it runs; null unless running or stopping */
  readonly runningSince: Date | null;
  /** minimised objectives; null until fixed */
  readonly referencePoint: readonly number[] | null;
  readonly hypervolume: number | null;
  readonly frontSize: number;
  /** candidates passed over before they became trials: what was computed of them broke a limit */
  readonly screened: number;
}

export interface TrialCounts {
  readonly pending: number; readonly running: number; readonly completed: number; readonly infeasible: number; readonly failed: number; readonly cancelled: number; readonly total: number;
}

/** What an evaluation came to. Outcomes with a reason, never exceptions. */
export interface TrialOutcome {
  readonly state: 'completed' | 'infeasible' | 'failed';
  /** machine code: `constraint`, `invalid-metric`, `timeout`, `evaluator-error`, `decode-error`, `worker-lost`, … */
  readonly reason: string | null;
  readonly message: string | null;
  readonly metrics: Metrics;
  /** [m], minimised, canonical units; null: not known */
  readonly objectives: readonly (number | null)[];
  /** [constraints + objective bounds], g ≤ 0 feasible, relative to the limit; null: not known */
  readonly violations: readonly (number | null)[];
  readonly feasible: boolean | null;
  readonly durationMs: number;
  /** share of a full evaluation that was done, where that is less than was asked for: it becomes the trial's fidelity */
  readonly reached?: number | undefined;
}

export interface ProposedTrial {
  /** deterministic: UUID v5 of (study, number) */
  readonly id: string;
  /** 1, 2, … in the order asked */
  readonly number: number;
  readonly round: number;
  /** of the point; with the fidelity after it where that is below 1 */
  readonly key: string;
  readonly genes: Genes;
  readonly parameters: Point;
  /** share of a full evaluation, 0 < fidelity ≤ 1; only full ones come on the front */
  readonly fidelity: number;
  readonly proposedBy: string;
  readonly note: Json;
}

/** A settled trial of another study as this one was given it when made: told first, as knowledge. It is no trial here and comes on no front. */
export type ImportedTrial = Pick<SettledTrial, 'key' | 'genes' | 'state' | 'objectives' | 'violations'> & { readonly studyId: string; readonly number: number };

/** An evaluated trial of another study of the same task, as a study that learns from it keeps it. */
export interface PriorTrial {
  readonly studyId: string;
  readonly number: number;
  /** share of a full evaluation that its values are of */
  readonly fidelity: number;
  /** both studies name the same data */
  readonly described: boolean;
  /** content hash of the data its values are of; null: not known */
  readonly data: string | null;
  /** of the point of this study's space that is nearest to it */
  readonly genes: Genes;
  /** what is computed of its own network, see `analyticOf` */
  readonly analytic: readonly number[];
  /** what its study's prefilter gave the untrained network; null: none */
  readonly score: { readonly proxy: string; readonly value: number } | null;
  /** minimised, by this study's objectives; null: not known, or computed */
  readonly objectives: readonly (number | null)[];
}

/** What a study learns of others, fixed when it is made. */
export interface Prior {
  /** SHA-256 of the study's parameters and the trials */
  readonly hash: string;
  /** whose trials they are, by the names they had then */
  readonly studies: readonly { readonly id: string; readonly name: string }[];
  readonly trials: readonly PriorTrial[];
}

export interface SettledTrial extends ProposedTrial, TrialOutcome {}

export interface TrialRecord extends ProposedTrial {
  readonly studyId: string;
  readonly state: TrialState;
  readonly reason: string | null;
  readonly message: string | null;
  readonly metrics: Metrics;
  readonly objectives: readonly (number | null)[];
  readonly violations: readonly (number | null)[];
  readonly feasible: boolean | null;
  readonly onFront: boolean;
  readonly rank: number | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
  readonly durationMs: number | null;
  /** of a running trial: what its evaluator has reported so far; canonical units */
  readonly progress?: TrialProgress | null;
}

/** Hypervolume and front size after trial `number`. */
export interface HistoryEntry {
  readonly number: number;
  readonly hypervolume: number | null;
  readonly frontSize: number;
}

/** Everything one step changes, written in one transaction. */
export interface StepCommit {
  /** rounds the step opened: trials asked. Those also in `settled` were evaluated within the step. */
  readonly proposed: readonly ProposedTrial[];
  /** outcomes evaluated within the step (not those settled by evaluation jobs before) */
  readonly settled: readonly SettledTrial[];
  /** trials 1 … told have been told to the optimizer */
  readonly told: number;
  /** optimizer and engine state after the step; `version` guards reading it back */
  readonly snapshot: { readonly version: string; readonly state: Json };
  readonly referencePoint: readonly number[] | null;
  readonly hypervolume: number | null;
  readonly frontSize: number;
  readonly frontAdded: readonly string[];
  readonly frontRemoved: readonly string[];
  /** changed ranks: trial id → rank */
  readonly ranks: readonly { readonly id: string; readonly rank: number | null }[];
  readonly history: readonly HistoryEntry[];
  /** see StudyRecord */
  readonly screened: number;
  /** trials whose weights are kept no longer */
  readonly weightsDropped?: readonly string[] | undefined;
  /** the study ends with this step */
  readonly finish: { readonly state: 'completed' | 'failed'; readonly reason: string; readonly message: string } | null;
}

/** What is needed to carry a search on. */
export interface FoldState {
  readonly snapshot: { readonly version: string; readonly state: Json } | null;
  readonly told: number;
  /** all trials in order of number, settled or not */
  readonly trials: readonly TrialRecord[];
  /** trials of other studies it began with, in the order they are told */
  readonly imports: readonly ImportedTrial[];
  /** what it learns of other studies besides; left out, null: nothing */
  readonly prior?: Prior | null | undefined;
}

export type { ProblemSpec };
