import { readdirSync, statSync } from 'node:fs';
import { join as path } from 'node:path';
import { DatasetError } from './image-set.js';

export interface LabelledFile {
  readonly file: string;
  readonly label: number;
}

/**
 * Files of a folder that has a folder a class, classes in order of name and files in order of name within them. Names that begin with
 * `_` or `.` are left out.
 *
 * @throws DatasetError: no such folder, no classes, or a class unlike those given
 */
export function classFolders(directory: string, endings: readonly string[], known?: readonly string[]): { readonly names: readonly string[]; readonly files: readonly LabelledFile[] } {
  const names = visible(directory).filter((name) => statSync(path(directory, name)).isDirectory());
  if (names.length === 0) throw new DatasetError(directory, 'expected a folder a class, got none');
  const classes = known ?? names;
  const files = names.flatMap((name) => {
    const label = classes.indexOf(name);
    if (label < 0) throw new DatasetError(path(directory, name), `expected the classes of the training part, ${classes.join(', ')}, got "${name}"`);
    return visible(path(directory, name)).filter((f) => endings.some((end) => f.toLowerCase().endsWith(end))).map((f) => ({ file: path(directory, name, f), label }));
  });
  return { names: classes, files };
}

function visible(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !/^[._]/.test(name)).sort();
  } catch (error) {
    throw new DatasetError(directory, `can't be read: ${(error as Error).message}`, { cause: error });
  }
}
