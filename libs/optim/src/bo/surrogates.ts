/**
 * The models of one ask: a process for each objective and each constraint, one for failure as such, and the improvement they are
 * judged by. Made afresh from the told points, the pending ones and θ, so nothing of it needs storing.
 */
import { Rng } from '@app/numeric';
import { dominates, nadirPoint, idealPoint, nonDominatedBoxes, paretoFront } from '@app/pareto';
import type { Genes } from '@app/space';
import type { SearchProblem, Told } from '../contract.js';
import { Acquisition, type Limit } from './acquisition.js';
import type { FeatureMap } from './features.js';
import { GaussianProcess, type Theta } from './gaussian-process.js';
import { fitTheta } from './hyperparameters.js';
import { LogEhvi } from './log-ehvi.js';
import { excess, isFeasible, modelPoints } from './model-points.js';
import { constraintScaling, objectiveScaling, scaled, unscaled, type Scaling } from './outputs.js';

/** Above this the boxes grow too many; objectives are then folded into one by random weights, anew at every ask (ParEGO, Knowles 2006). */
const MOST_BOXED_OBJECTIVES = 4;
/** Weight of log improvement beside log feasibility while no feasible point is known. */
const BLIND_IMPROVEMENT = 0.1;

/** A model's name: `f0` … objectives, `g0` … constraints, `failure`. */
export type Thetas = Readonly<Record<string, Theta>>;

interface Column {
  readonly name: string;
  readonly rows: readonly number[];
  readonly y: readonly number[];
  readonly scaling: Scaling;
}

export interface Surrogates {
  readonly acquisition: Acquisition;
  /** genes of the current front, or of all feasible points for one objective: the best first */
  readonly elite: readonly Genes[];
  /** in the user's minimised objectives; null: none was needed or they were folded into one */
  readonly reference: readonly number[] | null;
  readonly models: number;
  readonly points: number;
}

export class Learner {
  /** [rows][D], by index of history */
  readonly #features: Float64Array[] = [];

  constructor(readonly problem: SearchProblem, readonly map: FeatureMap) {}

  /**
   * θ of every model that can be made; those in `previous` are the start.
   * @param only  models to fit; the others keep θ
   */
  fit(history: readonly Told[], cap: number, previous: Thetas, turn: number, only: (name: string) => boolean): Thetas {
    const out: Record<string, Theta> = { ...previous };
    const restarts = history.length <= 60 ? 2 : 0;
    for (const column of this.#columns(history, cap, turn)) {
      if (!only(column.name)) continue;
      const rows = column.rows.map((i) => this.#row(history, i));
      const rng = Rng.of(this.problem.seed, 'bo', 'fit', column.name, history.length);
      out[column.name] = fitTheta(this.map, rows, column.y, previous[column.name] ?? null, previous[column.name] ? Math.min(1, restarts) : 2, rng);
    }
    return out;
  }

  /** Names of the models the history supports. */
  names(history: readonly Told[], cap: number, turn: number): string[] {
    return this.#columns(history, cap, turn).map((c) => c.name);
  }

  /** @returns null if nothing can be learned yet */
  build(history: readonly Told[], pending: readonly Genes[], cap: number, thetas: Thetas, turn: number): Surrogates | null {
    const columns = this.#columns(history, cap, turn);
    if (columns.length === 0) return null;
    const process = (c: Column): GaussianProcess => new GaussianProcess(this.map, c.rows.map((i) => this.#row(history, i)), c.y, thetas[c.name]!);
    const objectiveColumns = columns.filter((c) => c.name.startsWith('f') && c.name !== 'failure');
    const objectives = objectiveColumns.map(process);
    const limits: Limit[] = columns
      .filter((c) => !objectiveColumns.includes(c))
      .map((c) => ({ process: process(c), threshold: scaled(0, { ...c.scaling, top: Infinity }) }));

    const feasible = history.flatMap((t, i) => (isFeasible(t) ? [i] : []));
    const scalings = objectiveColumns.map((c) => c.scaling);
    const outcome = (i: number): number[] => this.#values(history, turn)[i]!.map((v, j) => scaled(v!, scalings[j]!));
    const known = objectives.length === 0 ? [] : feasible.map((index) => ({ index, point: outcome(index) }));
    const believed = this.#believe(pending, objectives, limits);
    const points = [...known.map((k) => k.point), ...believed];
    const front = paretoFront(points);
    const elite = front.filter((k) => k < known.length).map((k) => history[known[k]!.index]!.genes);
    const all = objectives.length === 0 ? [] : history.flatMap((t, i) => (t.state !== 'failed' && this.#values(history, turn)[i]!.every((v) => v !== null) ? [outcome(i)] : []));
    const reference = objectives.length === 0 ? null : this.#reference(points, front.map((k) => points[k]!), all, scalings, turn);
    const improvement = reference === null ? null : new LogEhvi(nonDominatedBoxes(front.map((k) => points[k]!), reference));
    return {
      acquisition: new Acquisition(this.map, objectives, improvement, feasible.length > 0 ? 1 : BLIND_IMPROVEMENT, limits),
      elite: elite.length > 0 ? elite : nearlyFeasible(history),
      reference: reference === null || this.#folded ? null : reference.map((v, j) => unscaled(v, scalings[j]!)),
      models: columns.length,
      points: Math.min(history.length, cap) + pending.length,
    };
  }

  get #folded(): boolean {
    return this.problem.objectives > MOST_BOXED_OBJECTIVES;
  }

  /** Takes the models' word for the pending points; what they would add to the front if feasible. */
  #believe(pending: readonly Genes[], objectives: readonly GaussianProcess[], limits: readonly Limit[]): number[][] {
    const points: number[][] = [];
    for (const genes of pending) {
      const x = this.map.of(genes);
      if (objectives.length > 0 && limits.every((l) => l.process.predict(x).mean <= l.threshold)) points.push(objectives.map((o) => o.predict(x).mean));
      for (const process of [...objectives, ...limits.map((l) => l.process)]) process.believe(x);
    }
    return points;
  }

  /**
   * Reference point of the acquisition, scaled. The user's, once some point is better; else turn by turn a wide one, that keeps the ends
   * of the front in sight, and a tight one: worst feasible value + a tenth of the range, and nadir + a tenth of the front's range.
   * For one objective any point above the best will do.
   */
  #reference(points: readonly number[][], front: readonly number[][], all: readonly number[][], scalings: readonly Scaling[], turn: number): number[] {
    const given = this.#folded || scalings.length === 1 ? undefined : this.problem.referencePoint?.map((v, j) => (v - scalings[j]!.centre) / scalings[j]!.scale);
    if (given && front.some((p) => p.every((v, j) => v < given[j]!) && dominates(p, given))) return given;
    const seen = points.length > 0 ? points : all;
    const tight = turn % 2 === 1 && front.length > scalings.length;
    const [high, low] = tight ? [nadirPoint(front), idealPoint(front)] : [scalings.map((_, j) => Math.max(...seen.map((p) => p[j]!))), idealPoint(seen)];
    return scalings.map((_, j) => high[j]! + (high[j]! > low[j]! ? 0.1 * (high[j]! - low[j]!) : 1));
  }

  /** One column a model: rows of the history with the metric known, values standardised. */
  #columns(history: readonly Told[], cap: number, turn: number): Column[] {
    const kept = modelPoints(history, cap);
    const columns: Column[] = [];
    const add = (name: string, of: (i: number) => number | null, scaling: (values: readonly number[]) => Scaling): boolean => {
      const rows = kept.filter((i) => of(i) !== null);
      if (rows.length < 2) return false;
      const values = rows.map((i) => of(i)!);
      const s = scaling(values);
      columns.push({ name, rows, y: values.map((v) => scaled(v, s)), scaling: s });
      return true;
    };
    const values = this.#values(history, turn);
    const m = this.#folded ? 1 : this.problem.objectives;
    for (let j = 0; j < m; j++) {
      // Improvement needs every objective; one that never came leaves the constraints alone to steer by.
      if (add(`f${j}`, (i) => (history[i]!.state === 'failed' ? null : values[i]![j]!), objectiveScaling)) continue;
      columns.length = 0;
      break;
    }
    for (let c = 0; c < this.problem.constraints; c++) add(`g${c}`, (i) => (history[i]!.state === 'failed' ? null : history[i]!.violations[c]!), constraintScaling);
    const failures = kept.filter((i) => history[i]!.state === 'failed').length;
    if (failures >= 2 && failures < kept.length) add('failure', (i) => (history[i]!.state === 'failed' ? 1 : -1), constraintScaling);
    return columns;
  }

  /** [history][m], or [history][1] folded: max w_j f_j + 0.05 Σ w_j f_j with the objectives scaled to [0, 1] (Knowles 2006, eq. 2). */
  #values(history: readonly Told[], turn: number): readonly (readonly (number | null)[])[] {
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

  #row(history: readonly Told[], i: number): Float64Array {
    return (this.#features[i] ??= this.map.of(history[i]!.genes));
  }
}

/** While nothing feasible is known: the evaluated points that violate least. */
function nearlyFeasible(history: readonly Told[]): Genes[] {
  return history
    .filter((t) => t.state !== 'failed')
    .map((t) => ({ genes: t.genes, excess: excess(t) }))
    .sort((a, b) => a.excess - b.excess)
    .slice(0, 5)
    .map((t) => t.genes);
}
