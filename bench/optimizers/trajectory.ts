/** What is kept of a run: the quality at a ladder of evaluations, from which tables, profiles and plots are drawn. */
import { hypervolume } from '@app/pareto';
import type { TestProblem } from './problems.js';

/** evaluations at which the quality is read off */
export const LADDER = [10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000] as const;

/** data profiles: multiples of n + 1 evaluations */
export const GROUPS = [5, 10, 20, 40, 80] as const;

/** A feasible trial. */
export interface Feasible {
  /** its number, from 1 */
  readonly at: number;
  readonly f: readonly number[];
}

/** One seed of a solver on a problem. */
export interface Trajectory {
  readonly seed: number;
  /** at each step of the ladder within the budget: share of the known hypervolume, or the best feasible value (null: nothing feasible yet) */
  readonly curve: readonly (number | null)[];
  /** one objective: the first feasible value, null if there was none */
  readonly first?: number | null;
  /** one objective: the best feasible value after each of GROUPS within the budget */
  readonly groups?: readonly (number | null)[];
  /** milliseconds the solver took a trial, the problem's own time not counted */
  readonly ms: number;
}

/** @param budget evaluations asked for; a solver that ended before keeps what it had */
export function trajectory(test: TestProblem, seed: number, feasible: readonly Feasible[], budget: number, ms: number): Trajectory {
  const ladder = LADDER.filter((b) => b <= budget);
  const time = rounded(ms, 3);
  if (test.objectives > 1) return { seed, curve: ladder.map((b) => rounded(share(test, feasible, b), 6)), ms: time };
  const best = (b: number): number | null => {
    const values = feasible.filter((p) => p.at <= b).map((p) => p.f[0]!);
    return values.length === 0 ? null : rounded(Math.min(...values), 10);
  };
  const first = feasible[0]?.f[0];
  return {
    seed,
    curve: ladder.map(best),
    first: first === undefined ? null : rounded(first, 10),
    groups: GROUPS.map((g) => g * (test.variables.length + 1)).filter((b) => b <= budget).map(best),
    ms: time,
  };
}

/** Share of the known hypervolume that the feasible trials up to a number dominate. */
export function share(test: TestProblem, feasible: readonly Feasible[], upTo: number): number {
  return hypervolume(feasible.filter((p) => p.at <= upTo).map((p) => p.f), test.reference!) / test.hypervolume!;
}

const rounded = (v: number, digits: number): number => Number(v.toPrecision(digits));
