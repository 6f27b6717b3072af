import { GraphError } from './errors.js';
import { constantChannels } from './constant-channels.js';
import { pruneDead } from './liveness.js';
import { isKind, type Weights } from './op.js';
import { elements, tensor } from './shape.js';
import type { Graph, Node, OpAttrs, Shape, Tensor } from './types.js';
import { inferShapes, verifyGraph } from './verify.js';

/** Output channels of a convolution or linear layer that went. */
export interface DeadChannels {
  readonly node: string;
  readonly dead: number;
  readonly of: number;
}

export interface Pruned {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Weights>;
  /** layers that lost channels, in order */
  readonly removed: readonly DeadChannels[];
}

/**
 * The network without channels that can't be seen in its output: those that are the same for every input (filters that are all zero,
 * negative before a ReLU), whose share of the next layer's sums goes into its bias, and those that no layer weighs. A channel goes through
 * depthwise convolutions, batch norms, activations, pools, sums and concatenations, and goes out of all of them at once; where one of them
 * mixes channels otherwise (attention, groups, slices, transpositions) it stays. A constant other than zero stays before padding too, which
 * it differs from. Every layer keeps a channel. The result computes the same, at finite values; input and output keep their shapes.
 *
 * @throws GraphError as `inferShapes`, and if weights are missing
 */
export function pruneDeadChannels(graph: Graph, weights: ReadonlyMap<string, Weights>): Pruned {
  const widths = layerWidths(graph);
  let pruned: { graph: Graph; weights: ReadonlyMap<string, Weights> } = { graph: verifyGraph(graph), weights };
  for (;;) {
    const shapes = inferShapes(pruned.graph);
    const constants = constantChannels(pruned.graph, pruned.weights, shapes);
    const kept = keptChannels(pruned.graph, pruned.weights, shapes, constants);
    if (kept === null) break;
    pruned = cut(pruned.graph, pruned.weights, shapes, constants, kept);
  }
  const after = layerWidths(pruned.graph);
  const removed = [...widths].flatMap(([node, of]): DeadChannels[] => (after.has(node) && after.get(node)! < of ? [{ node, dead: of - after.get(node)!, of }] : []));
  return { ...pruned, removed };
}

function layerWidths(graph: Graph): Map<string, number> {
  return new Map(graph.nodes.flatMap((n): [string, number][] => (isKind(n, 'conv2d') ? [[n.id, n.attrs.outChannels]] : isKind(n, 'linear') ? [[n.id, n.attrs.outFeatures]] : [])));
}

const isDepthwise = (node: Node<'conv2d'>, x: Shape): boolean => node.attrs.groups === x[1] && node.attrs.outChannels === x[1] && x[1]! > 1;
const ALIKE: ReadonlySet<string> = new Set(['batchNorm', 'activation', 'maxPool', 'avgPool', 'globalAvgPool', 'identity', 'quantizationNoise', 'resize', 'zeros']);
const BINARY: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'maximum']);

/** Sets of channels that go together, as a forest over all channels of all nodes. */
class Classes {
  private readonly parent: Int32Array;
  private readonly start = new Map<string, number>();
  private readonly stays: Uint8Array;

  constructor(graph: Graph, private readonly shapes: ReadonlyMap<string, Shape>) {
    let count = 0;
    for (const { id } of graph.nodes) {
      this.start.set(id, count);
      count += this.channels(id);
    }
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.stays = new Uint8Array(count);
  }

  channels(id: string): number {
    return this.shapes.get(id)![1] ?? 0;
  }

  private root(id: string, channel: number): number {
    let at = this.start.get(id)! + channel;
    while (this.parent[at] !== at) {
      this.parent[at] = this.parent[this.parent[at]!]!;
      at = this.parent[at]!;
    }
    return at;
  }

  join(a: string, channelA: number, b: string, channelB: number): void {
    const [ra, rb] = [this.root(a, channelA), this.root(b, channelB)];
    if (ra === rb) return;
    this.parent[ra] = rb;
    if (this.stays[ra] === 1) this.stays[rb] = 1;
  }

  keep(id: string, channel: number): void {
    this.stays[this.root(id, channel)] = 1;
  }

  keepAll(id: string): void {
    for (let c = 0; c < this.channels(id); c++) this.keep(id, c);
  }

  isKept(id: string, channel: number): boolean {
    return this.stays[this.root(id, channel)] === 1;
  }
}

/** Channels of every node that stay; null if all do. */
function keptChannels(
  graph: Graph, weights: ReadonlyMap<string, Weights>, shapes: ReadonlyMap<string, Shape>, constants: ReadonlyMap<string, Float64Array>,
): ReadonlyMap<string, readonly number[]> | null {
  const classes = new Classes(graph, shapes);
  for (const node of graph.nodes) couple(node, shapes, classes);
  graph.outputs.forEach((id) => classes.keepAll(id));
  for (const node of graph.nodes) {
    if (!mixes(node, shapes)) continue;
    const x = node.inputs[0]!;
    for (let c = 0; c < classes.channels(x); c++) if (!goesIntoBias(node, weights, c, constants.get(x)![c]!)) classes.keep(x, c);
  }
  for (const { id } of graph.nodes) {
    const n = classes.channels(id);
    if (n > 0 && !Array.from({ length: n }, (_, c) => classes.isKept(id, c)).includes(true)) classes.keep(id, 0);
  }
  const kept = new Map(graph.nodes.map(({ id }) => [id, Array.from({ length: classes.channels(id) }, (_, c) => c).filter((c) => classes.isKept(id, c))]));
  return graph.nodes.every(({ id }) => kept.get(id)!.length === classes.channels(id)) ? null : kept;
}

/** A layer whose outputs are weighted sums over all channels of its input: channels behind it are new ones. */
function mixes(node: Node, shapes: ReadonlyMap<string, Shape>): node is Node<'conv2d'> | Node<'linear'> {
  if (isKind(node, 'linear')) return shapes.get(node.id)!.length === 2;
  return isKind(node, 'conv2d') && node.attrs.groups === 1;
}

function couple(node: Node, shapes: ReadonlyMap<string, Shape>, classes: Classes): void {
  const own = classes.channels(node.id);
  const alike = (id: string, offset = 0): void => {
    for (let c = 0; c < classes.channels(id); c++) classes.join(id, c, node.id, offset + c);
  };
  const sameCount = node.inputs.every((id) => classes.channels(id) === own && shapes.get(id)!.length === shapes.get(node.id)!.length);
  if (mixes(node, shapes)) return;
  if (isKind(node, 'conv2d') && isDepthwise(node, shapes.get(node.inputs[0]!)!)) return alike(node.inputs[0]!);
  if (ALIKE.has(node.kind)) return alike(node.inputs[0]!);
  if (BINARY.has(node.kind) && sameCount) return node.inputs.forEach((id) => alike(id));
  if (isKind(node, 'concat') && (node.attrs.axis === 1 || node.attrs.axis === 1 - shapes.get(node.id)!.length)) {
    let offset = 0;
    for (const id of node.inputs) {
      alike(id, offset);
      offset += classes.channels(id);
    }
    return;
  }
  if (node.kind === 'flatten' && classes.channels(node.inputs[0]!) === own) return alike(node.inputs[0]!);
  classes.keepAll(node.id);
  node.inputs.forEach((id) => classes.keepAll(id));
}

const taps = (weight: Tensor): number => elements(weight.shape.slice(2));

/** Can a layer do without this channel of its input, given what the channel always is (NaN: it varies)? */
function goesIntoBias(node: Node<'conv2d'> | Node<'linear'>, weights: ReadonlyMap<string, Weights>, channel: number, value: number): boolean {
  if (value === 0) return true;
  const weight = weights.get(node.id)!['weight']!;
  const [rows, columns, size] = [weight.shape[0]!, weight.shape[1]!, taps(weight)];
  const padded = isKind(node, 'conv2d') && node.attrs.padding.some((p) => p > 0);
  if (!Number.isNaN(value) && !padded) return true;
  for (let o = 0; o < rows; o++) for (let t = 0; t < size; t++) if (weight.data[(o * columns + channel) * size + t] !== 0) return false;
  return true;
}

function rowsOf(t: Tensor, kept: readonly number[]): Tensor {
  const size = elements(t.shape.slice(1));
  const result = tensor([kept.length, ...t.shape.slice(1)]);
  kept.forEach((row, i) => result.data.set(t.data.subarray(row * size, (row + 1) * size), i * size));
  return result;
}

function columnsOf(t: Tensor, kept: readonly number[]): Tensor {
  const [rows, columns, size] = [t.shape[0]!, t.shape[1]!, taps(t)];
  const result = tensor([rows, kept.length, ...t.shape.slice(2)]);
  for (let o = 0; o < rows; o++) kept.forEach((c, i) => result.data.set(t.data.subarray((o * columns + c) * size, (o * columns + c + 1) * size), (o * kept.length + i) * size));
  return result;
}

/** What the channels that go add to each output of a layer. */
function shares(weight: Tensor, gone: readonly number[], values: Float64Array): Float64Array {
  const [rows, columns, size] = [weight.shape[0]!, weight.shape[1]!, taps(weight)];
  return Float64Array.from({ length: rows }, (_, o) => gone.reduce((sum, c) => {
    if (Number.isNaN(values[c]!) || values[c] === 0) return sum;
    for (let t = 0; t < size; t++) sum += values[c]! * weight.data[(o * columns + c) * size + t]!;
    return sum;
  }, 0));
}

function cut(
  graph: Graph, weights: ReadonlyMap<string, Weights>, shapes: ReadonlyMap<string, Shape>, constants: ReadonlyMap<string, Float64Array>, kept: ReadonlyMap<string, readonly number[]>,
): { graph: Graph; weights: ReadonlyMap<string, Weights> } {
  const cutWeights = new Map(weights);
  const nodes = graph.nodes.map((node): Node => {
    const mine = kept.get(node.id)!;
    const own = weights.get(node.id);
    if (mixes(node, shapes)) {
      const x = node.inputs[0]!;
      const gone = Array.from({ length: shapes.get(x)![1]! }, (_, c) => c).filter((c) => !kept.get(x)!.includes(c));
      const added = shares(own!['weight']!, gone, constants.get(x)!);
      const bias = node.attrs.bias || added.some((v) => v !== 0);
      const old = own!['bias']?.data;
      const whole = tensor([added.length], Float32Array.from(added, (v, o) => v + (old?.[o] ?? 0)));
      cutWeights.set(node.id, { weight: columnsOf(rowsOf(own!['weight']!, mine), kept.get(x)!), ...(bias && { bias: rowsOf(whole, mine) }) });
      return isKind(node, 'linear')
        ? { ...node, attrs: { outFeatures: mine.length, bias } satisfies OpAttrs['linear'] }
        : { ...node, attrs: { ...(node as Node<'conv2d'>).attrs, outChannels: mine.length, bias } };
    }
    if (mine.length === shapes.get(node.id)![1]) return node;
    if (isKind(node, 'conv2d') || isKind(node, 'batchNorm')) {
      if (own === undefined) throw GraphError.at(node, 'expected its weights, got none');
      cutWeights.set(node.id, Object.fromEntries(Object.entries(own).map(([name, t]) => [name, rowsOf(t, mine)])));
    }
    return isKind(node, 'conv2d') ? { ...node, attrs: { ...node.attrs, outChannels: mine.length, groups: mine.length } } : node;
  });
  const pruned = pruneDead(verifyGraph({ ...graph, nodes }));
  const live = new Set(pruned.nodes.map((n) => n.id));
  return { graph: pruned, weights: new Map([...cutWeights].filter(([id]) => live.has(id))) };
}
