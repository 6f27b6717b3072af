import type { Metrics } from '@app/contracts';
import { crowdingDistance, nonDominatedSort } from '@app/pareto';
import type { StudyTerms } from './problem.js';

/** Reason of trials that were not trained, since too many scored before stand better by a proxy and by what is computed. */
export const OUTSCORED = 'outscored';
/** Metric of the score. */
export const SCORE = 'proxy';

/** A candidate that has a score. */
export interface Scored {
  readonly score: number;
  /** [m], minimised; null: not known of it */
  readonly objectives: readonly (number | null)[];
}

export interface Prefilter {
  /** share that goes on */
  readonly keep: number;
  /** scored candidates that are due before any is passed over */
  readonly after: number;
  /** those told before the candidate was asked, in the order told; the latest `among` speak */
  readonly scored: readonly Scored[];
  readonly among: number;
}

/**
 * Place of a candidate among others: how many stand before it by rank (non-dominated sorting of what is computed beforehand and of the score, more being better),
 * within a rank by crowding distance, and then by the order given (Deb et al. 2002). A small network competes with small ones so, though scores rise with size.
 *
 * @param known  minimised objectives, null: not known before the evaluation
 * @param others  those without a value where the candidate has one are left out
 * @returns 0 … of − 1, of being the others that count and the candidate
 */
export function placeOf(score: number, known: readonly (number | null)[], others: readonly Scored[]): { readonly place: number; readonly of: number } {
  const open = known.flatMap((v, j) => (v === null ? [] : [j]));
  const comparable = others.filter(({ score: s, objectives }) => Number.isFinite(s) && open.every((j) => objectives[j] !== null));
  const points = [...comparable.map(({ score: s, objectives }) => [...open.map((j) => objectives[j]!), -s]), [...open.map((j) => known[j]!), -score]];
  const ranks = nonDominatedSort(points);
  const own = points.length - 1;
  const peers = points.flatMap((_, i) => (ranks[i] === ranks[own] ? [i] : []));
  const crowding = crowdingDistance(peers.map((i) => points[i]!));
  const mine = crowding[peers.length - 1]!;
  const before = points.filter((_, i) => ranks[i]! < ranks[own]!).length + peers.filter((i, k) => i !== own && crowding[k]! >= mine).length;
  return { place: before, of: points.length };
}

/** Why a scored candidate is not trained, or null. */
export function outscored({ keep, after, scored, among }: Prefilter, terms: StudyTerms, metrics: Metrics, known: readonly (number | null)[]): string | null {
  const score = metrics[SCORE]?.value;
  if (score === undefined || scored.length < after) return null;
  const { place, of } = placeOf(score, known, scored.slice(-among));
  if (place < keep * of) return null;
  const beside = terms.objectives.filter((_, j) => known[j] !== null).map((o) => o.key);
  return `proxy score ${Number(score.toPrecision(6))}: place ${place + 1} of ${of} scored candidates${beside.length > 0 ? `, ${beside.join(' and ')} counting too` : ''}; the first ${Math.ceil(keep * of)} are trained`;
}
