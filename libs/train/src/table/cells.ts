import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { packageRoot } from '../package-root.js';

/** Columns of data/nas-bench-201.csv.gz; see the README there. Accuracies in %, latencies in ms. */
export const CELL_COLUMNS = [
  'acc200_cifar10_test', 'acc200_cifar100_test', 'acc200_im16_test', 'acc12_cifar10_val', 'acc12_cifar100_val', 'acc12_im16_val',
  'lat_eyeriss_ms', 'lat_fpga_ms', 'lat_raspi4_ms', 'lat_pixel3_ms',
] as const;
export type CellColumn = (typeof CELL_COLUMNS)[number];

export const CELL_COUNT = 5 ** 6;

/** Values of all cells by column, in the order of their codes. */
export type Cells = Readonly<Record<CellColumn, Float64Array>>;

/** Row of a cell: its code read as a number to base 5. */
export const rowOf = (code: string): number => Number.parseInt(code, 5);

/** About 0.2 s. @throws if the file is not the table it should be */
export async function readCells(file: string = join(packageRoot(), 'libs/train/data/nas-bench-201.csv.gz')): Promise<Cells> {
  const lines = (await promisify(gunzip)(await readFile(file))).toString('utf8').trimEnd().split('\n');
  const columns = lines.map((line) => {
    const [name, ...values] = line.split(',');
    if (values.length !== CELL_COUNT) throw new Error(`${file}: expected ${CELL_COUNT} values of ${name}, got ${values.length}`);
    return [name, Float64Array.from(values, Number)] as const;
  });
  const got = columns.map(([name]) => name).join(', ');
  if (got !== CELL_COLUMNS.join(', ')) throw new Error(`${file}: expected columns ${CELL_COLUMNS.join(', ')}, got ${got}`);
  return Object.fromEntries(columns) as Record<CellColumn, Float64Array>;
}
