/**
 * Do the proxies rank networks as training does? Spearman's ρ and Kendall's τ between each score and the measured accuracy of cells of
 * NAS-Bench-201 (test accuracy on CIFAR-10 after 200 epochs, mean over seeds), drawn uniformly. Cells whose
 * output does not depend on their input are left out. The images are synthetic gratings, as CIFAR-10 does not come with Caddis:
 * SynFlow looks at none, the others are judged under that handicap; `--cifar10 DIR` takes the real ones. `--cells N` (100), `--json`.
 */
import { datasetSchema, type ProxyName } from '@app/contracts';
import { completePoint, loadCatalog } from '@app/catalog';
import { architectureCode, decode, isDegenerate } from '@app/decode';
import { Rng } from '@app/numeric';
import { createSearchSpace } from '@app/space';
import { loadDataset, proxyScore, readCells, rowOf } from '@app/train';

const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const cells = Number(argument('--cells') ?? 100);
const cifar = argument('--cifar10');
const BATCH = 32;

const PROXIES: readonly ProxyName[] = ['naswot', 'synflow', 'snip', 'grasp', 'grad-norm', 'jacob-cov', 'zen'];

/** Ranks from 1, ties sharing the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && values[order[end]!] === values[order[i]!]) end++;
    for (let k = i; k < end; k++) result[order[k]!] = (i + end + 1) / 2;
    i = end;
  }
  return result;
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const dot = (a: readonly number[], ma: number, b: readonly number[], mb: number): number => a.reduce((s, v, i) => s + (v - ma) * (b[i]! - mb), 0);
  return dot(x, mx, y, my) / Math.sqrt(dot(x, mx, x, mx) * dot(y, my, y, my));
}

/** τ-b */
function kendall(x: readonly number[], y: readonly number[]): number {
  let [agree, tiesX, tiesY, pairs] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      agree += a * b;
      tiesX += a === 0 ? 1 : 0;
      tiesY += b === 0 ? 1 : 0;
      pairs++;
    }
  }
  return agree / Math.sqrt((pairs - tiesX) * (pairs - tiesY));
}

const definition = loadCatalog().space('nas-bench-201');
const space = createSearchSpace(definition.parameters);
const table = await readCells();
const data = await loadDataset(datasetSchema.parse(cifar === undefined ? { format: 'synthetic', size: 32, channels: 3, classes: 10, images: 320 } : { format: 'cifar10', directory: cifar }));
const rng = Rng.of(1, 'bench/proxies');
const sample: { code: string; accuracy: number; graph: ReturnType<typeof decode> }[] = [];
while (sample.length < cells) {
  const point = completePoint(definition.parameters, space.decode(space.fromUnit(Array.from({ length: space.dimension }, () => rng.next()))));
  const code = architectureCode(point);
  if (isDegenerate(code) || sample.some((s) => s.code === code)) continue;
  sample.push({ code, accuracy: table['acc200_cifar10_test'][rowOf(code)]!, graph: decode(definition, point, { numClasses: 10, inputChannels: 3 }) });
}
const rows = [];
for (const proxy of PROXIES) {
  const cpu = process.cpuUsage();
  const scores: number[] = [];
  for (const { graph } of sample) scores.push(await proxyScore(proxy, { graph, data, batch: BATCH, seed: 1 }));
  const spent = process.cpuUsage(cpu);
  const known = scores.flatMap((s, i) => (Number.isFinite(s) ? [i] : []));
  const [x, y] = [known.map((i) => scores[i]!), known.map((i) => sample[i]!.accuracy)];
  rows.push({ proxy, spearman: correlation(ranks(x), ranks(y)), kendall: kendall(x, y), cells: known.length, cpuSecondsPerCell: (spent.user + spent.system) / 1e6 / cells });
}
const report = { data: data.name, batch: BATCH, seed: 1, rows };
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  process.stdout.write(`${cells} cells of NAS-Bench-201 against accuracy on CIFAR-10; images: ${data.name}, batch ${BATCH}\n`);
  for (const r of rows) process.stdout.write(`${r.proxy.padEnd(9)} ρ ${r.spearman.toFixed(2)}  τ ${r.kendall.toFixed(2)}  ${r.cells} finite, ${r.cpuSecondsPerCell.toFixed(2)} s of processor time a cell\n`);
}
