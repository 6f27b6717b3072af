import type { TrialProgress } from '@app/contracts';
import type { ObjectiveTerm, StudyTerms } from './problem.js';

/** Reason of trials whose evaluation was ended, since by what earlier trials have gained they could only be dominated. */
export const STOPPED_EARLY = 'stopped-early';

/** What is added to the largest gain seen: the next trial may gain more than any before. */
const MARGIN = 1.25;

export interface EarlyStopping {
  /** full trials with a learning curve that are due before any is stopped */
  readonly after: number;
  /** share of the epochs that each trial is given */
  readonly from: number;
  /** points of the front, minimised, as the trial was asked */
  readonly front: readonly (readonly number[])[];
  /** metric key → learning curves of full trials told before the trial was asked, as they were reported */
  readonly curves: (key: string) => readonly (readonly number[])[];
}

/**
 * The best value that ends above what the front has at no cost more: a trial that does worse is dominated. Infinity: nothing is that cheap.
 *
 * @param known  minimised objectives, null: not known before the evaluation ends
 */
export function barOf(known: readonly (number | null)[], open: number, front: readonly (readonly number[])[]): number {
  return front.filter((p) => known.every((v, j) => j === open || (v !== null && p[j]! <= v))).reduce((least, p) => Math.min(least, p[open]!), Infinity);
}

/**
 * The best value a learning curve may still come to: what it has reached, less the largest gain that any earlier curve of the same length made from there on, and
 * a quarter more. No law of learning is assumed, only that none gains much more than all before.
 *
 * @param curve    minimised, epochs so far, at least one
 * @param epochs   of the whole
 * @param earlier  minimised; those of other lengths say nothing
 * @returns null if fewer than `after` curves speak
 */
export function bestEnd(curve: readonly number[], epochs: number, earlier: readonly (readonly number[])[], after: number): number | null {
  const whole = earlier.filter((c) => c.length === epochs);
  if (whole.length < after) return null;
  const at = curve.length - 1;
  const gain = whole.reduce((most, c) => Math.max(most, c[at]! - Math.min(...c.slice(at))), 0);
  return Math.min(...curve.slice(-2)) - MARGIN * gain;
}

/** Told of a trial's curves as they grow: why to end it, or null. Only where a single objective waits for the evaluation. */
export function stopWhen(stopping: EarlyStopping, terms: StudyTerms, known: readonly (number | null)[]): ((progress: TrialProgress) => string | null) | undefined {
  const open = known.flatMap((v, j) => (v === null ? [j] : []));
  const [j] = open;
  if (open.length !== 1 || j === undefined) return undefined;
  const term = terms.objectives[j]!;
  const bar = barOf(known, j, stopping.front);
  if (bar === Infinity) return undefined;
  const minimised = (values: readonly number[]): number[] => values.map((v) => term.sign * v);
  const earlier = stopping.curves(term.key).map(minimised);
  return ({ epochs, curves }) => {
    const curve = curves[term.key]?.values;
    if (epochs === null || curve === undefined || curve.length >= epochs || curve.length < stopping.from * epochs) return null;
    const best = bestEnd(minimised(curve), epochs, earlier, stopping.after);
    if (best === null || best <= bar) return null;
    return `stopped after epoch ${curve.length} of ${epochs}: ${term.key} ${shown(term, minimised(curve).at(-1)!)} may come to ${shown(term, best)}, the front has ${shown(term, bar)} at no cost more`;
  };
}

const shown = (term: ObjectiveTerm, value: number): string => `${Number((term.sign * value).toPrecision(4))}${term.unit === '1' ? '' : ` ${term.unit}`}`;
