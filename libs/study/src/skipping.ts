import type { SkipSpec } from '@app/contracts';
import { mean, standardDeviation, studentQuantile } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { AccuracyEvaluator } from './accuracy.js';
import { Foresight, openObjectives, passedOver, type HeldOut, type Lesson } from './foresight.js';
import { contentOf, scoreOf } from './prior.js';
import { studyProblem, type StudyTerms } from './problem.js';
import type { FoldState, ImportedTrial, Prior, SettledTrial, StudyDefinition, TrialOutcome, TrialRecord } from './records.js';

/** When a study passes candidates over; null: never. */
export const skipOf = ({ accuracy }: StudyDefinition['spec']): SkipSpec | null => ('skip' in accuracy ? accuracy.skip ?? null : null);

/** How sure it is to be that scores help before they are looked at. */
const SURE = 0.9;

/** The proxy by which a study scores its candidates before it trains them; null: it scores none. */
const proxyOf = ({ accuracy }: StudyDefinition['spec']): string | null => (accuracy.method === 'train' ? accuracy.prefilter?.proxy ?? null : null);

/**
 * What a study passes candidates over by. Where it scores its candidates there are two models, one that looks at scores and one that does not, and the one decides that
 * foretells the told trials better, each from the others: the former if that is no chance. If it is the latter, candidates without hope are not even scored. A function of what was told, in order.
 */
export class Skipping {
  private readonly plain: Foresight;
  private readonly scored: Foresight | null;
  private readonly open: readonly number[];
  private compared: { readonly size: number; readonly better: boolean } = { size: 0, better: false };

  constructor(private readonly definition: StudyDefinition, terms: StudyTerms, space: SearchSpace, evaluator: Pick<AccuracyEvaluator, 'metrics'>, private readonly skip: SkipSpec, prior: Prior | null | undefined) {
    const proxy = proxyOf(definition.spec);
    this.open = openObjectives(definition, terms, evaluator);
    this.plain = new Foresight(definition, terms, space, evaluator, { prior });
    this.scored = proxy === null ? null : new Foresight(definition, terms, space, evaluator, { prior, proxy });
  }

  /** Trials of a part of a training, and those that were passed over, teach nothing. */
  learn({ genes, objectives, ...t }: ImportedTrial | SettledTrial | TrialRecord): void {
    const settled = 'metrics' in t ? t : null;
    if (settled !== null && (settled.fidelity < 1 || passedOver(settled))) return;
    const lesson: Lesson = { genes, objectives, data: settled && contentOf(settled.metrics), score: settled && (scoreOf(this.definition, settled.metrics)?.value ?? null) };
    this.plain.learn(lesson);
    this.scored?.learn(lesson);
  }

  /** Whether a candidate is judged only once it has its score. */
  get looksAtScores(): boolean {
    if (this.scored === null || this.plain.size < this.skip.after) return false;
    if (this.compared.size !== this.plain.size) this.compared = { size: this.plain.size, better: this.scoresHelp() };
    return this.compared.better;
  }

  /** Squared errors without scores less those with, of each told trial: their mean is above 0 by more than chance has in one case of ten (Student's t). */
  private scoresHelp(): boolean {
    const gains = this.open.flatMap((j) => {
      const [without, beside] = [squaredErrors(this.plain.heldOut(j)), squaredErrors(this.scored!.heldOut(j))];
      const all = mean(without);
      return all > 0 ? without.map((e, i) => (e - beside[i]!) / all) : [];
    });
    const n = gains.length;
    return n > 2 && mean(gains) > (studentQuantile(SURE, n - 1) * standardDeviation(gains)) / Math.sqrt(n - 1);
  }

  /**
   * See `Foresight.hopeless`. Null as well while too few trials are told.
   *
   * @param score  null: the candidate has none, and is judged by what else there is
   */
  hopeless(genes: Genes, known: readonly (number | null)[], front: readonly (readonly number[])[], score: number | null = null): TrialOutcome | null {
    if (this.plain.size < this.skip.after) return null;
    return (score === null ? this.plain : this.scored ?? this.plain).hopeless(genes, known, front, this.skip.confidence, score);
  }
}

/** Of values that did not fall apart. */
const squaredErrors = (held: readonly HeldOut[]): number[] => held.flatMap((h) => (h.far ? [] : [(h.value - h.mean) ** 2]));

/** A candidate that has its score, and what was told before its round. */
export interface ScoredCandidate {
  readonly definition: StudyDefinition;
  readonly fold: Pick<FoldState, 'imports' | 'trials' | 'prior'>;
  /** metrics that an evaluation alone tells */
  readonly answered: readonly string[];
  readonly genes: Genes;
  /** minimised, null: not computed */
  readonly known: readonly (number | null)[];
  readonly front: readonly (readonly number[])[];
  /** null: it could not be scored */
  readonly score: number | null;
}

/** What is foreseen of a scored candidate, null: it is to be trained. The same as the engine left open when it asked for it. */
export function foreseeScored({ definition, fold, answered, genes, known, front, score }: ScoredCandidate): TrialOutcome | null {
  const skip = skipOf(definition.spec);
  if (skip === null) return null;
  const { terms, space } = studyProblem(definition);
  const skipping = new Skipping(definition, terms, space, { metrics: answered }, skip, fold.prior);
  for (const t of [...fold.imports, ...fold.trials]) skipping.learn(t);
  return skipping.looksAtScores ? skipping.hopeless(genes, known, front, score) : null;
}
