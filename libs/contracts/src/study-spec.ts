import { z } from 'zod';
import { measureSchema } from './measure-spec.js';
import { METRICS, metricDefinition, metricKey, unitsOf } from './metrics.js';
import { commandAccuracySchema, httpAccuracySchema, proxyAccuracySchema, supernetAccuracySchema, trainAccuracySchema } from './training-spec.js';

/** Names of parameters and metrics: a word that is safe in a URL, a CSV head and a C comment. */
const word = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'a letter, then up to 63 letters, digits, _ . or -');
const scalar = z.union([z.number(), z.string().max(200), z.boolean()]);
const named = {
  name: word,
  description: z.string().max(500).optional(),
  when: z.record(z.string(), z.union([scalar, z.array(scalar).min(1)])).optional(),
};

export const parameterSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...named, type: z.literal('float'), min: z.number(), max: z.number(), scale: z.enum(['linear', 'log']).optional(), step: z.number().positive().optional(), default: z.number().optional() }),
  z.strictObject({ ...named, type: z.literal('int'), min: z.int(), max: z.int(), scale: z.enum(['linear', 'log']).optional(), step: z.int().positive().optional(), default: z.int().optional() }),
  z.strictObject({ ...named, type: z.literal('ordinal'), values: z.array(z.union([z.number(), z.string().max(200)])).min(1).max(10_000), default: z.union([z.number(), z.string()]).optional() }),
  z.strictObject({ ...named, type: z.literal('categorical'), values: z.array(scalar).min(1).max(10_000), default: scalar.optional() }),
]);

/** `2h`, `90 s`, `1h30m` or ISO 8601 (`PT90S`); at least one second. Stored in seconds. */
const duration = z.union([z.number().positive(), z.string()]).transform((v, ctx) => {
  const seconds = typeof v === 'number' ? v : parseDuration(v);
  if (seconds === null || seconds < 1) {
    ctx.addIssue({ code: 'custom', message: `expected a duration of at least 1 s such as "2h", "1h30m" or "PT90S", got ${JSON.stringify(v)}` });
    return z.NEVER;
  }
  return seconds;
});

/** Seconds, or null if it isn't a duration. */
export function parseDuration(text: string): number | null {
  const factor = { d: 86_400, h: 3600, m: 60, min: 60, s: 1 } as const;
  const iso = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text);
  if (iso && /\d/.test(text)) {
    const [d, h, m, s] = iso.slice(1).map((x) => Number(x ?? 0));
    return d! * 86_400 + h! * 3600 + m! * 60 + s!;
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(min|d|h|m|s)\s*/g)];
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text) return null;
  return parts.reduce((sum, p) => sum + Number(p[1]) * factor[p[2] as keyof typeof factor], 0);
}

const target = z.string().max(64).optional();
const bound = z.strictObject({ op: z.enum(['<=', '>=']), value: z.number() });

export const objectiveSchema = z.strictObject({
  metric: word,
  direction: z.enum(['minimize', 'maximize']).optional().describe('default: what is better for the metric'),
  target: target.describe('device id; needed for latency, energy, peakRam and flash'),
  unit: z.string().max(16).optional().describe('unit of bound, reference point and views; default: the metric\'s SI unit'),
  bound: bound.optional().describe('the objective is a constraint too'),
});

export const constraintSchema = z.strictObject({
  metric: word,
  op: z.enum(['<=', '>=']),
  value: z.number(),
  unit: z.string().max(16).optional(),
  target,
});

export const accuracySchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('table'), dataset: z.enum(['cifar10', 'cifar100', 'imagenet16-120']).default('cifar10') }),
  z.strictObject({ method: z.literal('surrogate') }),
  z.strictObject({ method: z.literal('none') }),
  commandAccuracySchema,
  httpAccuracySchema,
  trainAccuracySchema,
  proxyAccuracySchema,
  supernetAccuracySchema,
]);

export const taskSchema = z.strictObject({
  numClasses: z.int().min(2).max(100_000).default(1000),
  inputChannels: z.int().min(1).max(64).default(3),
});

export const searchSpaceRef = z.union([
  z.string().max(64).describe('name of a built-in space'),
  z.strictObject({
    base: z.string().max(64).describe('built-in space to narrow'),
    parameters: z.record(z.string(), z.strictObject({
      values: z.array(scalar).min(1).optional().describe('keep only these values'),
      min: z.number().optional(), max: z.number().optional(), step: z.number().positive().optional(),
      fixed: scalar.optional(),
    })).default({}),
  }),
  z.strictObject({
    parameters: z.array(parameterSchema).min(1).max(500).describe('an own space; has no network, so it needs a command evaluator'),
  }),
]);

export const budgetSchema = z.strictObject({
  maxTrials: z.int().min(1).max(1_000_000),
  maxDuration: duration.optional(),
  maxParallelTrials: z.int().min(1).max(1024).default(1),
  maxFailedTrials: z.int().min(1).optional(),
  trialTimeout: duration.optional(),
  maxAttempts: z.int().min(1).max(10).default(2),
});

export const algorithmSchema = z.strictObject({
  name: z.enum(['auto', 'mads', 'bo', 'tpe', 'nsga2', 'evolution', 'sobol', 'random']).default('auto'),
  settings: z.record(z.string(), z.unknown()).optional(),
});

export const deviceRef = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'letters, digits, _ . and -, at most 64'),
  precision: z.enum(['fp32', 'fp16', 'int8']).optional(),
  weightBits: z.int().min(1).max(8).optional().describe('weights in so many bits, the rest in int8; packed where the device can, else stored and computed as int8; q levels take ⌈log2 q⌉'),
  profile: z.string().max(64).optional().describe('profile that prices what is not measured; default: the one of this id'),
  measure: measureSchema.optional().describe('measured instead of predicted'),
});

const halvingFields = {
  lowest: z.number().gt(0).lt(1).describe('smallest share of a full evaluation (of its epochs) worth looking at; rounded up to 1/eta, 1/eta², …'),
  eta: z.int().min(2).max(10).default(3).describe('factor between fidelities; one in so many goes on to the next'),
};
const twoAtLeast = (f: { readonly lowest: number; readonly eta: number }): boolean => f.lowest <= 1 / f.eta;
const oneOnly = { path: ['lowest'], error: 'expected at most 1/eta, so that there are two fidelities at least' };

export const fidelitySchema = z.strictObject({
  ...halvingFields,
  by: z.enum(['epochs', 'data', 'resolution']).default('epochs').describe('method train: what a share of a training is. epochs: so many of them, gone on from at the next fidelity; data: all epochs on that share of the training images of each class; resolution: all epochs on images with that share of the pixels'),
}).refine(twoAtLeast, oneOnly);
export type FidelitySpec = z.output<typeof fidelitySchema>;

export const studySpec = z
  .strictObject({
    name: z.string().min(1).max(200),
    description: z.string().max(5000).optional(),
    labels: z.record(z.string().max(64), z.string().max(200)).default({}),
    searchSpace: searchSpaceRef,
    task: taskSchema.default({ numClasses: 1000, inputChannels: 3 }),
    devices: z.array(deviceRef).max(16).default([]).describe('devices to price on besides those named as targets, the precision per device, and what is measured on it'),
    accuracy: accuracySchema,
    objectives: z.array(objectiveSchema).min(1).max(16),
    constraints: z.array(constraintSchema).max(32).default([]),
    referencePoint: z.record(z.string(), z.number()).optional()
      .describe('metric key (latency@pixel-3) → value in the objective\'s unit; every objective or none'),
    start: z.array(z.record(z.string(), scalar)).max(1000).optional(),
    algorithm: algorithmSchema.default({ name: 'auto' }),
    fidelity: fidelitySchema.optional().describe('successive halving: trials begin cheap and only the best go on to a full evaluation'),
    warmStart: z.strictObject({ studies: z.array(z.uuid()).min(1).max(16).describe('ids of studies of the same space and metrics; their settled trials are told first, as knowledge') }).optional(),
    budget: budgetSchema,
    seed: z.int().min(0).max(2 ** 31 - 1).default(0),
  })
  .superRefine((spec, ctx) => {
    const seen = new Set<string>();
    const check = (o: { metric: string; target?: string | undefined; unit?: string | undefined }, path: (string | number)[]): string => {
      const known = metricDefinition(o.metric);
      if (!known && spec.accuracy.method !== 'command') {
        ctx.addIssue({ code: 'custom', path: [...path, 'metric'], message: `unknown metric "${o.metric}"; known: ${METRICS.map((m) => m.name).join(', ')}` });
      }
      if (known?.onDevice && o.target === undefined) ctx.addIssue({ code: 'custom', path: [...path, 'target'], message: `metric "${o.metric}" needs a target: the id of a device` });
      if (known && !known.onDevice && o.target !== undefined) ctx.addIssue({ code: 'custom', path: [...path, 'target'], message: `metric "${o.metric}" does not depend on a device; remove the target` });
      if (known && o.unit !== undefined && !unitsOf(known.unit).includes(o.unit)) {
        ctx.addIssue({ code: 'custom', path: [...path, 'unit'], message: `unit of "${o.metric}" is one of ${unitsOf(known.unit).join(', ')}; got "${o.unit}"` });
      }
      return metricKey(o.metric, o.target);
    };
    spec.objectives.forEach((o, i) => {
      const key = check(o, ['objectives', i]);
      if (seen.has(key)) ctx.addIssue({ code: 'custom', path: ['objectives', i], message: `objective "${key}" stands twice` });
      seen.add(key);
    });
    spec.constraints.forEach((c, i) => check(c, ['constraints', i]));
    if (spec.fidelity && !['train', 'command', 'http'].includes(spec.accuracy.method)) {
      ctx.addIssue({ code: 'custom', path: ['fidelity'], message: `accuracy.method "${spec.accuracy.method}" has one fidelity only; "train", "command" and "http" have more` });
    }
    if (spec.fidelity && spec.fidelity.by !== 'epochs' && spec.accuracy.method !== 'train') {
      ctx.addIssue({ code: 'custom', path: ['fidelity', 'by'], message: `expected "epochs" or nothing with accuracy.method "${spec.accuracy.method}": what a share of an evaluation is, is up to your trainer` });
    }
    if (spec.fidelity?.by === 'resolution' && spec.accuracy.method === 'train' && ['wav', 'csv'].includes(spec.accuracy.dataset.format)) {
      ctx.addIssue({ code: 'custom', path: ['fidelity', 'by'], message: `expected "epochs" or "data" with dataset.format "${spec.accuracy.dataset.format}": recordings and series are never scaled` });
    }
    if (spec.fidelity && 'skip' in spec.accuracy && spec.accuracy.skip !== undefined) {
      ctx.addIssue({ code: 'custom', path: ['accuracy', 'skip'], message: 'expected either skip or fidelity: of a candidate at a low fidelity the model knows nothing' });
    }
    if (spec.fidelity && 'stop' in spec.accuracy && spec.accuracy.stop !== undefined) {
      ctx.addIssue({ code: 'custom', path: ['accuracy', 'stop'], message: 'expected either stop or fidelity: successive halving ends trainings by itself' });
    }
    if (spec.fidelity && spec.accuracy.method === 'train' && spec.accuracy.prefilter !== undefined) {
      ctx.addIssue({ code: 'custom', path: ['accuracy', 'prefilter'], message: 'expected either prefilter or fidelity: successive halving passes candidates over by itself' });
    }
    if (spec.referencePoint) {
      const got = Object.keys(spec.referencePoint);
      for (const key of seen) if (!got.includes(key)) ctx.addIssue({ code: 'custom', path: ['referencePoint', key], message: 'missing: a reference point names every objective' });
      for (const key of got) if (!seen.has(key)) ctx.addIssue({ code: 'custom', path: ['referencePoint', key], message: `is not an objective; objectives: ${[...seen].join(', ')}` });
    }
  })
  .meta({ id: 'StudySpec' });

/** As a user may write it. */
export type StudySpecInput = z.input<typeof studySpec>;
/** Parsed: defaults filled in, durations in seconds. */
export type StudySpec = z.output<typeof studySpec>;
export type Objective = StudySpec['objectives'][number];
export type Constraint = StudySpec['constraints'][number];

/** `caddis optimize`: a user's own blackbox. */
export const problemSpec = z.strictObject({
  parameters: z.array(parameterSchema).min(1).max(500),
  objectives: z.array(z.strictObject({ metric: word, direction: z.enum(['minimize', 'maximize']).default('minimize') })).min(1).max(16),
  constraints: z.array(z.strictObject({ metric: word, op: z.enum(['<=', '>=']), value: z.number() })).max(32).default([]),
  referencePoint: z.record(z.string(), z.number()).optional(),
  start: z.array(z.record(z.string(), scalar)).max(1000).optional(),
  settings: z.record(z.string(), z.unknown()).optional().describe('of the algorithm, by its own names'),
  maxParallelTrials: z.int().min(1).max(1024).default(1),
  fidelity: z.strictObject(halvingFields).refine(twoAtLeast, oneOnly).optional().describe('successive halving: the question says what share of an evaluation is wanted'),
  evaluator: z.strictObject({
    command: z.array(z.string().min(1)).min(1),
    protocol: z.literal('json-lines').default('json-lines'),
    checkpoints: commandAccuracySchema.shape.checkpoints,
  }),
});
export type ProblemSpec = z.output<typeof problemSpec>;
