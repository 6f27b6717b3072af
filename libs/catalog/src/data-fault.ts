/** One fault of a data file: the file, the field in it, and what came and what was due. */
export interface DataFault {
  readonly file: string;
  /** JSON pointer; empty: the file as a whole */
  readonly path: string;
  readonly message: string;
}

/** Data files that can't be used; carries every fault of every file. */
export class CatalogError extends Error {
  constructor(readonly faults: readonly DataFault[]) {
    super(`${faults.length} fault${faults.length === 1 ? '' : 's'} in the data files:\n${faults.map((f) => `  ${f.file}${f.path === '' ? '' : ` ${f.path}`}: ${f.message}`).join('\n')}`);
    this.name = 'CatalogError';
  }
}
