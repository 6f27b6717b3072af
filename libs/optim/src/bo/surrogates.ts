/**
 * The models of one ask: a process for each objective and each constraint, one for failure as such, and the improvement they are
 * judged by. Made afresh from the told points, the pending ones and θ, so nothing of it needs storing.
 */
import { Rng } from '@app/numeric';
import { nonDominatedBoxes, paretoFront } from '@app/pareto';
import type { Genes } from '@app/space';
import type { SearchProblem } from '../contract.js';
import { Acquisition, type Limit } from './acquisition.js';
import { Columns, EXACT_NOISE, MOST_BOXED_OBJECTIVES, type Column } from './columns.js';
import type { FeatureMap } from './features.js';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { fitTheta } from './hyperparameters.js';
import type { Theta } from './kernel.js';
import { LogEhvi } from './log-ehvi.js';
import { LowerConfidenceBound } from './lower-confidence-bound.js';
import { excess, FEASIBLE, isFeasible, modelPoints } from './model-points.js';
import { NoisyAcquisition, type NoisyLimit } from './noisy-acquisition.js';
import { improvementsOf, meanPoints, type Contender } from './noisy-fronts.js';
import { isFull, type Observation } from './observations.js';
import { scaled, unscaled, type Scaling } from './outputs.js';
import { referencePoint } from './reference-point.js';
import { SampledProcess } from './sampled-process.js';

/** Told points a fit looks at; the likelihood costs their cube. */
const FIT_POINTS = 200;
/** Told points after which a fit starts from the prior's mode again. */
const MODE_EVERY = 50;
/** Weight of log improvement beside log feasibility while no feasible point is known. */
const BLIND_IMPROVEMENT = 0.1;
/** Pairs of draws of the told points where outcomes carry noise; half as many for four objectives, whose boxes are many. */
const PAIRS_OF_DRAWS = 16;
/** Log variance, of standardised outcomes, from which on they are not taken for what they seem. */
const NOTABLE_NOISE = Math.log(1e-3);

/**
 * A model's name: `f0` … objectives, `g0` … constraints, `failure`; one that learns from partial evaluations too ends in `@`. `at`: observations
 * when it was fitted.
 */
export type Fits = Readonly<Record<string, { readonly theta: Theta; readonly at: number }>>;

/** Entries of θ of a model: lengths, noise, and the bias of partial evaluations. */
export function thetaSize(name: string, map: FeatureMap): number {
  return map.size + (name.endsWith('@') ? 3 : 1);
}

export interface Surrogates {
  readonly acquisition: Acquisition | NoisyAcquisition;
  /** genes of the current front, or of all feasible points for one objective: the best first */
  readonly elite: readonly Genes[];
  /** in the user's minimised objectives; null: none was needed or they were folded into one */
  readonly reference: readonly number[] | null;
  readonly models: number;
  readonly points: number;
}

interface CachedFactor {
  readonly base: number;
  readonly rows: number[];
  readonly factor: ProcessFactor;
}

export class Learner {
  /** [rows][D], by index of history */
  readonly #features: Float64Array[] = [];
  /** a cache only: an ask after a tell appends a row instead of factorising anew */
  readonly #factors = new Map<string, CachedFactor>();
  /** a cache only: a listed space is gone through at every ask */
  readonly #costs = new WeakMap<Genes, readonly (number | null)[]>();
  readonly #columns: Columns;

  /** @param noisy  outcomes carry noise where the problem does not say otherwise */
  constructor(readonly problem: SearchProblem, readonly map: FeatureMap, noisy = false) {
    this.#columns = new Columns(problem, map.categoricalOnly, noisy);
  }

  /**
   * θ of every model that can be made, from those before.
   * @param kept  indexes of the history to learn from, here and below
   * @param only  models to fit; the others keep θ
   */
  fit(history: readonly Observation[], kept: readonly number[], previous: Fits, turn: number, only: (name: string) => boolean): Fits {
    const out: Record<string, { theta: Theta; at: number }> = { ...previous };
    const told = history.length;
    const few = told > FIT_POINTS ? new Set(modelPoints(history, FIT_POINTS)) : null;
    for (const column of this.#columns.of(history, kept, turn)) {
      if (column.computed || !only(column.name)) continue;
      const places = column.rows.flatMap((i, k) => (few === null || few.has(i) ? [k] : []));
      const before = previous[column.name];
      const effort = {
        previous: before?.theta ?? null,
        fromMode: told <= 60 || before === undefined || Math.floor(told / MODE_EVERY) > Math.floor(before.at / MODE_EVERY),
        draws: told > 60 ? 0 : before === undefined ? 2 : 1,
        iterations: told <= 60 ? 40 : before === undefined ? 30 : 15,
        exact: column.noise === -Infinity,
        ...(column.noise !== null && column.noise > -Infinity ? { noise: column.noise } : {}),
        ...(column.shares === null ? {} : { fidelities: places.map((k) => column.shares![k]!) }),
      };
      const rng = Rng.of(this.problem.seed, 'bo', 'fit', column.name, told);
      const [points, y] = [places.map((k) => this.#row(history, column.rows[k]!)), places.map((k) => column.y[k]!)];
      out[column.name] = { theta: fitTheta(this.map, points, y, effort, rng), at: told };
    }
    return out;
  }

  /** Features of every told point. */
  featuresOf(history: readonly Observation[]): readonly Float64Array[] {
    return history.map((_, i) => this.#row(history, i));
  }

  /** Names of the models the history supports. */
  names(history: readonly Observation[], kept: readonly number[], turn: number): string[] {
    return this.#columns.of(history, kept, turn).flatMap((c) => (c.computed ? [] : [c.name]));
  }

  /**
   * @param kappa  not null: the lower confidence bound of the one objective in place of the improvement
   * @returns null if nothing can be learned yet
   */
  build(history: readonly Observation[], pending: readonly Genes[], kept: readonly number[], fits: Fits, turn: number, kappa: number | null = null): Surrogates | null {
    // A model that only these points support has not been fitted.
    const columns = this.#columns.of(history, kept, turn).filter((c) => c.computed || c.name in fits);
    if (columns.length === 0) return null;
    const process = (c: Column): GaussianProcess => new GaussianProcess(this.#factor(history, c, kept.length < history.length, fits[c.name]!), c.y);
    const objectiveColumns = columns.filter((c) => c.name.startsWith('f') && c.name !== 'failure');
    const processes = objectiveColumns.map((c) => (c.computed ? null : process(c)));
    const limits: Limit[] = columns
      .filter((c) => !objectiveColumns.includes(c))
      .map((c) => ({ process: process(c), threshold: scaled(0, { ...c.scaling, top: Infinity }) }));

    const feasible = history.flatMap((t, i) => (isFull(t) && isFeasible(t) ? [i] : []));
    const scalings = objectiveColumns.map((c) => c.scaling);
    const known = objectiveColumns.some((c) => c.computed) ? (genes: Genes): (number | null)[] => this.#computed(genes).map((v, j) => (v === null ? null : scaled(v, scalings[j]!))) : null;
    const outcome = (i: number): number[] => this.#columns.values(history, turn)[i]!.map((v, j) => scaled(v!, scalings[j]!));
    const told = processes.length === 0 ? [] : feasible.map((index) => ({ index, point: outcome(index) }));
    const noisy = kappa === null && processes.length > 0 && columns.some((c) => this.#carriesNoise(c, fits));
    if (noisy) return this.#buildNoisy(history, pending, kept, fits, turn, columns, known);
    const foretold = this.#foretold(history, processes, known, limits);
    const believed = this.#believe(pending, processes, known, limits);
    const points = [...told.map((k) => k.point), ...foretold, ...believed];
    const front = paretoFront(points);
    const elite = front.filter((k) => k < told.length).map((k) => history[told[k]!.index]!.genes);
    const all = processes.length === 0 ? [] : history.flatMap((t, i) => (isFull(t) && t.state !== 'failed' && this.#columns.values(history, turn)[i]!.every((v) => v !== null) ? [outcome(i)] : []));
    const reference = processes.length === 0 || points.length + all.length === 0 ? null : referencePoint(this.#preferred(scalings), points, front.map((k) => points[k]!), all, turn);
    const objectives = reference === null ? null : {
      processes,
      known,
      improvement: kappa !== null ? new LowerConfidenceBound(kappa) : new LogEhvi(nonDominatedBoxes(front.map((k) => points[k]!), reference)),
      weight: feasible.length + foretold.length > 0 ? 1 : BLIND_IMPROVEMENT,
    };
    return {
      acquisition: new Acquisition(this.map, objectives, limits),
      elite: elite.length > 0 ? elite : nearlyFeasible(history),
      reference: reference === null || this.#columns.folded ? null : reference.map((v, j) => unscaled(v, scalings[j]!)),
      models: columns.filter((c) => !c.computed).length,
      points: kept.length + pending.length,
    };
  }

  /** Whether so much of it is noise that its outcomes are not what they seem. */
  #carriesNoise({ name, computed, noise }: Column, fits: Fits): boolean {
    return !computed && noise !== -Infinity && fits[name]!.theta[this.map.size]! > NOTABLE_NOISE;
  }

  /** As `build` where some metric carries noise: told points count by what they may be worth, pending ones stand among them. */
  #buildNoisy(history: readonly Observation[], pending: readonly Genes[], kept: readonly number[], fits: Fits, turn: number, columns: readonly Column[], known: ((genes: Genes) => (number | null)[]) | null): Surrogates {
    // Full evaluations of what was evaluated in part are as unknown as pending ones.
    const open = [...partlyEvaluated(history).map((i) => history[i]!.genes), ...pending];
    const waiting = open.map((genes) => this.map.of(genes));
    const pairs = this.problem.objectives === MOST_BOXED_OBJECTIVES ? PAIRS_OF_DRAWS / 2 : PAIRS_OF_DRAWS;
    const thinned = kept.length < history.length;
    const process = (c: Column): SampledProcess => {
      const [D, features] = [this.map.size, c.rows.map((i) => this.#row(history, i))];
      const { theta } = fits[c.name]!;
      const exact = c.name !== 'failure' && !this.#carriesNoise(c, fits);
      const factor = exact ? new ProcessFactor(this.map, features, theta.map((v, d) => (d === D ? Math.min(v, EXACT_NOISE) : v)), c.shares) : this.#factor(history, c, thinned, fits[c.name]!);
      return new SampledProcess(factor, features, c.y, waiting, c.shares, Array.from({ length: pairs }, (_, s) => Rng.of(this.problem.seed, 'bo', 'noise', history.length, c.name, s)));
    };
    const objectives = columns.filter((c) => c.name.startsWith('f') && c.name !== 'failure');
    const processes = objectives.map((c) => (c.computed ? null : process(c)));
    const limited = columns.filter((c) => !objectives.includes(c));
    const limits = limited.map((c): NoisyLimit => ({ process: process(c), threshold: scaled(0, { ...c.scaling, top: Infinity }) }));

    const rowsOf = (c: Column): Map<number, number> => new Map(c.rows.map((i, row) => [i, row]));
    const [objectiveRows, limitRows] = [objectives.map(rowsOf), limited.map(rowsOf)];
    const doubted = limited.map((c) => c.name !== 'failure' && this.#carriesNoise(c, fits));
    const contenders = kept.flatMap((i): Contender[] => {
      const told = history[i]!;
      const settled = told.violations.every((g, c) => g !== null && (g <= FEASIBLE || limited.some((l, k) => doubted[k]! && l.name.replace('@', '') === `g${c}`)));
      if (!isFull(told) || told.state === 'failed' || !settled || objectiveRows.some((rows) => !rows.has(i))) return [];
      return [{
        genes: told.genes,
        objectives: objectives.map((c, j) => ({ row: objectiveRows[j]!.get(i)!, value: c.y[objectiveRows[j]!.get(i)!]! })),
        limits: limitRows.map((rows, k) => (doubted[k] ? rows.get(i)! : -1)),
      }];
    });
    const told = meanPoints(contenders, 2 * pairs, processes, limits);
    open.forEach((genes, p) => {
      const computed = known?.(genes);
      contenders.push({ genes, objectives: objectives.map((c, j) => ({ row: c.rows.length + p, value: computed?.[j] ?? 0 })), limits: limited.map((c) => c.rows.length + p) });
    });
    const points = meanPoints(contenders, 2 * pairs, processes, limits).map((c) => c.point);
    const front = paretoFront(points).map((k) => points[k]!);
    const scalings = objectives.map((c) => c.scaling);
    const all = meanPoints(contenders, 2 * pairs, processes, []).map((c) => c.point);
    const reference = referencePoint(this.#preferred(scalings), points, front, all.length > 0 ? all : [scalings.map(() => 0)], turn);
    const improvements = improvementsOf(contenders, 2 * pairs, processes, limits, reference);
    const best = paretoFront(told.map((c) => c.point));
    return {
      acquisition: new NoisyAcquisition(this.map, 2 * pairs, { processes, known, improvements, weight: told.length > 0 ? 1 : BLIND_IMPROVEMENT }, limits),
      elite: best.length > 0 ? best.map((k) => told[k]!.genes) : nearlyFeasible(history),
      reference: this.#columns.folded ? null : reference.map((v, j) => unscaled(v, scalings[j]!)),
      models: columns.filter((c) => !c.computed).length,
      points: kept.length + pending.length,
    };
  }

  /**
   * Points known when θ was fitted are factorised in one go and later ones appended, whether or not the cache has the factor, so that a
   * run taken up from its snapshot rounds as the first did.
   */
  #factor(history: readonly Observation[], { name, rows, shares }: Column, thinned: boolean, { theta, at }: Fits[string]): ProcessFactor {
    // Thinned rows change from ask to ask.
    const base = thinned ? rows.length : Math.max(2, rows.filter((i) => i < at).length);
    let cached = this.#factors.get(name);
    const fits = cached !== undefined && cached.base === base && cached.rows.every((i, k) => rows[k] === i) && cached.factor.theta.every((v, d) => v === theta[d]);
    if (!cached || !fits) {
      cached = { base, rows: rows.slice(0, base), factor: new ProcessFactor(this.map, rows.slice(0, base).map((i) => this.#row(history, i)), theta, shares?.slice(0, base)) };
      this.#factors.set(name, cached);
    }
    cached.factor.truncate(cached.rows.length);
    for (const i of rows.slice(cached.rows.length)) {
      cached.factor.append(this.#row(history, i), history[i]!.share);
      cached.rows.push(i);
    }
    return cached.factor;
  }

  /** What the models expect a full evaluation to come to of points that had partial ones only, where they expect the limits to hold. */
  #foretold(history: readonly Observation[], objectives: readonly (GaussianProcess | null)[], known: ((genes: Genes) => readonly (number | null)[]) | null, limits: readonly Limit[]): number[][] {
    if (objectives.length === 0) return [];
    return partlyEvaluated(history).flatMap((i) => {
      const x = this.#row(history, i);
      if (limits.some((l) => l.process.predict(x).mean > l.threshold)) return [];
      const computed = known?.(history[i]!.genes);
      return [objectives.map((o, j) => (o === null ? computed![j]! : o.predict(x).mean))];
    });
  }

  /** Takes the models' word for the pending points; what they would add to the front if feasible. */
  #believe(pending: readonly Genes[], objectives: readonly (GaussianProcess | null)[], known: ((genes: Genes) => readonly (number | null)[]) | null, limits: readonly Limit[]): number[][] {
    const points: number[][] = [];
    for (const genes of pending) {
      const x = this.map.of(genes);
      const computed = known?.(genes);
      if (objectives.length > 0 && limits.every((l) => l.process.predict(x).mean <= l.threshold)) points.push(objectives.map((o, j) => (o === null ? computed![j]! : o.predict(x).mean)));
      for (const process of [...objectives, ...limits.map((l) => l.process)]) process?.believe(x);
    }
    return points;
  }

  /** The user's reference point, scaled; undefined: none, or none is needed. */
  #preferred(scalings: readonly Scaling[]): number[] | undefined {
    if (this.#columns.folded || scalings.length === 1) return undefined;
    return this.problem.referencePoint?.map((v, j) => scaled(v, { ...scalings[j]!, top: Infinity }));
  }

  #computed(genes: Genes): readonly (number | null)[] {
    let objectives = this.#costs.get(genes);
    if (objectives === undefined) this.#costs.set(genes, (objectives = this.problem.known!(genes).objectives));
    return objectives;
  }

  #row(history: readonly Observation[], i: number): Float64Array {
    return (this.#features[i] ??= this.map.of(history[i]!.genes));
  }
}

/** Indexes of observations, one a point, of points without a full evaluation. */
function partlyEvaluated(history: readonly Observation[]): number[] {
  if (history.every(isFull)) return [];
  const full = new Set(history.flatMap((t) => (isFull(t) ? [t.key] : [])));
  return [...new Map(history.flatMap((t, i) => (full.has(t.key) ? [] : [[t.key, i]]))).values()];
}

/** While nothing feasible is known: the evaluated points that violate least. */
function nearlyFeasible(history: readonly Observation[]): Genes[] {
  return history
    .filter((t) => t.state !== 'failed')
    .map((t) => ({ genes: t.genes, excess: excess(t) }))
    .sort((a, b) => a.excess - b.excess)
    .slice(0, 5)
    .map((t) => t.genes);
}
