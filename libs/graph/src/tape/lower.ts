import { GraphError, withNode } from '../errors.js';
import { liveNodes } from '../liveness.js';
import type { Annealing, Differentiated } from '../op.js';
import { opOf } from '../ops/index.js';
import type { Graph, Node, Shape } from '../types.js';
import { inferShapes } from '../verify.js';
import type { LayerQuantization, Quantization } from '../training/quantization.js';
import { add, expand } from './arithmetic.js';
import { quantizeActivation, quantizeWeight, rangeOf } from './quantizers.js';
import type { Tape, Value } from './tape.js';

/** Weights of a graph on a tape, by node and name. */
export type TapeWeights = ReadonlyMap<string, Readonly<Record<string, Value>>>;

export interface Lowered {
  /** tensor of each node that an output depends on, the batch norms' and noise's rules applied */
  readonly values: ReadonlyMap<string, Value>;
  /** what the batch says of weights that are estimated, by node and name */
  readonly statistics: TapeWeights;
  /**
   * Reverse mode: from the gradients of a scalar by some nodes to those by all weights that are trained, and by the inputs.
   * Each node's gradient is the sum over its readers (Griewank & Walther 2008, Evaluating Derivatives, § 3.2).
   */
  backward(seeds: ReadonlyMap<string, Value>): { readonly weights: TapeWeights; readonly inputs: ReadonlyMap<string, Value> };
}

export interface LowerOptions {
  /** batch norm by batch statistics, quantisation noise on */
  readonly training: boolean;
  /** fake-quantised weights and inputs of these layers; ranges are the weights `inputLow` and `inputHigh` of the layer */
  readonly quantization?: Quantization | undefined;
  readonly annealing?: Annealing | null | undefined;
}

/**
 * Writes the live part of a graph onto a tape.
 *
 * @param inputs  tensor of each live input node, of its shape
 * @throws GraphError naming the node that lacks an input or can't be trained
 */
export function lower(tape: Tape, graph: Graph, inputs: ReadonlyMap<string, Value>, weights: TapeWeights, { training, quantization, annealing = null }: LowerOptions): Lowered {
  const shapes = inferShapes(graph);
  const live = liveNodes(graph);
  const nodes = graph.nodes.filter((node) => live.has(node.id));
  const values = new Map<string, Value>();
  const rules = new Map<string, Differentiated>();
  const statistics = new Map<string, Readonly<Record<string, Value>>>();
  for (const node of nodes) {
    if (node.kind === 'input') {
      const value = inputs.get(node.id);
      if (value === undefined) throw GraphError.at(node, 'expected a tensor for the input, got none');
      values.set(node.id, value);
      continue;
    }
    const rule = written(tape, node, values, weights, { output: shapes.get(node.id)!, training, annealing }, quantization?.get(node.id));
    rules.set(node.id, rule);
    values.set(node.id, rule.output);
    if (rule.statistics !== undefined) statistics.set(node.id, rule.statistics);
  }
  return { values, statistics, backward: (seeds) => backward(tape, nodes, rules, shapes, seeds) };
}

function written(tape: Tape, node: Node, values: ReadonlyMap<string, Value>, weights: TapeWeights, where: { readonly output: Shape; readonly training: boolean; readonly annealing: Annealing | null }, layer?: LayerQuantization): Differentiated {
  const inputs = node.inputs.map((id) => values.get(id)!);
  const own = weights.get(node.id) ?? {};
  const rule = (x: readonly Value[], w: Readonly<Record<string, Value>>): Differentiated => withNode(node, () => opOf(node).differentiate({ tape, attrs: node.attrs, inputs: x, weights: w, ...where }));
  return layer === undefined ? rule(inputs, own) : quantized(tape, inputs, own, where.training, layer, rule);
}

/** The layer between its quantisers. In training the range is that of the batch, which also goes into the running one. */
function quantized(tape: Tape, [x, ...rest]: readonly Value[], weights: Readonly<Record<string, Value>>, training: boolean, layer: LayerQuantization, rule: (x: readonly Value[], w: Readonly<Record<string, Value>>) => Differentiated): Differentiated {
  const observed = layer.input?.kind === 'affine';
  const range = !observed ? null : training ? rangeOf(tape, x!) : { low: weights['inputLow']!, high: weights['inputHigh']! };
  const input = layer.input === null ? null : quantizeActivation(tape, layer.input, x!, range);
  const weight = layer.weights === null ? null : quantizeWeight(tape, layer.weights, weights['weight']!);
  const inner = rule([input?.value ?? x!, ...rest], weight === null ? weights : { ...weights, weight: weight.value });
  return {
    output: inner.output,
    backward: (dy) => {
      const { inputs: [dx, ...others], weights: gradients } = inner.backward(dy);
      return {
        inputs: [dx === null || dx === undefined || input === null ? dx ?? null : input.backward(dx), ...others],
        ...(gradients !== undefined && { weights: weight === null ? gradients : { ...gradients, weight: weight.backward(gradients['weight']!) } }),
      };
    },
    ...(observed && training && { statistics: { inputLow: range!.low, inputHigh: range!.high } }),
  };
}

function backward(tape: Tape, nodes: readonly Node[], rules: ReadonlyMap<string, Differentiated>, shapes: ReadonlyMap<string, Shape>, seeds: ReadonlyMap<string, Value>): ReturnType<Lowered['backward']> {
  const due = new Map(seeds);
  const weights = new Map<string, Readonly<Record<string, Value>>>();
  const inputs = new Map<string, Value>();
  for (const node of [...nodes].reverse()) {
    const dy = due.get(node.id);
    if (dy === undefined) continue;
    const full = expand(tape, dy, shapes.get(node.id)!);
    if (node.kind === 'input') {
      inputs.set(node.id, full);
      continue;
    }
    const gradients = rules.get(node.id)!.backward(full);
    if (gradients.weights !== undefined) weights.set(node.id, gradients.weights);
    gradients.inputs.forEach((gradient, i) => {
      if (gradient === null) return;
      const source = node.inputs[i]!;
      const before = due.get(source);
      due.set(source, before === undefined ? gradient : add(tape, before, gradient));
    });
  }
  return { weights, inputs };
}
