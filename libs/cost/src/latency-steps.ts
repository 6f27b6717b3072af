import { elements, inferShapes, isKind, pruneDead, type Graph, type Node, type OpKind, type Shape } from '@app/graph';
import { foldZeros } from './fold-zeros.js';
import type { RuntimeRules } from './latency-rules.js';
import { pushZeros } from './latency-zeros.js';

/** What an operator is to a kernel library. */
export type StepKind = 'dense' | 'pointwise' | 'depthwise' | 'grouped' | 'linear' | 'pool' | 'globalPool' | 'elementwise' | 'activation' | 'copy';

/** One kernel a runtime starts: an operator with what is fused into it. Sizes in elements, batch included. */
export interface Step {
  readonly kind: StepKind;
  /** id of the node that leads it */
  readonly id: string;
  readonly macs: number;
  readonly inputElements: number;
  readonly outputElements: number;
  readonly weightElements: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** taps of the window; 1 where there is none */
  readonly taps: number;
  readonly stride: number;
}

/**
 * The kernels a runtime with these rules starts for the network, in the graph's order.
 * @throws GraphError if the graph breaks a rule
 */
export function stepsOf(graph: Graph, rules: RuntimeRules): Step[] {
  const arranged = arrange(graph, rules);
  return launched(arranged, inferShapes(arranged), fusions(arranged, rules.fusion), rules.merge);
}

/**
 * As `stepsOf`, for several ways to fuse; the same list where they fuse alike.
 * @throws GraphError if the graph breaks a rule
 */
export function stepsByFusion(graph: Graph, ways: readonly RuntimeRules['fusion'][]): (readonly Step[])[] {
  const arranged = arrange(graph, { zeros: 'folded' });
  const shapes = inferShapes(arranged);
  const known = new Map<string, readonly Step[]>();
  return ways.map((fusion) => {
    const fused = fusions(arranged, fusion);
    const key = [...fused].join();
    const steps = known.get(key) ?? launched(arranged, shapes, fused, false);
    known.set(key, steps);
    return steps;
  });
}

/** @param fused  followers, each with the node it runs in */
function launched(arranged: Graph, shapes: ReadonlyMap<string, Shape>, fused: ReadonlyMap<string, string>, merge: boolean): Step[] {
  const last = new Map<string, string>();
  for (const [follower, root] of fused) last.set(root, follower);
  const seen = new Map<string, string>();
  const same = new Map<string, string>();
  const canonical = (id: string): string => same.get(id) ?? id;
  const steps: Step[] = [];
  for (const node of arranged.nodes) {
    if (fused.has(node.id)) continue;
    if (VIEWS.has(node.kind)) {
      same.set(node.id, canonical(node.inputs[0]!));
      continue;
    }
    if (node.kind === 'input' || node.kind === 'constant') continue;
    if (merge && MERGEABLE.has(node.kind)) {
      const key = `${node.kind}|${JSON.stringify(node.attrs)}|${node.inputs.map(canonical).join('|')}`;
      const twin = seen.get(key);
      if (twin !== undefined) {
        same.set(node.id, twin);
        continue;
      }
      seen.set(key, node.id);
    }
    steps.push(stepOf(node, node.inputs.map((id) => shapes.get(id)!), shapes.get(last.get(node.id) ?? node.id)!));
  }
  return steps;
}

/** Zeros as the runtime treats them, then what no output needs taken out. */
function arrange(graph: Graph, { zeros }: Pick<RuntimeRules, 'zeros'>): Graph {
  if (zeros === 'kept' || !graph.nodes.some((node) => node.kind === 'zeros')) return pruneDead(graph);
  return pruneDead(foldZeros(zeros === 'pushed' ? pushZeros(graph) : graph).graph);
}

const VIEWS: ReadonlySet<OpKind> = new Set<OpKind>(['identity', 'flatten', 'reshape', 'quantizationNoise']);
const MERGEABLE: ReadonlySet<OpKind> = new Set<OpKind>(['activation', 'maxPool', 'avgPool', 'globalAvgPool', 'zeros', 'slice', 'transpose', 'padChannels', 'resize', 'softmax']);

/** Operators of TensorFlow Lite files with a field for relu or relu6, besides convolutions and linear layers. */
const HOLDS_RELU: ReadonlySet<OpKind> = new Set<OpKind>(['add', 'sub', 'mul', 'maxPool', 'avgPool', 'concat']);

function isRelu(node: Node): boolean {
  return isKind(node, 'activation') && (node.attrs.fn === 'relu' || node.attrs.fn === 'relu6');
}

/** Follower → root of chains convolution or linear → batch norm → activation, and of a relu behind another operator, as far as the runtime merges them. */
function fusions(graph: Graph, fusion: RuntimeRules['fusion']): Map<string, string> {
  const fused = new Map<string, string>();
  if (fusion === 'none') return fused;
  const readers = new Map<string, number>();
  for (const node of graph.nodes) for (const id of node.inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  for (const id of graph.outputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const rootOf = (id: string): string => fused.get(id) ?? id;
  for (const node of graph.nodes) {
    if (node.kind !== 'batchNorm' && (node.kind !== 'activation' || fusion === 'batchNorm')) continue;
    const source = node.inputs[0]!;
    if (readers.get(source) !== 1) continue;
    const before = byId.get(source)!;
    const root = byId.get(rootOf(source))!;
    if (fusion === 'operators' && HOLDS_RELU.has(before.kind) && isRelu(node)) fused.set(node.id, before.id);
    if (root.kind !== 'conv2d' && root.kind !== 'linear') continue;
    // one batch norm, then one activation
    if (node.kind === 'batchNorm' ? before === root : before.kind !== 'activation') fused.set(node.id, root.id);
  }
  return fused;
}

function stepOf(node: Node, inputs: readonly Shape[], output: Shape): Step {
  const x = inputs[0] ?? output;
  const outputElements = elements(output);
  const step: { -readonly [K in keyof Step]: Step[K] } = {
    kind: OTHERS[node.kind] ?? 'elementwise', id: node.id, macs: 0, inputElements: inputs.reduce((sum, s) => sum + elements(s), 0), outputElements, weightElements: 0,
    inChannels: x[1] ?? 1, outChannels: output[1] ?? 1, outHeight: output[2] ?? 1, outWidth: output[3] ?? 1, taps: 1, stride: 1,
  };
  if (isKind(node, 'conv2d')) {
    const { groups, kernel, stride } = node.attrs;
    const taps = kernel[0] * kernel[1];
    const perOutput = (taps * x[1]!) / groups;
    step.kind = groups === 1 ? (taps === 1 ? 'pointwise' : 'dense') : groups === x[1] ? 'depthwise' : 'grouped';
    step.macs = outputElements * perOutput;
    step.weightElements = output[1]! * perOutput;
    step.taps = taps;
    step.stride = stride[0];
  } else if (isKind(node, 'linear')) {
    step.kind = 'linear';
    step.inChannels = x[x.length - 1]!;
    step.outChannels = output[output.length - 1]!;
    step.macs = outputElements * step.inChannels;
    step.weightElements = step.inChannels * step.outChannels;
  } else if (isKind(node, 'maxPool') || isKind(node, 'avgPool')) {
    const { kernel, stride } = node.attrs;
    // a window over the whole map, as exporters write global pooling
    const isGlobal = output[2] === 1 && output[3] === 1 && kernel[0] * kernel[1] > 9;
    step.kind = isGlobal ? 'globalPool' : 'pool';
    if (!isGlobal) {
      step.taps = kernel[0] * kernel[1];
      step.stride = stride[0];
    }
  }
  return step;
}

const OTHERS: Partial<Record<OpKind, StepKind>> = {
  globalAvgPool: 'globalPool', activation: 'activation', batchNorm: 'activation', zeros: 'activation', softmax: 'activation',
  concat: 'copy', slice: 'copy', padChannels: 'copy', transpose: 'copy', resize: 'copy',
};
