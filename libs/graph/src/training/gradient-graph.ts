import { GraphError } from '../errors.js';
import { liveNodes } from '../liveness.js';
import { elements } from '../shape.js';
import { concat, equal, expand, flat, mul, reshape, scale, step, sub, sum } from '../tape/arithmetic.js';
import { inferShapes } from '../verify.js';
import type { Program, Tape, Value } from '../tape/tape.js';
import type { Graph, Shape } from '../types.js';
import { crossEntropy } from './classifier.js';
import { lowerNetwork } from './lower-network.js';
import type { Packing } from './packing.js';

export interface ProbeGraph {
  readonly program: Program;
  readonly packing: Packing;
  readonly imageShape: Shape;
  readonly classes: number;
}

/**
 * Gradient by all weights, packed: `gradient` [P] and `score` [], from `parameters`, `statistics`, `images` and, for the loss, `targets`.
 *
 * loss: mean cross-entropy, batch norm by the batch. sum: sum of the logits times the input `weight` [], batch norm by its statistics.
 */
export function gradientGraph(graph: Graph, batch: number, of: 'loss' | 'sum'): ProbeGraph {
  const { tape, lowered, output, face, packing } = lowerNetwork(graph, batch, of === 'loss');
  const logits = lowered.values.get(output)!;
  const { loss: score, dLogits } = of === 'loss' ? crossEntropy(tape, logits, tape.input('targets', logits.shape), 0) : weightedSum(tape, logits);
  const gradients = lowered.backward(new Map([[output, dLogits]])).weights;
  const pieces = packing.parameters.map(({ node, name, shape }) => flat(tape, gradients.get(node)?.[name] ?? tape.constant(shape, new Float32Array(elements(shape)))));
  return { ...face, packing, program: tape.program(`${graph.name} gradient`, { score, gradient: concat(tape, pieces, 0) }) };
}

/**
 * How alike the images of a batch switch the network's units: `agreement` [N, N], the number of units at which two images are on the
 * same side of an activation's corner or choose the same head (Mellor et al. 2021, Neural Architecture Search without Training, eq. 2).
 *
 * Units are the inputs of piecewise activations (relu, relu6, hard swish, leaky relu: side of 0) and the heads of max-outs.
 * @throws GraphError if there are none
 */
export function switchingGraph(graph: Graph, batch: number): ProbeGraph & { readonly units: number } {
  const { tape, net, lowered, face, packing } = lowerNetwork(graph, batch, true);
  const live = liveNodes(net);
  const codes: Value[] = [];
  for (const node of net.nodes) {
    if (!live.has(node.id)) continue;
    const x = lowered.values.get(node.inputs[0] ?? '');
    if (x === undefined) continue;
    const { fn, reduction, heads } = node.attrs as { fn?: string; reduction?: string; heads?: number };
    if (node.kind === 'activation' && SWITCHING.has(fn!)) codes.push(flatImages(tape, step(tape, x)));
    if (node.kind === 'headReduce' && reduction !== 'sum-relu' && heads! > 1) codes.push(flatImages(tape, chosenHeads(tape, x, heads!)));
  }
  if (codes.length === 0) throw GraphError.of(graph.name, 'expected activations with a corner or max-outs, got none');
  const units = codes.reduce((total, c) => total + c.shape[1]!, 0);
  // ±1 codes: their product counts agreements less disagreements
  const signs = codes.map((c) => sub(tape, scale(tape, c, 2), tape.scalar(1)));
  const products = signs.map((s) => tape.op('FusedMatMul', [s, s], [batch, batch], { transA: { int: 0 }, transB: { int: 1 } }));
  let total = products[0]!;
  for (const p of products.slice(1)) total = tape.op('Add', [total, p], [batch, batch]);
  const agreement = scale(tape, tape.op('Add', [total, tape.scalar(units)], [batch, batch]), 0.5);
  return { ...face, packing, units, program: tape.program(`${graph.name} switching`, { agreement }) };
}

/**
 * Gradient of the sum of all logits of a batch by its images: `gradient` [N, C, H, W], from `parameters`, `statistics` and `images`; batch norm by the batch.
 */
export function imageGradientGraph(graph: Graph, batch: number): ProbeGraph {
  const { tape, net, lowered, output, face, packing } = lowerNetwork(graph, batch, true);
  const { shape } = lowered.values.get(output)!;
  const { inputs } = lowered.backward(new Map([[output, tape.constant(shape, new Float32Array(elements(shape)).fill(1))]]));
  const [gradient] = inputs.values();
  if (gradient === undefined) throw GraphError.of(net.name, 'expected an output that depends on the input, got none');
  return { ...face, packing, program: tape.program(`${graph.name} image gradient`, { gradient: flatImages(tape, gradient) }) };
}

/**
 * The last feature map before the network is pooled to a vector: `features` [N, C·H·W], and `variances` [K], of each of its K batch norms the mean over
 * channels of the batch's variance; from `parameters`, `statistics` and `images`, batch norm by the batch. Walked to from the output, along first inputs.
 *
 * @throws GraphError if the network has no map of more than one place, or no batch norm before it
 */
export function featureGraph(graph: Graph, batch: number): ProbeGraph {
  const { tape, net, lowered, output, face, packing } = lowerNetwork(graph, batch, true);
  const shapes = inferShapes(net);
  const isMap = (id: string): boolean => shapes.get(id)!.length === 4 && elements(shapes.get(id)!.slice(2)) > 1;
  let at = output;
  while (!isMap(at)) {
    const before = net.nodes.find((n) => n.id === at)!.inputs[0];
    if (before === undefined) throw GraphError.of(net.name, 'expected a feature map of more than one place, got none');
    at = before;
  }
  const live = liveNodes({ ...net, outputs: [at] });
  const variances = net.nodes.flatMap((node) => {
    const variance = node.kind === 'batchNorm' && live.has(node.id) ? lowered.statistics.get(node.id)?.['variance'] : undefined;
    return variance === undefined ? [] : [scale(tape, reshape(tape, sum(tape, flat(tape, variance), [0]), [1]), 1 / elements(variance.shape))];
  });
  if (variances.length === 0) throw GraphError.of(net.name, 'expected batch norms before the last feature map, got none');
  return { ...face, packing, program: tape.program(`${graph.name} features`, { features: flatImages(tape, lowered.values.get(at)!), variances: concat(tape, variances, 0) }) };
}

function weightedSum(tape: Tape, logits: Value): ReturnType<typeof crossEntropy> {
  const weight = tape.input('weight', []);
  return { loss: mul(tape, reshape(tape, sum(tape, logits, [0, 1]), []), weight), dLogits: expand(tape, weight, logits.shape) };
}

const SWITCHING: ReadonlySet<string> = new Set(['relu', 'relu6', 'hswish', 'leaky-relu', 'prelu-shared']);

const flatImages = (tape: Tape, x: Value): Value => reshape(tape, x, [x.shape[0]!, elements(x.shape.slice(1))]);

function chosenHeads(tape: Tape, x: Value, heads: number): Value {
  const [n, channels, ...plane] = x.shape as [number, number, ...number[]];
  const headed = reshape(tape, x, [n, channels / heads, heads, elements(plane)]);
  return equal(tape, headed, tape.op('ReduceMax', [headed], [n, channels / heads, 1, elements(plane)], { axes: { ints: [2] }, keepdims: { int: 1 } }));
}
