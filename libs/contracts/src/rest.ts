import { z } from 'zod';
import { metricValue } from './metrics.js';
import { studySpec } from './study-spec.js';

export const STUDY_STATES = ['draft', 'queued', 'running', 'paused', 'stopping', 'completed', 'failed', 'cancelled'] as const;
export const TRIAL_STATES = ['pending', 'running', 'completed', 'infeasible', 'failed', 'cancelled'] as const;
export const studyState = z.enum(STUDY_STATES);
export const trialState = z.enum(TRIAL_STATES);
export type StudyState = z.infer<typeof studyState>;
export type TrialState = z.infer<typeof trialState>;
export const TERMINAL_STATES: readonly StudyState[] = ['completed', 'failed', 'cancelled'];

/** What a client may do to a study in a state. */
export const ACTIONS = ['start', 'pause', 'resume', 'stop', 'cancel', 'clone'] as const;
export type StudyAction = (typeof ACTIONS)[number];
export const ALLOWED_ACTIONS: Readonly<Record<StudyState, readonly StudyAction[]>> = {
  draft: ['start', 'cancel', 'clone'],
  queued: ['pause', 'stop', 'cancel', 'clone'],
  running: ['pause', 'stop', 'cancel', 'clone'],
  paused: ['resume', 'stop', 'cancel', 'clone'],
  stopping: ['cancel', 'clone'],
  completed: ['resume', 'clone'],
  failed: ['resume', 'clone'],
  cancelled: ['clone'],
};

const scalar = z.union([z.number(), z.string(), z.boolean()]);
const time = z.iso.datetime();

export const objectiveView = z.strictObject({
  key: z.string(), metric: z.string(), target: z.string().nullable(), direction: z.enum(['minimize', 'maximize']), unit: z.string(),
  /** reference point of the hypervolume, in `unit`; null until it is fixed */
  reference: z.number().nullable(),
}).meta({ id: 'ObjectiveView' });
export type ObjectiveView = z.infer<typeof objectiveView>;

export const constraintView = z.strictObject({ key: z.string(), metric: z.string(), target: z.string().nullable(), op: z.enum(['<=', '>=']), value: z.number(), unit: z.string() }).meta({ id: 'ConstraintView' });
export type ConstraintView = z.infer<typeof constraintView>;

export const trialCounts = z.strictObject({ pending: z.int(), running: z.int(), completed: z.int(), infeasible: z.int(), failed: z.int(), cancelled: z.int(), total: z.int() }).meta({ id: 'TrialCounts' });

export const studySummary = z.strictObject({
  id: z.uuid(), name: z.string(), labels: z.record(z.string(), z.string()), state: studyState,
  reason: z.string().nullable(), message: z.string().nullable(), revision: z.int(),
  createdAt: time, startedAt: time.nullable(), finishedAt: time.nullable(),
  /** seconds in state running */
  runningSeconds: z.number(),
  counts: trialCounts,
  /** 0 … 1: the most used of the budget's dimensions, and which that is */
  progress: z.strictObject({ fraction: z.number(), binding: z.enum(['trials', 'duration']), etaSeconds: z.tuple([z.number(), z.number()]).nullable(), trialsPerSecond: z.number().nullable(),
    screened: z.int().describe('candidates passed over because what is computed of them breaks a limit; no trials') }),
  objectives: z.array(objectiveView),
  constraints: z.array(constraintView),
  frontSize: z.int(),
  /** null until the reference point is fixed and a feasible trial is known */
  hypervolume: z.number().nullable(),
  space: z.string(),
  algorithm: z.string(),
  allowedActions: z.array(z.enum(ACTIONS)),
}).meta({ id: 'StudySummary' });
export type StudySummary = z.infer<typeof studySummary>;

export const parameterView = z.strictObject({
  name: z.string(), type: z.enum(['float', 'int', 'ordinal', 'categorical']), description: z.string().nullable(),
  min: z.number().nullable(), max: z.number().nullable(), step: z.number().nullable(), scale: z.enum(['linear', 'log']).nullable(), values: z.array(scalar).nullable(),
}).meta({ id: 'ParameterView' });
export type ParameterView = z.infer<typeof parameterView>;

export const studyDetail = z.strictObject({
  ...studySummary.shape,
  spec: z.unknown().describe('the specification as accepted, see StudySpec'),
  parameters: z.array(parameterView),
  devices: z.array(z.string()),
}).meta({ id: 'StudyDetail' });
export type StudyDetail = Omit<z.infer<typeof studyDetail>, 'spec'> & { spec: z.output<typeof studySpec> };

/** What a running trial has reported so far: learning curves. */
export const trialProgress = z.strictObject({
  epochs: z.int().nullable().describe('epochs of the whole evaluation, if they are known'),
  curves: z.record(z.string(), z.strictObject({ unit: z.string(), values: z.array(z.number()) })).describe('metric key → value after each epoch so far'),
}).meta({ id: 'TrialProgress' });
export type TrialProgress = z.infer<typeof trialProgress>;

export const trialView = z.strictObject({
  id: z.uuid(), studyId: z.uuid(), number: z.int(), state: trialState, reason: z.string().nullable(), message: z.string().nullable(),
  parameters: z.record(z.string(), scalar), proposedBy: z.string(),
  fidelity: z.number().describe('share of a full evaluation, 0 … 1; only full ones come on the front'),
  /** metric key → value; objectives and constraints in the unit of the study's spec, others in SI */
  metrics: z.record(z.string(), metricValue),
  feasible: z.boolean().nullable(), onFront: z.boolean(),
  /** 0: on the front; null: infeasible or not known */
  rank: z.int().nullable(),
  progress: trialProgress.nullable().describe('of a running trial whose evaluator reports; null: none'),
  attempts: z.int(), createdAt: time, settledAt: time.nullable(), durationSeconds: z.number().nullable(),
}).meta({ id: 'Trial' });
export type TrialView = z.infer<typeof trialView>;

const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), nextCursor: z.string().describe('empty: no more') });
export const studyPage = page(studySummary).meta({ id: 'StudyPage' });
export const trialPage = page(trialView).meta({ id: 'TrialPage' });
export type StudyPage = z.infer<typeof studyPage>;
export type TrialPage = z.infer<typeof trialPage>;

/** Whole study as column arrays, row i being trial `number[i]`. */
export const seriesView = z.strictObject({
  revision: z.int(), count: z.int(),
  /** trial ids: a mark in a chart is opened by them */
  id: z.array(z.uuid()),
  number: z.array(z.int()), state: z.array(trialState), onFront: z.array(z.boolean()), feasible: z.array(z.boolean().nullable()),
  columns: z.record(z.string(), z.strictObject({ kind: z.enum(['metric', 'parameter']), unit: z.string().nullable(), values: z.array(scalar.nullable()) })),
}).meta({ id: 'Series' });
export type SeriesView = z.infer<typeof seriesView>;

/** Learning curves of one metric over a whole study, row i being trial `number[i]`; trials without one are left out. */
export const curvesView = z.strictObject({
  revision: z.int(), metric: z.string(), unit: z.string().nullable().describe('null: no trial has a curve'),
  number: z.array(z.int()), state: z.array(trialState), fidelity: z.array(z.number()),
  values: z.array(z.array(z.number())).describe('after epoch 1, 2, …; of running trials as far as they are'),
}).meta({ id: 'Curves' });
export type CurvesView = z.infer<typeof curvesView>;

/** How well the evaluated trials foretell each other: each value against what all the others say of it. Of objectives that only an evaluation tells. */
export const foresightView = z.strictObject({
  revision: z.int(),
  skipped: z.int().describe('trials that were not evaluated, since they were foretold to be dominated'),
  objectives: z.array(z.strictObject({
    key: z.string(), unit: z.string(),
    error: z.number().describe('root of the mean squared error of the held-out values, like all figures but for those that are apart'),
    spread: z.number().describe('the same of their mean: what a model that knows nothing errs by'),
    within: z.number().describe('share of the values inside their 90 % intervals'),
    number: z.array(z.int().nullable()).describe('of the trial; null: of a study this one began with'),
    values: z.array(z.number()), predicted: z.array(z.number()), low: z.array(z.number()), high: z.array(z.number()),
    apart: z.array(z.boolean()).describe('whether a value is so much worse than the others, such as that of a training that collapsed, that it counts for little and is no test'),
    prior: z.strictObject({
      hash: z.string().describe('of all that was taken from other studies when this one was made'),
      studies: z.array(z.strictObject({ id: z.uuid(), name: z.string(), trials: z.int() })).describe('whose values are learned from, by the names they had then, and how many of them'),
      left: z.int().describe('values taken and left out since: they turned out to be of other data'),
      weight: z.number().describe('how far they are believed, deviations of this study\'s values for one of theirs; learned'),
      without: z.strictObject({ error: z.number(), within: z.number() }).describe('the same figures from this study alone'),
    }).nullable().describe('values of other studies of the task; null: none'),
    proxy: z.strictObject({ name: z.string(), error: z.number(), within: z.number() }).nullable().describe('the same figures with the scores of the untrained networks; null: no scores'),
  })),
}).meta({ id: 'Foresight' });
export type ForesightView = z.infer<typeof foresightView>;

export const historyPoint = z.strictObject({ trials: z.int(), hypervolume: z.number().nullable(), frontSize: z.int() });

export const frontView = z.strictObject({
  revision: z.int(),
  objectives: z.array(objectiveView),
  hypervolume: z.number().nullable(),
  /** hypervolume and front size after each trial at which the front changed */
  history: z.array(historyPoint),
  trials: z.array(z.strictObject({ ...trialView.shape, crowding: z.number().nullable().describe('null: at an end of the front'), knee: z.boolean() })),
  /** why the front is empty, if it is: pass rates and nearest misses */
  empty: z.strictObject({ message: z.string(), constraints: z.array(z.strictObject({ key: z.string(), passed: z.int(), of: z.int(), nearest: z.number().nullable(), limit: z.number(), unit: z.string() })) }).nullable(),
}).meta({ id: 'Front' });
export type FrontView = z.infer<typeof frontView>;

/** Answer of the dry run: is the study possible, and what will it cost? */
export const dryRunReport = z.strictObject({
  valid: z.boolean(),
  sampled: z.int(),
  cardinality: z.number().nullable().describe('points in the space; null: continuous'),
  constraints: z.array(z.strictObject({
    key: z.string(), op: z.enum(['<=', '>=']), limit: z.number(), unit: z.string(),
    /** share of sampled points that meet it, 0 … 1; null: it can't be known before trials run */
    share: z.number().nullable(),
    /** the best value any sampled point has: the limit can't be stricter than this, as far as the sample shows */
    best: z.number().nullable(), median: z.number().nullable(),
  })),
  feasibleShare: z.number().nullable().describe('share of sampled points that meet all that is computable'),
  hardest: z.string().nullable(),
  secondsPerTrial: z.number(), estimatedSeconds: z.number(),
  trials: z.int().describe('trials the study will run: the budget, or the size of the space if smaller'),
  evaluator: z.string(),
  warnings: z.array(z.string()),
}).meta({ id: 'DryRunReport' });
export type DryRunReport = z.infer<typeof dryRunReport>;

export const sessionRequest = z.strictObject({ apiKey: z.string().min(1).max(1000) });

export const exportFormat = z.enum(['onnx', 'onnx-int8', 'pytorch', 'state-dict', 'json'])
  .describe('onnx: the network in float32; onnx-int8: quantised, its layers between QuantizeLinear and DequantizeLinear; pytorch: Python code; state-dict: its weights, for torch.load; json: layers and parameters');
export type ExportFormat = z.infer<typeof exportFormat>;
export const exportRequest = z.strictObject({ format: exportFormat, seed: z.int().min(0).optional().describe('seed of the initial weights, where no trained ones are kept; default: the study\'s') });
export const exportView = z.strictObject({
  id: z.uuid(), trialId: z.uuid(), studyId: z.uuid(), format: exportFormat, state: z.enum(['queued', 'running', 'completed', 'failed']), message: z.string().nullable(),
  fileName: z.string().nullable(), bytes: z.int().nullable(), sha256: z.string().nullable(),
  weights: z.enum(['trained', 'initial', 'none']).nullable().describe('what the file carries: those the trial was trained to, seeded first ones, or none; null: not built yet'),
  manifest: z.unknown().nullable(), createdAt: time, finishedAt: time.nullable(),
}).meta({ id: 'Export' });
export type ExportView = z.infer<typeof exportView>;

const figure = z.strictObject({ value: z.number(), unit: z.string(), source: z.string() });
export const deviceView = z.strictObject({
  id: z.string(), title: z.string(), class: z.enum(['cloud', 'mobile', 'mcu', 'accelerator']), description: z.string().nullable(),
  precisions: z.array(z.string()), defaultPrecision: z.string(), ram: figure, flash: figure.nullable(), runtime: z.string(), notes: z.array(z.string()),
}).meta({ id: 'Device' });
export type DeviceView = z.infer<typeof deviceView>;

export const spaceView = z.strictObject({
  name: z.string(), title: z.string(), description: z.string(), family: z.string(), cardinality: z.number().nullable(),
  parameters: z.array(parameterView), accuracy: z.array(z.string()).describe('accuracy methods that know this space'), sources: z.array(z.string()),
  /** metric keys a table of the space answers, measured or simulated */
  tabulated: z.array(z.string()),
  task: z.strictObject({ numClasses: z.int(), inputChannels: z.int() }).describe('task of studies that state none'),
}).meta({ id: 'Space' });
export type SpaceView = z.infer<typeof spaceView>;

/** The network of a trial, layer by layer, priced on the study's devices. */
export const networkView = z.strictObject({
  trialId: z.uuid(), name: z.string(), inputShape: z.array(z.int()), macs: z.number(), params: z.number(), madds: z.number(),
  nodes: z.array(z.strictObject({ id: z.string(), kind: z.string(), block: z.string().nullable(), inputs: z.array(z.string()), shape: z.array(z.int()), label: z.string(), macs: z.number(), params: z.number() })),
  devices: z.array(z.strictObject({
    device: z.string(), precision: z.string(),
    totals: z.record(z.string(), metricValue).describe('latency s, energy J, peakRam B, flash B'),
    layers: z.array(z.strictObject({ node: z.string(), latency: z.number(), energy: z.number(), liveBytes: z.number(), weightBytes: z.number(), bound: z.string() })),
  })),
}).meta({ id: 'Network' });
export type NetworkView = z.infer<typeof networkView>;

/** RFC 9457 */
export const problem = z.strictObject({
  type: z.string(), title: z.string(), status: z.int(), detail: z.string().optional(), instance: z.string().optional(),
  errors: z.array(z.strictObject({ pointer: z.string().describe('JSON pointer into the body, or the query parameter'), code: z.string(), message: z.string() })).optional(),
  allowedActions: z.array(z.enum(ACTIONS)).optional(),
}).meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

/** Events of a study's stream; `id:` of each is the study's revision. */
export type StudyEvent =
  | { readonly type: 'snapshot'; readonly revision: number; readonly data: StudySummary }
  | { readonly type: 'study.state'; readonly revision: number; readonly data: { readonly state: StudyState; readonly reason: string | null; readonly message: string | null } }
  | { readonly type: 'trial.finished'; readonly revision: number; readonly data: { readonly from: number; readonly to: number; readonly counts: StudySummary['counts'] } }
  | { readonly type: 'trial.progress'; readonly revision: number; readonly data: { readonly numbers: readonly number[] } }
  | { readonly type: 'front.changed'; readonly revision: number; readonly data: { readonly added: readonly string[]; readonly removed: readonly string[]; readonly size: number; readonly hypervolume: number | null } }
  | { readonly type: 'progress'; readonly revision: number; readonly data: StudySummary['progress'] };
