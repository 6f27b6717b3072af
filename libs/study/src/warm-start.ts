import { isDeepStrictEqual } from 'node:util';
import { passedOver } from './foresight.js';
import { objectiveValues, studyTerms, violationValues } from './problem.js';
import type { ImportedTrial, StudyDefinition, StudyRecord, TrialRecord } from './records.js';

/** Accidents of a worker or a wait that ended: they say nothing of the point, which may be tried again. */
const ACCIDENTS = new Set(['worker-lost', 'worker-stopped', 'timeout', 'evaluator-exited', 'evaluator-closed', 'internal-error']);

/** Why a study can't begin with another's trials. */
export interface WarmStartIssue {
  /** in the study that would begin, such as `warmStart.studies.0` */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A study to learn from, with all its trials in order of number. */
export interface WarmStartSource {
  readonly study: StudyRecord;
  readonly trials: readonly TrialRecord[];
}

/**
 * Trials of other studies as a study is told them before its first candidate: settled ones at full evaluation, each point once, objectives and
 * violations reckoned anew from their metrics by this study's directions, units and limits. A failure is knowledge too.
 *
 * Both must mean the same by a point and by a metric: equal parameters, decoder and task, the same way to accuracy, and equal profiles of the
 * devices this study looks at. Objectives and limits may differ as long as the other has every metric.
 */
export function warmStart(definition: StudyDefinition, sources: readonly WarmStartSource[]): { readonly imports: ImportedTrial[] } | { readonly issues: WarmStartIssue[] } {
  const issues = sources.flatMap(({ study, trials }, i) => differences(definition, study, trials).map((message): WarmStartIssue => ({ path: ['warmStart', 'studies', i], message: `study ${study.id} ${message}` })));
  if (issues.length > 0) return { issues };
  const terms = studyTerms(definition.spec);
  const imports = new Map<string, ImportedTrial>();
  for (const { study, trials } of sources) {
    for (const t of trials) {
      if (t.fidelity !== 1 || imports.has(t.key)) continue;
      if (t.state !== 'completed' && t.state !== 'infeasible' && t.state !== 'failed') continue;
      if (passedOver(t)) continue;
      if (t.state === 'failed' && ACCIDENTS.has(t.reason ?? '')) continue;
      const objectives = objectiveValues(terms, t.metrics);
      const violations = violationValues(terms, t.metrics);
      const state = t.state === 'failed' ? 'failed' : violations.some((g) => g !== null && g > 0) ? 'infeasible' : 'completed';
      // Judged infeasible before all was sought, by a limit this study does not have: still to be evaluated here.
      if (state === 'completed' && [...objectives, ...violations].includes(null)) continue;
      imports.set(t.key, { studyId: study.id, number: t.number, key: t.key, genes: t.genes, state, objectives, violations });
    }
  }
  return { imports: [...imports.values()] };
}

/** What keeps one study from learning from another, in words. */
function differences(definition: StudyDefinition, other: StudyRecord, trials: readonly TrialRecord[]): string[] {
  const out: string[] = [];
  const say = (field: string, got: unknown, due: unknown): void => void out.push(`differs in ${field}: it has ${short(got)}, this study ${short(due)}`);
  if (other.space.family !== definition.space.family) say('searchSpace.family', other.space.family, definition.space.family);
  if (!same(other.space.parameters, definition.space.parameters)) {
    const names = (s: StudyDefinition['space']): string[] => s.parameters.map((p) => p.name);
    const [a, b] = [names(other.space), names(definition.space)];
    if (!same(a, b)) say('searchSpace.parameters', a, b);
    else definition.space.parameters.forEach((p, i) => {
      const own = other.space.parameters[i]!;
      if (!same(own, p)) say(`searchSpace.parameters.${p.name}`, own, p);
    });
  }
  if (!same(other.space.settings, definition.space.settings)) say('searchSpace.settings', other.space.settings, definition.space.settings);
  if (!same(other.spec.task, definition.spec.task)) say('task', other.spec.task, definition.spec.task);
  if (!same(withoutPrior(other), withoutPrior(definition))) say('accuracy', other.spec.accuracy, definition.spec.accuracy);
  const { objectives, constraints } = studyTerms(definition.spec);
  const looked = [...objectives, ...constraints];
  for (const device of definition.devices) {
    const own = other.devices.find((d) => d.id === device.id);
    if (own && looked.some((t) => t.target === device.id) && !same(own, device)) out.push(`differs in devices.${device.id}: another profile or precision`);
  }
  const measured = new Set(trials.filter((t) => t.state === 'completed').flatMap((t) => Object.keys(t.metrics)));
  const missing = [...new Set(looked.map((t) => t.key))].filter((key) => !measured.has(key));
  if (missing.length > 0) out.push(`has no completed trial with ${missing.map((key) => `"${key}"`).join(', ')}`);
  return out;
}

/** What others a study learned from besides changes no value of its own. */
const withoutPrior = ({ spec: { accuracy } }: StudyDefinition): object => ({ ...accuracy, prior: undefined });

const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
