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
import { kendall, spearman } from './rank-correlation.js';

const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const cells = Number(argument('--cells') ?? 100);
const cifar = argument('--cifar10');
const BATCH = 32;

const PROXIES: readonly ProxyName[] = ['naswot', 'synflow', 'snip', 'grasp', 'grad-norm', 'jacob-cov', 'zen'];

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
  rows.push({ proxy, spearman: spearman(x, y), kendall: kendall(x, y), cells: known.length, cpuSecondsPerCell: (spent.user + spent.system) / 1e6 / cells });
}
const report = { data: data.name, batch: BATCH, seed: 1, rows };
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  process.stdout.write(`${cells} cells of NAS-Bench-201 against accuracy on CIFAR-10; images: ${data.name}, batch ${BATCH}\n`);
  for (const r of rows) process.stdout.write(`${r.proxy.padEnd(9)} ρ ${r.spearman.toFixed(2)}  τ ${r.kendall.toFixed(2)}  ${r.cells} finite, ${r.cpuSecondsPerCell.toFixed(2)} s of processor time a cell\n`);
}
