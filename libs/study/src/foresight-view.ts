import { convert, type ForesightView } from '@app/contracts';
import { Foresight, openObjectives, PREDICTED_DOMINATED, type Lesson } from './foresight.js';
import { OUTSCORED } from './prefilter.js';
import { studyProblem } from './problem.js';
import type { FoldState, StudyRecord } from './records.js';

/** Trials looked at, the latest ones: a reader waits for the answer. */
const MOST_POINTS = 150;
/** 95 % quantile of the normal distribution: a 90 % interval has 5 % on either side. */
const Z_90 = 1.6449;

/** How well the evaluated trials of a study, and those it began with, foretell each other; no objectives where all are computed or trials are fewer than 5. */
export function foresightView(study: StudyRecord, { trials, imports }: Pick<FoldState, 'trials' | 'imports'>): ForesightView {
  const { terms, space } = studyProblem(study);
  const evaluator = { metrics: answeredBy(study) };
  const lessons: (Lesson & { readonly number: number | null })[] = [
    ...imports.map(({ genes, objectives }) => ({ genes, objectives, number: null })),
    ...trials.filter((t) => t.fidelity === 1 && t.reason !== PREDICTED_DOMINATED && t.reason !== OUTSCORED && (t.state === 'completed' || t.state === 'infeasible')).map(({ genes, objectives, number }) => ({ genes, objectives, number })),
  ];
  return {
    revision: study.revision,
    skipped: trials.filter((t) => t.reason === PREDICTED_DOMINATED).length,
    objectives: openObjectives(study, terms, evaluator).flatMap((j) => {
      const { key, sign, unit, shownUnit } = terms.objectives[j]!;
      const foresight = new Foresight(study, terms, space, evaluator);
      const learned = lessons.filter((l) => l.objectives[j] !== null).slice(-MOST_POINTS).filter((l) => {
        const before = foresight.size;
        foresight.learn(l);
        return foresight.size > before;
      });
      const held = foresight.heldOut(j);
      if (held.length === 0) return [];
      const inUnit = (v: number): number => convert(sign * v, unit, shownUnit);
      const values = held.map((h) => inUnit(h.value));
      const predicted = held.map((h) => inUnit(h.mean));
      const ends = held.map((h) => [inUnit(h.mean - Z_90 * h.deviation), inUnit(h.mean + Z_90 * h.deviation)].sort((a, b) => a - b) as [number, number]);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return [{
        key, unit: shownUnit, number: learned.map((l) => l.number), values, predicted, low: ends.map((e) => e[0]), high: ends.map((e) => e[1]),
        error: rootMeanSquare(values.map((v, i) => v - predicted[i]!)),
        // of each from the mean of the others
        spread: rootMeanSquare(values.map((v) => ((v - mean) * values.length) / (values.length - 1))),
        within: values.filter((v, i) => v >= ends[i]![0] && v <= ends[i]![1]).length / values.length,
      }];
    }),
  };
}

const rootMeanSquare = (errors: readonly number[]): number => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);

function answeredBy({ spec: { accuracy } }: StudyRecord): readonly string[] {
  if (accuracy.method === 'train' || accuracy.method === 'supernet') return ['accuracy', 'error'];
  return 'metrics' in accuracy ? accuracy.metrics : [];
}
