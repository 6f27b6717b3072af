import { freeCoordinates, fresh, type Context, type Proposal } from './context.js';

/** With several objectives so many of the jumps along a real variable take another success's value, the rest draw one. */
const TAKEN = 0.75;

/**
 * A member of the front with one coordinate set anew: what leaves a local minimum of a function whose variables matter one by one, as a
 * neighbourhood far wider than the frame. The value is drawn over the range, or, with several objectives and a real variable, mostly that of
 * another success of the run: what a dominated one had found for one variable is not lost with it, and is already refined. Of integers a draw finds as good a value.
 * Mladenović and Hansen, Variable neighborhood search (1997); as a search of MADS: Audet, Béchard, Le Digabel, J. Glob. Optim. 41 (2008).
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
  const others = context.problem.objectives > 1 && context.space.parameters[i]!.type === 'float' && rng.next() < TAKEN
    ? context.successes().filter((e) => e.genes[i] !== parent.genes[i] && context.space.active(e.genes)[i])
    : [];
  genes[i] = others.length > 0 ? rng.pick(others).genes[i]! : context.axes[i]!.range * rng.next();
  return fresh(context, [{ genes, step: 'jump', from: parent.key, mesh: context.meshOf(parent.key), along: false }]);
}
