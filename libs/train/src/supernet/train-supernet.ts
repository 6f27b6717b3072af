/**
 * Training of a supernet by the sandwich rule (Yu & Huang 2019, Universally Slimmable Networks, § 3.1) and self-distillation: every step
 * runs the largest network on the labels, and the smallest and two in between on what the largest one said of the same images
 * (F-D1, F-D3), sums their gradients, and updates once (F-W1).
 */
import type { SupernetAccuracy, TrainingRecipe } from '@app/contracts';
import { totals, trainingGraph, type TrainingGraph } from '@app/graph';
import { Rng } from '@app/numeric';
import type { Point } from '@app/space';
import { BatchWriter } from '../data/batches.js';
import type { Dataset } from '../data/image-set.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { openProgram, type ProgramSession } from '../training/program-session.js';
import { quantizeOf } from '../training/quantize.js';
import { annealingAt, learningRateAt } from '../training/schedule.js';
import { expectFit, stepRecipe, writerFor } from '../training/trainer.js';
import { firstState, updateShared } from './shared-step.js';
import { decayMask, gather, initialShared, scatterAdd, slicesOf } from './shared-weights.js';
import type { Supernet } from './supernet.js';

export interface SupernetRequest {
  readonly supernet: Supernet;
  readonly accuracy: Pick<SupernetAccuracy, 'epochs' | 'batch' | 'recipe' | 'switches'>;
  readonly data: Dataset;
  readonly seed: number;
  /** stop after this epoch; default: all */
  readonly until?: number | undefined;
  readonly from?: Checkpoint | undefined;
  readonly threads?: number | undefined;
  readonly onEpoch?: ((checkpoint: Checkpoint) => void) | undefined;
}

export type SupernetOutcome =
  | { readonly kind: 'trained'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'diverged'; readonly epoch: number; readonly step: number };

/** One network of the step, ready to run. */
interface Switch {
  readonly places: Int32Array;
  readonly step: TrainingGraph;
  readonly session: ProgramSession;
  readonly writer: BatchWriter;
  readonly statistics: Float32Array;
}

/** @throws UnfitData, GraphError */
export async function trainSupernet({ supernet, accuracy, data, seed, until = accuracy.epochs, from, threads = 1, onEpoch }: SupernetRequest): Promise<SupernetOutcome> {
  const { space, shared, quantize } = supernet;
  const { recipe, batch, epochs } = accuracy;
  const writers = new Map<number, BatchWriter>();
  const open = async (point: Point, isTeacher: boolean): Promise<Switch> => {
    const graph = space.graph(point);
    const aware = isTeacher || quantize?.when !== 'aware' ? undefined : quantizeOf(graph, quantize)!.layers;
    const step = trainingGraph(graph, stepRecipe(gradientOnly(recipe, isTeacher), batch, totals(graph).params, aware));
    expectFit(step, data, batch);
    const side = step.imageShape[2]!;
    if (!writers.has(side)) writers.set(side, writerFor(step, data, batch));
    const places = slicesOf(shared, graph, point, supernet.switchOf(space.widths.indexOf(point['width'] as number), aware !== undefined));
    return { places, step, session: await openProgram(step.program, { threads }), writer: writers.get(side)!, statistics: new Float32Array(step.packing.statisticCount) };
  };
  const stepsPerEpoch = Math.floor(data.train.count / batch);
  const decayed = decayMask(shared);
  const ends: Switch[] = [];
  try {
    ends.push(await open(space.largest, true));
    if (quantize?.when === 'aware') ends.push(await open(space.largest, false));
    ends.push(await open(space.smallest, false));
    let now = from ?? { epoch: 0, step: 0, curve: [], losses: [], state: firstState(recipe, initialShared(shared, seed)) };
    while (now.epoch < until) {
      const epoch = now.epoch + 1;
      const middles: Switch[] = [];
      try {
        for (const point of space.middles(seed, epoch, accuracy.switches)) middles.push(await open(point, false));
        const order = Rng.of(seed, 'order', epoch).shuffle(Array.from({ length: data.train.count }, (_, i) => i));
        const state = Object.fromEntries(Object.entries(now.state).map(([name, values]) => [name, Float32Array.from(values)]));
        let total = 0;
        for (let i = 0; i < stepsPerEpoch; i++) {
          const number = now.step + i;
          const batchOf = ({ writer }: Switch): BatchWriter => {
            writer.augmented(data.train, order, i * batch, recipe, Rng.of(seed, 'augmentation', epoch, i));
            return writer;
          };
          const { loss, gradient, touched } = await gradients([...ends, ...betweenOf(middles, i)], state['parameters']!, annealingAt(number, epochs * stepsPerEpoch), batchOf);
          if (!Number.isFinite(loss)) return { kind: 'diverged', epoch, step: number + 1 };
          total += loss;
          updateShared(state, gradient, touched, decayed, recipe, learningRateAt(recipe, number, stepsPerEpoch, epochs * stepsPerEpoch), number);
        }
        now = { epoch, step: now.step + stepsPerEpoch, curve: [], losses: [...now.losses, total / stepsPerEpoch], state };
      } finally {
        await close(middles);
      }
      onEpoch?.(now);
    }
    return { kind: 'trained', checkpoint: now };
  } finally {
    await close(ends);
  }
}

/** Networks between the ends that a step trains. */
const BETWEEN = 2;

/** They take turns, so that none is left behind for long; a single one counts once. */
export const betweenOf = <T>(middles: readonly T[], step: number): T[] => Array.from({ length: Math.min(BETWEEN, middles.length) }, (_, k) => middles[(step * BETWEEN + k) % middles.length]!);

const close = async (switches: readonly Switch[]): Promise<void> => {
  for (const { session } of switches) await session.close();
};

/** The first network learns from the labels, the others from it. The loss is the first one's. */
async function gradients(networks: readonly Switch[], parameters: Float32Array, annealing: number, batchOf: (network: Switch) => BatchWriter): Promise<{ loss: number; gradient: Float64Array; touched: Uint8Array }> {
  const gradient = new Float64Array(parameters.length);
  const touched = new Uint8Array(parameters.length);
  let loss = NaN;
  let taught: Float32Array | null = null;
  for (const network of networks) {
    const { images, targets } = batchOf(network);
    const own = gather(parameters, network.places);
    const result = await network.session.run({
      parameters: own, statistics: network.statistics, velocity: new Float32Array(own.length), images, targets: taught ?? targets,
      learningRate: Float32Array.of(0), weightDecay: Float32Array.of(0), annealing: Float32Array.of(annealing),
    });
    // with no momentum, rate or decay the velocity is the gradient
    scatterAdd(result['velocity']!, network.places, gradient);
    for (const at of network.places) touched[at] = 1;
    if (taught !== null) continue;
    loss = result['loss']![0]!;
    taught = softmaxRows(result['logits']!, network.step.classes);
  }
  return { loss, gradient, touched };
}

/** The step of one network as far as its gradient: what is done with that is done once for all. Only labels are smoothed. */
function gradientOnly(recipe: TrainingRecipe, isTeacher: boolean): TrainingRecipe {
  const { clipNorm: _, averageDecay: __, ...rest } = recipe;
  return { ...rest, optimizer: 'sgd', momentum: 0, labelSmoothing: isTeacher ? recipe.labelSmoothing : 0 };
}

/** Rows that sum to 1 of logits [N, classes]. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const shares = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    const own = logits.subarray(row, row + classes);
    const top = own.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += shares[row + k] = Math.exp(own[k]! - top);
    for (let k = 0; k < classes; k++) shares[row + k]! /= sum;
  }
  return shares;
}
