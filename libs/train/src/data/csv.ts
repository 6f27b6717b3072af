/** Series in CSV: a head, a row a sample, a column its class, the others its values, moment after moment. */
import type { DatasetSpec } from '@app/contracts';
import { parse } from 'csv-parse/sync';
import { DatasetError, type ImageSet } from './image-set.js';
import type { Source } from './load.js';
import { readBytes } from './read-bytes.js';

type Settings = Extract<DatasetSpec, { format: 'csv' }>;

/** Series become [channels, moments, 1]. @throws DatasetError naming the file and the line */
export function readCsv(settings: Settings): Source {
  const rows = rowsOf(settings.file, settings);
  const classNames = [...new Set(rows.map((r) => r.label))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return {
    name: settings.file, file: settings.file, classes: null, classNames, fixedShape: true,
    train: setOf(settings.file, rows, classNames, settings.channels),
    test: settings.testFile === undefined ? null : setOf(settings.testFile, rowsOf(settings.testFile, settings), classNames, settings.channels, rows[0]?.values.length),
  };
}

interface Row {
  readonly label: string;
  readonly values: readonly number[];
}

function rowsOf(file: string, { label, channels }: Settings): Row[] {
  let lines: string[][];
  try {
    lines = parse(new TextDecoder().decode(readBytes(file)), { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw new DatasetError(file, `expected CSV: ${(error as Error).message}`, { cause: error });
  }
  const head = lines[0] ?? [];
  const at = head.indexOf(label);
  if (at < 0) throw new DatasetError(file, `expected a column "${label}", got ${head.map((h) => `"${h}"`).join(', ') || 'nothing'}`);
  if (head.length - 1 < channels || (head.length - 1) % channels !== 0) throw new DatasetError(file, `expected moments of ${channels} values each, got ${head.length - 1} columns beside "${label}"`);
  return lines.slice(1).map((cells, i) => {
    const values = cells.flatMap((cell, c) => (c === at ? [] : [cell === '' ? NaN : Number(cell)]));
    const wrong = values.findIndex((v) => !Number.isFinite(v));
    if (wrong >= 0) throw new DatasetError(file, `line ${i + 2}: expected a finite number in column "${head.filter((_, c) => c !== at)[wrong]}", got "${cells.filter((_, c) => c !== at)[wrong]}"`);
    return { label: cells[at]!, values };
  });
}

function setOf(file: string, rows: readonly Row[], names: readonly string[], channels: number, due = rows[0]?.values.length ?? 0): ImageSet {
  const moments = due / channels;
  const pixels = new Float32Array(rows.length * due);
  const labels = new Uint16Array(rows.length);
  rows.forEach(({ label, values }, i) => {
    labels[i] = names.indexOf(label);
    if (!names.includes(label)) throw new DatasetError(file, `line ${i + 2}: expected a class of the training part, got "${label}"`);
    if (values.length !== due) throw new DatasetError(file, `line ${i + 2}: expected ${due} values as in training, got ${values.length}`);
    values.forEach((v, k) => (pixels[i * due + (k % channels) * moments + Math.floor(k / channels)] = v));
  });
  return { count: rows.length, channels, height: moments, width: 1, pixels, labels };
}
