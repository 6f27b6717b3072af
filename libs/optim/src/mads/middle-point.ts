import { fresh, type Context, type Proposal } from './context.js';

/**
 * Half-way, in the space, between two neighbours of the front that leave the widest gap in an objective drawn at random; a category comes
 * from one of the two. Empty with fewer than two feasible points or one objective.
 */
export function middlePoint(context: Context): Proposal[] {
  const list = context.barrier.feasible;
  const m = context.problem.objectives;
  if (m < 2 || list.length < 2) return [];
  const j = context.rng.int(m);
  const sorted = [...list].sort((a, b) => a.point.f[j]! - b.point.f[j]!);
  let widest = 1;
  for (let i = 2; i < sorted.length; i++) {
    if (sorted[i]!.point.f[j]! - sorted[i - 1]!.point.f[j]! > sorted[widest]!.point.f[j]! - sorted[widest - 1]!.point.f[j]!) widest = i;
  }
  const [a, b] = [sorted[widest - 1]!, sorted[widest]!];
  const genes = a.point.genes.map((g, i) => {
    const other = b.point.genes[i]!;
    return context.axes[i] ? (g + other) / 2 : context.rng.int(2) === 0 ? g : other;
  });
  return fresh(context, [{ genes, step: 'middle', from: a.point.key, mesh: a.mesh, along: false }]);
}
