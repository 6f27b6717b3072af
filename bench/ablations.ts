/**
 * The FlyNet thesis's ablations in small, on Fashion-MNIST in its 28 pixels: do more heads help (h = 1 … 5), is the maximum over heads at
 * least as good as ReLU of their sum, does quantisation noise of 8 levels leave a large network unhurt? Every seed trains all variants
 * on the same images in the same order, so differences are taken seed by seed; intervals are of 95 % by Student's t.
 *
 * `--json` prints one document; `--seeds N`, `--images N`, `--epochs N`, `--threads N`; `--only heads|reduction|noise`.
 */
import { cpus } from 'node:os';
import { completePoint, loadCatalog } from '@app/catalog';
import { trainingRecipeSchema } from '@app/contracts';
import { decode } from '@app/decode';
import { totals, type Graph } from '@app/graph';
import { trainNetwork } from '@app/train';
import { BATCH, fashion, meanOf } from './training/accuracy.js';

const text = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const number = (name: string, otherwise: number): number => Number(text(name) ?? otherwise);
const [seeds, epochs, threads] = [number('--seeds', 3), number('--epochs', 3), number('--threads', 1)];
const STAGES = [1, 2, 3, 4, 5];
const HEADS = [1, 2, 3, 4, 5];

/** @param noise  levels by parameter */
function flynet(width: number, heads: number, reduction: string, noise: Readonly<Record<string, number>> = {}): Graph {
  const space = loadCatalog().space('flynet');
  const chosen = Object.fromEntries(STAGES.map((s) => [`heads${s}`, heads]));
  return decode(space, completePoint(space.parameters, { width, resolution: 28, reduction, ...chosen, ...noise }), { numClasses: 10, inputChannels: 1 });
}

/** At 10 classes the narrowest of five hundredths that has more parameters than noise acts above (1.6 million, the recipe's default). */
const LARGE = 1.2;

const data = await fashion(number('--images', 12_000));
const trained = new Map<string, number[]>();
const parameters = new Map<string, number>();

/** Accuracies of a variant, one a seed. */
async function accuracies(name: string, graph: Graph): Promise<readonly number[]> {
  const known = trained.get(name);
  if (known !== undefined) return known;
  const results: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = await trainNetwork({ graph, data, recipe: trainingRecipeSchema.parse({}), batch: BATCH, epochs, seed, threads });
    // a network that fell apart answers by chance
    results.push(outcome.kind === 'trained' ? outcome.accuracy : 100 / data.classes);
    process.stderr.write(`${name}, seed ${seed}: ${results.at(-1)!.toFixed(2)} %\n`);
  }
  trained.set(name, results);
  parameters.set(name, totals(graph).params);
  return results;
}

/** What the thesis says to be at least 0, seed by seed, and what was seen of it. */
function claim(says: string, values: readonly number[]): object {
  const { mean, halfWidth } = meanOf(values);
  const seen = mean - halfWidth > 0 ? 'agrees' : mean + halfWidth < 0 ? 'disagrees' : 'not told apart from 0';
  return { says, values, mean, halfWidth, seen };
}

const began = performance.now();
const due = (name: string): boolean => text('--only') === undefined || text('--only') === name;
const claims: object[] = [];
if (due('heads')) {
  const byHeads: (readonly number[])[] = [];
  for (const h of HEADS) byHeads.push(await accuracies(`max-out, ${h} heads`, flynet(0.3, h, 'maxout')));
  // least squares over h = 1 … 5, whose mean is 3 and whose squared deviations sum to 10
  const slopes = Array.from({ length: seeds }, (_, s) => HEADS.reduce((sum, h, i) => sum + ((h - 3) * byHeads[i]![s]!) / 10, 0));
  claims.push({ ...claim('points a further head', slopes), monotone: byHeads.every((a, i) => i === 0 || meanOf(a).mean >= meanOf(byHeads[i - 1]!).mean) });
}
const difference = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v - b[i]!);
if (due('reduction')) {
  claims.push(claim('points of max-out over ReLU of the sum, 3 heads', difference(await accuracies('max-out, 3 heads', flynet(0.3, 3, 'maxout')), await accuracies('sum-ReLU, 3 heads', flynet(0.3, 3, 'sum-relu')))));
}
if (due('noise')) {
  const plain = await accuracies(`width ${LARGE}`, flynet(LARGE, 3, 'maxout'));
  // where the thesis's code has it, and on every stage besides
  const places = { 'the hidden layer': { noiseHead: 8 }, 'every stage and the hidden layer': { noiseHead: 8, ...Object.fromEntries(STAGES.map((s) => [`noise${s}`, 8])) } };
  for (const [place, noise] of Object.entries(places)) {
    claims.push(claim(`points of noise of 8 levels over none, on ${place}`, difference(await accuracies(`width ${LARGE}, noise on ${place}`, flynet(LARGE, 3, 'maxout', noise)), plain)));
  }
}
const variants = [...trained].map(([name, values]) => ({ name, parameters: parameters.get(name)!, accuracies: values, ...meanOf(values) }));
const report = { machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, images: data.train.count, heldOut: data.validation.count, batch: BATCH, epochs, seeds, threads, minutes: (performance.now() - began) / 60_000, variants, claims };
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  for (const v of variants) process.stdout.write(`${v.name.padEnd(28)} ${(v.parameters / 1e3).toFixed(0).padStart(6)} k parameters  ${v.mean.toFixed(2)} ± ${v.halfWidth.toFixed(2)} %\n`);
  for (const c of claims as { says: string; mean: number; halfWidth: number; seen: string }[]) process.stdout.write(`${c.says}: ${c.mean.toFixed(2)} ± ${c.halfWidth.toFixed(2)}, ${c.seen}\n`);
}
