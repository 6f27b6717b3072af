/** The one door for studies: whatever came in, it leaves as a definition that needs no further checks, or as a list of issues. */
import { metricDefinition, studySpec, type DatasetSpec, type StudySpec } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import { createSearchSpace, SpaceError } from '@app/space';
import type { SpaceDefinition, StudyDefinition } from '@app/study';
import { accuracyMethods, DATASETS, familiesWith, trainedTask } from './accuracy-methods.js';
import { issuesOf, pointer, type Issue } from './issue.js';
import { completePoint } from './points.js';
import { resolveDevices } from './resolve-devices.js';
import { resolveSpace } from './resolve-space.js';
import { usualTask } from './usual-task.js';
import { parseYaml } from './yaml-text.js';

export type StudyParse = { readonly definition: StudyDefinition } | { readonly issues: readonly Issue[] };

export interface Known {
  readonly spaces: readonly SpaceDefinition[];
  readonly devices: readonly DeviceProfile[];
}

/**
 * A study from YAML or JSON text, or from a value already parsed: schema, then space and devices (own copies), then what only both
 * together tell: metrics the space can answer, classes that fit the tabulated data set, start points inside the space.
 *
 * A start point may leave out parameters that have a default. A study whose task is silent takes the space's usual one; on a
 * table or a data set it takes the classes and channels of the data, and on a table the space takes the data set's image size.
 */
export function parseStudy(known: Known, input: unknown): StudyParse {
  let value = input;
  if (typeof input === 'string') {
    const parsed = parseYaml(input);
    if ('faults' in parsed) return { issues: parsed.faults.map((message) => ({ pointer: '', code: 'invalid-yaml', message })) };
    value = parsed.value;
  }
  const read = studySpec.safeParse(value);
  if (!read.success) return { issues: issuesOf(read.error, value) };

  const space = resolveSpace(known.spaces, read.data.searchSpace);
  const devices = resolveDevices(known.devices, read.data);
  const unresolved = [space, devices].flatMap((r) => ('issues' in r ? r.issues : []));
  if ('issues' in space || 'issues' in devices) return { issues: unresolved };

  const given = givenTask(value);
  const fitted = fitTask(withUsualTask(read.data, space.value, given), space.value, given);
  const started = startPoints(fitted.spec, fitted.space);
  const issues = [...fitted.issues, ...metricIssues(fitted.spec, fitted.space), ...started.issues];
  if (issues.length > 0) return { issues };
  return { definition: { spec: started.spec, space: fitted.space, devices: devices.value } };
}

interface GivenTask {
  readonly numClasses: boolean;
  readonly inputChannels: boolean;
}

function givenTask(value: unknown): GivenTask {
  const task = (value as { task?: { numClasses?: unknown; inputChannels?: unknown } }).task;
  return { numClasses: task?.numClasses !== undefined, inputChannels: task?.inputChannels !== undefined };
}

/** What the study does not say of its task is what the space's networks usually do. */
function withUsualTask(spec: StudySpec, space: SpaceDefinition, given: GivenTask): StudySpec {
  const usual = usualTask(space);
  return { ...spec, task: { numClasses: (given.numClasses ? spec.task : usual).numClasses, inputChannels: (given.inputChannels ? spec.task : usual).inputChannels } };
}

/** Classes and channels that the data tell by their format; others are found out when they are read. */
function fitTraining(spec: StudySpec, space: SpaceDefinition, dataset: DatasetSpec, given: GivenTask): { spec: StudySpec; space: SpaceDefinition; issues: Issue[] } {
  const known = trainedTask(dataset);
  const issues: Issue[] = [];
  const task = { ...spec.task };
  for (const [field, word] of [['numClasses', 'classes'], ['inputChannels', 'channels']] as const) {
    const due = known[field];
    if (due === undefined || due === spec.task[field]) continue;
    if (given[field]) issues.push({ pointer: pointer(['task', field]), code: 'unfitting-task', message: `data set ${dataset.format} has ${due} ${word}; got ${spec.task[field]}` });
    else task[field] = due;
  }
  return { spec: { ...spec, task }, space, issues };
}

function fitTask(spec: StudySpec, space: SpaceDefinition, given: GivenTask): { spec: StudySpec; space: SpaceDefinition; issues: Issue[] } {
  const { accuracy } = spec;
  const methods = accuracyMethods(space.family);
  if (!methods.includes(accuracy.method)) {
    const message = `method "${accuracy.method}" knows ${familiesWith(accuracy.method).join(', ') || 'no space'}; for "${space.name}" there are ${methods.join(', ')}`;
    return { spec, space, issues: [{ pointer: '/accuracy/method', code: 'unsupported-method', message }] };
  }
  if (accuracy.method === 'train' || accuracy.method === 'supernet' || accuracy.method === 'proxy') return fitTraining(spec, space, accuracy.dataset, given);
  if (accuracy.method !== 'table') return { spec, space, issues: [] };
  const { numClasses, resolution } = DATASETS[accuracy.dataset];
  if (given.numClasses && spec.task.numClasses !== numClasses) {
    return { spec, space, issues: [{ pointer: '/task/numClasses', code: 'unfitting-task', message: `data set ${accuracy.dataset} has ${numClasses} classes; got ${spec.task.numClasses}` }] };
  }
  return { spec: { ...spec, task: { ...spec.task, numClasses } }, space: { ...space, settings: { ...space.settings, resolution } }, issues: [] };
}

function metricIssues(spec: StudySpec, space: SpaceDefinition): Issue[] {
  const { accuracy } = spec;
  const own = accuracy.method === 'command' ? 'command' : accuracy.method === 'http' ? 'trainer' : null;
  const reported = accuracy.method === 'command' || accuracy.method === 'http' ? accuracy.metrics : [];
  const missing = (metric: string, target: string | undefined): string | null => {
    if (target === undefined && reported.includes(metric)) return null;
    const known = metricDefinition(metric);
    if (!known) return `the ${own ?? 'study'} does not report "${metric}"; accuracy.metrics names ${reported.join(', ')}`;
    if (metric === 'proxy' && accuracy.method !== 'proxy') return `"proxy" needs accuracy.method "proxy"; it is "${accuracy.method}"`;
    if ((metric === 'accuracy' || metric === 'error') && accuracy.method === 'proxy') return `"${metric}" can't be had of an untrained network; its score is metric "proxy"`;
    if (metric === 'accuracy' || metric === 'error') {
      if (accuracy.method === 'none') return `"${metric}" needs an accuracy method; for "${space.name}" there are ${accuracyMethods(space.family).filter((m) => m !== 'none').join(', ')}`;
      return own !== null ? `the ${own} does not report "${metric}"; accuracy.metrics names ${reported.join(', ')}` : null;
    }
    return space.family === 'none' ? `points of space "${space.name}" stand for no network, so "${metric}" can't be computed; let the command report a metric of its own` : null;
  };
  const issues: Issue[] = [];
  for (const field of ['objectives', 'constraints'] as const) {
    spec[field].forEach((o, i) => {
      const message = missing(o.metric, o.target);
      if (message !== null) issues.push({ pointer: pointer([field, i, 'metric']), code: 'unavailable-metric', message });
    });
  }
  return issues;
}

function startPoints(spec: StudySpec, space: SpaceDefinition): { spec: StudySpec; issues: Issue[] } {
  if (!spec.start) return { spec, issues: [] };
  const searchSpace = createSearchSpace(space.parameters);
  const issues: Issue[] = [];
  const start = spec.start.map((given, i) => {
    const point = completePoint(space.parameters, given);
    try {
      searchSpace.encode(point);
    } catch (error) {
      if (!(error instanceof SpaceError)) throw error;
      issues.push(...error.issues.map((issue) => ({ pointer: pointer(['start', i, issue.path]), code: 'outside-space', message: issue.message })));
    }
    return point;
  });
  return { spec: { ...spec, start }, issues };
}
