/**
 * Search step of Nelder and Mead for one objective, a point at a time, on the search mesh.
 *
 * The simplex is made anew of the best told points each time: a reflection that is better than the worst vertex takes its place, one that is
 * not is followed by the inside contraction, and a reflection between the two worst by the outside one, which is the inside one of the next
 * simplex. A reflection better than the best ends the iteration, and the speculative search expands it. No shrink: the poll takes over.
 * Audet & Tribes, Mesh-based Nelder-Mead algorithm for inequality constrained optimization, Comput. Optim. Appl. 71 (2018).
 */
import type { Listed } from './barrier.js';
import { freeCoordinates, fresh, fromCentre, type Context, type Proposal } from './context.js';
import { evaluated, type Evaluated } from './evaluated.js';
import { frameSize } from './granular-mesh.js';
import { ontoMesh } from './poll-directions.js';

/** The points of a simplex lie within so many frames of the centre. */
const FRAMES = 4;
/** The part of its edge by which a vertex stands out of the plane of those before it. */
const LEAST_HEIGHT = 0.05;
/** Reflection, inside contraction: from the middle of the others, in lengths from the worst vertex to it. */
const MOVES = [1, -0.5] as const;

/** The next point of the simplex around a centre; empty: too few points, or its moves are known. */
export function nelderMead(context: Context, centre: Listed): Proposal[] {
  const simplex = simplexAround(context, centre);
  if (simplex === null) return [];
  const worst = simplex.at(-1)!.genes;
  const others = simplex.slice(0, -1);
  for (const t of MOVES) {
    const target = centre.point.genes.map((g, i) => {
      if (!context.axes[i]) return g;
      const middle = others.reduce((s, p) => s + p.genes[i]!, 0) / others.length;
      return middle + t * (middle - worst[i]!);
    });
    const [point] = fresh(context, [fromCentre(centre, ontoMesh(target, centre.point.genes, context.axes, centre.mesh), 'nelder-mead', true)]);
    if (point) return [point];
  }
  return [];
}

/** Feasible by f, then infeasible by h, then f: < 0 if a is better. */
export function byBarrier(a: Evaluated, b: Evaluated): number {
  return a.h - b.h || a.f[0]! - b.f[0]!;
}

/** The best n + 1 affinely independent told points of the box around the centre, best first; null: fewer. */
export function simplexAround(context: Context, centre: Listed): readonly Evaluated[] | null {
  const free = freeCoordinates(context, centre.point.genes);
  const c = centre.point.genes;
  const lengths = free.map((i) => FRAMES * frameSize(context.axes[i]!, centre.mesh[i]!));
  const ranked = context.kin(c)
    .filter((t) => free.every((i, k) => Math.abs(t.genes[i]! - c[i]!) <= lengths[k]!))
    .flatMap((t) => evaluated(t, context.scales) ?? [])
    .filter((p) => Number.isFinite(p.f[0]!))
    .sort(byBarrier);
  const first = ranked[0];
  if (free.length === 0 || !first) return null;
  const simplex = [first];
  const plane: number[][] = [];
  for (const p of ranked) {
    const edge = free.map((i, k) => (p.genes[i]! - first.genes[i]!) / lengths[k]!);
    const length = Math.hypot(...edge);
    for (const b of plane) {
      const along = b.reduce((s, v, k) => s + v * edge[k]!, 0);
      b.forEach((v, k) => (edge[k] = edge[k]! - along * v));
    }
    const height = Math.hypot(...edge);
    if (!(height > LEAST_HEIGHT * length)) continue;
    plane.push(edge.map((v) => v / height));
    simplex.push(p);
    if (plane.length === free.length) return simplex;
  }
  return null;
}
