import { readFileSync } from 'node:fs';
import { InputError } from './output.js';

/** @throws InputError naming the file and why it can't be read */
export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(`${file}: can't be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
  }
}

export const readText = (file: string): string => readBytes(file).toString('utf8');
