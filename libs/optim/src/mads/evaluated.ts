import type { Genes } from '@app/space';
import type { Told } from '../contract.js';

/** A told point the barrier can rank. */
export interface Evaluated {
  readonly key: string;
  readonly genes: Genes;
  /** [m]; an infeasible point may lack an objective, which then counts as Infinity */
  readonly f: readonly number[];
  /** 0: feasible */
  readonly h: number;
}

const TOLERANCE = 1e-9;

/**
 * h(x) = Σ max(0, g_j / s_j)². Null: failed, or not enough known to rank it.
 * @param scales  [constraints], s_j > 0
 */
export function evaluated(told: Told, scales: readonly number[]): Evaluated | null {
  if (told.state === 'failed') return null;
  let h = 0;
  for (let j = 0; j < told.violations.length; j++) {
    const g = told.violations[j]!;
    if (g === null) return null;
    const scaled = g / scales[j]!;
    if (scaled > TOLERANCE) h += scaled * scaled;
  }
  const complete = told.objectives.every((v) => v !== null);
  if (h === 0 && (!complete || told.state === 'infeasible')) return null;
  return { key: told.key, genes: told.genes, f: told.objectives.map((v) => v ?? Infinity), h };
}

/** Per constraint the median of |g| over the points that know it; 1 where none does or it is 0. */
export function violationScales(history: readonly Told[], constraints: number): number[] {
  return Array.from({ length: constraints }, (_, j) => {
    const sizes = history.flatMap((t) => (t.violations[j] == null ? [] : [Math.abs(t.violations[j])])).sort((a, b) => a - b);
    const median = sizes[Math.floor(sizes.length / 2)] ?? 1;
    return median > 0 ? median : 1;
  });
}
