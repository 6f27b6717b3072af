/** One fault: where it is (`parameters[2].max`, `lr`, `genes[3]`) and what came and what was due. */
export interface SpaceIssue {
  readonly path: string;
  readonly message: string;
}

/** A space or a point that can't be used; carries every fault found, not only the first. */
export class SpaceError extends Error {
  constructor(readonly issues: readonly SpaceIssue[]) {
    super(issues.map((i) => (i.path === '' ? i.message : `${i.path}: ${i.message}`)).join('; '));
    this.name = 'SpaceError';
  }
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  return JSON.stringify(value);
}
