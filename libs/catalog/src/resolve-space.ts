/** From the search space a study names to the parameters it searches. */
import type { StudySpec } from '@app/contracts';
import { createSearchSpace, SpaceError, type FloatParameter, type IntParameter, type OrdinalParameter, type Parameter, type Scalar } from '@app/space';
import type { SpaceDefinition } from '@app/study';
import { pointer, show, type Issue } from './issue.js';
import { spacePointer } from './space-file.js';

export type Resolved<T> = { readonly value: T } | { readonly issues: readonly Issue[] };
type Reference = StudySpec['searchSpace'];
type Narrowing = Extract<Reference, { base: string }>['parameters'][string];

/**
 * A built-in space by name, a built-in one narrowed, or the study's own parameters (family `none`). What comes back is a copy: it
 * shares nothing with the built-in space. Pointers start at /searchSpace.
 */
export function resolveSpace(builtIn: readonly SpaceDefinition[], reference: Reference): Resolved<SpaceDefinition> {
  if (typeof reference === 'string') {
    const space = builtIn.find((s) => s.name === reference);
    return space ? { value: structuredClone(space) } : unknownSpace(builtIn, reference, '/searchSpace');
  }
  if ('base' in reference) {
    const space = builtIn.find((s) => s.name === reference.base);
    return space ? narrowSpace(space, reference.parameters) : unknownSpace(builtIn, reference.base, '/searchSpace/base');
  }
  const parameters: readonly Parameter[] = structuredClone(reference.parameters);
  const own: SpaceDefinition = { name: 'custom', title: 'Own parameters', description: 'Parameters given with the study; its points stand for no network.', family: 'none', parameters, settings: {}, sources: [] };
  return checked(own, (path) => `/searchSpace${spacePointer(path)}`);
}

function unknownSpace(builtIn: readonly SpaceDefinition[], name: string, at: string): { issues: Issue[] } {
  return { issues: [{ pointer: at, code: 'unknown-space', message: `unknown search space "${name}"; known: ${builtIn.map((s) => s.name).join(', ')}` }] };
}

function checked(space: SpaceDefinition, at: (path: string) => string): Resolved<SpaceDefinition> {
  try {
    createSearchSpace(space.parameters);
    return { value: space };
  } catch (error) {
    if (!(error instanceof SpaceError)) throw error;
    return { issues: error.issues.map((i) => ({ pointer: at(i.path), code: 'invalid-parameter', message: i.message })) };
  }
}

function narrowSpace(base: SpaceDefinition, narrowings: Readonly<Record<string, Narrowing>>): Resolved<SpaceDefinition> {
  const issues: Issue[] = [];
  const at = (name: string, ...rest: (string | number)[]): string => pointer(['searchSpace', 'parameters', name, ...rest]);
  for (const name of Object.keys(narrowings)) {
    if (!base.parameters.some((p) => p.name === name)) {
      issues.push({ pointer: at(name), code: 'unknown-parameter', message: `space "${base.name}" has no parameter "${name}"; it has ${base.parameters.map((p) => p.name).join(', ')}` });
    }
  }
  const parameters = base.parameters.map((p): Parameter => {
    const narrowing = Object.hasOwn(narrowings, p.name) ? narrowings[p.name]! : {};
    try {
      return narrowParameter(structuredClone(p), narrowing);
    } catch (error) {
      if (!(error instanceof NarrowingFault)) throw error;
      issues.push({ pointer: at(p.name, ...error.path), code: 'outside-base', message: error.message });
      return p;
    }
  });
  if (issues.length > 0) return { issues };
  const narrowed: SpaceDefinition = { ...structuredClone(base), parameters: withinReach(parameters) };
  return checked(narrowed, (path) => {
    const [, index, rest] = /^parameters\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
    return index === undefined ? '/searchSpace/parameters' : `${at(narrowed.parameters[Number(index)]!.name)}${rest ? spacePointer(rest) : ''}`;
  });
}

/** Conditions that ask only for values their parents still have; a parameter that can never be active goes, and with it those that depend on it. */
function withinReach(parameters: readonly Parameter[]): Parameter[] {
  const kept = parameters.flatMap((p): Parameter[] => {
    if (!p.when) return [p];
    const when: Record<string, Scalar[]> = {};
    for (const [name, due] of Object.entries(p.when)) {
      const parent = parameters.find((q) => q.name === name);
      when[name] = (Array.isArray(due) ? (due as readonly Scalar[]) : [due as Scalar]).filter((v) => parent !== undefined && hasValue(parent, v));
      if (when[name].length === 0) return [];
    }
    return [{ ...p, when }];
  });
  return kept.length === parameters.length ? kept : withinReach(kept);
}

class NarrowingFault extends Error {
  constructor(readonly path: readonly (string | number)[], message: string) {
    super(message);
  }
}

/** @throws NarrowingFault where the narrowing is not inside the parameter */
function narrowParameter(p: Parameter, n: Narrowing): Parameter {
  const given = (['values', 'min', 'max', 'step', 'fixed'] as const).filter((field) => n[field] !== undefined);
  if (given.length === 0) return p;
  if (n.fixed !== undefined) {
    if (given.length > 1) throw new NarrowingFault(['fixed'], `stands alone; got ${given.join(', ')} together`);
    return fixed(p, n.fixed);
  }
  if (n.values !== undefined) {
    if (given.length > 1) throw new NarrowingFault(['values'], `stands alone; got ${given.join(', ')} together`);
    return keepValues(p, n.values);
  }
  if (p.type === 'float' || p.type === 'int') return keepRange(p, n);
  const numeric = p.type === 'ordinal' && p.values.every((v) => typeof v === 'number');
  if (!numeric || n.step !== undefined) throw new NarrowingFault([given[0]!], `does not apply to a parameter of type ${p.type}; use values or fixed`);
  const [min, max] = [n.min ?? -Infinity, n.max ?? Infinity];
  const values = p.values.filter((v) => (v as number) >= min && (v as number) <= max);
  if (values.length === 0) throw new NarrowingFault([given[0]!], `keeps none of the values ${p.values.join(', ')}`);
  return keepValues(p, values);
}

function fixed(p: Parameter, value: Scalar): Parameter {
  requireValue(p, value, ['fixed']);
  if (p.type === 'float' || p.type === 'int') {
    const { step: _, ...rest } = p;
    return { ...rest, min: value as number, max: value as number, default: value as number };
  }
  return { ...p, values: [value], default: value } as Parameter;
}

function keepValues(p: Parameter, values: readonly Scalar[]): Parameter {
  values.forEach((value, i) => {
    requireValue(p, value, ['values', i]);
    if (values.indexOf(value) < i) throw new NarrowingFault(['values', i], `${show(value)} stands twice`);
  });
  if (p.type === 'float' || p.type === 'int') {
    const sorted = (values as readonly number[]).toSorted((a, b) => a - b);
    const ordinal: OrdinalParameter = { name: p.name, type: 'ordinal', values: sorted, default: nearest(sorted, p.default ?? sorted[0]!) };
    return { ...ordinal, ...(p.when && { when: p.when }), ...(p.description !== undefined && { description: p.description }) };
  }
  const kept = p.values.filter((v) => values.includes(v));
  if (p.default === undefined) return { ...p, values: kept } as Parameter;
  const home = p.values.indexOf(p.default as never);
  const start = p.type === 'ordinal' ? p.values[nearest(kept.map((v) => p.values.indexOf(v as never)), home)] : kept.includes(p.default) ? p.default : kept[0];
  return { ...p, values: kept, default: start } as Parameter;
}

function keepRange(p: FloatParameter | IntParameter, n: Narrowing): Parameter {
  const base = p.step ?? (p.type === 'int' ? 1 : undefined);
  const min = n.min ?? p.min;
  const max = n.max ?? p.max;
  if (n.min !== undefined) requireValue(p, min, ['min']);
  if (n.max !== undefined) requireValue(p, max, ['max']);
  if (min > max) throw new NarrowingFault([n.max === undefined ? 'min' : 'max'], `leaves nothing between ${min} and ${max}`);
  const step = n.step ?? p.step;
  if (n.step !== undefined && base !== undefined) {
    const multiple = n.step / base;
    if (Math.abs(multiple - Math.round(multiple)) > 1e-9 || multiple < 1 - 1e-9) throw new NarrowingFault(['step'], `expected a multiple of ${base}, got ${n.step}`);
  }
  const { default: home, step: _, ...rest } = p;
  const range = { ...rest, min, max, ...(step !== undefined && min < max && { step }) };
  const steps = (max - min) / (step ?? 1);
  // A step that misses max is the space's own fault to tell.
  if (home === undefined || (step !== undefined && Math.abs(steps - Math.round(steps)) > 1e-9 * Math.max(1, steps))) return range;
  const clipped = Math.min(max, Math.max(min, home));
  if (step === undefined || min === max) return { ...range, default: clipped };
  const grid = createSearchSpace([{ ...range, when: undefined }]);
  return { ...range, default: grid.decode([Math.round((clipped - min) / step)])[p.name] as number };
}

const nearest = (candidates: readonly number[], to: number): number => candidates.reduce((best, c) => (Math.abs(c - to) < Math.abs(best - to) ? c : best));

function hasValue(p: Parameter, value: Scalar): boolean {
  try {
    requireValue(p, value, []);
    return true;
  } catch (error) {
    if (error instanceof NarrowingFault) return false;
    throw error;
  }
}

function requireValue(p: Parameter, value: Scalar, path: readonly (string | number)[]): void {
  const { when: _when, default: _default, ...plain } = p;
  try {
    createSearchSpace([plain as Parameter]).encode({ [p.name]: value });
  } catch (error) {
    if (!(error instanceof SpaceError)) throw error;
    throw new NarrowingFault(path, error.issues[0]!.message);
  }
}
