/**
 * Search step by learned distances: among moves from the front, mixtures of its members and a few points from anywhere, the one whose
 * optimistic prediction would add most to the front, climbed on from there. It also orders the categorical poll.
 */
import type { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import { freeCategories, freeCoordinates, fresh, type Context, type Proposal } from './context.js';
import type { Evaluated } from './evaluated.js';
import { frameSize } from './granular-mesh.js';
import type { Kriging, Prediction } from './kriging.js';
import { ontoMesh } from './poll-directions.js';
import type { Surrogates } from './surrogates.js';
import { MOST_OBJECTIVES_VOLUME, VolumeGain } from './volume-gain.js';

const CANDIDATES = 100;
const FINALISTS = 8;
const CLIMB = { rounds: 4, variants: 6, scale: 0.05 } as const;
/** Bonus for uncertainty, in standard deviations. */
const KAPPAS = [0, 0.5, 1, 2] as const;
const BEYOND = 0.1;

/** Optimistic value of unseen points against the front of the whole run. */
export class Acquisition {
  readonly #gain: VolumeGain;
  readonly #kappa: number;
  readonly #emphasis: readonly number[];
  readonly #scale: readonly number[];
  readonly #volume: number;
  readonly #m: number;
  readonly #context: Context;

  constructor(context: Context, readonly surrogates: Surrogates, rng: Rng) {
    this.#context = context;
    const m = (this.#m = context.problem.objectives);
    this.#gain = new VolumeGain(context, rng);
    this.#kappa = rng.pick(KAPPAS);
    const e = Array.from({ length: m }, () => -Math.log(1 - rng.next()));
    this.#emphasis = e.map((v) => v / e.reduce((s, x) => s + x, 0));
    this.#scale = this.#gain.reference.map((r, j) => Math.max(1e-12, r - this.#gain.ideal[j]!));
    this.#volume = this.#scale.reduce((s, v) => s * v, 1);
  }

  /** From means alone, with a flat bonus for uncertainty: cheap. */
  glance(genes: Genes): number {
    const x = this.surrogates.features.of(genes);
    return this.#value(genes, (model) => ({ mean: model.mean(x), sd: 0.3 * model.deviation }));
  }

  score(genes: Genes): number {
    const x = this.surrogates.features.of(genes);
    return this.#value(genes, (model) => model.predict(x));
  }

  /** Distance between two points under the sum of the objectives' weights. */
  distance(a: Genes, b: Genes): number {
    const { features, models } = this.surrogates;
    const [x, y] = [features.of(a), features.of(b)];
    return models.slice(0, this.#m).reduce((s, o) => s + (o ? features.distance(x, y, o.hyper.weights) : 0), 0);
  }

  /** Gain > 0 of the front, times the probability of being feasible; ≤ 0: how far it stays behind. Without a front the probability alone. */
  #value(genes: Genes, predict: (model: Kriging) => Prediction): number {
    const { models } = this.surrogates;
    let probability = 1;
    for (let k = this.#m; k < models.length; k++) {
      const model = models[k];
      if (!model) continue;
      const { mean, sd } = predict(model);
      probability *= logistic((1.7 * (model.standard(0) - mean)) / sd);
    }
    const { front, ideal } = this.#gain;
    if (front.length === 0) return probability;
    const known = this.#context.problem.known?.(genes).objectives;
    const y = Array.from({ length: this.#m }, (_, j) => {
      const model = models[j];
      if (!model) return known![j]!;
      const { mean, sd } = predict(model);
      const v = model.natural(mean - this.#kappa * sd);
      return this.#m === 1 ? v : Math.max(v, ideal[j]! - BEYOND * this.#scale[j]!);
    });
    if (y.length > MOST_OBJECTIVES_VOLUME) return -Math.max(...y.map((v, j) => (this.#emphasis[j]! * (v - ideal[j]!)) / this.#scale[j]!)) - (1 - probability);
    const gain = this.#gain.of(y) / this.#volume;
    if (gain > 0) return gain * probability;
    let behind = Infinity;
    for (const f of front) {
      let most = -Infinity;
      for (let j = 0; j < y.length; j++) most = Math.max(most, (y[j]! - f[j]!) / this.#scale[j]!);
      behind = Math.min(behind, most);
    }
    return -behind - (1 - probability) - 1e-9;
  }
}

/** The best-scored unseen point of a pool around the front and of a climb from it; empty if there is none. */
export function distancePoint(context: Context, acquisition: Acquisition): Proposal[] {
  const parents = context.front().length > 0 ? context.front() : context.barrier.infeasible.map((l) => l.point);
  if (parents.length === 0) return [];
  const j = context.rng.int(context.problem.objectives);
  const sorted = [...parents].sort((a, b) => a.f[j]! - b.f[j]!);
  const pool = fresh(context, Array.from({ length: CANDIDATES }, (_, t) => candidate(context, sorted, t)), true);
  const finalists = pool.map((p) => ({ p, value: acquisition.glance(p.genes) })).sort((a, b) => b.value - a.value).slice(0, FINALISTS);
  let best: { p: Proposal; value: number } | null = null;
  const consider = (p: Proposal): boolean => {
    const value = acquisition.score(p.genes);
    if (best !== null && value <= best.value) return false;
    best = { p, value };
    return true;
  };
  for (const { p } of finalists) consider(p);
  let scale: number = CLIMB.scale;
  for (let round = 0; round < CLIMB.rounds && best !== null; round++) {
    const from: Proposal = (best as { p: Proposal }).p;
    const better = fresh(context, Array.from({ length: CLIMB.variants }, () => variant(context, from, scale)), true).map(consider);
    if (!better.includes(true)) scale /= 3;
  }
  return best === null ? [] : [(best as { p: Proposal }).p];
}

/** Of ten: six moves, three mixtures of two neighbours of the front, one point from anywhere. */
function candidate(context: Context, sorted: readonly Evaluated[], t: number): Proposal {
  const { rng, space } = context;
  const at = rng.int(sorted.length);
  const parent = sorted[at]!;
  const mesh = context.meshOf(parent.key);
  const proposal = (genes: readonly number[]): Proposal => ({ genes: ontoMesh(genes, parent.genes, context.axes, mesh), step: 'distance', from: parent.key, mesh, along: false });
  if (t % 10 === 9) return proposal(space.fromUnit(Float64Array.from({ length: space.dimension }, () => rng.next())));
  if (t % 10 >= 6) {
    const other = t % 10 === 6 ? rng.pick(sorted) : sorted[at + 1 < sorted.length ? at + 1 : Math.max(0, at - 1)]!;
    const part = 1.4 * rng.next() - 0.2;
    return proposal(parent.genes.map((g, i) => (context.axes[i]?.granularity === 0 ? g + part * (other.genes[i]! - g) : rng.int(2) === 0 ? g : other.genes[i]!)));
  }
  const genes = [...parent.genes];
  const free = [...freeCategories(context, genes), ...freeCoordinates(context, genes)];
  const broad = t % 2 === 0;
  const size = 10 ** (-2.5 + 2 * rng.next());
  const changes = 1 + (rng.next() < 0.4 ? 1 : 0) + (rng.next() < 0.2 ? 1 : 0);
  const moved = broad && context.axes.some((a) => a?.granularity === 0) ? free.filter((i) => context.axes[i] !== null || rng.next() < 0.1) : Array.from({ length: changes }, () => rng.pick(free));
  for (const i of moved) move(context, genes, i, (frame, range) => (broad ? size * range : 2 * Math.max(frame, 0.02 * range)), mesh[i]!);
  return proposal(genes);
}

function variant(context: Context, from: Proposal, scale: number): Proposal {
  const { rng } = context;
  const genes = [...from.genes];
  const categories = freeCategories(context, genes);
  const coordinates = freeCoordinates(context, genes);
  if (categories.length > 0 && (coordinates.length === 0 || rng.int(2) === 0)) move(context, genes, rng.pick(categories), () => 0, 0);
  else for (const i of coordinates) if (rng.next() < Math.max(0.3, 1 / coordinates.length)) move(context, genes, i, (_, range) => Math.max(scale * range, context.axes[i]!.granularity), from.mesh[i]!);
  return { ...from, genes: ontoMesh(genes, from.genes, context.axes, from.mesh) };
}

/** A category to another value; the others by a normal deviate. */
function move(context: Context, genes: number[], i: number, size: (frame: number, range: number) => number, level: number): void {
  const axis = context.axes[i];
  if (axis) genes[i] = genes[i]! + size(frameSize(axis, level), axis.range) * context.rng.normal();
  else genes[i] = (genes[i]! + 1 + context.rng.int(context.space.sizes[i]! - 1)) % context.space.sizes[i]!;
}

function logistic(t: number): number {
  return 1 / (1 + Math.exp(-t));
}
