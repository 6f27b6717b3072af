/**
 * Poll of the categories at a fixed quantitative part. Neighbours are the nearest category vectors under distances learned from the
 * history: max(2, √L) of the L combinations, at most as many as there are single changes; only changes of one or two categories are looked at.
 * Hallé-Hannan, Audet, Diouane, Le Digabel, Tribes, CatMADS (2025).
 */
import type { Genes } from '@app/space';
import type { Listed } from './barrier.js';
import { freeCategories, fresh, fromCentre, type Context, type Proposal } from './context.js';

/** With more pairs of changes than this, only single changes are looked at. */
const MOST_PAIRS = 5000;

/** @param distance  learned, from the centre; nearest first */
export function categoricalNeighbours(context: Context, centre: Listed, distance: (genes: Genes) => number): Proposal[] {
  const { space } = context;
  const genes = centre.point.genes;
  const free = freeCategories(context, genes);
  if (free.length === 0) return [];
  const single = free.flatMap((i) => otherValues(genes, i, space.sizes[i]!).map((v) => [[i, v]] as const));
  const combinations = free.reduce((s, i) => s * space.sizes[i]!, 1);
  const count = Math.min(single.length, Math.max(2, Math.floor(Math.sqrt(combinations))));
  const changes: (readonly (readonly [number, number])[])[] = [...single];
  if (single.length ** 2 / 2 <= MOST_PAIRS) {
    single.forEach((a, p) => single.slice(p + 1).forEach((b) => {
      if (a[0][0] !== b[0][0]) changes.push([a[0], b[0]]);
    }));
  }
  const moved = changes.map((change) => {
    const next = [...genes];
    for (const [i, v] of change) next[i] = v;
    const canonical = space.canonical(next);
    return { canonical, distance: distance(canonical) };
  });
  const nearest = moved.sort((a, b) => a.distance - b.distance).slice(0, Math.max(count, 1));
  return fresh(context, nearest.map((n) => fromCentre(centre, n.canonical, 'categorical', false)));
}

function otherValues(genes: Genes, i: number, size: number): number[] {
  return Array.from({ length: size }, (_, v) => v).filter((v) => v !== genes[i]);
}
