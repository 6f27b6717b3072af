/** Medians over seeds beside the anchors, and data profiles of the problems with one objective. */
import type { Run } from './measure.js';
import { BUDGETS, type TestProblem } from './problems.js';

export interface Row {
  readonly problem: string;
  readonly objectives: number;
  /** best known: hypervolume share 1, or the best value */
  readonly best: number;
  /** algorithm or anchor → lower quartile, median, upper quartile at each budget; null: infeasible or not measured */
  readonly algorithms: Readonly<Record<string, { readonly q25: readonly Value[]; readonly median: readonly Value[]; readonly q75: readonly Value[] }>>;
  readonly anchors: Readonly<Record<string, readonly Value[]>>;
}

type Value = number | null;

export interface Profile {
  readonly tolerance: number;
  readonly algorithm: string;
  /** share of (problem, seed) solved within so many times n + 1 evaluations */
  readonly solved: readonly { readonly groups: number; readonly share: number }[];
}

export function rows(tests: readonly TestProblem[], runs: readonly Run[]): Row[] {
  return tests.map((t) => {
    const own = runs.filter((r) => r.problem === t.name);
    const algorithms = Object.fromEntries([...new Set(own.map((r) => r.algorithm))].map((algorithm) => {
      const mine = own.filter((r) => r.algorithm === algorithm);
      const at = (q: number): Value[] => mine[0]!.values.map((_, b) => rank(mine.map((r) => r.values[b]!), q, t.objectives === 1));
      return [algorithm, { q25: at(0.25), median: at(0.5), q75: at(0.75) }];
    }));
    return { problem: t.name, objectives: t.objectives, best: t.best ?? 1, algorithms, anchors: t.anchors };
  });
}

/** Quantile by interpolation; runs without a feasible point (null) rank as the worst. */
function rank(values: readonly Value[], q: number, minimised: boolean): Value {
  const worst = minimised ? Infinity : -Infinity;
  const sorted = values.map((v) => v ?? worst).sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  const value = low === high ? low : low + (place - Math.floor(place)) * (high - low);
  return Number.isFinite(value) ? value : null;
}

/**
 * Moré and Wild (2009): solved when f ≤ f* + τ·(f(x0) - f*), f(x0) the largest of the first feasible values that the algorithms met in that seed's runs.
 */
export function dataProfiles(tests: readonly TestProblem[], runs: readonly Run[], groups: readonly number[] = [5, 10, 20, 40, 80]): Profile[] {
  const single = tests.filter((t) => t.objectives === 1);
  const algorithms = [...new Set(runs.map((r) => r.algorithm))];
  return [1e-1, 1e-3, 1e-5].flatMap((tolerance) => algorithms.map((algorithm) => {
    const solvedAfter = single.flatMap((t) => runs.filter((r) => r.problem === t.name && r.algorithm === algorithm).map((run) => {
      const firsts = runs.filter((r) => r.problem === t.name && r.seed === run.seed).flatMap((r) => r.improvements.slice(0, 1).map(([, f]) => f));
      const start = Math.max(...firsts);
      const target = t.best! + tolerance * (start - t.best!);
      return (run.improvements.find(([, f]) => f <= target)?.[0] ?? Infinity) / (t.variables.length + 1);
    }));
    return { tolerance, algorithm, solved: groups.map((g) => ({ groups: g, share: solvedAfter.filter((s) => s <= g).length / Math.max(1, solvedAfter.length) })) };
  }));
}

const show = (v: Value | undefined, objectives: number): string => (v === null || v === undefined ? '-' : objectives === 1 ? Number(v.toPrecision(6)).toString() : v.toFixed(3));

export function text(table: readonly Row[], profiles: readonly Profile[], runs: readonly Run[]): string {
  const lines: string[] = [];
  const budgets = BUDGETS.slice(0, Math.max(0, ...runs.map((r) => r.values.length)));
  for (const objectives of [2, 1]) {
    const part = table.filter((r) => (r.objectives === 1) === (objectives === 1));
    if (part.length === 0) continue;
    lines.push(objectives === 1 ? 'best feasible value, median' : 'share of the known hypervolume, median', ['problem'.padEnd(21), 'solver'.padEnd(12), ...budgets.map((b) => String(b).padStart(11))].join(''));
    for (const row of part) {
      const entries = [...Object.entries(row.algorithms).map(([name, a]) => [name, a.median] as const), ...Object.entries(row.anchors).map(([name, a]) => [`(${name})`, a] as const)];
      if (objectives === 1) entries.push(['(best known)', budgets.map(() => row.best)]);
      entries.forEach(([name, values], k) => lines.push([(k === 0 ? row.problem : '').padEnd(21), name.padEnd(12), ...budgets.map((_, b) => show(values[b], row.objectives).padStart(11))].join('')));
    }
  }
  if (profiles.length > 0) lines.push('share solved within g·(n+1) evaluations', ...profiles.map((p) => `τ=${p.tolerance} ${p.algorithm.padEnd(10)} ${p.solved.map((s) => `${s.groups}: ${s.share.toFixed(2)}`).join('  ')}`));
  return lines.join('\n');
}
