import { convert, type ForesightView } from '@app/contracts';
import { answeredBy, Foresight, openObjectives, passedOver, PREDICTED_DOMINATED, type ForesightOptions, type HeldOut, type Lesson } from './foresight.js';
import { contentOf, scoreOf } from './prior.js';
import { studyProblem, type ObjectiveTerm } from './problem.js';
import type { FoldState, Prior, StudyRecord } from './records.js';

/** Trials looked at, the latest ones: a reader waits for the answer. */
const MOST_POINTS = 150;
/** Scored trials below which nothing is said of scores. */
const LEAST_SCORED = 5;

type NumberedLesson = Lesson & { readonly number: number | null };

/**
 * How well the evaluated trials of a study, and those it began with, foretell each other; with what other studies of the task tell, without it, and with the scores of
 * untrained networks. No objectives where all are computed or trials are fewer than 5.
 */
export function foresightView(study: StudyRecord, { trials, imports, prior }: Pick<FoldState, 'trials' | 'imports' | 'prior'>): ForesightView {
  const { terms, space } = studyProblem(study);
  const evaluator = { metrics: answeredBy(study) };
  const lessons: NumberedLesson[] = [
    ...imports.map(({ genes, objectives }) => ({ genes, objectives, number: null })),
    ...trials.filter((t) => t.fidelity === 1 && !passedOver(t) && (t.state === 'completed' || t.state === 'infeasible'))
      .map(({ genes, objectives, number, metrics }) => ({ genes, objectives, number, data: contentOf(metrics), score: scoreOf(study, metrics)?.value ?? null })),
  ];
  const { accuracy } = study.spec;
  const proxy = accuracy.method === 'train' && lessons.filter((l) => l.score != null).length >= LEAST_SCORED ? accuracy.prefilter?.proxy ?? null : null;
  return {
    revision: study.revision,
    skipped: trials.filter((t) => t.reason === PREDICTED_DOMINATED).length,
    objectives: openObjectives(study, terms, evaluator).flatMap((j) => {
      const term = terms.objectives[j]!;
      const taught = (options: ForesightOptions): { foresight: Foresight; learned: NumberedLesson[] } => {
        const foresight = new Foresight(study, terms, space, evaluator, options);
        const learned = lessons.filter((l) => l.objectives[j] !== null).slice(-MOST_POINTS).filter((l) => {
          const before = foresight.size;
          foresight.learn(l);
          return foresight.size > before;
        });
        return { foresight, learned };
      };
      const { foresight, learned } = taught({ prior });
      const held = foresight.heldOut(j);
      if (held.length === 0) return [];
      const weight = foresight.weight(j);
      const { values, predicted, low, high, error, within } = shown(term, held);
      const sound = values.filter((_, i) => !held[i]!.far);
      const errorOf = (options: ForesightOptions): { error: number; within: number } => {
        const other = shown(term, taught(options).foresight.heldOut(j));
        return { error: other.error, within: other.within };
      };
      const mean = sound.reduce((a, b) => a + b, 0) / sound.length;
      return [{
        key: term.key, unit: term.shownUnit, number: learned.map((l) => l.number), values, predicted, low, high, error, within, apart: held.map((h) => h.far),
        // of each from the mean of the others
        spread: rootMeanSquare(sound.map((v) => ((v - mean) * sound.length) / (sound.length - 1))),
        prior: weight === 0 ? null : { hash: prior!.hash, studies: studiesOf(prior!, foresight.observations(j)), left: prior!.trials.filter((t) => t.objectives[j] !== null).length - foresight.observations(j).length, weight, without: errorOf({}) },
        proxy: proxy === null ? null : { name: proxy, ...errorOf({ prior, proxy }) },
      }];
    }),
  };
}

function studiesOf({ studies }: Prior, used: Prior['trials']): { id: string; name: string; trials: number }[] {
  return studies.map(({ id, name }) => ({ id, name, trials: used.filter((t) => t.studyId === id).length })).filter((s) => s.trials > 0);
}

interface Shown {
  readonly values: number[];
  readonly predicted: number[];
  readonly low: number[];
  readonly high: number[];
  readonly error: number;
  readonly within: number;
}

/** In the study's own direction and unit. */
function shown({ sign, unit, shownUnit }: ObjectiveTerm, held: readonly HeldOut[]): Shown {
  const inUnit = (v: number): number => convert(sign * v, unit, shownUnit);
  const values = held.map((h) => inUnit(h.value));
  const predicted = held.map((h) => inUnit(h.mean));
  const ends = held.map((h) => [inUnit(h.mean - h.reach), inUnit(h.mean + h.reach)].sort((a, b) => a - b) as [number, number]);
  // those that fell apart are no test of what can be foretold
  const sound = held.flatMap((h, i) => (h.far ? [] : [i]));
  return {
    values, predicted, low: ends.map((e) => e[0]), high: ends.map((e) => e[1]),
    error: rootMeanSquare(sound.map((i) => values[i]! - predicted[i]!)),
    within: sound.filter((i) => values[i]! >= ends[i]![0] && values[i]! <= ends[i]![1]).length / sound.length,
  };
}

const rootMeanSquare = (errors: readonly number[]): number => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
