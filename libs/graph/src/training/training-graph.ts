/**
 * One step of training as a straight-line program: forward, loss, backward, batch-norm statistics and the optimizer's update.
 * State comes in and goes out as vectors, so whoever can run the program can train.
 */
import { GraphError } from '../errors.js';
import { isKind } from '../op.js';
import { elements } from '../shape.js';
import { add, concat, div, flat, max, min, mul, reshape, scale, shift, sqrt, sub, sum } from '../tape/arithmetic.js';
import { lower } from '../tape/lower.js';
import { rangeOf } from '../tape/quantizers.js';
import { Tape, type Program, type Value } from '../tape/tape.js';
import type { Graph, Shape } from '../types.js';
import { crossEntropy, faceOf } from './classifier.js';
import { annealingOf, lowerNetwork } from './lower-network.js';
import { packingOf, unpackOnTape, type Packing, type Slot } from './packing.js';
import type { Quantization } from './quantization.js';
import { withBatch } from './rebatch.js';

export interface StepRecipe {
  /** images a step */
  readonly batch: number;
  readonly optimizer:
    | { readonly kind: 'sgd'; readonly momentum: number; readonly nesterov: boolean }
    | { readonly kind: 'adamw'; readonly beta1: number; readonly beta2: number; readonly epsilon: number };
  /** ε: the target is (1 − ε)·target + ε / classes; 0 ≤ ε < 1 */
  readonly labelSmoothing: number;
  /** largest Euclidean norm of the whole gradient; null: unlimited */
  readonly clipNorm: number | null;
  /** share of the batch in the running statistics, as in PyTorch's `momentum` */
  readonly statisticsRate: number;
  /** decay of the average of weights and statistics over the steps; null: none is kept */
  readonly averageDecay: number | null;
  /** does quantisation noise act? (F-N3: for large networks only) */
  readonly noise: boolean;
  /** temperature that softmaxes over heads have while the input `annealing` is 1; at 0 it is their own, as it always is where that is higher; null: their own */
  readonly annealFrom?: number | null;
  /** trained as it will run */
  readonly quantization?: Quantization | undefined;
}

/** Vectors that a step reads and, under the same name, gives back changed. */
export interface StateVector {
  readonly name: 'parameters' | 'statistics' | 'velocity' | 'secondMoment' | 'averageParameters' | 'averageStatistics';
  readonly length: number;
}

export interface TrainingGraph {
  /**
   * Inputs: the state; `images` [N, …]; `targets` [N, classes], rows that sum to 1; scalars `learningRate`, `weightDecay` and for
   * AdamW `correction1` = 1 − β1ᵗ, `correction2` = 1 − β2ᵗ, for softmaxes over heads `annealing`. Outputs: the state, `loss` [], `logits` [N, classes], `gradientNorm` [].
   */
  readonly program: Program;
  readonly packing: Packing;
  readonly state: readonly StateVector[];
  readonly imageShape: Shape;
  readonly classes: number;
}

/**
 * Derives the training step of a classifier by reverse-mode differentiation.
 *
 * SGD as PyTorch has it: v ← μ·v + g, w ← w − η·v, with Nesterov w ← w − η·(g + μ·v); decay is part of g. AdamW: Loshchilov &
 * Hutter 2019, alg. 2, decay scaled by the learning rate. Only slots marked `decayed` decay.
 *
 * @param graph  batch 1, one input, one output [1, classes]
 * @throws GraphError if it has other inputs or outputs, no trained weights, or an operator that can't be trained
 */
export function trainingGraph(graph: Graph, recipe: StepRecipe): TrainingGraph {
  const net = withBatch(graph, recipe.batch);
  const { input, output, classes, imageShape } = faceOf(net);
  const packing = packingOf(net, recipe.quantization);
  if (packing.parameterCount === 0) throw GraphError.of(graph.name, 'expected weights that can be trained, got none');
  const tape = new Tape();
  const state: StateVector[] = [];
  const vector = (name: StateVector['name'], length: number): Value => {
    state.push({ name, length });
    return tape.input(name, [length]);
  };
  const parameters = vector('parameters', packing.parameterCount);
  const statistics = packing.statisticCount === 0 ? null : vector('statistics', packing.statisticCount);
  const images = tape.input('images', imageShape);
  const targets = tape.input('targets', [recipe.batch, classes]);

  const weights = new Map<string, Record<string, Value>>();
  unpackOnTape(tape, packing.parameters, parameters, weights);
  if (statistics !== null) unpackOnTape(tape, packing.statistics, statistics, weights);
  const lowered = lower(tape, recipe.noise ? net : withoutNoise(net), new Map([[input, images]]), weights, { training: true, quantization: recipe.quantization, annealing: annealingOf(tape, net, recipe.annealFrom ?? null) });
  const logits = lowered.values.get(output)!;
  const { loss, dLogits } = crossEntropy(tape, logits, targets, recipe.labelSmoothing);
  const gradients = lowered.backward(new Map([[output, dLogits]])).weights;
  const raw = packOnTape(tape, packing.parameters, (slot) => gradients.get(slot.node)?.[slot.name] ?? null);
  const gradientNorm = sqrt(tape, reshape(tape, sum(tape, mul(tape, raw, raw), [0]), []));
  const gradient = recipe.clipNorm === null ? raw : mul(tape, raw, min(tape, div(tape, tape.scalar(recipe.clipNorm), shift(tape, gradientNorm, 1e-6)), tape.scalar(1)));

  const outputs: Record<string, Value> = { loss, logits, gradientNorm, ...updated(tape, recipe, packing, parameters, gradient, vector) };
  if (statistics !== null) {
    const seen = packOnTape(tape, packing.statistics, (slot) => lowered.statistics.get(slot.node)?.[slot.name] ?? weights.get(slot.node)![slot.name]!);
    outputs['statistics'] = mixed(tape, statistics, seen, 1 - recipe.statisticsRate);
  }
  if (recipe.averageDecay !== null) {
    outputs['averageParameters'] = mixed(tape, vector('averageParameters', packing.parameterCount), outputs['parameters']!, recipe.averageDecay);
    if (statistics !== null) outputs['averageStatistics'] = mixed(tape, vector('averageStatistics', packing.statisticCount), outputs['statistics']!, recipe.averageDecay);
  }
  return { program: tape.program(`${graph.name} training step`, outputs), packing, state, imageShape, classes };
}

export interface InferenceProgram {
  readonly program: Program;
  readonly packing: Packing;
  readonly imageShape: Shape;
  readonly classes: number;
}

/** The forward pass at inference with weights as inputs: `parameters`, `statistics` and `images` in, `logits` out; `annealing` as in training, if asked for. */
export function inferenceProgram(graph: Graph, batch: number, quantization?: Quantization, annealFrom: number | null = null): InferenceProgram {
  const { tape, packing, output, face, lowered } = lowerNetwork(graph, batch, false, quantization, annealFrom);
  return { ...face, program: tape.program(`${graph.name} inference`, { logits: lowered.values.get(output)! }), packing };
}

/**
 * What a batch says of the ranges of quantised inputs: `low` and `high`, one each for the layers that `layers` lists, from the network as
 * it is, not quantised. Inputs as of `inferenceProgram`.
 *
 * @throws GraphError if no input has a range to be found
 */
export function rangesProgram(graph: Graph, batch: number, quantization: Quantization, annealFrom: number | null = null): InferenceProgram & { readonly layers: readonly string[] } {
  const { tape, net, packing, face, lowered } = lowerNetwork(graph, batch, false, undefined, annealFrom);
  const layers = net.nodes.filter(({ id }) => quantization.get(id)?.input?.kind === 'affine' && lowered.values.has(id));
  if (layers.length === 0) throw GraphError.of(graph.name, 'expected inputs that are quantised over their range, got none');
  const ranges = layers.map((node) => rangeOf(tape, lowered.values.get(node.inputs[0]!)!));
  const outputs = { low: concat(tape, ranges.map((r) => r.low), 0), high: concat(tape, ranges.map((r) => r.high), 0) };
  return { ...face, program: tape.program(`${graph.name} ranges`, outputs), packing, layers: layers.map((n) => n.id) };
}

/**
 * What a batch says of the weights that are estimated, packed: `statistics` from `parameters`, `statistics` and `images`, batch norms by
 * the batch, without quantisation noise. Their mean over some batches is what inference wants of weights that were changed since
 * (Yu & Huang 2019, Universally Slimmable Networks, § 3.2).
 *
 * @throws GraphError if no weight is estimated
 */
export function statisticsProgram(graph: Graph, batch: number, quantization?: Quantization): InferenceProgram {
  const { tape, packing, weights, face, lowered } = lowerNetwork(withoutNoise(graph), batch, true, quantization);
  if (packing.statisticCount === 0) throw GraphError.of(graph.name, 'expected weights that are estimated, got none');
  const statistics = packOnTape(tape, packing.statistics, (slot) => lowered.statistics.get(slot.node)?.[slot.name] ?? weights.get(slot.node)![slot.name]!);
  return { ...face, program: tape.program(`${graph.name} statistics`, { statistics }), packing };
}

const withoutNoise = (net: Graph): Graph => ({ ...net, nodes: net.nodes.map((node) => (isKind(node, 'quantizationNoise') ? { ...node, attrs: { levels: 2 ** 32 } } : node)) });

/** A vector out of pieces; zeros where a slot has none (its node does not reach the loss). */
function packOnTape(tape: Tape, slots: readonly Slot[], piece: (slot: Slot) => Value | null): Value {
  return concat(tape, slots.map((slot) => flat(tape, piece(slot) ?? tape.constant(slot.shape, new Float32Array(elements(slot.shape))))), 0);
}

/** keep·a + (1 − keep)·b */
const mixed = (tape: Tape, a: Value, b: Value, keep: number): Value => add(tape, scale(tape, a, keep), scale(tape, b, 1 - keep));

function updated(tape: Tape, { optimizer }: StepRecipe, { parameters: slots, parameterCount }: Packing, w: Value, g: Value, vector: (name: StateVector['name'], length: number) => Value): Record<string, Value> {
  const rate = tape.input('learningRate', []);
  const decay = tape.input('weightDecay', []);
  const mask = new Float32Array(parameterCount);
  for (const { offset, shape, decayed } of slots) if (decayed) mask.fill(1, offset, offset + elements(shape));
  const decayed = mul(tape, decay, mul(tape, w, tape.constant([parameterCount], mask)));
  if (optimizer.kind === 'sgd') {
    const whole = add(tape, g, decayed);
    const velocity = add(tape, scale(tape, vector('velocity', parameterCount), optimizer.momentum), whole);
    const along = optimizer.nesterov ? add(tape, whole, scale(tape, velocity, optimizer.momentum)) : velocity;
    return { parameters: sub(tape, w, mul(tape, rate, along)), velocity };
  }
  const { beta1, beta2, epsilon } = optimizer;
  const [correction1, correction2] = [tape.input('correction1', []), tape.input('correction2', [])];
  const velocity = mixed(tape, vector('velocity', parameterCount), g, beta1);
  const secondMoment = mixed(tape, vector('secondMoment', parameterCount), mul(tape, g, g), beta2);
  const spread = shift(tape, sqrt(tape, max(tape, div(tape, secondMoment, correction2), tape.scalar(0))), epsilon);
  const along = add(tape, div(tape, div(tape, velocity, correction1), spread), decayed);
  return { parameters: sub(tape, w, mul(tape, rate, along)), velocity, secondMoment };
}
