/** Outcomes as the models learn them: one column a model. */
import { Rng } from '@app/numeric';
import { idealPoint } from '@app/pareto';
import type { SearchProblem } from '../contract.js';
import { meanGains, isFull, type Observation } from './observations.js';
import { constraintScaling, objectiveScaling, plainScaling, scaled, type Scaling } from './outputs.js';

/** Above this the boxes grow too many; objectives are then folded into one by random weights, anew at every ask (ParEGO, Knowles 2006). */
export const MOST_BOXED_OBJECTIVES = 4;
/** Log variance of an exact outcome. */
export const EXACT_NOISE = Math.log(1e-6);

export interface Column {
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

export class Columns {
  /** which objectives and constraints are computed, not learned */
  readonly #computed: { readonly objectives: readonly boolean[]; readonly constraints: readonly boolean[] };

  /**
   * @param bending  see `objectiveScaling`
   * @param noisy    outcomes carry noise where the problem does not say otherwise
   */
  constructor(private readonly problem: SearchProblem, private readonly bending: boolean, private readonly noisy: boolean) {
    const known = problem.known?.(problem.space.fromUnit(new Float64Array(problem.space.dimension).fill(0.5)));
    this.#computed = {
      // Folded into one objective they have to be learned together.
      objectives: Array.from({ length: problem.objectives }, (_, j) => !this.folded && (known?.objectives[j] ?? null) !== null),
      constraints: Array.from({ length: problem.constraints }, (_, c) => (known?.violations[c] ?? null) !== null),
    };
  }

  /** Objectives are folded into one. */
  get folded(): boolean {
    return this.problem.objectives > MOST_BOXED_OBJECTIVES;
  }

  /** How much noise objectives have when folded into one has to be learned, if any has some. */
  get #foldedNoise(): number | null | undefined {
    return this.problem.noise?.objectives.some((v) => v !== 0) ? null : this.problem.noise && 0;
  }

  /** One column a model: rows of the history with the metric known, values standardised. */
  of(history: readonly Observation[], kept: readonly number[], turn: number): Column[] {
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
    const values = this.values(history, turn);
    const m = this.folded ? 1 : this.problem.objectives;
    for (let j = 0; j < m; j++) {
      // Improvement needs every objective; one that never came leaves the constraints alone to steer by.
      const computed = this.#computed.objectives[j]!;
      const scaling = computed ? plainScaling : (v: readonly number[]): Scaling => objectiveScaling(v, this.bending);
      if (add(`f${j}`, (i) => (history[i]!.state === 'failed' ? null : values[i]![j]!), scaling, this.folded ? this.#foldedNoise : this.problem.noise?.objectives[j], computed)) continue;
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
  values(history: readonly Observation[], turn: number): readonly (readonly (number | null)[])[] {
    if (!this.folded) return history.map((t) => t.objectives);
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
}
