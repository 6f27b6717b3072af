import { freeCoordinates, fresh, type Context, type Proposal } from './context.js';

/**
 * A member of the front with one coordinate drawn anew over its range: what leaves a local minimum of a function whose variables matter
 * one by one, as a neighbourhood far wider than the frame. Mladenović and Hansen, Variable neighborhood search (1997); as a search of MADS:
 * Audet, Béchard, Le Digabel, J. Glob. Optim. 41 (2008).
 */
export function jump(context: Context): Proposal[] {
  const { rng } = context;
  const list = context.front().length > 0 ? context.front() : context.barrier.infeasible.map((l) => l.point);
  if (list.length === 0) return [];
  const parent = rng.pick(list);
  const free = freeCoordinates(context, parent.genes);
  if (free.length < 2) return [];
  const genes = [...parent.genes];
  const i = rng.pick(free);
  genes[i] = context.axes[i]!.range * rng.next();
  return fresh(context, [{ genes, step: 'jump', from: parent.key, mesh: context.meshOf(parent.key), along: false }]);
}
