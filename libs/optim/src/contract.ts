import type { Genes, SearchSpace } from '@app/space';

/** JSON value: optimizer state is data. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What can be computed of a point without evaluating it. `null`: only an evaluation tells. */
export interface Known {
  /** [m], minimised */
  readonly objectives: readonly (number | null)[];
  /** [constraints], g ≤ 0 is feasible */
  readonly violations: readonly (number | null)[];
}

/**
 * How far repeated evaluations of one point would differ: standard deviations in the units of the objectives and violations. `null`: they
 * differ, by how much has to be learned. 0: not at all.
 */
export interface Noise {
  readonly objectives: readonly (number | null)[];
  readonly violations: readonly (number | null)[];
}

/** What an optimizer is asked to minimise. Directions and limits were turned round before: f minimised, g ≤ 0 feasible. */
export interface SearchProblem {
  readonly space: SearchSpace;
  /** m ≥ 1 */
  readonly objectives: number;
  /** number of constraints, ≥ 0 */
  readonly constraints: number;
  /** In the minimised objectives; absent: the optimizer chooses its own for acquisition. */
  readonly referencePoint?: readonly number[] | undefined;
  /** Points to try first, canonical genes. */
  readonly start?: readonly Genes[] | undefined;
  readonly seed: number;
  /** Trials the study may spend in all, if known; lets a method split its budget. */
  readonly maxTrials?: number | undefined;
  /** What one evaluation is thought to take, s; a dear one leaves more time to think. Absent: not known. */
  readonly secondsPerTrial?: number | undefined;
  /**
   * What is computed rather than evaluated: for canonical genes the very values they will be told with. Pure and quick (a millisecond or
   * so, remembered by whoever provides it); asking it costs no trial. A point that breaks a limit by it is *screened*: see `OptimizerRun.ask`.
   */
  readonly known?: ((genes: Genes) => Known) | undefined;
  /** Absent: outcomes are taken for exact. */
  readonly noise?: Noise | undefined;
  /** Shares of a full evaluation at which points may be evaluated: ascending by a constant factor, the last 1. Absent: full ones only. See halving. */
  readonly fidelities?: readonly number[] | undefined;
}

export interface Candidate {
  /** canonical: on the user's grid, inactive genes at their default */
  readonly genes: Genes;
  /** of the point; with the fidelity after it, `key@0.25`, where that is below 1 */
  readonly key: string;
  /** share of a full evaluation, 0 < fidelity ≤ 1; absent: 1 */
  readonly fidelity?: number | undefined;
  /** The step that made it: `sobol`, `mads:poll`, `mads:speculative`, `bo:log-ehvi`, … */
  readonly proposedBy: string;
  /** What the optimizer wants back with the outcome (parent, generation, direction). Stored with the trial. */
  readonly note?: Json | undefined;
}

/**
 * A trial with its outcome, as told. `null` objective or violation: not known (failed, or only part of the metrics came).
 * Infinite and NaN values never arrive here: the engine turns them into `null`.
 */
export interface Told extends Candidate {
  readonly state: 'completed' | 'infeasible' | 'failed';
  /** [m], minimised */
  readonly objectives: readonly (number | null)[];
  /** [constraints], g ≤ 0 is feasible */
  readonly violations: readonly (number | null)[];
  /** What was told of the point at lower fidelities, lowest first. With `fidelity` below 1 the values above are an estimate from these. */
  readonly partial?: readonly PartialResult[] | undefined;
}

/** The outcome of a part of an evaluation. */
export interface PartialResult {
  /** 0 < fidelity < 1 */
  readonly fidelity: number;
  readonly objectives: readonly (number | null)[];
  readonly violations: readonly (number | null)[];
}

/**
 * One search in progress.
 *
 * Law (tested for all): with the same problem, `restore(snapshot(), all told so far)` continues exactly as this run would,
 * and starting afresh with the same asks and tells gives the same snapshot. The snapshot is small (no history in it), so that it
 * can be stored with every step; the history is the trials themselves.
 * Departure from style.md's ask(state) → state: a run may keep indexes of a long history in memory, which a pure function would
 * have to rebuild at every ask (10,000 trials: quadratic). `snapshot` keeps the purity where it matters: on disk.
 */
export interface OptimizerRun {
  /**
   * Up to n new candidates, none ever asked before (neither told nor pending). Fewer than n only if the space is exhausted or
   * the method needs pending results first; an empty answer with nothing pending means: exhausted, the study ends.
   *
   * No candidate breaks a limit that `problem.known` computes, start points excepted, since the user named them. Where none could be
   * found that meets those limits the answer is empty as for an exhausted space.
   */
  ask(n: number): Candidate[];
  /** Outcomes in the order they count; each was asked by this run or is an import (unknown to it, learned from all the same). */
  tell(settled: readonly Told[]): void;
  /** Candidates passed over so far because what is computed of them breaks a limit; 0 where nothing is computed. */
  readonly screened: number;
  /** State as data, JSON; asked-but-untold candidates are in it. */
  snapshot(): Json;
}

export interface Optimizer {
  readonly name: string;
  readonly title: string;
  /** Raised when a snapshot of an older version can't be read; the fold is then replayed from the trials. */
  readonly version: number;
  start(problem: SearchProblem, settings?: Readonly<Record<string, unknown>>): OptimizerRun;
  restore(problem: SearchProblem, snapshot: Json, history: readonly Told[], settings?: Readonly<Record<string, unknown>>): OptimizerRun;
}
