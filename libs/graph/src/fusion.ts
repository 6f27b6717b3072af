import { GraphError } from './errors.js';
import { consumersOf } from './liveness.js';
import { isKind, type Weights } from './op.js';
import { elements, tensor } from './shape.js';
import type { Graph, Node, OpAttrs, Shape } from './types.js';
import { inferShapes } from './verify.js';

/**
 * Nodes that run as part of an earlier one, by id: in chains convolution or linear → batch norm → activation (either may be
 * missing) the batch norm and the activation map to the convolution. A value that something else reads too, or that is an
 * output, ends the chain.
 *
 * @param shapes  of its nodes, where they are known
 */
export function fusedInto(graph: Graph, shapes: ReadonlyMap<string, Shape> = inferShapes(graph)): ReadonlyMap<string, string> {
  const consumers = consumersOf(graph);
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const outputs = new Set(graph.outputs);
  const onlyConsumer = (id: string): Node | null => {
    const readers = consumers.get(id)!;
    return readers.length === 1 && !outputs.has(id) ? byId.get(readers[0]!)! : null;
  };
  // batch norm works on axis 1, a linear layer on the last: the same one only for [N, C]
  const folds = (root: Node): boolean => root.kind === 'conv2d' || shapes.get(root.id)!.length === 2;
  const fused = new Map<string, string>();
  for (const root of graph.nodes) {
    if (root.kind !== 'conv2d' && root.kind !== 'linear') continue;
    let next = onlyConsumer(root.id);
    if (next?.kind === 'batchNorm' && folds(root)) {
      fused.set(next.id, root.id);
      next = onlyConsumer(next.id);
    }
    if (next?.kind === 'activation') fused.set(next.id, root.id);
  }
  return fused;
}


/** Weight [O, …] and bias of a convolution or linear layer with the batch norm behind it taken in (F-W2): W·a, (b − mean)·a + shift, a = scale / √(variance + ε). */
function foldedWeights(own: Weights, norm: Weights, epsilon: number): Weights {
  const weight = own['weight']!;
  const channels = weight.shape[0]!;
  const perChannel = elements(weight.shape) / channels;
  const a = Float64Array.from({ length: channels }, (_, c) => norm['scale']!.data[c]! / Math.sqrt(norm['variance']!.data[c]! + epsilon));
  const bias = Float32Array.from(a, (scale, c) => ((own['bias']?.data[c] ?? 0) - norm['mean']!.data[c]!) * scale + norm['shift']!.data[c]!);
  return { weight: tensor(weight.shape, weight.data.map((w, i) => w * a[Math.floor(i / perChannel)]!)), bias: tensor([channels], bias) };
}

function withBias(node: Node): Node {
  return { ...node, attrs: { ...node.attrs, bias: true } as OpAttrs['conv2d'] | OpAttrs['linear'] };
}

/**
 * Takes every batch norm that follows a convolution or linear layer directly (`fusedInto`) into its weights and bias.
 * The result computes the same at inference. The layer keeps its id; where the batch norm was an output, the layer is now.
 *
 * @throws GraphError if weights of a folded pair are missing
 */
export function foldBatchNorm(graph: Graph, weights: ReadonlyMap<string, Weights>): { graph: Graph; weights: ReadonlyMap<string, Weights> } {
  const fused = fusedInto(graph);
  const rootOf = new Map(graph.nodes.filter((node) => node.kind === 'batchNorm' && fused.has(node.id)).map((node) => [node.id, fused.get(node.id)!]));
  const roots = new Set(rootOf.values());
  const target = (id: string): string => rootOf.get(id) ?? id;
  const folded = new Map(weights);
  for (const node of graph.nodes) {
    if (!isKind(node, 'batchNorm') || !rootOf.has(node.id)) continue;
    const root = target(node.id);
    const [own, norm] = [weights.get(root), weights.get(node.id)];
    if (own === undefined || norm === undefined) throw GraphError.at(node, `expected weights of it and of "${root}" to fold, got none`);
    folded.set(root, foldedWeights(own, norm, node.attrs.epsilon));
    folded.delete(node.id);
  }
  const nodes = graph.nodes
    .filter((node) => !rootOf.has(node.id))
    .map((node) => ({ ...(roots.has(node.id) ? withBias(node) : node), inputs: node.inputs.map(target) }));
  return { graph: { ...graph, nodes, outputs: graph.outputs.map(target) }, weights: folded };
}
