/** A point, setting or family that no network can be built from. */
export class DecodeError extends Error {
  /**
   * @param parameter  name of the parameter or setting at fault; `family` if no decoder fits
   * @param got        what came
   * @param expected   what was due, in words
   */
  constructor(readonly parameter: string, readonly got: unknown, readonly expected: string) {
    super(`${parameter}: expected ${expected}, got ${show(got)}`);
    this.name = 'DecodeError';
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
}
