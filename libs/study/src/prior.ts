import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DatasetSpec, Metrics } from '@app/contracts';
import { SpaceError, type Genes, type Parameter, type Point, type Scalar, type SearchSpace } from '@app/space';
import { STOPPED_EARLY } from './early-stopping.js';
import { analyticOf } from './foresight-features.js';
import { answeredBy, openObjectives, passedOver } from './foresight.js';
import { ofNetwork } from './no-network.js';
import { SCORE } from './prefilter.js';
import { objectiveValues, studyProblem } from './problem.js';
import type { Prior, PriorTrial, StudyDefinition, StudyRecord, TrialRecord } from './records.js';

/** Values of other studies that one begins with at the most; the newest studies come first. */
export const MOST_PRIOR_TRIALS = 400;

/** A study whose evaluated values may help, with all its trials. */
export interface PriorSource {
  readonly study: StudyRecord;
  readonly trials: readonly TrialRecord[];
}

type Trained = Extract<StudyDefinition['spec']['accuracy'], { method: 'train' | 'command' | 'http' }>;

const TRAINED: ReadonlySet<string> = new Set(['train', 'command', 'http']);
const trained = ({ spec: { accuracy } }: StudyDefinition): Trained | null => (TRAINED.has(accuracy.method) ? (accuracy as Trained) : null);

/** Which studies a study learns from besides its own trials: `all` where it does not say, of those whose values are dear. */
export function priorStudies(definition: StudyDefinition): 'all' | 'none' | readonly string[] {
  const accuracy = trained(definition);
  return accuracy === null ? 'none' : accuracy.prior?.studies ?? 'all';
}

/**
 * Why the values of one study say nothing of another's, in words, or null. Two studies have the same task if their networks tell as many classes from as many channels
 * and are evaluated on the same data: of method `train` those that are described alike or whose content is the same once it has been read, of a command or
 * an address those of the same one. Recipe, epochs, share of data, precision, space and limits may differ.
 *
 * @param named  the user vouches for what can't be seen: a command's or an address's data
 */
export function otherTask(definition: StudyDefinition, other: StudyDefinition, named: boolean): string | null {
  const [own, its] = [trained(definition), trained(other)];
  if (own === null || its === null) return `differs in accuracy.method: it has "${other.spec.accuracy.method}"; methods ${[...TRAINED].join(', ')} are learned from`;
  for (const field of ['numClasses', 'inputChannels'] as const) {
    const [a, b] = [other.spec.task[field], definition.spec.task[field]];
    if (a !== b) return `differs in task.${field}: it has ${a}, this study ${b}`;
  }
  const points = [definition, other].map(({ space }) => (space.family === 'none' ? `the parameters ${space.parameters.map((p) => p.name).sort().join(', ')}` : 'networks'));
  if (points[0] !== points[1]) return `differs in searchSpace: its points are ${points[1]}, this study's ${points[0]}`;
  if (named) return null;
  if (own.method !== its.method) return `differs in accuracy.method: it has "${its.method}", this study "${own.method}"`;
  if (own.method === 'command' && its.method === 'command') return isDeepStrictEqual(own.command, its.command) ? null : `differs in accuracy.command: it has ${JSON.stringify(its.command)}, this study ${JSON.stringify(own.command)}`;
  if (own.method === 'http' && its.method === 'http') return own.url === its.url ? null : `differs in accuracy.url: it has ${its.url}, this study ${own.url}`;
  return null;
}

/**
 * Values that other studies of the same task evaluated, as a study keeps them from its making on: whatever those studies do afterwards changes nothing. Trials that
 * failed or diverged, were foretold, outscored or stopped, and values that are estimates or no numbers are left out; so are trials the study is told anyway.
 * Values of data that are neither described alike nor known by content are left out too; of those known by content the study's own data decide, once they are read.
 *
 * @param sources  of one task (see `otherTask`), those to be preferred first
 * @param told     trials the study begins with as its own
 * @returns null: no values
 */
export function priorOf(definition: StudyDefinition, sources: readonly PriorSource[], told: readonly { readonly studyId: string; readonly number: number }[] = []): Prior | null {
  const { terms, space } = studyProblem(definition);
  const open = new Set(openObjectives(definition, terms, { metrics: answeredBy(definition) }));
  const known = new Set(told.map((t) => `${t.studyId}/${t.number}`));
  const trials: PriorTrial[] = [];
  for (const { study, trials: its } of sources) {
    const described = describedAlike(definition, study);
    for (const t of its) {
      if (trials.length >= MOST_PRIOR_TRIALS) break;
      if ((t.state !== 'completed' && t.state !== 'infeasible') || passedOver(t) || t.reason === STOPPED_EARLY || known.has(`${study.id}/${t.number}`)) continue;
      const sound = Object.fromEntries(Object.entries(t.metrics).filter(([, m]) => m.provenance !== 'estimated' && Number.isFinite(m.value)));
      const objectives = objectiveValues(terms, sound).map((v, j) => (open.has(j) ? v : null));
      const data = contentOf(t.metrics);
      if (objectives.every((v) => v === null) || (!described && data === null)) continue;
      const genes = nearestGenes(space, definition.space.family === study.space.family ? t.parameters : {});
      const analytic = genes === null ? null : ofNetwork(() => [...analyticOf(study, t.parameters)]);
      if (genes === null || analytic === null) continue;
      trials.push({ studyId: study.id, number: t.number, fidelity: t.fidelity, described, data, genes: [...genes], analytic, score: scoreOf(study, t.metrics), objectives });
    }
  }
  if (trials.length === 0) return null;
  const studies = sources.filter(({ study }) => trials.some((t) => t.studyId === study.id)).map(({ study: { id, name } }) => ({ id, name }));
  return { hash: createHash('sha256').update(JSON.stringify([definition.space.parameters, trials])).digest('hex'), studies, trials };
}

/** Content hash of the data that a trial's values are of; null: not known. */
export const contentOf = (metrics: Metrics): string | null => Object.values(metrics).find((m) => m.data !== undefined)?.data ?? null;

/** A trial's score by the proxy of its study's prefilter. */
export function scoreOf({ spec: { accuracy } }: StudyDefinition, metrics: Metrics): PriorTrial['score'] {
  const value = metrics[SCORE]?.value;
  return accuracy.method === 'train' && accuracy.prefilter !== undefined && value !== undefined && Number.isFinite(value) ? { proxy: accuracy.prefilter.proxy, value } : null;
}

/** Whether both name the same data. How they are split and what share is trained on is not the data. */
export function describedAlike(definition: StudyDefinition, other: StudyDefinition): boolean {
  const [own, its] = [definition.spec.accuracy, other.spec.accuracy];
  if (own.method !== 'train' || its.method !== 'train') return own.method !== 'train' && its.method !== 'train';
  const of = (dataset: DatasetSpec): object => {
    const { validation: _v, share: _s, splitSeed, ...data } = dataset;
    // that of synthetic images draws them
    return dataset.format === 'synthetic' ? { ...data, splitSeed } : data;
  };
  return isDeepStrictEqual(of(own.dataset), of(its.dataset));
}

/** The point of a space nearest to one of another of the same family: numbers at the nearest value, what is missing at its default. Null: it has a choice that the space does not offer. */
function nearestGenes(space: SearchSpace, point: Point): Genes | null {
  const own = new Map(space.parameters.map((p) => [p.name, p]));
  const near: Record<string, Scalar> = Object.fromEntries(Object.entries(point).filter(([name]) => own.has(name)));
  // a value may make other parameters active, which are then missing
  for (let round = 0; round <= space.dimension + 1; round++) {
    try {
      return space.encode(near);
    } catch (error) {
      if (!(error instanceof SpaceError)) throw error;
      for (const { path } of error.issues) {
        if (near[path] !== undefined && near[path] === nearestValue(own.get(path)!, near[path])) {
          delete near[path];
          continue;
        }
        const value = nearestValue(own.get(path)!, near[path]);
        if (value === undefined) return null;
        near[path] = value;
      }
    }
  }
  return null;
}

function nearestValue(p: Parameter, given: Scalar | undefined): Scalar | undefined {
  if (p.type === 'ordinal' || p.type === 'categorical') {
    if (given === undefined) return p.default ?? p.values[0];
    if (p.values.includes(given as never)) return given;
    const numbers = (p.values as readonly Scalar[]).filter((v): v is number => typeof v === 'number');
    return p.type === 'categorical' || typeof given !== 'number' || numbers.length === 0 ? undefined : numbers.reduce((a, b) => (Math.abs(b - given) < Math.abs(a - given) ? b : a));
  }
  if (given === undefined) return p.default ?? p.min;
  if (typeof given !== 'number') return undefined;
  const step = p.step ?? (p.type === 'int' ? 1 : 0);
  const clipped = Math.min(p.max, Math.max(p.min, given));
  return step === 0 ? clipped : p.min + step * Math.min(Math.floor((p.max - p.min) / step + 1e-9), Math.round((clipped - p.min) / step));
}
