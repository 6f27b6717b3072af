/**
 * Maximises the acquisition over a mixed space: a wide look, then local searches that take turns between L-BFGS on the continuous
 * parameters and the best change of a single discrete one. Only points not taken yet are returned.
 */
import { minimiseLbfgs, Rng, Sobol } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { AcquisitionFunction, Nudged } from './acquisition.js';
import type { FeatureMap } from './features.js';
import type { Box } from './trust-region.js';

/** Ordered parameters with more values are relaxed in the continuous search and then moved by steps of 1, 2, 4 … */
const FEW_VALUES = 20;
const ROUNDS = 20;
const LEAST_GAIN = 1e-6;
const ELITE = 5;
const MOVED_IN_BOX = 20;
/** Of a unit coordinate, for slopes of what is computed: well above the grid of continuous genes. */
const NUDGE = 1e-4;

export interface Spot {
  readonly genes: Genes;
  readonly key: string;
  readonly value: number;
}

export interface SearchAids {
  readonly space: SearchSpace;
  readonly map: FeatureMap;
  readonly taken: (key: string) => boolean;
  /** not taken, and no limit that can be computed is broken; dearer to ask */
  readonly open: (genes: Genes) => boolean;
  /** good points of the past, best first */
  readonly elite: readonly Genes[];
  /** where to look; null: everywhere */
  readonly box: Box | null;
  readonly candidates: number;
  readonly localSearches: number;
  readonly rng: Rng;
}

/** @returns null if no point looked at is open */
export function maximiseAcquisition(acquisition: AcquisitionFunction, aids: SearchAids): Spot | null {
  const pool = evaluate(acquisition, aids, wideLook(aids));
  if (pool.length === 0) return null;
  const found = starts(pool, aids).map((spot) => climb(acquisition, aids, spot));
  return bestOpen([...pool, ...found], aids);
}

/** Distinct untaken points: Sobol, neighbours of the elite, Gaussian steps (deviation 0.1) from it. */
function wideLook({ space, taken, elite, box, candidates, rng }: SearchAids): { genes: Genes; key: string }[] {
  const out = new Map<string, { genes: Genes; key: string }>();
  const add = (genes: Genes): void => {
    const key = space.key(genes);
    if (!taken(key) && !out.has(key)) out.set(key, { genes, key });
  };
  const sobol = new Sobol(space.dimension, rng.nextUint32());
  if (box !== null) {
    for (let i = 0; i < candidates; i++) add(inBox(space, box, sobol.point(i), rng));
    for (const neighbour of discreteMoves(space, box.centre)) add(neighbour);
    return [...out.values()];
  }
  for (let i = 0; i < candidates; i++) add(space.fromUnit(sobol.point(i)));
  for (const genes of elite.slice(0, ELITE)) for (const neighbour of discreteMoves(space, genes)) add(neighbour);
  for (let i = 0; elite.length > 0 && i < candidates / 4; i++) {
    const from = space.toUnit(rng.pick(elite));
    // A few coordinates at a time: in many dimensions moving all of them leaves the neighbourhood.
    const share = Math.min(1, 4 / space.dimension);
    add(space.fromUnit(from.map((u) => (rng.next() < share ? reflected(u + 0.1 * rng.normal()) : u))));
  }
  return [...out.values()];
}

/** The centre with some twenty genes, one at least, moved within the box; categories to any other value. */
function inBox(space: SearchSpace, { centre, lower, upper }: Box, u: Float64Array, rng: Rng): Genes {
  const unit = space.toUnit(centre);
  const moved = rng.int(space.dimension);
  const share = Math.min(1, MOVED_IN_BOX / space.dimension);
  for (let i = 0; i < unit.length; i++) {
    if (i !== moved && rng.next() >= share) continue;
    unit[i] = space.parameters[i]!.type === 'categorical' ? u[i]! : lower[i]! + u[i]! * (upper[i]! - lower[i]!);
  }
  return space.fromUnit(unit);
}

/** The best of the pool, and others drawn without replacement in proportion to exp(standardised value), by the Gumbel trick. */
function starts(pool: readonly Spot[], { localSearches, rng }: SearchAids): Spot[] {
  const finite = pool.filter((s) => s.value > -Infinity);
  if (finite.length === 0) return [];
  const centre = finite.reduce((sum, s) => sum + s.value, 0) / finite.length;
  const deviation = Math.sqrt(finite.reduce((sum, s) => sum + (s.value - centre) ** 2, 0) / finite.length) || 1;
  const top = best(finite)!;
  const drawn = finite
    .filter((s) => s !== top)
    .map((spot) => ({ spot, score: (spot.value - centre) / deviation - Math.log(-Math.log(rng.next() || 0.5)) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, localSearches - 1);
  return [top, ...drawn.map((d) => d.spot)];
}

function climb(acquisition: AcquisitionFunction, aids: SearchAids, start: Spot): Spot {
  let spot = start;
  for (let round = 0; round < ROUNDS; round++) {
    const before = spot.value;
    spot = continuousClimb(acquisition, aids, spot);
    const moves = evaluate(acquisition, aids, discreteMoves(aids.space, spot.genes).map((genes) => ({ genes, key: aids.space.key(genes) })));
    const move = bestOpen(moves.filter((s) => s.value > spot.value), aids);
    if (move) spot = move;
    if (!(spot.value > before + LEAST_GAIN) || moves.length === 0) break;
  }
  return spot;
}

function continuousClimb(acquisition: AcquisitionFunction, { space, map, box }: SearchAids, spot: Spot): Spot {
  const active = space.active(spot.genes);
  const free = space.sizes.flatMap((size, i) => (size > FEW_VALUES && active[i] && space.parameters[i]!.type !== 'categorical' ? [i] : []));
  if (free.length === 0) return spot;
  const features = map.of(spot.genes);
  const slope = new Float64Array(map.numeric);
  const objective = (u: Float64Array, gradient: Float64Array): number => {
    free.forEach((gene, k) => (features[map.featureOf[gene]!] = u[k]!));
    const value = acquisition.computes ? acquisition.valueWithSlopes({ genes: at(u), features }, slope, nudged(u)) : acquisition.valueWithSlopes({ genes: spot.genes, features }, slope);
    free.forEach((gene, k) => (gradient[k] = -slope[map.featureOf[gene]!]!));
    return -value;
  };
  const unit = space.toUnit(spot.genes);
  const at = (u: Float64Array): Genes => {
    free.forEach((gene, k) => (unit[gene] = u[k]!));
    return space.fromUnit(unit);
  };
  const nudged = (u: Float64Array): Nudged[] => free.map((gene, k) => {
    const step = u[k]! > 0.5 ? -NUDGE : NUDGE;
    return { feature: map.featureOf[gene]!, step, genes: at(u.map((v, i) => (i === k ? v + step : v))) };
  });
  const from = free.map((gene) => unit[gene]!);
  if (!Number.isFinite(objective(Float64Array.from(from), new Float64Array(free.length)))) return spot;
  const { x } = minimiseLbfgs(objective, from, {
    lower: free.map((gene) => box?.lower[gene] ?? 0),
    upper: free.map((gene) => box?.upper[gene] ?? 1),
    maxIterations: 30,
    gradientTolerance: 1e-4,
    valueTolerance: 1e-7,
  });
  const genes = at(x);
  const value = acquisition.values([{ genes, features: map.of(genes) }])[0]!;
  return value > spot.value ? { genes, key: space.key(genes), value } : spot;
}

/** All points one discrete parameter away: every value if there are few, else steps of 1, 2, 4 … along the order. */
function discreteMoves(space: SearchSpace, genes: Genes): Genes[] {
  const active = space.active(genes);
  return space.sizes.flatMap((size, i) => {
    if (!active[i] || size === Infinity || size === 1) return [];
    const own = genes[i]!;
    const values = size <= FEW_VALUES || space.parameters[i]!.type === 'categorical' ? [...Array(size).keys()] : steps(own, size);
    return values.filter((v) => v !== own).map((v) => space.canonical(genes.map((g, k) => (k === i ? v : g))));
  });
}

function steps(own: number, size: number): number[] {
  const out: number[] = [];
  for (let step = 1; step < size; step *= 2) {
    if (own - step >= 0) out.push(own - step);
    if (own + step < size) out.push(own + step);
  }
  return out;
}

function evaluate(acquisition: AcquisitionFunction, { map }: SearchAids, points: readonly { readonly genes: Genes; readonly key: string }[]): Spot[] {
  const values = acquisition.values(points.map((p) => ({ genes: p.genes, features: map.of(p.genes) })));
  return points.map((p, i) => ({ ...p, value: values[i]! }));
}

/** Looked for from the best down, since most of those are open. */
function bestOpen(spots: readonly Spot[], { taken, open }: SearchAids): Spot | null {
  const order = spots.map((_, i) => i).sort((a, b) => spots[b]!.value - spots[a]!.value || a - b);
  const found = order.find((i) => !taken(spots[i]!.key) && open(spots[i]!.genes));
  return found === undefined ? null : spots[found]!;
}

/** First of the largest. */
function best(spots: readonly Spot[]): Spot | null {
  let top: Spot | null = null;
  for (const s of spots) if (top === null || s.value > top.value) top = s;
  return top;
}

/** Folded back into [0, 1] at the borders. */
function reflected(u: number): number {
  const v = u < 0 ? -u : u > 1 ? 2 - u : u;
  return Math.min(1, Math.max(0, v));
}
