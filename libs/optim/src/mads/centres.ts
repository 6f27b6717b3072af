/** Which listed points to poll. Bigeon, Le Digabel, Salomon, DMulti-MADS (2021), § 4.2, and the constrained paper (2024). */
import type { Barrier, Listed } from './barrier.js';
import { relativeFrame } from './granular-mesh.js';

/** Trigger of the infeasible centre: it leads if it sticks out by this part of the objectives' ranges. */
const RHO = 0.1;

export interface Centres {
  readonly primary: Listed;
  readonly secondary: Listed | null;
}

/** @param done  keys of poll-optimal points, which are not polled again. Null: nothing to poll */
export function chooseCentres(barrier: Barrier, done: ReadonlySet<string>): Centres | null {
  const open = (l: Listed): boolean => !done.has(l.point.key);
  const feasible = widestGap(barrier, barrier.feasible, barrier.feasible.filter(open));
  if (barrier.feasible.length === 0) {
    const front = barrier.infeasibleFront().filter(open);
    const candidates = front.length > 0 ? front : barrier.infeasible.filter(open);
    if (candidates.length === 0) return null;
    const least = barrier.infeasible.filter(open).reduce((a, b) => (b.point.h < a.point.h ? b : a));
    const frame = relativeFrame(barrier.axes, least.mesh);
    const other = widestGap(barrier, candidates, candidates.filter((l) => relativeFrame(barrier.axes, l.mesh) >= frame));
    return { primary: least, secondary: other === least ? null : other };
  }
  const infeasible = mostProminent(barrier, barrier.infeasibleFront().filter(open));
  if (!feasible) return infeasible ? { primary: infeasible.listed, secondary: null } : null;
  if (!infeasible) return { primary: feasible, secondary: null };
  const leads = infeasible.prominence > RHO * objectiveScale(barrier.feasible);
  return leads ? { primary: infeasible.listed, secondary: feasible } : { primary: feasible, secondary: infeasible.listed };
}

/** Sum of the objectives' ranges; of their sizes for a single point. */
function objectiveScale(list: readonly Listed[]): number {
  const m = list[0]!.point.f.length;
  let sum = 0;
  for (let j = 0; j < m; j++) {
    const values = list.map((l) => l.point.f[j]!);
    sum += list.length > 1 ? Math.max(...values) - Math.min(...values) : Math.max(1, Math.abs(values[0]!));
  }
  return sum;
}

/**
 * The candidate that borders the emptiest stretch of the whole list, among those whose frame is at least a tenth of the largest.
 * Gaps are measured in the list, not among the candidates.
 */
function widestGap(barrier: Barrier, list: readonly Listed[], candidates: readonly Listed[]): Listed | null {
  if (candidates.length === 0) return null;
  const frames = candidates.map((l) => relativeFrame(barrier.axes, l.mesh));
  const floor = 0.1 * Math.max(...frames);
  const coarse = candidates.filter((_, i) => frames[i]! >= floor);
  if (coarse.length === 1) return coarse[0]!;
  const score = gaps(list);
  const lexicographic = [...coarse].sort((a, b) => compare(a.point.f, b.point.f));
  let best = lexicographic[0]!;
  for (const l of lexicographic) {
    const [own, record] = [score.get(l)!, score.get(best)!];
    if (own > record || (own === record && own > 0)) best = l;
  }
  return best;
}

/** Per listed point the largest relative gap over the objectives; ends count double. Infinite objectives leave theirs out. */
export function gaps(list: readonly Listed[]): Map<Listed, number> {
  const score = new Map<Listed, number>(list.map((l) => [l, 0]));
  const m = list[0]?.point.f.length ?? 0;
  for (let j = 0; j < m; j++) {
    const sorted = list.filter((l) => Number.isFinite(l.point.f[j]!)).sort((a, b) => a.point.f[j]! - b.point.f[j]!);
    const last = sorted.length - 1;
    const range = last > 0 ? sorted[last]!.point.f[j]! - sorted[0]!.point.f[j]! : 0;
    if (!(range > 0)) continue;
    sorted.forEach((l, i) => {
      const below = sorted[i - 1]?.point.f[j];
      const above = sorted[i + 1]?.point.f[j];
      const own = l.point.f[j]!;
      const gap = below === undefined ? 2 * (above! - own) : above === undefined ? 2 * (own - below) : above - below;
      score.set(l, Math.max(score.get(l)!, gap / range));
    });
  }
  return score;
}

/** The infeasible point that sticks out furthest beyond the feasible list: ψ of the constrained paper; without any, the nearest to doing so. */
function mostProminent(barrier: Barrier, front: readonly Listed[]): { listed: Listed; prominence: number } | null {
  if (front.length === 0) return null;
  let best: { listed: Listed; prominence: number; distance: number } | null = null;
  for (const listed of front) {
    let prominence = Infinity;
    let distance = Infinity;
    for (const y of barrier.feasible) {
      prominence = Math.min(prominence, listed.point.f.reduce((s, v, j) => s + Math.max(0, y.point.f[j]! - v), 0));
      distance = Math.min(distance, listed.point.f.reduce((s, v, j) => s + Math.max(0, v - y.point.f[j]!), 0));
    }
    if (best === null || prominence > best.prominence || (prominence === 0 && best.prominence === 0 && distance < best.distance)) best = { listed, prominence, distance };
  }
  return best;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let j = 0; j < a.length; j++) if (a[j] !== b[j]) return a[j]! < b[j]! ? -1 : 1;
  return 0;
}
