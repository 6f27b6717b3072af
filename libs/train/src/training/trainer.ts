import type { TrainingRecipe } from '@app/contracts';
import {
  initialWeights, inferenceProgram, packingOf, packWeights, rangesProgram, totals, trainingGraph, unpackWeights,
  type Graph, type Quantization, type StepRecipe, type Tensor, type TrainingGraph, type Weights,
} from '@app/graph';
import { Rng } from '@app/numeric';
import { BatchWriter, NO_AUGMENTATION } from '../data/batches.js';
import type { Dataset, ImageSet } from '../data/image-set.js';
import type { Checkpoint } from './checkpoint.js';
import { openProgram, type ProgramSession } from './program-session.js';
import { annealingAt, learningRateAt } from './schedule.js';

export interface TrainRequest {
  /** batch 1, one input [1, C, H, W], one output [1, classes] */
  readonly graph: Graph;
  readonly data: Dataset;
  readonly recipe: TrainingRecipe;
  /** images a step */
  readonly batch: number;
  /** of the whole training, which the schedule runs over */
  readonly epochs: number;
  /** stop after this epoch; default: `epochs` */
  readonly until?: number | undefined;
  readonly seed: number;
  /** go on from here */
  readonly from?: Checkpoint | undefined;
  /** default 1 */
  readonly threads?: number | undefined;
  /** the accuracy is then that of the quantised network */
  readonly quantize?: Quantize | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((checkpoint: Checkpoint) => void) | undefined;
}

export interface Quantize {
  readonly layers: Quantization;
  /** aware: trained with it; after: ranges are taken from so many batches of training images */
  readonly when: 'aware' | 'after';
  readonly batches: number;
}

export type TrainOutcome =
  | { readonly kind: 'trained'; readonly checkpoint: Checkpoint; readonly accuracy: number; /** before it was quantised, if that came after */ readonly floatAccuracy: number | null; readonly weights: ReadonlyMap<string, Weights> }
  /** the loss was no number any more */
  | { readonly kind: 'diverged'; readonly epoch: number; readonly step: number; readonly losses: readonly number[]; readonly curve: readonly number[] };

/** Data and network don't go together. */
export class UnfitData extends Error {}

/**
 * Trains a network from its seeded first weights, or on from a checkpoint: the order of images and all augmentation depend on seed
 * and epoch alone, so that stopping and going on changes nothing. The last images of an epoch that fill no batch sit it out.
 *
 * Softmaxes over heads are judged at the temperature that they have come down to, which at the end is the network's own.
 *
 * @returns accuracy on the held-out images, %, by running statistics (and averaged weights if the recipe keeps them)
 * @throws UnfitData on other classes, channels, or fewer images than a batch; GraphError; the signal's reason, after the step in progress
 */
export async function trainNetwork(request: TrainRequest): Promise<TrainOutcome> {
  const { graph, data, recipe, batch, seed, threads, signal } = request;
  const aware = request.quantize?.when === 'aware' ? request.quantize.layers : undefined;
  const step = trainingGraph(graph, stepRecipe(recipe, batch, totals(graph).params, aware));
  expectFit(step, data, batch);
  const stepsPerEpoch = Math.floor(data.train.count / batch);
  const until = Math.min(request.until ?? request.epochs, request.epochs);
  let now = request.from ?? firstCheckpoint(step, graph, seed);
  const options = threads === undefined ? {} : { threads };
  const session = await openProgram(step.program, options);
  const judge = await openJudge(graph, data, batch, options, aware, recipe.annealFrom);
  const annealing = (state: Checkpoint): number => annealingAt(state.step, request.epochs * stepsPerEpoch);
  try {
    const writer = writerFor(step, data, batch);
    while (now.epoch < until) {
      const next = await runEpoch(session, step, writer, now, request, stepsPerEpoch);
      if ('diverged' in next) return { kind: 'diverged', epoch: now.epoch + 1, step: next.diverged, losses: now.losses, curve: now.curve };
      signal?.throwIfAborted();
      const accuracy = await judge.accuracy(judged(next.state), data.validation, annealing(next));
      now = { ...next, curve: [...now.curve, accuracy] };
      request.onEpoch?.(now);
    }
    const weights = judged(now.state);
    const accuracy = now.curve.at(-1) ?? (await judge.accuracy(weights, data.validation, annealing(now)));
    const trained = unpackWeights(step.packing, weights);
    if (request.quantize?.when !== 'after') return { kind: 'trained', checkpoint: now, accuracy, floatAccuracy: null, weights: trained };
    return { kind: 'trained', checkpoint: now, floatAccuracy: accuracy, ...(await quantizedAfter(request, request.quantize, trained, { from: recipe.annealFrom, share: annealing(now) })) };
  } finally {
    await session.close();
    await judge.close();
  }
}

type State = Checkpoint['state'];

function judged(state: State): { parameters: Float32Array; statistics: Float32Array } {
  return { parameters: state.averageParameters ?? state.parameters!, statistics: state.averageStatistics ?? state.statistics ?? new Float32Array(0) };
}

export function stepRecipe(recipe: TrainingRecipe, batch: number, params: number, quantization?: Quantization): StepRecipe {
  return {
    batch,
    optimizer: recipe.optimizer === 'adamw' ? { kind: 'adamw', beta1: recipe.momentum, beta2: 0.999, epsilon: 1e-8 } : { kind: 'sgd', momentum: recipe.momentum, nesterov: recipe.optimizer === 'nesterov' },
    labelSmoothing: recipe.labelSmoothing,
    clipNorm: recipe.clipNorm ?? null,
    statisticsRate: 0.1,
    averageDecay: recipe.averageDecay ?? null,
    noise: params > recipe.noiseAbove,
    annealFrom: recipe.annealFrom,
    ...(quantization && { quantization }),
  };
}

/** @throws UnfitData on other classes or channels than the network's, or fewer images than a batch */
export function expectFit({ imageShape, classes }: TrainingGraph, data: Dataset, batch: number): void {
  const refuse = (what: string, network: unknown, got: unknown): never => {
    throw new UnfitData(`data "${data.name}": expected ${what} as the network has, ${String(network)}, got ${String(got)}`);
  };
  if (imageShape.length !== 4) refuse('images', `input [${imageShape.join(', ')}]`, 'images [C, H, W]');
  if (classes !== data.classes) refuse('as many classes', classes, data.classes);
  if (imageShape[1] !== data.train.channels) refuse('as many channels', imageShape[1], data.train.channels);
  if (data.fixedShape && (imageShape[2] !== data.train.height || imageShape[3] !== data.train.width)) {
    refuse('their shape, since recordings and series are not scaled', `${imageShape[2]} × ${imageShape[3]}`, `${data.train.height} × ${data.train.width}`);
  }
  if (data.train.count < batch) throw new UnfitData(`data "${data.name}": expected at least one batch of ${batch} training images, got ${data.train.count}`);
}

/** Writes batches of the network's input shape. */
export const writerFor = ({ imageShape }: { readonly imageShape: readonly number[] }, data: Dataset, batch: number): BatchWriter => new BatchWriter(data, batch, imageShape[2]!, imageShape[3]!);

function firstCheckpoint(step: TrainingGraph, graph: Graph, seed: number): Checkpoint {
  const { parameters, statistics } = packWeights(step.packing, initialWeights(graph, seed));
  const first: Readonly<Record<string, Float32Array>> = { parameters, statistics, averageParameters: parameters, averageStatistics: statistics };
  const state = Object.fromEntries(step.state.map(({ name, length }) => [name, first[name] ?? new Float32Array(length)]));
  return { epoch: 0, step: 0, curve: [], losses: [], state };
}

async function runEpoch(session: ProgramSession, step: TrainingGraph, writer: BatchWriter, from: Checkpoint, request: TrainRequest, stepsPerEpoch: number): Promise<Checkpoint | { diverged: number }> {
  const { data, recipe, seed, signal, epochs, batch } = request;
  const epoch = from.epoch + 1;
  const order = Rng.of(seed, 'order', epoch).shuffle(Array.from({ length: data.train.count }, (_, i) => i));
  const rng = Rng.of(seed, 'augmentation', epoch);
  let { state } = from;
  let total = 0;
  for (let i = 0; i < stepsPerEpoch; i++) {
    signal?.throwIfAborted();
    const number = from.step + i;
    writer.augmented(data.train, order, i * batch, recipe, rng);
    const result = await session.run({ ...state, images: writer.images, targets: writer.targets, ...rates(recipe, number, stepsPerEpoch, epochs * stepsPerEpoch) });
    const loss = result['loss']![0]!;
    if (!Number.isFinite(loss)) return { diverged: number + 1 };
    total += loss;
    state = Object.fromEntries(step.state.map(({ name }) => [name, result[name]!]));
  }
  return { epoch, step: from.step + stepsPerEpoch, curve: from.curve, losses: [...from.losses, total / stepsPerEpoch], state };
}

/** Scalars of a step. AdamW's bias corrections are 1 − βᵗ for the t-th step (Kingma & Ba 2015, alg. 1). */
function rates(recipe: TrainingRecipe, step: number, stepsPerEpoch: number, totalSteps: number): Record<string, Float32Array> {
  return {
    learningRate: Float32Array.of(learningRateAt(recipe, step, stepsPerEpoch, totalSteps)), weightDecay: Float32Array.of(recipe.weightDecay), annealing: Float32Array.of(annealingAt(step, totalSteps)),
    correction1: Float32Array.of(1 - recipe.momentum ** (step + 1)), correction2: Float32Array.of(1 - 0.999 ** (step + 1)),
  };
}

/** Temperatures of softmaxes over heads: so much of the way from their own to the one that training begins at. */
interface Tempered {
  readonly from: number | null;
  readonly share: number;
}

const OWN: Tempered = { from: null, share: 0 };

type Judging = Pick<TrainRequest, 'graph' | 'data' | 'batch' | 'threads' | 'seed'>;

/** Quantises trained weights: accuracy on the held-out images, %, and the weights with the ranges found. */
export async function quantizedAfter(request: Judging, quantize: Quantize, weights: ReadonlyMap<string, Weights>, tempered: Tempered = OWN): Promise<{ readonly accuracy: number; readonly weights: ReadonlyMap<string, Weights> }> {
  const ranged = await withRanges(request, quantize, weights, tempered);
  return { accuracy: await quantizedAccuracy(request, quantize.layers, ranged, tempered), weights: ranged };
}

/** Weights with the mean range of each quantised input over some batches of training images, not augmented. */
async function withRanges({ graph, data, batch, threads, seed }: Judging, { layers, batches }: Quantize, weights: ReadonlyMap<string, Weights>, { from, share }: Tempered): Promise<ReadonlyMap<string, Weights>> {
  if ([...layers.values()].every(({ input }) => input?.kind !== 'affine')) return weights;
  const ranges = rangesProgram(graph, batch, layers, from);
  const session = await openProgram(ranges.program, threads === undefined ? {} : { threads });
  const sums = { low: new Float64Array(ranges.layers.length), high: new Float64Array(ranges.layers.length) };
  const count = Math.min(batches, Math.floor(data.train.count / batch));
  try {
    const writer = writerFor(ranges, data, batch);
    const order = Rng.of(seed, 'calibration').shuffle(Array.from({ length: data.train.count }, (_, i) => i));
    for (let i = 0; i < count; i++) {
      writer.augmented(data.train, order, i * batch, NO_AUGMENTATION, Rng.of(seed));
      const seen = await session.run({ ...packWeights(ranges.packing, weights), images: writer.images, annealing: Float32Array.of(share) });
      for (const end of ['low', 'high'] as const) seen[end]!.forEach((v, k) => (sums[end][k]! += v / count));
    }
  } finally {
    await session.close();
  }
  const all = new Map(weights);
  ranges.layers.forEach((id, k) => all.set(id, { ...all.get(id), inputLow: scalarOf(sums.low[k]!), inputHigh: scalarOf(sums.high[k]!) }));
  return all;
}

const scalarOf = (value: number): Tensor => ({ shape: [1], data: Float32Array.of(value) });

async function quantizedAccuracy({ graph, data, batch, threads }: Judging, layers: Quantization, weights: ReadonlyMap<string, Weights>, { from, share }: Tempered): Promise<number> {
  const judge = await openJudge(graph, data, batch, threads === undefined ? {} : { threads }, layers, from);
  try {
    return await judge.accuracy(packWeights(packingOf(graph, layers), weights), data.validation, share);
  } finally {
    await judge.close();
  }
}

export interface Judge {
  /** Share of the images answered right, %, at the networks' own temperatures or so much of the way above them. */
  accuracy(weights: { readonly parameters: Float32Array; readonly statistics: Float32Array }, set: ImageSet, annealing?: number): Promise<number>;
  close(): Promise<void>;
}

/** Runs a network at inference over image sets, normalised as the training images are. */
export async function openJudge(graph: Graph, data: Dataset, batch: number, options: { readonly threads?: number } = {}, quantization?: Quantization, annealFrom: number | null = null): Promise<Judge> {
  const inference = inferenceProgram(graph, batch, quantization, annealFrom);
  const session = await openProgram(inference.program, options);
  const writer = writerFor(inference, data, batch);
  return {
    accuracy: async (weights, set, annealing = 0) => {
      let right = 0;
      for (let from = 0; from < set.count; from += batch) {
        writer.plain(set, from);
        const { logits } = await session.run({ ...weights, images: writer.images, annealing: Float32Array.of(annealing) });
        for (let b = 0; b < Math.min(batch, set.count - from); b++) if (indexOfMax(logits!, b * inference.classes, inference.classes) === set.labels[from + b]) right++;
      }
      return (100 * right) / set.count;
    },
    close: () => session.close(),
  };
}

function indexOfMax(values: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[from + k]! > values[from + best]!) best = k;
  return best;
}
