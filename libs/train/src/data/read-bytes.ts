import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DatasetError } from './image-set.js';

/** A file's bytes; `<file>.gz` is taken, unpacked, where the file itself is missing. @throws DatasetError naming the file */
export function readBytes(file: string): Uint8Array {
  const packed = !existsSync(file) && existsSync(`${file}.gz`);
  try {
    return packed ? gunzipSync(readFileSync(`${file}.gz`)) : readFileSync(file);
  } catch (error) {
    throw new DatasetError(packed ? `${file}.gz` : file, `can't be read: ${(error as Error).message}`, { cause: error });
  }
}
