/**
 * What runs when a graph is executed: dead nodes and additions of zero dropped, batch norms and activations merged
 * into the convolution before them, and nodes that only rename a tensor told apart from those that make one.
 */
import { countOps, elements, fusedInto, inferShapes, isKind, pruneDead, type ActivationFn, type Graph, type Node, type OpCounts, type OpKind, type Shape } from '@app/graph';
import { foldZeros } from './fold-zeros.js';
import type { OperatorClass, OperatorWork } from './roofline.js';
import type { Precision } from './types.js';

/** A node with the nodes that run as part of it. Its output is that of the last of them. */
export interface Unit {
  /** id of the node that leads it */
  readonly id: string;
  readonly node: Node;
  /** units it reads, each once */
  readonly inputs: readonly string[];
  readonly outputShape: Shape;
  readonly outputElements: number;
  /** hands its only input on under another name or shape */
  readonly view: boolean;
  /** may write its result over an input of the same size */
  readonly elementwise: boolean;
  /** activation that runs as part of it */
  readonly activation: ActivationFn | null;
  readonly macs: number;
  readonly params: number;
  readonly madds: number;
  /** operations that take time of their own: those of merged followers are hidden in the kernel */
  readonly elementOps: number;
  readonly weights: WeightCount;
}

export interface WeightCount {
  /** weights proper, stored at the precision */
  readonly elements: number;
  /** output channels with a bias, own or folded from a batch norm */
  readonly biases: number;
  /** output channels of convolutions and linear layers: one requantisation scale each in int8 */
  readonly channels: number;
  /** of these, channels of convolutions */
  readonly convChannels: number;
}

export interface ExecutionPlan {
  /** in the graph's order */
  readonly units: readonly Unit[];
  /** units whose tensors leave the network */
  readonly outputs: ReadonlySet<string>;
  /** false: a constant network, no input reaches an output */
  readonly dependsOnInput: boolean;
}

const plans = new WeakMap<Graph, ExecutionPlan>();

/**
 * `planExecution`, once a graph: a candidate is priced on several devices. A graph is a value that never changes, and the plan goes
 * when it goes.
 *
 * @throws GraphError if the graph breaks a rule
 */
export function planOnce(graph: Graph): ExecutionPlan {
  const known = plans.get(graph);
  if (known !== undefined) return known;
  const plan = planExecution(graph);
  plans.set(graph, plan);
  return plan;
}

/** @throws GraphError if the graph breaks a rule */
export function planExecution(graph: Graph): ExecutionPlan {
  const folded = foldZeros(graph);
  const live = pruneDead(folded.graph);
  // rules hold for what no output needs too
  if (live.nodes.length < graph.nodes.length) inferShapes(graph);
  const shapes = inferShapes(live);
  const counts = countOps(live, shapes);
  const fused = fusedInto(live, shapes);
  const unitOf = (id: string): string => fused.get(id) ?? id;
  const followers = new Map<string, Node[]>();
  for (const node of live.nodes) {
    const root = fused.get(node.id);
    if (root === undefined) continue;
    const known = followers.get(root);
    if (known === undefined) followers.set(root, [node]);
    else known.push(node);
  }
  const units: Unit[] = [];
  for (const node of live.nodes) {
    if (!fused.has(node.id)) units.push(unitFrom(node, followers.get(node.id) ?? NO_FOLLOWERS, unitOf, folded.zeros.has(node.id), shapes, counts));
  }
  const outputs = new Set(live.outputs.map(unitOf));
  return { units, outputs, dependsOnInput: dependsOnInput(units, outputs) };
}

const NO_FOLLOWERS: readonly Node[] = [];

function unitFrom(node: Node, followers: readonly Node[], unitOf: (id: string) => string, zero: boolean, shapes: ReadonlyMap<string, Shape>, counts: ReadonlyMap<string, OpCounts>): Unit {
  const own = counts.get(node.id)!;
  let { macs, params, madds } = own;
  for (const follower of followers) {
    const more = counts.get(follower.id)!;
    macs += more.macs;
    params += more.params;
    madds += more.madds;
  }
  const last = followers.at(-1);
  const outputShape = shapes.get((last ?? node).id)!;
  return {
    id: node.id,
    node,
    inputs: node.inputs.length === 1 ? [unitOf(node.inputs[0]!)] : [...new Set(node.inputs.map(unitOf))],
    outputShape,
    outputElements: elements(outputShape),
    view: VIEWS.has(node.kind),
    elementwise: ELEMENTWISE.has(node.kind),
    activation: activationOf(last),
    macs,
    params,
    madds,
    elementOps: own.elementOps,
    weights: zero ? NO_WEIGHTS : weightCount(node, followers, own),
  };
}

function activationOf(node: Node | undefined): ActivationFn | null {
  return node !== undefined && isKind(node, 'activation') ? node.attrs.fn : null;
}

const VIEWS: ReadonlySet<OpKind> = new Set<OpKind>(['identity', 'flatten', 'reshape', 'quantizationNoise']);
/** Read each element of an input once, before writing the same place. */
const ELEMENTWISE: ReadonlySet<OpKind> = new Set<OpKind>(['activation', 'batchNorm', 'add', 'sub', 'mul', 'maximum', 'channelAttention', 'softmax']);

const NO_WEIGHTS: WeightCount = { elements: 0, biases: 0, channels: 0, convChannels: 0 };

function weightCount(node: Node, followers: readonly Node[], own: OpCounts): WeightCount {
  if (!isKind(node, 'conv2d') && !isKind(node, 'linear')) return { elements: own.weightElements, biases: 0, channels: 0, convChannels: 0 };
  const channels = isKind(node, 'conv2d') ? node.attrs.outChannels : node.attrs.outFeatures;
  const ownBias = node.attrs.bias ? channels : 0;
  const biases = node.attrs.bias || followers.some((f) => f.kind === 'batchNorm') ? channels : 0;
  return { elements: own.weightElements - ownBias, biases, channels, convChannels: isKind(node, 'conv2d') ? channels : 0 };
}

function dependsOnInput(units: readonly Unit[], outputs: ReadonlySet<string>): boolean {
  const depends = new Set<string>();
  for (const unit of units) if (unit.node.kind === 'input' || unit.inputs.some((id) => depends.has(id))) depends.add(unit.id);
  return [...outputs].some((id) => depends.has(id));
}

export const BYTES_PER_ELEMENT: Readonly<Record<Precision, number>> = { fp32: 4, fp16: 2, int8: 1 };

/** Bytes of a unit's weights in storage; int8 keeps biases in 32 bits and a 32-bit scale for each output channel. */
export function weightBytes(weights: WeightCount, precision: Precision): number {
  const perElement = BYTES_PER_ELEMENT[precision];
  return weights.elements * perElement + (precision === 'int8' ? 4 * (weights.biases + weights.channels) : perElement * weights.biases);
}

/** B of the weights proper and of biases, in 32 bits for int8: what tools report as weights. Scales belong to the model's format. */
export function storedWeightBytes(weights: WeightCount, precision: Precision): number {
  const perElement = BYTES_PER_ELEMENT[precision];
  return weights.elements * perElement + (precision === 'int8' ? 4 : perElement) * weights.biases;
}

/** Null: it takes no time (inputs, constants, renamings). */
export function workOf(unit: Unit, inputElements: number, precision: Precision): OperatorWork | null {
  if (unit.view || unit.node.kind === 'input' || unit.node.kind === 'constant') return null;
  return {
    class: operatorClass(unit),
    macs: unit.macs,
    elementOps: unit.elementOps,
    elementClass: elementClass(unit.node.kind),
    activationBytes: (inputElements + unit.outputElements) * BYTES_PER_ELEMENT[precision],
    weightBytes: weightBytes(unit.weights, precision),
  };
}

function operatorClass({ node, macs, outputElements }: Unit): OperatorClass {
  if (isKind(node, 'conv2d')) {
    const { groups, kernel } = node.attrs;
    const area = kernel[0] * kernel[1];
    if (groups === 1) return area === 1 ? 'pointwise' : 'dense';
    // one input channel a group: the kernel's area a product for each output element
    return macs === outputElements * area ? 'depthwise' : 'grouped';
  }
  return node.kind === 'linear' ? 'linear' : elementClass(node.kind);
}

function elementClass(kind: OpKind): OperatorWork['elementClass'] {
  if (kind === 'maxPool' || kind === 'avgPool' || kind === 'globalAvgPool') return 'pool';
  return kind === 'channelAttention' ? 'attention' : 'elementwise';
}
