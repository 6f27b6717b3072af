/**
 * Empirical attainment of several runs of a stochastic search: which goals were reached by how many of them. Objectives minimised.
 * Fonseca, Grunert da Fonseca, Paquete, Exploring the performance of stochastic multiobjective optimisers with the second-order attainment function (2005).
 */
import { paretoFront, weaklyDominates } from './dominance.js';
import { checkPoints, compareVectors, type Objectives } from './vectors.js';

/**
 * Share of runs with a point nowhere above the goal: the empirical attainment function.
 * @throws RangeError on no runs, NaN, or lengths that differ
 */
export function attainment(runs: readonly (readonly Objectives[])[], goal: Objectives): number {
  checkRuns(runs, goal.length);
  return runs.filter((run) => run.some((p) => weaklyDominates(p, goal))).length / runs.length;
}

/**
 * The front of the goals that at least `level` runs have attained; level 1 is the best found by any, the number of runs what all reach, and half
 * of it the median front. Swept along the last objective and down to one, where it is the level-th best of the runs: O(N^(m-1) · runs) for N points.
 * @returns points of m objectives in lexicographic order; none when fewer runs have a point
 * @throws RangeError unless level is an integer from 1 to the number of runs; on NaN or lengths that differ
 */
export function attainmentSurface(runs: readonly (readonly Objectives[])[], level: number): Float64Array[] {
  const m = checkRuns(runs);
  if (!Number.isSafeInteger(level) || level < 1 || level > runs.length) throw new RangeError(`level: expected an integer from 1 to ${runs.length}, got ${level}`);
  if (m === 0) return [];
  return surface(runs, level, m).map((p) => Float64Array.from(p));
}

function surface(runs: readonly (readonly Objectives[])[], level: number, m: number): number[][] {
  if (m === 1) {
    const best = runs.map((run) => run.reduce((least, p) => Math.min(least, p[0]!), Infinity)).sort((a, b) => a - b)[level - 1]!;
    return best === Infinity ? [] : [[best]];
  }
  const heights = [...new Set(runs.flatMap((run) => run.map((p) => p[m - 1]!)))].sort((a, b) => a - b);
  const out: number[][] = [];
  for (const height of heights) {
    const lower = runs.map((run) => run.filter((p) => p[m - 1]! <= height));
    // What a lower height attains already is no news.
    for (const base of surface(lower, level, m - 1)) if (!out.some((p) => p.every((v, j) => j === m - 1 || v <= base[j]!))) out.push([...base, height]);
  }
  return paretoFront(out).map((i) => out[i]!).sort(compareVectors);
}

function checkRuns(runs: readonly (readonly Objectives[])[], m = runs.find((run) => run.length > 0)?.[0]?.length ?? 0): number {
  if (runs.length === 0) throw new RangeError('runs: expected at least one, got none');
  runs.forEach((run, r) => {
    const own = checkPoints(run, `runs[${r}]`);
    if (run.length > 0 && own !== m) throw new RangeError(`runs[${r}]: expected ${m} objectives, got ${own}`);
  });
  return m;
}
