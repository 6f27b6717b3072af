import { z } from 'zod';
import { budgetSchema, studyState } from '@app/contracts';

export const studyId = z.strictObject({ id: z.uuid('expected the id of a study, a UUID') });
export type StudyId = z.output<typeof studyId>;

/** `a,b` or the parameter repeated */
const listOf = <T extends string>(item: z.ZodType<T, string>) =>
  z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat().flatMap((part) => part.split(',')).map((part) => part.trim()).filter((part) => part !== '')).pipe(z.array(item).min(1));

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const cursor = z.string().max(500).transform((text) => (text === '' ? undefined : text));

export const studyQuery = z.strictObject({
  state: listOf(studyState).optional().describe('states, separated by commas'),
  label: z.string().max(300).regex(/^[^:]+:/, 'expected key:value').optional().describe('key:value'),
  search: z.string().max(200).optional().describe('part of the name'),
  sort: z.enum(['created', '-created', 'name', '-name']).optional().describe('default: -created'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: cursor.optional().describe('nextCursor of the page before'),
});
export type StudyListQuery = z.output<typeof studyQuery>;

export const createQuery = z.strictObject({ start: flag.default(true).describe('false: leave it as a draft') });
export type CreateQuery = z.output<typeof createQuery>;

export const studyPatch = z.strictObject({
  name: z.string().min(1).max(200).optional(),
  labels: z.record(z.string().max(64), z.string().max(200)).optional(),
  budget: z.record(z.string(), z.unknown()).optional().describe('fields of the budget to change; null takes a limit away'),
});
export type StudyPatch = z.output<typeof studyPatch>;

export const cloneBody = z.strictObject({
  name: z.string().min(1).max(200).optional().describe('default: the name with "(copy)"'),
  seed: z.int().min(0).max(2 ** 31 - 1).optional(),
}).optional();
export type CloneBody = z.output<typeof cloneBody>;

export const trialQuery = z.strictObject({
  state: listOf(z.enum(['pending', 'running', 'completed', 'infeasible', 'failed', 'cancelled'])).optional().describe('states, separated by commas'),
  feasible: flag.optional(),
  onFront: flag.optional(),
  sort: z.string().regex(/^-?[A-Za-z][A-Za-z0-9_.@-]{0,129}$/, 'expected number, or a metric key such as latency@pixel-3, with - in front for descending').optional()
    .describe('number, or a metric key such as latency@pixel-3; - in front: descending'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: cursor.optional().describe('nextCursor of the page before'),
  format: z.enum(['json', 'csv']).optional().describe('csv: all trials that match, as a download'),
});
export type TrialListQuery = z.output<typeof trialQuery>;

export const seriesQuery = z.strictObject({ columns: listOf(z.string().max(130)).optional().describe('metric keys and parameters, separated by commas; default: all') });
export type SeriesQuery = z.output<typeof seriesQuery>;

export const curvesQuery = z.strictObject({ metric: z.string().max(130).optional().describe('metric key; default: the first objective that has curves') });
export type CurvesQuery = z.output<typeof curvesQuery>;

/** The budget with a change to it: given fields replace, null removes. */
export const mergedBudget = (budget: z.output<typeof budgetSchema>, change: Readonly<Record<string, unknown>>) =>
  budgetSchema.safeParse(Object.fromEntries(Object.entries({ ...budget, ...change }).filter(([, value]) => value !== null && value !== undefined)));

export const trialId = z.strictObject({ id: z.uuid('expected the id of a trial, a UUID') });
export const exportId = z.strictObject({ id: z.uuid('expected the id of an export, a UUID') });
