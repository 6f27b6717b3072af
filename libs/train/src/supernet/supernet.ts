import type { QuantizeSpec, SupernetAccuracy } from '@app/contracts';
import type { Task } from '@app/decode';
import { statisticsProgram, unpackWeights, type Graph, type PackedWeights, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import type { Point } from '@app/space';
import { NO_AUGMENTATION } from '../data/batches.js';
import type { Dataset } from '../data/image-set.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { openProgram } from '../training/program-session.js';
import { quantizeOf } from '../training/quantize.js';
import { openJudge, quantizedAfter, writerFor } from '../training/trainer.js';
import { gather, slicesOf, type SharedWeights } from './shared-weights.js';
import { supernetSpace, type SupernetSpace, type SupernetSpaceDefinition } from './supernet-space.js';

/** All networks of a space in one: what it is, without the values of its weights. */
export interface Supernet {
  readonly space: SupernetSpace;
  readonly shared: SharedWeights;
  /** of the networks that learn from the largest one, and of candidates */
  readonly quantize: QuantizeSpec | null;
  /** place of the batch norms of a width (its place among the widths) and precision */
  switchOf(width: number, quantized: boolean): number;
}

/** @throws EvaluatorError `unsupported` on a space it can't be made of */
export function supernetOf(definition: SupernetSpaceDefinition, task: Task, quantize: QuantizeSpec | null): Supernet {
  const space = supernetSpace(definition, task);
  const shared = space.layOut(quantize?.when === 'aware' ? 2 : 1);
  return { space, shared, quantize, switchOf: (width, quantized) => width + (quantized ? space.widths.length : 0) };
}

/** The vector that candidates inherit from: averaged over the steps if the recipe keeps an average. */
export const inheritable = ({ parameters, averageParameters }: Checkpoint['state']): Float32Array => averageParameters ?? parameters!;

export interface Inheritance {
  readonly supernet: Supernet;
  /** the supernet's trained vector */
  readonly parameters: Float32Array;
  readonly accuracy: Pick<SupernetAccuracy, 'epochs' | 'batch' | 'recipe' | 'switches' | 'calibration'>;
  readonly data: Dataset;
  readonly seed: number;
  readonly threads?: number | undefined;
}

/**
 * A network's weights as it inherits them, with running statistics from batches of training images that were not augmented.
 *
 * @throws NoSuchSlice if the network is not of the supernet's space
 */
export async function inheritedWeights({ supernet, parameters, accuracy, data, seed, threads = 1 }: Inheritance, graph: Graph, point: Point): Promise<PackedWeights> {
  const { space, shared, quantize, switchOf } = supernet;
  const isAware = quantize?.when === 'aware';
  const own = gather(parameters, slicesOf(shared, graph, point, switchOf(space.trainedWidth(point['width'] as number, seed, accuracy.epochs, accuracy.switches), isAware)));
  const program = statisticsProgram(graph, accuracy.batch, isAware ? quantizeOf(graph, quantize)!.layers : undefined);
  const session = await openProgram(program.program, { threads });
  const mean = new Float64Array(program.packing.statisticCount);
  try {
    const writer = writerFor(program, data, accuracy.batch);
    const order = Rng.of(seed, 'calibration').shuffle(Array.from({ length: data.train.count }, (_, i) => i));
    const batches = Math.min(accuracy.calibration, Math.floor(data.train.count / accuracy.batch));
    const before = new Float32Array(mean.length);
    for (let i = 0; i < batches; i++) {
      writer.augmented(data.train, order, i * accuracy.batch, NO_AUGMENTATION, Rng.of(seed));
      const { statistics } = await session.run({ parameters: own, statistics: before, images: writer.images });
      statistics!.forEach((v, k) => (mean[k]! += v / batches));
    }
  } finally {
    await session.close();
  }
  return { parameters: own, statistics: Float32Array.from(mean) };
}

/** Accuracy on the held-out images, %, with inherited weights, quantised as the supernet's candidates are; null before that if it was not after training. */
export async function inheritedAccuracy(inheritance: Inheritance, graph: Graph, point: Point): Promise<{ accuracy: number; floatAccuracy: number | null; weights: ReadonlyMap<string, Weights> }> {
  const { supernet: { quantize }, accuracy: { batch }, data, seed, threads = 1 } = inheritance;
  const weights = await inheritedWeights(inheritance, graph, point);
  const quantized = quantizeOf(graph, quantize);
  const judge = await openJudge(graph, data, batch, { threads }, quantized?.when === 'aware' ? quantized.layers : undefined);
  try {
    const accuracy = await judge.accuracy(weights, data.validation);
    const { packing } = statisticsProgram(graph, batch, quantized?.when === 'aware' ? quantized.layers : undefined);
    const own = unpackWeights(packing, weights);
    if (quantized?.when !== 'after') return { accuracy, floatAccuracy: null, weights: own };
    return { floatAccuracy: accuracy, ...(await quantizedAfter({ graph, data, batch, seed, threads }, quantized, own)) };
  } finally {
    await judge.close();
  }
}
