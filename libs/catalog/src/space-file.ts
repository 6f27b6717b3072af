import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { parameterSchema, studySpec, taskSchema } from '@app/contracts';
import { decode, DecodeError, FAMILIES, FAMILY_NAMES, isFamily, type Family } from '@app/decode';
import { createSearchSpace, SpaceError } from '@app/space';
import type { SpaceDefinition } from '@app/study';
import { CatalogError, type DataFault } from './data-fault.js';
import { issuesOf } from './issue.js';
import { completePoint } from './points.js';
import { parseYaml } from './yaml-text.js';

const json: z.ZodType<SpaceDefinition['settings'][string]> = z.json();

/** A file of search-spaces/. */
export const spaceFileSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'small letters, digits and dashes').describe('the name studies call it by, and the name of the file'),
    title: z.string().min(1).max(100),
    description: z.string().min(1).max(2000),
    family: z.enum(FAMILY_NAMES).describe('decoder that makes networks of its points'),
    parameters: z.array(parameterSchema).min(1).max(500).describe('every parameter of the family, each with a default'),
    settings: z.record(z.string(), json).describe('what the decoder takes besides the point'),
    task: z.strictObject({ numClasses: taskSchema.shape.numClasses.unwrap().optional(), inputChannels: taskSchema.shape.inputChannels.unwrap().optional() }).optional().describe('task of studies that state none'),
    sources: z.array(z.string().min(1)).min(1).describe('where space and figures are from'),
  })
  .meta({ id: 'SearchSpace', title: 'Search space' });

/** JSON Schema of a search-space file, as search-spaces/schema/ ships it. */
export const spaceFileJsonSchema = (): unknown => z.toJSONSchema(spaceFileSchema, { io: 'input' });
/** JSON Schema of a study file as a user writes it. */
export const studyFileJsonSchema = (): unknown => z.toJSONSchema(studySpec, { io: 'input', unrepresentable: 'any' });

/**
 * Spaces of all *.yaml files of a folder, by file name.
 *
 * @throws CatalogError listing every fault of every file: file, path, what came, what was due
 */
export function loadSpaces(dir: string): SpaceDefinition[] {
  const faults: DataFault[] = [];
  const spaces = readdirSync(dir).filter((name) => name.endsWith('.yaml')).sort().flatMap((name) => {
    const read = readSpace(name, readFileSync(join(dir, name), 'utf8'));
    if ('space' in read) return [read.space];
    faults.push(...read.faults.map((fault) => ({ ...fault, file: join(basename(dir), name) })));
    return [];
  });
  if (faults.length > 0) throw new CatalogError(faults);
  return spaces;
}

type Fault = Omit<DataFault, 'file'>;

/**
 * A search-space file: it fits the schema, carries its file's name, its parameters make a space and are those of its family, each has a
 * default, and the default point decodes.
 */
export function readSpace(fileName: string, text: string): { readonly space: SpaceDefinition } | { readonly faults: readonly Fault[] } {
  const parsed = parseYaml(text);
  if ('faults' in parsed) return { faults: parsed.faults.map((message) => ({ path: '', message })) };
  const checked = spaceFileSchema.safeParse(parsed.value);
  if (!checked.success) return { faults: issuesOf(checked.error, parsed.value).map(({ pointer, message }) => ({ path: pointer, message })) };
  const { task, ...rest } = checked.data;
  const space: SpaceDefinition = task === undefined ? rest : { ...rest, task: { ...(task.numClasses !== undefined && { numClasses: task.numClasses }), ...(task.inputChannels !== undefined && { inputChannels: task.inputChannels }) } };
  const faults = faultsOf(space, basename(fileName, '.yaml'));
  return faults.length > 0 ? { faults } : { space };
}

function faultsOf(space: SpaceDefinition, fileName: string): Fault[] {
  const faults: Fault[] = [];
  if (space.name !== fileName) faults.push({ path: '/name', message: `expected the name of the file, "${fileName}", got "${space.name}"` });
  if (!isFamily(space.family)) return [...faults, { path: '/family', message: `expected one of ${FAMILY_NAMES.join(', ')}, got "${space.family}"` }];
  const due: Family = FAMILIES[space.family];
  space.parameters.forEach((p, i) => {
    if (!due.parameters.includes(p.name)) faults.push({ path: `/parameters/${i}/name`, message: `family "${due.name}" has no parameter "${p.name}"; it has ${due.parameters.join(', ')}` });
    if (p.default === undefined) faults.push({ path: `/parameters/${i}/default`, message: 'missing: a built-in space gives every parameter a default' });
  });
  for (const name of due.parameters) {
    if (!space.parameters.some((p) => p.name === name)) faults.push({ path: '/parameters', message: `parameter "${name}" of family "${due.name}" is missing` });
  }
  if (faults.length > 0) return faults;
  try {
    const searchSpace = createSearchSpace(space.parameters);
    const point = completePoint(space.parameters, {});
    searchSpace.encode(point);
    decode(space, point, { numClasses: 10, inputChannels: 3 });
  } catch (error) {
    if (error instanceof SpaceError) return error.issues.map((i) => ({ path: spacePointer(i.path), message: i.message }));
    if (error instanceof DecodeError) return [{ path: `/${error.parameter.replaceAll('.', '/')}`, message: error.message }];
    throw error;
  }
  return [];
}

/** `parameters[2].values[0]` as a JSON pointer. */
export const spacePointer = (path: string): string => path.replace(/^/, '/').replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/');
