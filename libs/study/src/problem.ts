import { convert, metricDefinition, metricKey, type Metrics, type StudySpec } from '@app/contracts';
import { familyFeatures } from '@app/decode';
import type { SearchProblem } from '@app/optim';
import { createSearchSpace, type SearchSpace } from '@app/space';
import type { StudyDefinition } from './records.js';

/** A quantity the search looks at, with the sign that makes less better. */
export interface ObjectiveTerm {
  readonly key: string;
  readonly metric: string;
  readonly target: string | null;
  readonly direction: 'minimize' | 'maximize';
  /** +1: minimised as it is; −1: maximised, turned round */
  readonly sign: 1 | -1;
  /** unit inside (SI) and the unit the user chose to read */
  readonly unit: string;
  readonly shownUnit: string;
}

export interface ConstraintTerm {
  readonly key: string;
  readonly metric: string;
  readonly target: string | null;
  readonly op: '<=' | '>=';
  /** in `unit` */
  readonly limit: number;
  readonly unit: string;
  readonly shownUnit: string;
}

export interface StudyTerms {
  readonly objectives: readonly ObjectiveTerm[];
  /** the spec's constraints, then the objectives' bounds */
  readonly constraints: readonly ConstraintTerm[];
}

/** Objectives and constraints of a spec with units and signs settled. Everything inside is minimised and SI. */
export function studyTerms(spec: StudySpec): StudyTerms {
  const units = (metric: string, shown: string | undefined): { unit: string; shownUnit: string } => {
    const unit = metricDefinition(metric)?.unit ?? shown ?? '1';
    return { unit, shownUnit: shown ?? unit };
  };
  const objectives = spec.objectives.map((o): ObjectiveTerm => {
    const direction = o.direction ?? (metricDefinition(o.metric)?.better === 'higher' ? 'maximize' : 'minimize');
    return { key: metricKey(o.metric, o.target), metric: o.metric, target: o.target ?? null, direction, sign: direction === 'minimize' ? 1 : -1, ...units(o.metric, o.unit) };
  });
  const limited = [
    ...spec.constraints.map((c) => ({ ...c, bound: { op: c.op, value: c.value } })),
    ...spec.objectives.flatMap((o) => (o.bound ? [{ metric: o.metric, target: o.target, unit: o.unit, bound: o.bound }] : [])),
  ];
  const constraints = limited.map((c): ConstraintTerm => {
    const { unit, shownUnit } = units(c.metric, c.unit);
    return { key: metricKey(c.metric, c.target), metric: c.metric, target: c.target ?? null, op: c.bound.op, limit: convert(c.bound.value, shownUnit, unit), unit, shownUnit };
  });
  return { objectives, constraints };
}

/** The user's reference point as the optimizer sees it, or null. */
export function givenReference(spec: StudySpec, terms: StudyTerms): number[] | null {
  if (!spec.referencePoint) return null;
  return terms.objectives.map((o) => o.sign * convert(spec.referencePoint![o.key]!, o.shownUnit, o.unit));
}

export interface StudyProblem {
  readonly terms: StudyTerms;
  readonly space: SearchSpace;
  readonly problem: SearchProblem;
}

/** Shares of a full evaluation at which trials run, ascending, the last 1: 1, 1/η, 1/η² … down to the lowest asked for. */
export function fidelityLevels(spec: StudySpec): number[] {
  const { fidelity } = spec;
  const levels = [1];
  // Half a per cent of slack: 0.11 is meant as 1/9.
  while (fidelity && levels[0]! / fidelity.eta >= fidelity.lowest * 0.995) levels.unshift(levels[0]! / fidelity.eta);
  return levels;
}

/** Of a study's trials, as halving spends them: 1 without fidelities. Each level has 1/η as many trials as the one below. */
export function meanFidelity(spec: StudySpec): number {
  const levels = fidelityLevels(spec);
  const counts = levels.map((level) => 1 / level);
  return levels.length / counts.reduce((a, b) => a + b, 0);
}

/** @throws SpaceError if the parameters or a start point are at fault */
export function studyProblem(definition: StudyDefinition): StudyProblem {
  const { spec } = definition;
  const terms = studyTerms(spec);
  const space = createSearchSpace(definition.space.parameters, { features: familyFeatures(definition.space.family) });
  return {
    terms,
    space,
    problem: {
      space,
      objectives: terms.objectives.length,
      constraints: terms.constraints.length,
      referencePoint: givenReference(spec, terms) ?? undefined,
      start: spec.start?.map((point) => space.encode(point)),
      seed: spec.seed,
      maxTrials: spec.budget.maxTrials,
      ...(spec.fidelity ? { fidelities: fidelityLevels(spec) } : {}),
    },
  };
}

/** Minimised objective values, null where the metric is missing. */
export function objectiveValues(terms: StudyTerms, metrics: Metrics): (number | null)[] {
  return terms.objectives.map((o) => {
    const value = metrics[o.key]?.value;
    return value === undefined ? null : o.sign * value;
  });
}

/**
 * g ≤ 0 where the limit is met, relative to the limit's size (absolute where it is 0), so that bytes and seconds weigh alike in a
 * sum of violations (mads-and-bo § 1). Null where the metric is missing.
 */
export function violationValues(terms: StudyTerms, metrics: Metrics): (number | null)[] {
  return terms.constraints.map((c) => {
    const value = metrics[c.key]?.value;
    if (value === undefined) return null;
    const excess = c.op === '<=' ? value - c.limit : c.limit - value;
    return c.limit === 0 ? excess : excess / Math.abs(c.limit);
  });
}
