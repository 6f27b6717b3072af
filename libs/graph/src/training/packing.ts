import { weightsOf } from '../initial-weights.js';
import { liveNodes } from '../liveness.js';
import type { Weights } from '../op.js';
import { elements } from '../shape.js';
import { reshape, split } from '../tape/arithmetic.js';
import type { Tape, Value } from '../tape/tape.js';
import type { Graph, Shape } from '../types.js';
import { inferShapes } from '../verify.js';
import type { Quantization } from './quantization.js';

/** Where a weight lies in a packed vector. */
export interface Slot {
  readonly node: string;
  readonly name: string;
  readonly shape: Shape;
  readonly offset: number;
  /** weight decay draws it to zero: weights of convolutions, linear layers and attention; not biases, slopes and batch norms */
  readonly decayed: boolean;
}

/** Weights of a network as two vectors: what is trained, and what is estimated (running statistics) or fixed (constants). */
export interface Packing {
  readonly parameters: readonly Slot[];
  readonly parameterCount: number;
  readonly statistics: readonly Slot[];
  readonly statisticCount: number;
}

/** Layout of the live nodes' weights, in the order of the nodes; the same graph packs alike at any batch. Ranges of quantised inputs are statistics, 0 at first. */
export function packingOf(graph: Graph, quantization?: Quantization): Packing {
  const shapes = inferShapes(graph);
  const live = liveNodes(graph);
  const parameters: Slot[] = [];
  const statistics: Slot[] = [];
  let [parameterCount, statisticCount] = [0, 0];
  for (const node of graph.nodes) {
    if (!live.has(node.id)) continue;
    for (const { name, shape, trainable, init } of weightsOf(node, shapes)) {
      const slot = { node: node.id, name, shape, decayed: trainable && init === 'kaiming-normal' };
      if (trainable) {
        parameters.push({ ...slot, offset: parameterCount });
        parameterCount += elements(shape);
      } else {
        statistics.push({ ...slot, offset: statisticCount });
        statisticCount += elements(shape);
      }
    }
    if (quantization?.get(node.id)?.input?.kind === 'affine') {
      for (const name of ['inputLow', 'inputHigh']) statistics.push({ node: node.id, name, shape: [1], decayed: false, offset: statisticCount++ });
    }
  }
  return { parameters, parameterCount, statistics, statisticCount };
}

export interface PackedWeights {
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
}

export function packWeights(packing: Packing, weights: ReadonlyMap<string, Weights>): PackedWeights {
  const fill = (slots: readonly Slot[], count: number): Float32Array => {
    const vector = new Float32Array(count);
    for (const { node, name, offset } of slots) vector.set(weights.get(node)?.[name]?.data ?? [0], offset);
    return vector;
  };
  return { parameters: fill(packing.parameters, packing.parameterCount), statistics: fill(packing.statistics, packing.statisticCount) };
}

export function unpackWeights(packing: Packing, { parameters, statistics }: PackedWeights): ReadonlyMap<string, Weights> {
  const weights = new Map<string, Record<string, { shape: Shape; data: Float32Array }>>();
  const read = (slots: readonly Slot[], vector: Float32Array): void => {
    for (const { node, name, shape, offset } of slots) {
      const own = weights.get(node) ?? {};
      own[name] = { shape, data: vector.slice(offset, offset + elements(shape)) };
      weights.set(node, own);
    }
  };
  read(packing.parameters, parameters);
  read(packing.statistics, statistics);
  return weights;
}

/** The slots of a vector on a tape, by node and name. */
export function unpackOnTape(tape: Tape, slots: readonly Slot[], vector: Value, into: Map<string, Record<string, Value>>): void {
  if (slots.length === 0) return;
  split(tape, vector, 0, slots.map((s) => elements(s.shape))).forEach((piece, i) => {
    const { node, name, shape } = slots[i]!;
    const own = into.get(node) ?? {};
    own[name] = reshape(tape, piece, shape);
    into.set(node, own);
  });
}
