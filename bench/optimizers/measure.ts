/** One run of an optimizer on a test problem, and what is read off it. */
import type { Optimizer, Told } from '@app/optim';
import { mean, quantile } from '@app/numeric';
import { BUDGETS, type TestProblem } from './problems.js';
import { share, trajectory, type Feasible, type Trajectory } from './trajectory.js';

export interface Run {
  readonly problem: string;
  readonly algorithm: string;
  readonly seed: number;
  /** at each budget up to the run's: share of the known hypervolume, or the best feasible value (null: nothing feasible yet) */
  readonly values: readonly (number | null)[];
  /** one objective: [evaluations, value] of each improvement */
  readonly improvements: readonly (readonly [number, number])[];
  readonly evaluations: number;
  /** milliseconds of ask and tell together, a trial */
  readonly askMs: { readonly mean: number; readonly median: number; readonly p95: number };
  /** how many trials each step proposed */
  readonly steps: Readonly<Record<string, number>>;
  /** what is stored of it */
  readonly trajectory: Trajectory;
}

/** Candidates are asked and told one at a time. */
export function measure(test: TestProblem, optimizer: Optimizer, seed: number, budget: number, settings: Readonly<Record<string, unknown>> = {}): Run {
  const run = optimizer.start(test.problem(seed), settings);
  const feasible: Feasible[] = [];
  const times: number[] = [];
  const steps: Record<string, number> = {};
  let evaluations = 0;
  while (evaluations < budget) {
    const began = performance.now();
    const [candidate] = run.ask(1);
    const asked = performance.now();
    if (!candidate) break;
    const told: Told = { ...candidate, ...test.evaluate(candidate.genes) };
    evaluations++;
    if (told.state === 'completed' && told.objectives.every((v) => v !== null)) feasible.push({ at: evaluations, f: told.objectives as readonly number[] });
    steps[candidate.proposedBy] = (steps[candidate.proposedBy] ?? 0) + 1;
    const telling = performance.now();
    run.tell([told]);
    times.push(asked - began + performance.now() - telling);
  }
  const improvements = test.objectives === 1 ? improvementsOf(feasible) : [];
  const values = BUDGETS.filter((b) => b <= budget).map((b) => {
    if (test.objectives === 1) return improvements.filter(([at]) => at <= b).at(-1)?.[1] ?? null;
    return share(test, feasible, b);
  });
  const askMs = { mean: mean(times), median: quantile(times, 0.5), p95: quantile(times, 0.95) };
  return { problem: test.name, algorithm: optimizer.name, seed, values, improvements, evaluations, askMs, steps, trajectory: trajectory(test, seed, feasible, budget, askMs.mean) };
}

function improvementsOf(feasible: readonly Feasible[]): (readonly [number, number])[] {
  const out: (readonly [number, number])[] = [];
  for (const { at, f } of feasible) if (out.length === 0 || f[0]! < out.at(-1)![1]) out.push([at, f[0]!]);
  return out;
}
