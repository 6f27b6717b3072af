/**
 * Are the gradients of a training step right, tensor by tensor? Batches of Fashion-MNIST, FlyNet at width 0.3 and 28 pixels, at the first
 * weights and after some steps of training. The judge is PyTorch in double precision; beside onnxruntime's single precision stand our own
 * program in double precision, which tells a wrong formula from rounding, and PyTorch in single precision, in two forms.
 */
import { readFileSync } from 'node:fs';
import { trainingRecipeSchema } from '@app/contracts';
import { elements, evaluateProgram, initialWeights, packWeights, totals, trainingGraph, unpackWeights, type Graph, type TrainingGraph, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import { stateDict } from '@app/pytorch';
import { openProgram, stepRecipe, type ImageDataset } from '@app/train';
import { BATCH, fashion } from './accuracy.js';
import { flynet } from './networks.js';
import { bytesOf, type TorchProcess } from './torch.js';

const CELLS = 28 * 28;
const PRECISIONS = { torch32: ['float32', 'eager'], torch32Split: ['float32', 'split heads, channels_last'], torch64: ['float64', 'eager'] } as const;

export interface GradientOptions {
  readonly seed: number;
  /** steps of training before each look */
  readonly after: readonly number[];
  readonly threads: number;
}

type Feeds = Readonly<Record<string, Float32Array>>;
/** Loss and gradient by all parameters, as packed. */
interface Seen {
  readonly loss: number;
  readonly gradient: Float32Array | Float64Array;
}

/** Relative errors |g − g64| / |g64| of the whole gradient and of each tensor, as one JSON document. */
export async function gradientReport(torch: TorchProcess, { seed, after, threads }: GradientOptions): Promise<void> {
  const graph = flynet(0.3, 28);
  const data = await fashion(12_000);
  const recipe = trainingRecipeSchema.parse({});
  const step = trainingGraph(graph, stepRecipe(recipe, BATCH, totals(graph).params));
  const session = await openProgram(step.program, { threads });
  const order = Rng.of(seed, 'order', 1).shuffle(Array.from({ length: data.train.count }, (_, i) => i));
  const { parameters, statistics } = packWeights(step.packing, initialWeights(graph, seed));
  const rest = new Float32Array(parameters.length);
  let state: Feeds = { parameters, statistics, velocity: rest };
  const looks = [];
  for (let n = 0; n <= Math.max(...after); n++) {
    const batch = batchOf(data, order.slice(n * BATCH, (n + 1) * BATCH));
    if (after.includes(n)) {
      // from rest and without decay the velocity is the gradient
      const feeds = { ...state, ...batch, velocity: rest, learningRate: Float32Array.of(0), weightDecay: Float32Array.of(0), annealing: Float32Array.of(0) };
      const { loss, velocity } = await session.run(feeds);
      looks.push({ steps: n, ...compared(step, { caddis32: { loss: loss![0]!, gradient: velocity! }, caddis64: inDouble(step, feeds), ...(await inTorch(torch, graph, step, feeds)) }) });
    }
    const next = await session.run({ ...state, ...batch, learningRate: Float32Array.of(recipe.learningRate), weightDecay: Float32Array.of(recipe.weightDecay), annealing: Float32Array.of(0) });
    state = Object.fromEntries(step.state.map(({ name }) => [name, next[name]!]));
  }
  await session.close();
  process.stdout.write(`${JSON.stringify({ network: 'FlyNet 0.3×, 28 px', batch: BATCH, seed, learningRate: recipe.learningRate, looks }, null, 2)}\n`);
}

function batchOf({ train, mean, deviation, classes }: ImageDataset, places: readonly number[]): Feeds {
  return {
    images: Float32Array.from({ length: BATCH * CELLS }, (_, i) => (train.pixels[places[Math.floor(i / CELLS)]! * CELLS + (i % CELLS)]! / 255 - mean[0]!) / deviation[0]!),
    targets: Float32Array.from({ length: BATCH * classes }, (_, i) => (train.labels[places[Math.floor(i / classes)]!] === i % classes ? 1 : 0)),
  };
}

function inDouble({ program }: TrainingGraph, feeds: Feeds): Seen {
  const { loss, velocity } = program.outputs;
  const seen = evaluateProgram({ ...program, outputs: { loss: loss!, velocity: velocity! } }, new Map(program.inputs.map(({ name, shape }) => [name, { shape, data: Float64Array.from(feeds[name]!) }])));
  return { loss: seen.get('loss')!.data[0]!, gradient: seen.get('velocity')!.data };
}

async function inTorch(torch: TorchProcess, graph: Graph, { packing, imageShape }: TrainingGraph, feeds: Feeds): Promise<Record<keyof typeof PRECISIONS, Seen>> {
  const weights = unpackWeights(packing, { parameters: feeds['parameters']!, statistics: feeds['statistics']! });
  const names = torchNames(graph, weights);
  const question = {
    do: 'gradient', ...torch.place(graph, weights), shape: imageShape, keys: packing.parameters.map((s) => names.get(`${s.node}.${s.name}`)),
    images: torch.file('images.bin', bytesOf(feeds['images']!)), targets: torch.file('targets.bin', bytesOf(feeds['targets']!)), to: torch.file('gradient.bin', ''),
  };
  const seen: Partial<Record<keyof typeof PRECISIONS, Seen>> = {};
  for (const name of Object.keys(PRECISIONS) as (keyof typeof PRECISIONS)[]) {
    const [precision, form] = PRECISIONS[name];
    const { loss } = await torch.ask<{ loss: number }>({ ...question, precision, form });
    seen[name] = { loss, gradient: new Float64Array(new Uint8Array(readFileSync(question.to)).buffer) };
  }
  return seen as Record<keyof typeof PRECISIONS, Seen>;
}

function compared({ packing }: TrainingGraph, { torch64, ...rivals }: Readonly<Record<'torch64' | 'torch32' | 'torch32Split' | 'caddis32' | 'caddis64', Seen>>) {
  const judge = torch64.gradient;
  const errors = (from: number, to: number) => Object.fromEntries(Object.entries(rivals).map(([name, { gradient }]) => [name, relativeError(gradient.subarray(from, to), judge.subarray(from, to))]));
  return {
    losses: Object.fromEntries(Object.entries({ torch64, ...rivals }).map(([name, { loss }]) => [name, loss])),
    whole: errors(0, judge.length),
    tensors: packing.parameters.map(({ node, name, shape, offset }) => {
      const end = offset + elements(shape);
      return { tensor: `${node}.${name}`, norm: Math.hypot(...judge.subarray(offset, end)), ...errors(offset, end) };
    }),
  };
}

function relativeError(g: ArrayLike<number>, due: ArrayLike<number>): number {
  let [off, size] = [0, 0];
  for (let i = 0; i < due.length; i++) {
    off += (g[i]! - due[i]!) ** 2;
    size += due[i]! ** 2;
  }
  return Math.sqrt(off / size);
}

/** What PyTorch calls each of our weights, by `node.name`. */
function torchNames(graph: Graph, weights: ReadonlyMap<string, Weights>): ReadonlyMap<string, string> {
  const ours = new Map([...weights].flatMap(([id, own]) => Object.entries(own).map(([name, tensor]) => [tensor, `${id}.${name}`] as const)));
  return new Map([...stateDict(graph, weights)].map(([key, tensor]) => [ours.get(tensor)!, key]));
}
