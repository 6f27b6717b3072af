/** Fewer points that still tell of the whole front. */
import { crowdingDistance } from './crowding.js';
import { paretoFront, weaklyDominates } from './dominance.js';
import { checkFinite, checkPoints, type Objectives } from './vectors.js';

/**
 * Indexes, ascending, of an ε-Pareto set: every point is matched by a kept one to within ε in each objective (kept ≤ point + ε), and of any
 * two kept points none matches the other so in a coarser grid: one front point a box of side ε, the one nearest its box's best corner, boxes
 * that another box dominates left out. Laumanns, Thiele, Deb, Zitzler, Combining convergence and diversity (2002).
 * @param epsilon  [m], > 0, in the objectives' units
 * @throws RangeError on values that are not finite, lengths that differ, or an epsilon that is not positive
 */
export function epsilonThinning(points: readonly Objectives[], epsilon: Objectives): number[] {
  const m = checkPoints(points);
  checkFinite(points);
  if (points.length > 0 && epsilon.length !== m) throw new RangeError(`epsilon: expected ${m} values, got ${epsilon.length}`);
  for (let j = 0; j < epsilon.length; j++) if (!(epsilon[j]! > 0 && epsilon[j]! < Infinity)) throw new RangeError(`epsilon[${j}]: expected a positive number, got ${epsilon[j]}`);
  const boxes = new Map<string, { readonly box: number[]; index: number; away: number }>();
  for (const i of paretoFront(points)) {
    const scaled = Array.from({ length: m }, (_, j) => points[i]![j]! / epsilon[j]!);
    const box = scaled.map(Math.floor);
    const away = scaled.reduce((s, v, j) => s + (v - box[j]!) ** 2, 0);
    const known = boxes.get(box.join());
    if (!known) boxes.set(box.join(), { box, index: i, away });
    else if (away < known.away) [known.index, known.away] = [i, away];
  }
  const list = [...boxes.values()];
  return list.filter((a) => !list.some((b) => b !== a && weaklyDominates(b.box, a.box))).map((b) => b.index).sort((a, b) => a - b);
}

/**
 * Indexes, ascending, of at most `count` front points: the most crowded goes, one at a time, its neighbours' distances reckoned anew each
 * time (Kukkonen, Deb 2006, showed why at once is worse). The ends of each objective stay longest. Of equal points the later go first.
 * @throws RangeError on values that are not finite, lengths that differ, or a count below 1
 */
export function crowdingThinning(points: readonly Objectives[], count: number): number[] {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`count: expected an integer from 1, got ${count}`);
  const kept = paretoFront(points);
  while (kept.length > count) {
    const distances = crowdingDistance(kept.map((i) => points[i]!));
    let worst = kept.length - 1;
    for (let k = worst - 1; k >= 0; k--) if (distances[k]! < distances[worst]!) worst = k;
    kept.splice(worst, 1);
  }
  return kept;
}
