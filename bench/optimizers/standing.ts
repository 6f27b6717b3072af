/** What the stored runs say: medians by budget, data profiles and comparisons of solvers on the problems both have. */
import { BUDGETS, type TestProblem } from './problems.js';
import type { SolverRecord } from './store.js';
import { GROUPS, LADDER } from './trajectory.js';

/** Medians of a solver. */
export interface Standing {
  readonly solver: string;
  readonly own: boolean;
  /** evaluations → median over seeds: share of the known hypervolume, or best feasible value; null: not feasible; undefined: not measured */
  at(problem: string, evaluations: number): number | null | undefined;
}

export function standingOf(record: SolverRecord, own: boolean, tests: readonly TestProblem[]): Standing {
  const single = new Set(tests.filter((t) => t.objectives === 1).map((t) => t.name));
  return {
    solver: record.solver,
    own,
    at: (problem, evaluations) => {
      const runs = record.runs[problem];
      const step = LADDER.findIndex((b) => b === evaluations);
      if (!runs || step < 0 || runs.budget < evaluations) return undefined;
      return middle(runs.seeds.map((s) => s.curve[step]!), single.has(problem));
    },
  };
}

/** The medians that came with the problems. */
export function anchorStanding(solver: string, anchor: string, tests: readonly TestProblem[]): Standing {
  const values = new Map(tests.map((t) => [t.name, t.anchors[anchor]]));
  return { solver, own: false, at: (problem, evaluations) => values.get(problem)?.[BUDGETS.findIndex((b) => b === evaluations)] ?? undefined };
}

/** Median of runs in which null is the worst. */
function middle(values: readonly (number | null)[], minimised: boolean): number | null {
  const known = values.filter((v): v is number => v !== null).sort((a, b) => (minimised ? a - b : b - a));
  const last = Math.floor(values.length / 2);
  if (known.length <= last) return null;
  return values.length % 2 === 1 ? known[last]! : (known[last - 1]! + known[last]!) / 2;
}

/**
 * How far from the best: 1 minus the share of the hypervolume, or the error (f - f*) / max(1, |f*|) of one objective, Infinity where nothing is feasible.
 */
export function shortfall(test: TestProblem, value: number | null): number {
  if (value === null) return test.objectives === 1 ? Infinity : 1;
  return test.objectives === 1 ? Math.max(0, value - test.best!) / Math.max(1, Math.abs(test.best!)) : 1 - value;
}

export interface Duel {
  readonly problems: number;
  readonly better: number;
  readonly alike: number;
  readonly worse: number;
}

/** On how many problems a's median is nearer the best than b's, alike to 0.01, or farther. */
export function duel(tests: readonly TestProblem[], a: Standing, b: Standing, evaluations: number): Duel {
  const gaps = tests.flatMap((t) => {
    const [own, other] = [a.at(t.name, evaluations), b.at(t.name, evaluations)];
    if (own === undefined || other === undefined) return [];
    const [x, y] = [shortfall(t, own), shortfall(t, other)];
    return [x === y ? 0 : y - x];
  });
  const better = gaps.filter((g) => g > 0.01).length;
  const worse = gaps.filter((g) => g < -0.01).length;
  return { problems: gaps.length, better, worse, alike: gaps.length - better - worse };
}

/** Problems that all these solvers have at all these numbers of evaluations. */
export function common(tests: readonly TestProblem[], solvers: readonly Standing[], evaluations: readonly number[]): TestProblem[] {
  return tests.filter((t) => solvers.every((s) => evaluations.every((b) => s.at(t.name, b) !== undefined)));
}

/** Seeds that all records have for all tests. */
export function commonSeeds(tests: readonly TestProblem[], records: readonly SolverRecord[]): number[] {
  const [first = [], ...rest] = records.flatMap((r) => tests.map((t) => r.runs[t.name]!.seeds.map((s) => s.seed)));
  return first.filter((seed) => rest.every((own) => own.includes(seed)));
}

/**
 * Moré and Wild (2009): share of (problem, seed) solved to f ≤ f* + τ (f(x0) - f*) within each of GROUPS times n + 1 evaluations. f(x0) is the
 * largest of the first feasible values that these solvers met in that seed's runs; the start point goes by the seed.
 *
 * @param seeds that all records have for all tests
 */
export function profile(tests: readonly TestProblem[], records: readonly SolverRecord[], solver: SolverRecord, tolerance: number, seeds: readonly number[]): number[] {
  const solved = GROUPS.map(() => 0);
  let count = 0;
  for (const test of tests) {
    for (const seed of seeds) {
      const runs = records.map((r) => r.runs[test.name]!.seeds.find((s) => s.seed === seed)!);
      const start = Math.max(...runs.map((r) => r.first ?? -Infinity));
      const own = solver.runs[test.name]!.seeds.find((s) => s.seed === seed)!;
      const target = test.best! + tolerance * (start - test.best!);
      count++;
      GROUPS.forEach((_, k) => {
        // Beyond the budget the last known value stands.
        const value = own.groups?.[Math.min(k, own.groups.length - 1)] ?? null;
        if (value !== null && value <= target) solved[k]!++;
      });
    }
  }
  return solved.map((s) => s / Math.max(1, count));
}
