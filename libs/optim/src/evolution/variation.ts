/**
 * Variation of genes. Numeric parameters cross and mutate as positions in the unit interval and fall back to their grid; categories are
 * exchanged and redrawn. Deb & Agrawal, Simulated binary crossover for continuous search space (1995); Deb, Pratap, Agarwal, Meyarivan (2002).
 */
import type { Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';

const ETA_CROSSOVER = 15;
const ETA_MUTATION = 20;
const CROSSOVER = 0.9;

/** One child of two parents: crossover with probability 0.9, then each active parameter mutated with probability one over their number. */
export function child(space: SearchSpace, rng: Rng, a: Genes, b: Genes): Genes {
  const crossed = rng.next() < CROSSOVER ? crossover(space, rng, a, b) : a;
  const active = space.active(crossed);
  const share = 1 / Math.max(1, active.filter(Boolean).length);
  return mutated(space, rng, crossed, crossed.flatMap((_, i) => (active[i] && rng.next() < share ? [i] : [])));
}

/** One of the two children of simulated binary crossover; a category comes from either parent. */
export function crossover(space: SearchSpace, rng: Rng, a: Genes, b: Genes): Genes {
  const [ua, ub] = [space.toUnit(a), space.toUnit(b)];
  const u = new Float64Array(ua.length);
  space.parameters.forEach((p, i) => {
    const [x, y] = [ua[i]!, ub[i]!];
    if (p.type === 'categorical' || rng.next() < 0.5) u[i] = rng.next() < 0.5 ? x : y;
    else u[i] = Math.abs(x - y) < 1e-14 ? x : boundedCrossover(rng, x, y);
  });
  return space.fromUnit(u);
}

/** Spread factor whose distribution is cut at the bounds 0 and 1, as in Deb's program. */
function boundedCrossover(rng: Rng, x: number, y: number): number {
  const [low, high] = [Math.min(x, y), Math.max(x, y)];
  const lower = rng.next() < 0.5;
  const room = lower ? low : 1 - high;
  const alpha = 2 - (1 + (2 * room) / (high - low)) ** -(ETA_CROSSOVER + 1);
  const r = rng.next();
  const beta = r <= 1 / alpha ? (r * alpha) ** (1 / (ETA_CROSSOVER + 1)) : (1 / (2 - r * alpha)) ** (1 / (ETA_CROSSOVER + 1));
  const middle = (low + high) / 2;
  const half = (beta * (high - low)) / 2;
  return Math.min(1, Math.max(0, lower ? middle - half : middle + half));
}

/** Polynomial mutation of numeric parameters, another value for categories and short lists. @param which  parameters to change */
export function mutated(space: SearchSpace, rng: Rng, genes: Genes, which: readonly number[]): Genes {
  const u = space.toUnit(genes);
  const next = [...genes];
  for (const i of which) {
    const size = space.sizes[i]!;
    if (size === 1) continue;
    const cell = 1 / size;
    const moved = space.parameters[i]!.type === 'categorical' ? u[i]! : polynomial(rng, u[i]!);
    if (size === Infinity || Math.abs(moved - u[i]!) > cell / 2) next[i] = geneAt(space, u, i, moved);
    else if (space.parameters[i]!.type === 'categorical') next[i] = (genes[i]! + 1 + rng.int(size - 1)) % size;
    else next[i] = genes[i]! === 0 ? 1 : genes[i]! === size - 1 ? size - 2 : genes[i]! + (rng.next() < 0.5 ? -1 : 1);
  }
  return space.canonical(next);
}

function geneAt(space: SearchSpace, u: Float64Array, i: number, position: number): number {
  const moved = Float64Array.from(u);
  moved[i] = position;
  return space.fromUnit(moved)[i]!;
}

function polynomial(rng: Rng, x: number): number {
  const r = rng.next();
  const power = 1 / (ETA_MUTATION + 1);
  const step = r < 0.5
    ? (2 * r + (1 - 2 * r) * (1 - x) ** (ETA_MUTATION + 1)) ** power - 1
    : 1 - (2 * (1 - r) + 2 * (r - 0.5) * x ** (ETA_MUTATION + 1)) ** power;
  return Math.min(1, Math.max(0, x + step));
}
