/** How told points compare under constraints: Deb's rules (2000), with Pareto ranks among the feasible. */
import { crowdingDistance, nonDominatedSort } from '@app/pareto';
import type { Told } from '../contract.js';

/** Smaller is better: the first number decides, then the second, and so on. */
export type Standing = readonly [group: number, rank: number, crowding: number];

const FEASIBLE = 0;
const INFEASIBLE = 1;
const UNKNOWN = 2;

/**
 * Standing of each point within the list: [n]. Feasible points by non-domination rank, then by crowding within the rank; infeasible ones
 * by the sum of violations, each divided by the largest in the list; then points of which too little is known to compare them.
 */
export function standings(list: readonly Told[]): Standing[] {
  const groups = list.map(groupOf);
  const out = new Array<Standing>(list.length);
  const feasible = list.flatMap((_, i) => (groups[i] === FEASIBLE ? [i] : []));
  const points = feasible.map((i) => list[i]!.objectives as readonly number[]);
  const ranks = nonDominatedSort(points);
  const fronts = new Map<number, number[]>();
  ranks.forEach((rank, k) => fronts.set(rank, [...(fronts.get(rank) ?? []), k]));
  for (const [rank, members] of fronts) {
    const crowding = crowdingDistance(members.map((k) => points[k]!));
    members.forEach((k, c) => (out[feasible[k]!] = [FEASIBLE, rank, -crowding[c]!]));
  }
  const scales = (list[0]?.violations ?? []).map((_, j) => Math.max(0, ...list.map((t) => t.violations[j] ?? 0)));
  list.forEach((told, i) => {
    if (groups[i] === INFEASIBLE) out[i] = [INFEASIBLE, told.violations.reduce<number>((s, g, j) => s + (g! > 0 ? g! / scales[j]! : 0), 0), 0];
    if (groups[i] === UNKNOWN) out[i] = [UNKNOWN, 0, 0];
  });
  return out;
}

/** Feasible with all objectives known; infeasible with all violations known; or neither. */
function groupOf(told: Told): number {
  if (told.state === 'failed' || told.violations.some((g) => g === null)) return UNKNOWN;
  if (told.violations.some((g) => g! > 0)) return INFEASIBLE;
  return told.state === 'completed' && told.objectives.every((v) => v !== null) ? FEASIBLE : UNKNOWN;
}

export const isFeasible = (standing: Standing): boolean => standing[0] === FEASIBLE;

/** Negative: a stands before b. */
export function compareStandings(a: Standing, b: Standing): number {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return a[k]! < b[k]! ? -1 : 1;
  return 0;
}
