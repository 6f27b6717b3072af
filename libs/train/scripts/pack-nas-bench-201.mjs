// Packs the tabulated cells of NAS-Bench-201 for the `table` evaluator:
//   node libs/train/scripts/pack-nas-bench-201.mjs CELLS.csv libs/train/data/nas-bench-201.csv.gz
//
// CELLS.csv has a head line, a key of six digits 0 … 4 in ascending order, and the columns below. They are written column by column,
// a line each ("name,value,value,…"), with every figure as it stands in the source, so that a number read back is the number published.
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const COLUMNS = [
  'acc200_cifar10_test', 'acc200_cifar100_test', 'acc200_im16_test', 'acc12_cifar10_val', 'acc12_cifar100_val', 'acc12_im16_val',
  'lat_eyeriss_ms', 'lat_fpga_ms', 'lat_raspi4_ms', 'lat_pixel3_ms',
];
const CELLS = 5 ** 6;

const [source, target] = process.argv.slice(2);
if (!source || !target) throw new Error('usage: pack-nas-bench-201.mjs CELLS.csv OUT.csv.gz');
const [head, ...rows] = readFileSync(source, 'utf8').trim().split(/\r?\n/).map((line) => line.split(','));
if (rows.length !== CELLS) throw new Error(`expected ${CELLS} cells, got ${rows.length}`);
rows.forEach((row, i) => {
  const due = i.toString(5).padStart(6, '0');
  if (row[0] !== due) throw new Error(`row ${i + 1}: expected key ${due}, got ${row[0]}`);
});
const lines = COLUMNS.map((name) => {
  const column = head.indexOf(name);
  if (column < 0) throw new Error(`column ${name} is missing`);
  return [name, ...rows.map((row) => row[column])].join(',');
});
writeFileSync(target, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
