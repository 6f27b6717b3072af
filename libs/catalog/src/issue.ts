import type { z } from 'zod';

/** One fault of a user's input: JSON pointer (RFC 6901) into it, machine code, and what came and what was due. */
export interface Issue {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

export const pointer = (path: readonly PropertyKey[]): string => path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** A value as a message shows it, cut where it runs long. */
export function show(value: unknown): string {
  const text = typeof value === 'number' || value === undefined ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Issues of a zod error over `input`. Of a union the faults of the best-fitting branch are given, not "invalid input". */
export function issuesOf(error: z.ZodError, input: unknown): Issue[] {
  return error.issues.flatMap((issue) => flatten(issue, [], input));
}

type ZodIssue = z.core.$ZodIssue;

function flatten(issue: ZodIssue, prefix: readonly PropertyKey[], input: unknown): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = [...issue.errors].sort((a, b) => misfit(a) - misfit(b))[0]!;
    if (Number.isFinite(misfit(branch))) return branch.flatMap((inner) => flatten(inner, path, input));
    const due = [...new Set(issue.errors.flatMap((e) => e.flatMap((i) => (i.code === 'invalid_type' ? [i.expected] : []))))];
    return [{ pointer: pointer(path), code: 'invalid-type', message: `expected ${due.join(' or ')}, got ${show(valueAt(input, path))}` }];
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointer([...path, key]), code: 'unknown-field', message: `unknown field "${key}"` }));
  }
  const value = valueAt(input, path);
  if (issue.code === 'invalid_type' && value === undefined) return [{ pointer: pointer(path), code: 'missing', message: `missing: expected ${issue.expected}` }];
  const told = /received|got |; got/.test(issue.message) || issue.code === 'custom';
  return [{ pointer: pointer(path), code: issue.code.replaceAll('_', '-'), message: told ? issue.message : `${issue.message}, got ${show(value)}` }];
}

/** How far a branch of a union is from what came: infinite if it is of another type altogether. */
function misfit(branch: readonly ZodIssue[]): number {
  return branch.reduce((sum, i) => {
    if (i.code === 'invalid_type' && i.path.length === 0) return Infinity;
    if (i.code === 'unrecognized_keys') return sum + i.keys.length;
    return sum + (i.code === 'invalid_type' && /undefined$/.test(i.message) ? 2 : 1);
  }, 0);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
