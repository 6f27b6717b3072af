import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { accuracyDocument, rounded, withReadmeTable, type HardwareRun, type MemoryRun } from './accuracy-document.js';
import { blockSeries, networksFromBlocks, unseenBlocks } from './block-tables.js';
import { measure, unseenDevice, unseenModel, unseenNetworks, unseenResolution, type Measured, type Result } from './evaluate.js';
import { coverageTable, goalTable, type GoalRow } from './goals.js';
import { nasSeries } from './nas-series.js';
import { WorkTable } from './series.js';
import { tinySeries } from './tiny-series.js';
import { unseenBoards } from './unseen-boards.js';

/**
 * How well are devices predicted? Every model of a device against measurements it has not seen, with the goals set for it.
 * `--measurements DIR` (or CADDIS_MEASUREMENTS): folder with the measured tables, default bench/data/hardware. `--every N`: every N-th network of whole spaces,
 * default 1. `--known DIR`: further tables, of devices and boards that are known but not asked for. `--json` prints one document. `--write-docs` stores the results in bench/results and writes docs/accuracy-of-predictions.md and the table in README.
 */
const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const dir = argument('--measurements') ?? (process.env['CADDIS_MEASUREMENTS'] || 'bench/data/hardware');
const knownDir = argument('--known');
const every = Number(argument('--every') ?? 1);
for (const folder of [dir, ...(knownDir === undefined ? [] : [knownDir])]) {
  if (existsSync(folder)) continue;
  process.stderr.write(`no folder ${folder}: give --measurements DIR (or set CADDIS_MEASUREMENTS), --known DIR\n`);
  process.exit(2);
}
if (!Number.isSafeInteger(every) || every < 1) {
  process.stderr.write(`--every: expected a whole number of at least 1, got ${argument('--every')}\n`);
  process.exit(2);
}

const works = new WorkTable();
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const spaces = nasSeries(dir, every).map((s) => measure(s, works));
say(`${spaces.length} series of whole spaces, ${spaces.reduce((n, m) => n + m.samples.length, 0)} measurements`);
const single = tinySeries(dir).map((s) => measure(s, works));
say(`${single.length} series of single networks, ${single.reduce((n, m) => n + m.samples.length, 0)} measurements`);

const knownSpaces = knownDir === undefined ? [] : nasSeries(knownDir, every).map((s) => measure(s, works));
const knownSingle = knownDir === undefined ? [] : tinySeries(knownDir).map((s) => measure(s, works));

const results: Result[] = [];
const byDevice = new Map<string, Measured[]>();
for (const m of spaces) {
  const key = `${m.series.device} ${m.series.runtime} ${m.series.quantity}`;
  byDevice.set(key, [...(byDevice.get(key) ?? []), m]);
}
for (const device of byDevice.values()) results.push(...unseenNetworks(device));
for (const m of spaces) results.push(...unseenResolution(m));
for (const m of spaces) {
  const few = unseenDevice(m, [...spaces, ...knownSpaces]);
  if (few !== null) results.push(few);
}
const blocks = blockSeries(dir).map((s) => measure(s, works));
results.push(...unseenModel(single), ...unseenBoards([...single, ...knownSingle], single), ...unseenBlocks(blocks), ...networksFromBlocks(blocks, single));
const goals = [...goalTable(results), ...coverageTable(results)];

if (process.argv.includes('--write-docs')) {
  const run: HardwareRun = rounded({ goals, results });
  writeFileSync('bench/results/hardware.json', `${JSON.stringify(run, null, 1)}\n`);
  writeFileSync('docs/accuracy-of-predictions.md', accuracyDocument(run, JSON.parse(readFileSync('bench/results/memory.json', 'utf8')) as MemoryRun));
  writeFileSync('README.md', withReadmeTable(readFileSync('README.md', 'utf8'), run));
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ measurements: { every }, goals, results }, null, 2)}\n`);
else print(results, goals);

function print(rows: readonly Result[], reached: readonly GoalRow[]): void {
  const percent = (v: number | null): string => (v === null ? '' : (100 * v).toFixed(1));
  const lines = rows.map((r) => [r.question, r.title, r.runtime, r.networks, r.quantity, String(r.count), percent(r.mape), percent(r.within10), r.spearman?.toFixed(3) ?? '', percent(r.coverage), percent(r.baselines?.macs.mape ?? null), percent(r.baselines?.macsBytesLayers.mape ?? null)]);
  const head = ['question', 'device', 'runtime', 'networks', 'quantity', 'count', 'MAPE %', 'within 10 %', 'Spearman', 'in 90 %', 'MACs only', 'MACs+bytes+layers'];
  const widths = head.map((h, j) => Math.max(h.length, ...lines.map((l) => l[j]!.length)));
  for (const line of [head, ...lines]) process.stdout.write(`${line.map((cell, j) => cell.padEnd(widths[j]!)).join('  ').trimEnd()}\n`);
  process.stdout.write('\n');
  for (const g of reached) process.stdout.write(`${g.reached ? 'reached' : 'missed '}  ${g.goal}: ${g.figures}\n`);
}
