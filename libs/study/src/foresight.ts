import type { MetricValue, Metrics } from '@app/contracts';
import { isPieced } from '@app/graph';
import { normalCdf } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { AccuracyEvaluator } from './accuracy.js';
import { costingOf } from './costing.js';
import { computedMetrics } from './evaluate.js';
import { OutcomeModel, type Features, type Hyperparameters } from './outcome-model.js';
import type { ObjectiveTerm, StudyTerms } from './problem.js';
import type { StudyDefinition, TrialOutcome } from './records.js';

/** Reason of trials that were not evaluated, since even at its best they would be dominated. */
export const PREDICTED_DOMINATED = 'predicted-dominated';

/** Trials a model is made of, the latest ones. */
const MOST_POINTS = 300;
/** Categories above which a parameter is taken by its position. */
const MOST_CATEGORIES = 32;
/** Hyperparameters are sought anew when trials have grown by this factor. */
const GROWTH = 1.25;
const FIRST_FIT = 5;
/** 95 % quantile of the normal distribution: a 90 % interval has 5 % on either side. */
const Z_90 = 1.6449;

/** Points in the form a model takes: genes, categories one-hot, and the logarithms of multiply-accumulates, parameters and layers of the network. */
export function featuresOf(definition: StudyDefinition, space: SearchSpace): (genes: Genes) => Features {
  const hot = space.parameters.map((p) => p.type === 'categorical' && p.values.length > 2 && p.values.length <= MOST_CATEGORIES ? p.values.length : 0);
  return (genes) => {
    const unit = space.toUnit(genes);
    // two categories are as far apart as the ends of a range
    const coded = [...unit].flatMap((u, i) => (hot[i] === 0 ? [u] : Array.from({ length: hot[i]! }, (_, k) => (Math.floor(u * hot[i]!) === k ? Math.SQRT1_2 : 0))));
    return { genes: Float64Array.from(coded), analytic: analyticOf(definition, space, genes) };
  };
}

function analyticOf(definition: StudyDefinition, space: SearchSpace, genes: Genes): Float64Array {
  if (definition.space.family === 'none') return new Float64Array(0);
  const network = costingOf(definition).network(space.decode(genes));
  const { macs, params } = costingOf(definition).price(network, []);
  const layers = isPieced(network) ? network.sections.reduce((sum, { pieces }) => pieces.reduce((more, { graph, takes }) => more + graph.nodes.length - takes.length, sum), 0) : network.nodes.length;
  return Float64Array.of(Math.log(macs + 1), Math.log(params + 1), Math.log(layers + 1));
}

/** A trial as the model learns from it. */
export interface Lesson {
  readonly genes: Genes;
  /** minimised, null: not known */
  readonly objectives: readonly (number | null)[];
}

/**
 * What the trials told so far foretell of a study's evaluated objectives. A function of the lessons in their order: hyperparameters are those of the first
 * 5, 7, 9 … trials (each a quarter more), so that a search taken up again foresees what it would have.
 */
export class Foresight {
  private readonly lessons: { readonly features: Features; readonly objectives: readonly (number | null)[] }[] = [];
  private readonly features: (genes: Genes) => Features;
  private readonly fitted = new Map<number, { readonly count: number; readonly at: number; readonly hyperparameters: Hyperparameters; readonly model: OutcomeModel }>();

  constructor(
    private readonly definition: StudyDefinition,
    private readonly terms: StudyTerms,
    private readonly space: SearchSpace,
    private readonly evaluator: Pick<AccuracyEvaluator, 'metrics'>,
  ) {
    this.features = featuresOf(definition, space);
  }

  get size(): number {
    return this.lessons.length;
  }

  /** One without any objective teaches nothing; nor does a point that has no network. */
  learn({ genes, objectives }: Lesson): void {
    if (objectives.every((v) => v === null)) return;
    try {
      this.lessons.push({ features: this.features(genes), objectives });
    } catch (error) {
      if (!(error instanceof Error) || (error.name !== 'DecodeError' && error.name !== 'GraphError')) throw error;
    }
  }

  /** Of objective j, from the lessons that have it; null if they are fewer than 5. */
  model(j: number): OutcomeModel | null {
    const known = this.lessons.filter((l) => l.objectives[j] !== null);
    if (known.length < FIRST_FIT) return null;
    const before = this.fitted.get(j);
    if (before?.count === known.length) return before.model;
    let at = FIRST_FIT;
    while (Math.ceil(at * GROWTH) <= known.length) at = Math.ceil(at * GROWTH);
    const of = (lessons: typeof known): [Features[], number[]] => [lessons.map((l) => l.features), lessons.map((l) => l.objectives[j]!)];
    const hyperparameters = before?.at === at ? before.hyperparameters : OutcomeModel.fit(...of(known.slice(0, at).slice(-MOST_POINTS))).hyperparameters;
    const model = OutcomeModel.fit(...of(known.slice(-MOST_POINTS)), hyperparameters);
    this.fitted.set(j, { count: known.length, at, hyperparameters, model });
    return model;
  }

  /** Values against what all other trials foretell, [n], in the order told (the latest 300). */
  heldOut(j: number): { readonly value: number; readonly mean: number; readonly deviation: number }[] {
    const values = this.lessons.flatMap((l) => l.objectives[j] ?? []).slice(-MOST_POINTS);
    return this.model(j)?.heldOut().map((p, i) => ({ value: values[i]!, ...p })) ?? [];
  }

  /**
   * The outcome of a candidate that is not worth an evaluation: with what is computed of it, and with what is not at the better end of its interval, a point
   * of the front is still no worse in anything and better in something. Null: it is to be evaluated.
   *
   * @param known  computed objectives, null: not computed
   * @param front  points of the front, minimised
   * @param z      deviations from the mean to that end
   */
  hopeless(genes: Genes, known: readonly (number | null)[], front: readonly (readonly number[])[], z: number): TrialOutcome | null {
    const open = known.flatMap((v, j) => (v === null ? [j] : []));
    if (open.length === 0 || front.length === 0) return null;
    const features = this.features(genes);
    const predicted = new Map<number, { readonly mean: number; readonly deviation: number }>();
    for (const j of open) {
      const model = this.model(j);
      if (model === null) return null;
      predicted.set(j, model.predict(features));
    }
    const best = known.map((v, j) => v ?? predicted.get(j)!.mean - z * predicted.get(j)!.deviation);
    const over = front.find((p) => p.every((v, j) => v <= best[j]!) && p.some((v, j) => v < best[j]!));
    if (over === undefined) return null;
    const estimates = Object.fromEntries(open.map((j) => [this.terms.objectives[j]!.key, this.estimate(this.terms.objectives[j]!, predicted.get(j)!)]));
    const network = costingFor(this.definition, this.space, genes);
    const metrics: Metrics = { ...computedMetrics({ definition: this.definition, terms: this.terms, evaluator: this.evaluator }, network), ...estimates };
    const said = open.map((j) => `${this.terms.objectives[j]!.key} ${shown(this.terms.objectives[j]!, best[j]!)} at best, the front has ${shown(this.terms.objectives[j]!, over[j]!)}`).join('; ');
    return {
      state: 'infeasible', reason: PREDICTED_DOMINATED, message: `foreseen from ${this.size} trials: ${said} at no cost more; not evaluated`, metrics,
      // an estimate is told to no one
      objectives: known, violations: this.terms.constraints.map(() => null), feasible: null, durationMs: 0,
    };
  }

  private estimate(term: ObjectiveTerm, { mean, deviation }: { readonly mean: number; readonly deviation: number }): MetricValue {
    const ends = [term.sign * (mean - Z_90 * deviation), term.sign * (mean + Z_90 * deviation)].sort((a, b) => a - b);
    return { value: term.sign * mean, unit: term.unit, provenance: 'estimated', interval: ends as [number, number], source: `foreseen by a Gaussian process of ${this.size} trials of this study and those it began with; not evaluated` };
  }
}

const costingFor = (definition: StudyDefinition, space: SearchSpace, genes: Genes) => () => costingOf(definition).network(space.decode(genes));

const shown = (term: ObjectiveTerm, value: number): string => `${Number((term.sign * value).toPrecision(4))}${term.unit === '1' ? '' : ` ${term.unit}`}`;

/** Keys of the objectives that an evaluation alone tells. */
export function openObjectives(definition: StudyDefinition, terms: StudyTerms, evaluator: Pick<AccuracyEvaluator, 'metrics'>): number[] {
  const answered = new Set(evaluator.metrics);
  return terms.objectives.flatMap((o, j) => (definition.space.family === 'none' || answered.has(o.key) || (o.target === null && o.metric !== 'macs' && o.metric !== 'params') ? [j] : []));
}

/** How many deviations from the mean a normal variable stays below with this probability, 0.5 ≤ p < 1. */
export function deviationsOf(p: number): number {
  let [low, high] = [0, 10];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}
