/**
 * Search step by learned distances: among moves from the front, mixtures of its members and a few points from anywhere, the one whose
 * optimistic prediction would add most to the front. It also orders the categorical poll.
 */
import { hypervolumeGain } from '@app/pareto';
import type { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Told } from '../contract.js';
import type { Listed } from './barrier.js';
import { freeCategories, freeCoordinates, fresh, type Context, type Proposal } from './context.js';
import { DistanceModel, fitWeights, type Features } from './distance-model.js';
import type { Evaluated } from './evaluated.js';
import { frameSize } from './granular-mesh.js';

const MOST_POINTS = 160;
const MOST_POINTS_FITTED = 90;
const LEAST_POINTS = 6;
/** Points of the front that gains are measured against. */
const MOST_FRONT = 60;
const CANDIDATES = 300;
const FINALISTS = 50;
/** Beyond this many objectives hypervolume is left for a weighted maximum. */
const MOST_OBJECTIVES_VOLUME = 4;

/** Learned weights, one list a metric (objectives, then constraints), and how many points they were fitted to. */
export interface Learned {
  readonly weights: readonly (readonly number[])[];
  readonly points: number;
}

/** The weights, fitted anew by one sweep once the history has grown by a sixth. */
export function learn(context: Context, features: Features, learned: Learned | null): Learned | null {
  const n = context.ledger.history.length;
  if (n < LEAST_POINTS || (learned !== null && n < learned.points * 1.17)) return learned;
  const metrics = context.problem.objectives + context.problem.constraints;
  const weights = Array.from({ length: metrics }, (_, k) => {
    const from = learned?.weights[k] ?? features.startWeights();
    const data = dataOf(context, k, MOST_POINTS_FITTED);
    return data.length < LEAST_POINTS ? [...from] : fitWeights(features, data.map((d) => features.of(d.told.genes)), data.map((d) => d.value), from);
  });
  return { weights, points: n };
}

/** Told points that know metric k: the front first, then the latest; values far above the middle are drawn in. */
function dataOf(context: Context, k: number, most: number): { told: Told; value: number }[] {
  const m = context.problem.objectives;
  const value = (t: Told): number | null | undefined => (k < m ? t.objectives[k] : t.violations[k - m]);
  const known = context.ledger.history.filter((t) => value(t) != null);
  const onFront = new Set(context.front().map((e) => e.key));
  const ordered = known.length <= most ? known : [...known.filter((t) => onFront.has(t.key)).slice(-most), ...known.filter((t) => !onFront.has(t.key)).reverse()].slice(0, most);
  const values = ordered.map((t) => value(t)!);
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)]!;
  const cap = middle + 2 * (middle - sorted[0]!);
  return ordered.map((told, i) => ({ told, value: k < m && cap > middle ? Math.min(values[i]!, cap) : values[i]! }));
}

/** Optimistic value of unseen points against the front of the whole run. */
export class Acquisition {
  readonly #objectives: readonly DistanceModel[];
  readonly #constraints: readonly DistanceModel[];
  readonly #front: readonly (readonly number[])[];
  readonly #reference: readonly number[];
  readonly #ideal: readonly number[];
  readonly #kappa: number;
  readonly #emphasis: readonly number[];

  /** Null with too few points known. */
  static build(context: Context, features: Features, learned: Learned, rng: Rng): Acquisition | null {
    const m = context.problem.objectives;
    const models = learned.weights.map((weights, k) => {
      const data = dataOf(context, k, MOST_POINTS);
      return data.length < LEAST_POINTS ? null : new DistanceModel(features, data.map((d) => features.of(d.told.genes)), data.map((d) => d.value), weights);
    });
    if (models.some((x) => x === null)) return null;
    return new Acquisition(context, features, models as DistanceModel[], m, rng);
  }

  private constructor(context: Context, readonly features: Features, models: readonly DistanceModel[], m: number, rng: Rng) {
    this.#objectives = models.slice(0, m);
    this.#constraints = models.slice(m);
    this.#front = thinned(context.front().map((e) => e.f), MOST_FRONT);
    const { ideal, reference } = acquisitionReference(context, this.#front, rng);
    this.#ideal = ideal;
    this.#reference = reference;
    this.#kappa = rng.pick([0.3, 1, 2]);
    const e = Array.from({ length: m }, () => -Math.log(1 - rng.next()));
    this.#emphasis = e.map((v) => v / e.reduce((s, x) => s + x, 0));
  }

  /** From means alone, with a flat bonus for uncertainty: cheap. */
  glance(genes: Genes): number {
    const x = this.features.of(genes);
    const y = this.#objectives.map((o) => o.mean(x) - 0.3 * this.#kappa * o.deviation);
    return this.#value(y, this.#constraints.map((c) => logistic(-(1.7 * c.mean(x)) / c.deviation)));
  }

  score(genes: Genes): number {
    const x = this.features.of(genes);
    const y = this.#objectives.map((o) => {
      const p = o.predict(x);
      return p.mean - this.#kappa * p.sd;
    });
    return this.#value(y, this.#constraints.map((c) => {
      const p = c.predict(x);
      return logistic((-1.7 * p.mean) / p.sd);
    }));
  }

  /** Distance between two points under the mean of the objectives' weights. */
  distance(a: Genes, b: Genes): number {
    const [x, y] = [this.features.of(a), this.features.of(b)];
    return this.#objectives.reduce((s, o) => s + this.features.distance(x, y, o.weights), 0);
  }

  /** Gain > 0 of the front, times the probability of being feasible; ≤ 0: how far it stays behind. Without a front the probability alone. */
  #value(y: readonly number[], feasible: readonly number[]): number {
    const probability = feasible.reduce((s, p) => s * p, 1);
    if (this.#front.length === 0) return probability;
    const scale = this.#reference.map((r, j) => Math.max(1e-12, r - this.#ideal[j]!));
    if (y.length > MOST_OBJECTIVES_VOLUME) return -Math.max(...y.map((v, j) => (this.#emphasis[j]! * (v - this.#ideal[j]!)) / scale[j]!)) - (1 - probability);
    const gain = hypervolumeGain(y, this.#front, this.#reference) / scale.reduce((s, v) => s * v, 1);
    if (gain > 0) return gain * probability;
    return -Math.min(...this.#front.map((f) => Math.max(...f.map((v, j) => (y[j]! - v) / scale[j]!)))) - (1 - probability) - 1e-9;
  }
}

/** At most so many of a front: the best in each objective and an even pick in lexicographic order. */
export function thinned(front: readonly (readonly number[])[], most: number): readonly (readonly number[])[] {
  if (front.length <= most) return front;
  const sorted = [...front].sort((a, b) => a.reduce((order, v, j) => order || v - b[j]!, 0));
  const kept = new Set(sorted[0]!.map((_, j) => sorted.reduce((best, f) => (f[j]! < best[j]! ? f : best))));
  for (let k = 0; k < most; k++) kept.add(sorted[Math.floor((k * sorted.length) / most)]!);
  return [...kept];
}

/**
 * The user's reference point if a point of the front lies below it. Otherwise alternately just beyond the worst seen, which finds the
 * ends of the front, and just beyond the front, which fills it; always the former with fewer than m + 1 members.
 */
export function acquisitionReference(context: Context, front: readonly (readonly number[])[], rng: Rng): { ideal: number[]; reference: number[] } {
  const m = context.problem.objectives;
  const column = (list: readonly (readonly number[])[], j: number): number[] => list.map((f) => f[j]!);
  const ideal = Array.from({ length: m }, (_, j) => Math.min(...column(front, j)));
  const given = context.problem.referencePoint;
  if (given && front.some((f) => f.every((v, j) => v < given[j]!))) return { ideal, reference: [...given] };
  const wide = rng.int(2) === 0 || front.length < m + 1;
  const told = wide ? context.ledger.history.filter((t) => t.objectives.every((v) => v !== null)).map((t) => t.objectives as readonly number[]) : front;
  const reference = ideal.map((low, j) => {
    const high = Math.max(low, ...column(told, j));
    return high + (0.1 * (high - low) || 1e-9 * Math.max(1, Math.abs(high)));
  });
  return { ideal, reference };
}

/** The best-scored unseen point of a pool around the front; empty if the pool holds none. */
export function distancePoint(context: Context, acquisition: Acquisition): Proposal[] {
  const parents: readonly (Listed | Evaluated)[] = context.front().length > 0 ? context.front() : context.barrier.infeasible;
  if (parents.length === 0) return [];
  const pool = fresh(context, Array.from({ length: CANDIDATES }, (_, t) => candidate(context, parents, t)));
  const finalists = pool.map((p) => ({ p, value: acquisition.glance(p.genes) })).sort((a, b) => b.value - a.value).slice(0, FINALISTS);
  let best: { p: Proposal; value: number } | null = null;
  for (const { p } of finalists) {
    const value = acquisition.score(p.genes);
    if (best === null || value > best.value) best = { p, value };
  }
  return best === null ? [] : [best.p];
}

/** Of ten: six moves, three mixtures of two members, one point from anywhere. */
function candidate(context: Context, parents: readonly (Listed | Evaluated)[], t: number): Proposal {
  const { rng, space } = context;
  const one = rng.pick(parents);
  const point = 'point' in one ? one.point : one;
  const mesh = context.meshOf(point.key);
  const proposal = (genes: Genes): Proposal => ({ genes, step: 'distance', from: point.key, mesh, along: false });
  if (t % 10 === 9) return proposal(space.fromUnit(Float64Array.from({ length: space.dimension }, () => rng.next())));
  if (t % 10 >= 6) {
    const other = rng.pick(parents);
    const b = 'point' in other ? other.point : other;
    return proposal(point.genes.map((g, i) => (rng.int(2) === 0 ? g : b.genes[i]!)));
  }
  const genes = [...point.genes];
  const categories = freeCategories(context, genes);
  const ordered = freeCoordinates(context, genes);
  const changes = 1 + (rng.next() < 0.4 ? 1 : 0) + (rng.next() < 0.2 ? 1 : 0);
  for (let k = 0; k < changes; k++) {
    const i = rng.pick([...categories, ...ordered]);
    const axis = context.axes[i];
    if (axis) genes[i] = genes[i]! + 2 * Math.max(frameSize(axis, mesh[i]!), 0.02 * axis.range) * rng.normal();
    else genes[i] = (genes[i]! + 1 + rng.int(space.sizes[i]! - 1)) % space.sizes[i]!;
  }
  return proposal(genes);
}

function logistic(t: number): number {
  return 1 / (1 + Math.exp(-t));
}
