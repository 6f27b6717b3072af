/** Checks a list of parameters; every fault is found, each with its path. */
import { createAxis, MAX_GRID, stepOf, type Axis } from './axis.js';
import type { FloatParameter, IntParameter, Parameter, Scalar } from './parameter.js';
import { show, SpaceError, type SpaceIssue } from './space-error.js';

/** One entry of a `when`: the parent's index and the genes of it that satisfy the entry. */
export interface Requirement {
  readonly parent: number;
  readonly genes: ReadonlySet<number>;
}

export interface CheckedSpace {
  readonly axes: readonly Axis[];
  /** per parameter: all must hold */
  readonly requirements: readonly (readonly Requirement[])[];
  /** parents before children */
  readonly order: readonly number[];
}

/** @throws SpaceError */
export function checkParameters(parameters: readonly Parameter[]): CheckedSpace {
  const issues: SpaceIssue[] = [];
  if (!Array.isArray(parameters) || parameters.length === 0) {
    throw new SpaceError([{ path: 'parameters', message: 'expected at least one parameter, got none' }]);
  }
  const index = new Map<string, number>();
  parameters.forEach((p, i) => {
    const path = `parameters[${i}]`;
    if (typeof p.name !== 'string' || p.name === '') issues.push({ path: `${path}.name`, message: `expected a name, got ${show(p.name)}` });
    else if (index.has(p.name)) issues.push({ path: `${path}.name`, message: `"${p.name}" is the name of parameters[${index.get(p.name)}] already` });
    else index.set(p.name, i);
    checkOne(p, path, issues);
  });
  if (issues.length > 0) throw new SpaceError(issues);

  const axes = parameters.map(createAxis);
  parameters.forEach((p, i) => {
    if (p.default === undefined) return;
    const gene = axes[i]!.encode(p.default);
    if (typeof gene !== 'number') issues.push({ path: `parameters[${i}].default`, message: gene.fault });
  });
  const requirements = parameters.map((p, i) => requirementsOf(p, `parameters[${i}].when`, index, axes, issues));
  const order = parentsFirst(parameters, requirements, issues);
  if (issues.length > 0) throw new SpaceError(issues);
  return { axes, requirements, order };
}

function checkOne(p: Parameter, path: string, issues: SpaceIssue[]): void {
  switch (p.type) {
    case 'float':
    case 'int':
      return checkRange(p, path, issues);
    case 'ordinal':
    case 'categorical':
      return checkValues(p.values, path, issues);
    default:
      issues.push({ path: `${path}.type`, message: `expected float, int, ordinal or categorical, got ${show((p as { type: unknown }).type)}` });
  }
}

function checkRange(p: FloatParameter | IntParameter, path: string, issues: SpaceIssue[]): void {
  const before = issues.length;
  const due = p.type === 'int' ? 'an integer' : 'a finite number';
  for (const field of ['min', 'max'] as const) {
    const v: unknown = p[field];
    const good = p.type === 'int' ? Number.isSafeInteger(v) : typeof v === 'number' && Number.isFinite(v);
    if (!good) issues.push({ path: `${path}.${field}`, message: `expected ${due}, got ${show(v)}` });
  }
  if (p.scale !== undefined && p.scale !== 'linear' && p.scale !== 'log') issues.push({ path: `${path}.scale`, message: `expected linear or log, got ${show(p.scale)}` });
  if (p.step !== undefined && !(Number.isFinite(p.step) && p.step > 0 && (p.type === 'float' || Number.isInteger(p.step)))) {
    issues.push({ path: `${path}.step`, message: `expected ${p.type === 'int' ? 'a positive integer' : 'a positive number'}, got ${show(p.step)}` });
  }
  if (issues.length > before) return;
  if (p.min > p.max) issues.push({ path: `${path}.max`, message: `expected at least min (${p.min}), got ${p.max}` });
  else if (p.max - p.min === Infinity) issues.push({ path: `${path}.max`, message: 'the range max - min is too wide for a number' });
  if (p.scale === 'log' && p.min <= 0) issues.push({ path: `${path}.min`, message: `a log scale needs min > 0, got ${p.min}` });
  if (issues.length > before) return;
  const step = stepOf(p);
  if (step > 0) {
    const steps = (p.max - p.min) / step;
    const whole = Math.round(steps);
    if (Math.abs(steps - whole) > 1e-9 * Math.max(1, steps)) {
      const below = Number((p.min + Math.floor(steps) * step).toPrecision(15));
      issues.push({ path: `${path}.step`, message: `steps of ${step} from ${p.min} miss max ${p.max}; the last one below it is ${below}` });
    } else if (whole >= MAX_GRID) {
      issues.push({ path: `${path}.step`, message: `expected fewer than 2^48 values, got ${whole + 1}` });
    }
  } else if (p.max > p.min && p.max - p.min < 1e-9 * Math.max(Math.abs(p.min), Math.abs(p.max))) {
    issues.push({ path: `${path}.max`, message: `the range from ${p.min} to ${p.max} is below the precision of a number; shift or scale the parameter` });
  }
}

function checkValues(values: readonly Scalar[], path: string, issues: SpaceIssue[]): void {
  if (!Array.isArray(values) || values.length === 0) {
    issues.push({ path: `${path}.values`, message: 'expected at least one value, got none' });
    return;
  }
  const seen = new Map<string, number>();
  values.forEach((v: unknown, k) => {
    const at = `${path}.values[${k}]`;
    if (!(typeof v === 'string' || typeof v === 'boolean' || (typeof v === 'number' && Number.isFinite(v)))) {
      issues.push({ path: at, message: `expected a text, a finite number or a truth value, got ${show(v)}` });
      return;
    }
    const text = String(v);
    const first = seen.get(text);
    if (first === undefined) seen.set(text, k);
    else issues.push({ path: at, message: `${show(v)} stands at values[${first}] already` });
  });
}

function requirementsOf(p: Parameter, path: string, index: ReadonlyMap<string, number>, axes: readonly Axis[], issues: SpaceIssue[]): Requirement[] {
  const requirements: Requirement[] = [];
  for (const [name, due] of Object.entries(p.when ?? {})) {
    const parent = index.get(name);
    if (parent === undefined) {
      issues.push({ path: `${path}.${name}`, message: `unknown parameter "${name}"` });
      continue;
    }
    const axis = axes[parent]!;
    if (axis.size === Infinity) {
      issues.push({ path: `${path}.${name}`, message: `"${name}" is continuous; a condition needs a parameter with single values` });
      continue;
    }
    const values = Array.isArray(due) ? (due as readonly Scalar[]) : [due as Scalar];
    if (values.length === 0) issues.push({ path: `${path}.${name}`, message: 'expected at least one value, got none' });
    const genes = new Set<number>();
    values.forEach((v, k) => {
      const gene = axis.encode(v);
      if (typeof gene === 'number') genes.add(gene);
      else issues.push({ path: Array.isArray(due) ? `${path}.${name}[${k}]` : `${path}.${name}`, message: gene.fault });
    });
    requirements.push({ parent, genes });
  }
  return requirements;
}

function parentsFirst(parameters: readonly Parameter[], requirements: readonly (readonly Requirement[])[], issues: SpaceIssue[]): number[] {
  const order: number[] = [];
  const placed = new Set<number>();
  let open = parameters.map((_, i) => i);
  while (open.length > 0) {
    const ready = open.filter((i) => requirements[i]!.every((r) => placed.has(r.parent)));
    if (ready.length === 0) {
      const ring = ringAmong(open, requirements);
      issues.push({ path: `parameters[${ring[0]!}].when`, message: `the conditions run in a ring: ${[...ring, ring[0]!].map((i) => parameters[i]!.name).join(' needs ')}` });
      return order;
    }
    for (const i of ready) {
      order.push(i);
      placed.add(i);
    }
    open = open.filter((i) => !placed.has(i));
  }
  return order;
}

/** Follows parents among the unplaced until one comes again. */
function ringAmong(open: readonly number[], requirements: readonly (readonly Requirement[])[]): number[] {
  const path: number[] = [];
  let i = open[0]!;
  while (!path.includes(i)) {
    path.push(i);
    i = requirements[i]!.find((r) => open.includes(r.parent))!.parent;
  }
  return path.slice(path.indexOf(i));
}
