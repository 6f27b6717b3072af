/**
 * The models of one ask: a process for each objective and each constraint, one for failure as such, and the improvement they are
 * judged by. Made afresh from the told points, the pending ones and θ, so nothing of it needs storing.
 */
import { Rng } from '@app/numeric';
import { dominates, nadirPoint, idealPoint, nonDominatedBoxes, paretoFront } from '@app/pareto';
import type { Genes } from '@app/space';
import type { SearchProblem } from '../contract.js';
import { Acquisition, type Limit } from './acquisition.js';
import type { FeatureMap } from './features.js';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { fitTheta } from './hyperparameters.js';
import type { Theta } from './kernel.js';
import { LogEhvi } from './log-ehvi.js';
import { LowerConfidenceBound } from './lower-confidence-bound.js';
import { excess, FEASIBLE, isFeasible, modelPoints } from './model-points.js';
import { NoisyAcquisition, type NoisyLimit } from './noisy-acquisition.js';
import { improvementsOf, meanPoints, type Contender } from './noisy-fronts.js';
import { meanGains, type Observation } from './observations.js';
import { constraintScaling, objectiveScaling, plainScaling, scaled, unscaled, type Scaling } from './outputs.js';
import { SampledProcess } from './sampled-process.js';

/** Above this the boxes grow too many; objectives are then folded into one by random weights, anew at every ask (ParEGO, Knowles 2006). */
const MOST_BOXED_OBJECTIVES = 4;
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
/** Log variance of an exact outcome. */
const EXACT_NOISE = Math.log(1e-6);

/**
 * A model's name: `f0` … objectives, `g0` … constraints, `failure`; one that learns from partial evaluations too ends in `@`. `at`: observations
 * when it was fitted.
 */
export type Fits = Readonly<Record<string, { readonly theta: Theta; readonly at: number }>>;

/** Entries of θ of a model: lengths, noise, and the bias of partial evaluations. */
export function thetaSize(name: string, map: FeatureMap): number {
  return map.size + (name.endsWith('@') ? 3 : 1);
}

interface Column {
  readonly name: string;
  /** indexes of the history */
  readonly rows: readonly number[];
  readonly y: readonly number[];
  readonly scaling: Scaling;
  /** not to be learned */
  readonly computed: boolean;
  /** log variance of the noise in y; null: to be learned; -Infinity: what is learned is the model's own and outcomes are exact */
  readonly noise: number | null;
  /** of the rows; null: all are full evaluations */
  readonly shares: readonly number[] | null;
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
  /** which objectives and constraints are computed, not learned */
  readonly #computed: { readonly objectives: readonly boolean[]; readonly constraints: readonly boolean[] };

  /** @param noisy  outcomes carry noise where the problem does not say otherwise */
  constructor(readonly problem: SearchProblem, readonly map: FeatureMap, readonly noisy = false) {
    const known = problem.known?.(problem.space.fromUnit(new Float64Array(problem.space.dimension).fill(0.5)));
    this.#computed = {
      // Folded into one objective they have to be learned together.
      objectives: Array.from({ length: problem.objectives }, (_, j) => !this.#folded && (known?.objectives[j] ?? null) !== null),
      constraints: Array.from({ length: problem.constraints }, (_, c) => (known?.violations[c] ?? null) !== null),
    };
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
    for (const column of this.#columns(history, kept, turn)) {
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
    return this.#columns(history, kept, turn).flatMap((c) => (c.computed ? [] : [c.name]));
  }

  /**
   * @param kappa  not null: the lower confidence bound of the one objective in place of the improvement
   * @returns null if nothing can be learned yet
   */
  build(history: readonly Observation[], pending: readonly Genes[], kept: readonly number[], fits: Fits, turn: number, kappa: number | null = null): Surrogates | null {
    // A model that only these points support has not been fitted.
    const columns = this.#columns(history, kept, turn).filter((c) => c.computed || c.name in fits);
    if (columns.length === 0) return null;
    const process = (c: Column): GaussianProcess => new GaussianProcess(this.#factor(history, c, kept.length < history.length, fits[c.name]!), c.y);
    const objectiveColumns = columns.filter((c) => c.name.startsWith('f') && c.name !== 'failure');
    const processes = objectiveColumns.map((c) => (c.computed ? null : process(c)));
    const limits: Limit[] = columns
      .filter((c) => !objectiveColumns.includes(c))
      .map((c) => ({ process: process(c), threshold: scaled(0, { ...c.scaling, top: Infinity }) }));

    const feasible = history.flatMap((t, i) => (isFull(t) && isFeasible(t) ? [i] : []));
    const scalings = objectiveColumns.map((c) => c.scaling);
    const known = objectiveColumns.some((c) => c.computed) ? (genes: Genes): (number | null)[] => this.problem.known!(genes).objectives.map((v, j) => (v === null ? null : scaled(v, scalings[j]!))) : null;
    const outcome = (i: number): number[] => this.#values(history, turn)[i]!.map((v, j) => scaled(v!, scalings[j]!));
    const told = processes.length === 0 ? [] : feasible.map((index) => ({ index, point: outcome(index) }));
    const noisy = kappa === null && processes.length > 0 && columns.some((c) => this.#carriesNoise(c, fits));
    if (noisy) return this.#buildNoisy(history, pending, kept, fits, turn, columns, known);
    const foretold = this.#foretold(history, processes, known, limits);
    const believed = this.#believe(pending, processes, known, limits);
    const points = [...told.map((k) => k.point), ...foretold, ...believed];
    const front = paretoFront(points);
    const elite = front.filter((k) => k < told.length).map((k) => history[told[k]!.index]!.genes);
    const all = processes.length === 0 ? [] : history.flatMap((t, i) => (isFull(t) && t.state !== 'failed' && this.#values(history, turn)[i]!.every((v) => v !== null) ? [outcome(i)] : []));
    const reference = processes.length === 0 || points.length + all.length === 0 ? null : this.#reference(points, front.map((k) => points[k]!), all, scalings, turn);
    const objectives = reference === null ? null : {
      processes,
      known,
      improvement: kappa !== null ? new LowerConfidenceBound(kappa) : new LogEhvi(nonDominatedBoxes(front.map((k) => points[k]!), reference)),
      weight: feasible.length + foretold.length > 0 ? 1 : BLIND_IMPROVEMENT,
    };
    return {
      acquisition: new Acquisition(this.map, objectives, limits),
      elite: elite.length > 0 ? elite : nearlyFeasible(history),
      reference: reference === null || this.#folded ? null : reference.map((v, j) => unscaled(v, scalings[j]!)),
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
    const reference = this.#reference(points, front, all.length > 0 ? all : [scalings.map(() => 0)], scalings, turn);
    const improvements = improvementsOf(contenders, 2 * pairs, processes, limits, reference);
    const best = paretoFront(told.map((c) => c.point));
    return {
      acquisition: new NoisyAcquisition(this.map, 2 * pairs, { processes, known, improvements, weight: told.length > 0 ? 1 : BLIND_IMPROVEMENT }, limits),
      elite: best.length > 0 ? best.map((k) => told[k]!.genes) : nearlyFeasible(history),
      reference: this.#folded ? null : reference.map((v, j) => unscaled(v, scalings[j]!)),
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

  get #folded(): boolean {
    return this.problem.objectives > MOST_BOXED_OBJECTIVES;
  }

  /** How much noise objectives have when folded into one has to be learned, if any has some. */
  get #foldedNoise(): number | null | undefined {
    return this.problem.noise?.objectives.some((v) => v !== 0) ? null : this.problem.noise && 0;
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

  /**
   * Reference point of the acquisition, scaled. The user's, once some point is better; else one ask in three a wide one, that keeps the ends
   * of the front in sight, and otherwise a tight one: worst feasible value + a tenth of the range, and nadir + a tenth of the front's range.
   * For one objective any point above the best will do.
   */
  #reference(points: readonly number[][], front: readonly number[][], all: readonly number[][], scalings: readonly Scaling[], turn: number): number[] {
    const given = this.#folded || scalings.length === 1 ? undefined : this.problem.referencePoint?.map((v, j) => scaled(v, { ...scalings[j]!, top: Infinity }));
    if (given && front.some((p) => p.every((v, j) => v < given[j]!) && dominates(p, given))) return given;
    const seen = points.length > 0 ? points : all;
    const tight = turn % 3 > 0 && front.length > scalings.length;
    const [high, low] = tight ? [nadirPoint(front), idealPoint(front)] : [scalings.map((_, j) => Math.max(...seen.map((p) => p[j]!))), idealPoint(seen)];
    return scalings.map((_, j) => high[j]! + (high[j]! > low[j]! ? 0.1 * (high[j]! - low[j]!) : 1));
  }

  /** One column a model: rows of the history with the metric known, values standardised. */
  #columns(history: readonly Observation[], kept: readonly number[], turn: number): Column[] {
    const columns: Column[] = [];
    const add = (name: string, of: (i: number) => number | null, scaling: (values: readonly number[]) => Scaling, deviation: number | null | undefined, computed = false): boolean => {
      const rows = kept.filter((i) => of(i) !== null);
      if (rows.length < 2) return false;
      const partly = !computed && rows.some((i) => !isFull(history[i]!));
      const shares = partly ? rows.map((i) => history[i]!.share ?? 1) : null;
      const gains = shares === null ? null : meanGains(rows.map((i, k) => ({ key: history[i]!.key, share: shares[k]!, value: of(i)! })));
      const values = rows.map((i, k) => of(i)! + (gains?.get(shares![k]!) ?? 0));
      const s = scaling(values);
      const declared = deviation === undefined ? (this.noisy ? null : 0) : deviation;
      const noise = declared === null ? null : declared === 0 ? -Infinity : Math.min(0, Math.max(EXACT_NOISE, 2 * Math.log(declared / s.scale)));
      columns.push({ shares, name: partly ? `${name}@` : name, rows, y: values.map((v) => scaled(v, s)), scaling: s, computed, noise });
      return true;
    };
    const values = this.#values(history, turn);
    const m = this.#folded ? 1 : this.problem.objectives;
    for (let j = 0; j < m; j++) {
      // Improvement needs every objective; one that never came leaves the constraints alone to steer by.
      const computed = this.#computed.objectives[j]!;
      const scaling = computed ? plainScaling : (v: readonly number[]): Scaling => objectiveScaling(v, this.map.categoricalOnly);
      if (add(`f${j}`, (i) => (history[i]!.state === 'failed' ? null : values[i]![j]!), scaling, this.#folded ? this.#foldedNoise : this.problem.noise?.objectives[j], computed)) continue;
      columns.length = 0;
      break;
    }
    for (let c = 0; c < this.problem.constraints; c++) if (!this.#computed.constraints[c]) add(`g${c}`, (i) => (history[i]!.state === 'failed' ? null : history[i]!.violations[c]!), constraintScaling, this.problem.noise?.violations[c]);
    const failures = kept.filter((i) => history[i]!.state === 'failed').length;
    const whole = kept.filter((i) => isFull(history[i]!)).length;
    if (failures >= 2 && failures < whole) add('failure', (i) => (!isFull(history[i]!) ? null : history[i]!.state === 'failed' ? 1 : -1), constraintScaling, 0);
    return columns;
  }

  /** [history][m], or [history][1] folded: max w_j f_j + 0.05 Σ w_j f_j with the objectives scaled to [0, 1] (Knowles 2006, eq. 2). */
  #values(history: readonly Observation[], turn: number): readonly (readonly (number | null)[])[] {
    if (!this.#folded) return history.map((t) => t.objectives);
    const complete = history.flatMap((t) => (t.objectives.every((v) => v !== null) ? [t.objectives as readonly number[]] : []));
    if (complete.length === 0) return history.map(() => [null]);
    const [low, high] = [idealPoint(complete), complete.reduce((top, p) => top.map((v, j) => Math.max(v, p[j]!)), [...complete[0]!])];
    const rng = Rng.of(this.problem.seed, 'bo', 'weights', turn);
    const draws = Array.from(low, () => -Math.log(1 - rng.next()));
    const total = draws.reduce((a, b) => a + b, 0);
    return history.map((t) => {
      if (t.objectives.some((v) => v === null)) return [null];
      const terms = (t.objectives as readonly number[]).map((v, j) => (draws[j]! / total) * (high[j]! > low[j]! ? (v - low[j]!) / (high[j]! - low[j]!) : 0));
      return [Math.max(...terms) + 0.05 * terms.reduce((a, b) => a + b, 0)];
    });
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

const isFull = (o: Observation): boolean => (o.share ?? 1) === 1;

/** While nothing feasible is known: the evaluated points that violate least. */
function nearlyFeasible(history: readonly Observation[]): Genes[] {
  return history
    .filter((t) => t.state !== 'failed')
    .map((t) => ({ genes: t.genes, excess: excess(t) }))
    .sort((a, b) => a.excess - b.excess)
    .slice(0, 5)
    .map((t) => t.genes);
}
