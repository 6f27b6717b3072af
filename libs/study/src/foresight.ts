import type { MetricValue, Metrics } from '@app/contracts';
import type { Genes, SearchSpace } from '@app/space';
import type { AccuracyEvaluator } from './accuracy.js';
import { costingOf } from './costing.js';
import { computedMetrics } from './evaluate.js';
import { ofNetwork } from './no-network.js';
import { codeOf, featuresOf } from './foresight-features.js';
import { OutcomeModel, type Features, type Hyperparameters } from './outcome-model.js';
import { OUTSCORED } from './prefilter.js';
import type { ObjectiveTerm, StudyTerms } from './problem.js';
import type { Prior, PriorTrial, StudyDefinition, TrialOutcome } from './records.js';
import { SharedModel } from './shared-model.js';

/** Reason of trials that were not evaluated, since even at its best they would be dominated. */
export const PREDICTED_DOMINATED = 'predicted-dominated';

/** Whether a trial was settled by an estimate or a score instead of an evaluation. */
export const passedOver = ({ reason }: { readonly reason: string | null }): boolean => reason === PREDICTED_DOMINATED || reason === OUTSCORED;

/** Trials a model is made of, the latest ones. */
const MOST_POINTS = 300;
/** Hyperparameters are sought anew when trials have grown by this factor. */
const GROWTH = 1.25;
const FIRST_FIT = 5;
/** Values of other studies below which they are left alone. */
const LEAST_SHARED = 5;
/** Models of other studies' values that are remembered: they are the same whenever they are made, and pages ask again and again. */
const REMEMBERED = 8;
const remembered = new Map<string, SharedModel>();
/** A 90 % interval has 5 % on either side. */
export const UPPER_END = 0.95;

/** A trial as the model learns from it. */
export interface Lesson {
  readonly genes: Genes;
  /** minimised, null: not known */
  readonly objectives: readonly (number | null)[];
  /** content hash of the data its values are of; null, left out: not known */
  readonly data?: string | null | undefined;
  /** of the untrained network, by the proxy the model looks at; null, left out: none */
  readonly score?: number | null | undefined;
}

/** A value against what all other trials foretell. */
export interface HeldOut {
  readonly value: number;
  /** fell apart, see `bounded` */
  readonly far: boolean;
  readonly mean: number;
  /** half the width of its 90 % interval */
  readonly reach: number;
}

interface Foretold {
  readonly mean: number;
  /** the better end of its interval */
  readonly best: number;
  /** half the width of its 90 % interval */
  readonly reach: number;
}

export interface ForesightOptions {
  /** values of other studies of the task */
  readonly prior?: Prior | null | undefined;
  /** scores of this proxy are looked at as well; null, left out: no scores */
  readonly proxy?: string | null | undefined;
}

/**
 * What the trials told so far, and those of other studies it was given, foretell of a study's evaluated objectives. A function of the lessons in their order and of
 * what was given: hyperparameters are those of the first 5, 7, 9 … trials (each a quarter more), so that a search taken up again foresees what it would have.
 */
export class Foresight {
  private readonly lessons: { readonly features: Features; readonly objectives: readonly (number | null)[] }[] = [];
  private readonly features: (genes: Genes) => Features;
  private readonly code: (genes: Genes) => Float64Array;
  private readonly fitted = new Map<number, { readonly count: number; readonly at: number; readonly shared: SharedModel | undefined; readonly hyperparameters: readonly Hyperparameters[]; readonly model: OutcomeModel }>();
  private readonly shared = new Map<number, { readonly data: string | null; readonly model: SharedModel | undefined; readonly count: number }>();
  private data: string | null = null;

  constructor(
    private readonly definition: StudyDefinition,
    private readonly terms: StudyTerms,
    private readonly space: SearchSpace,
    private readonly evaluator: Pick<AccuracyEvaluator, 'metrics'>,
    private readonly options: ForesightOptions = {},
  ) {
    this.features = featuresOf(definition, space);
    this.code = codeOf(space);
  }

  get size(): number {
    return this.lessons.length;
  }

  /** One without any objective teaches nothing; nor does a point that has no network. */
  learn({ genes, objectives, data, score }: Lesson): void {
    if (objectives.every((v) => v === null)) return;
    const features = ofNetwork(() => this.scored(this.features(genes), score));
    if (features !== null) this.lessons.push({ features, objectives });
    this.data ??= data ?? null;
  }

  private scored({ genes, analytic }: Features, score: number | null | undefined): Features {
    return this.options.proxy == null ? { genes, analytic } : { genes, analytic: Float64Array.of(...analytic, score ?? NaN) };
  }

  /** Values of other studies that count for objective j: of data with the same content, or of data described alike while content is not known. */
  observations(j: number): readonly PriorTrial[] {
    return (this.options.prior?.trials ?? []).filter((t) => t.objectives[j] != null && (this.data !== null && t.data !== null ? t.data === this.data : t.described));
  }

  private sharedModel(j: number): SharedModel | undefined {
    const before = this.shared.get(j);
    if (before?.data === this.data && before !== undefined) return before.model;
    const of = this.observations(j);
    const model = of.length < LEAST_SHARED ? undefined : this.modelOf(j, of);
    this.shared.set(j, { data: this.data, model, count: of.length });
    return model;
  }

  private modelOf(j: number, observations: readonly PriorTrial[]): SharedModel {
    const key = [this.options.prior!.hash, j, this.data, this.options.proxy].join();
    const before = remembered.get(key);
    if (before !== undefined) return before;
    const model = SharedModel.fit(observations.map((t) => ({
      features: this.scored({ genes: this.code(t.genes), analytic: Float64Array.from(t.analytic) }, t.score?.proxy === this.options.proxy ? t.score?.value : null),
      value: t.objectives[j]!, group: `${t.studyId}/${t.fidelity}`,
    })));
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!);
    remembered.set(key, model);
    return model;
  }

  /** Of objective j, from the lessons that have it; null if they are fewer than 5. */
  model(j: number): OutcomeModel | null {
    const known = this.lessons.filter((l) => l.objectives[j] !== null);
    if (known.length < FIRST_FIT) return null;
    const before = this.fitted.get(j);
    const shared = this.sharedModel(j);
    if (before?.count === known.length && before.shared === shared) return before.model;
    let at = FIRST_FIT;
    while (Math.ceil(at * GROWTH) <= known.length) at = Math.ceil(at * GROWTH);
    const of = (lessons: typeof known): [Features[], number[]] => [lessons.map((l) => l.features), lessons.map((l) => l.objectives[j]!)];
    // those sought beside another process are others
    const hyperparameters = before?.at === at && before.shared === shared ? before.hyperparameters : OutcomeModel.fit(...of(known.slice(0, at).slice(-MOST_POINTS)), { shared }).hyperparameters;
    const model = OutcomeModel.fit(...of(known.slice(-MOST_POINTS)), { hyperparameters, shared });
    this.fitted.set(j, { count: known.length, at, shared, hyperparameters, model });
    return model;
  }

  /** How much of what other studies tell of objective j is believed, see `OutcomeModel.weight`. */
  weight(j: number): number {
    return this.model(j)?.weight ?? 0;
  }

  /** Values against what all other trials foretell, [n], in the order told (the latest 300). */
  heldOut(j: number): HeldOut[] {
    const model = this.model(j);
    if (model === null) return [];
    const values = this.lessons.flatMap((l) => l.objectives[j] ?? []).slice(-MOST_POINTS);
    const deviations = model.deviations(UPPER_END);
    return model.heldOut().map(({ mean, deviation, far }, i) => ({ value: values[i]!, far, mean, reach: deviations * deviation }));
  }

  /**
   * The outcome of a candidate that is not worth an evaluation: with what is computed of it, and with what is not at the better end of its interval, a point
   * of the front is still no worse in anything and better in something. Null: it is to be evaluated.
   *
   * @param known  computed objectives, null: not computed
   * @param front  points of the front, minimised
   * @param p      probability of a value that is no better than that end
   * @param score  of its untrained network, where the model looks at scores; null, left out: none
   */
  hopeless(genes: Genes, known: readonly (number | null)[], front: readonly (readonly number[])[], p: number, score?: number | null): TrialOutcome | null {
    const open = known.flatMap((v, j) => (v === null ? [j] : []));
    if (open.length === 0 || front.length === 0) return null;
    const features = this.scored(this.features(genes), score);
    const foretold = new Map<number, Foretold>();
    for (const j of open) {
      const model = this.model(j);
      if (model === null) return null;
      const { mean, deviation } = model.predict(features);
      foretold.set(j, { mean, best: mean - model.deviations(p) * deviation, reach: model.deviations(UPPER_END) * deviation });
    }
    const best = known.map((v, j) => v ?? foretold.get(j)!.best);
    const over = front.find((point) => point.every((v, j) => v <= best[j]!) && point.some((v, j) => v < best[j]!));
    if (over === undefined) return null;
    const estimates = Object.fromEntries(open.map((j) => [this.terms.objectives[j]!.key, this.estimate(j, foretold.get(j)!, score)]));
    const network = costingFor(this.definition, this.space, genes);
    const metrics: Metrics = { ...computedMetrics({ definition: this.definition, terms: this.terms, evaluator: this.evaluator }, network), ...estimates };
    const said = open.map((j) => `${this.terms.objectives[j]!.key} ${shown(this.terms.objectives[j]!, best[j]!)} at best, the front has ${shown(this.terms.objectives[j]!, over[j]!)}`).join('; ');
    return {
      state: 'infeasible', reason: PREDICTED_DOMINATED, message: `foreseen from ${this.size} trials${this.beside(open[0]!)}${this.withScore(score)}: ${said} at no cost more; not evaluated`, metrics,
      // an estimate is told to no one
      objectives: known, violations: this.terms.constraints.map(() => null), feasible: null, durationMs: 0,
    };
  }

  /** How many values of other studies stand behind objective j, in words. */
  private beside(j: number): string {
    const { model, count } = this.shared.get(j) ?? {};
    return model === undefined ? '' : ` and ${count} of other studies`;
  }

  private withScore(score: number | null | undefined): string {
    return this.options.proxy == null || score == null ? '' : `, its ${this.options.proxy} score counting`;
  }

  private estimate(j: number, { mean, reach }: Foretold, score: number | null | undefined): MetricValue {
    const term = this.terms.objectives[j]!;
    const ends = [term.sign * (mean - reach), term.sign * (mean + reach)].sort((a, b) => a - b);
    return { value: term.sign * mean, unit: term.unit, provenance: 'estimated', interval: ends as [number, number], source: `foreseen by a Gaussian process of ${this.size} trials of this study and those it began with${this.beside(j)}${this.withScore(score)}; not evaluated` };
  }
}

const costingFor = (definition: StudyDefinition, space: SearchSpace, genes: Genes) => () => costingOf(definition).network(space.decode(genes));

const shown = (term: ObjectiveTerm, value: number): string => `${Number((term.sign * value).toPrecision(4))}${term.unit === '1' ? '' : ` ${term.unit}`}`;

/** Keys of the objectives that an evaluation alone tells. */
export function openObjectives(definition: StudyDefinition, terms: StudyTerms, evaluator: Pick<AccuracyEvaluator, 'metrics'>): number[] {
  const answered = new Set(evaluator.metrics);
  return terms.objectives.flatMap((o, j) => (definition.space.family === 'none' || answered.has(o.key) || (o.target === null && o.metric !== 'macs' && o.metric !== 'params') ? [j] : []));
}

/** Metrics that only an evaluation tells, by what the study says of its evaluator. */
export function answeredBy({ spec: { accuracy } }: Pick<StudyDefinition, 'spec'>): readonly string[] {
  if (accuracy.method === 'train' || accuracy.method === 'supernet') return ['accuracy', 'error'];
  return 'metrics' in accuracy ? accuracy.metrics : [];
}
