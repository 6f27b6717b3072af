import { GraphError, withNode } from './errors.js';
import { liveNodes } from './liveness.js';
import type { Weights } from './op.js';
import { opOf } from './ops/index.js';
import { elements, sameShape, showShape } from './shape.js';
import type { Graph, Node, Shape, Tensor } from './types.js';
import { inferShapes } from './verify.js';

/**
 * Reference interpreter: runs the graph in its order and returns the outputs by id. Plain loops, double-precision sums, so
 * that exports and fast kernels have something to be compared with. Batch norm uses its running statistics.
 *
 * @param weights per node with weights; see `weightsOf` for names and shapes
 * @param inputs  one tensor for each input node that an output depends on
 * @throws GraphError on missing or misshapen weights and inputs, and on `opaque` nodes
 */
export function evaluate(graph: Graph, weights: ReadonlyMap<string, Weights>, inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return evaluateNodes(graph, weights, inputs, () => undefined);
}

/** The same, with a look at each node and its operands before it runs; its weights are read after that. */
export function evaluateNodes(
  graph: Graph, weights: ReadonlyMap<string, Weights>, inputs: ReadonlyMap<string, Tensor>, before: (node: Node, operands: readonly Tensor[]) => void,
): ReadonlyMap<string, Tensor> {
  const shapes = inferShapes(graph);
  const live = liveNodes(graph);
  const pending = new Map<string, number>();
  for (const node of graph.nodes) if (live.has(node.id)) for (const id of node.inputs) pending.set(id, (pending.get(id) ?? 0) + 1);
  for (const id of graph.outputs) pending.set(id, Infinity);

  const values = new Map<string, Tensor>();
  for (const node of graph.nodes) {
    if (!live.has(node.id)) continue;
    before(node, node.inputs.map((id) => values.get(id)!));
    values.set(node.id, valueOf(node, shapes, weights, inputs, values));
    for (const id of node.inputs) {
      const left = pending.get(id)! - 1;
      pending.set(id, left);
      if (left === 0) values.delete(id);
    }
  }
  return new Map(graph.outputs.map((id) => [id, values.get(id)!]));
}

function valueOf(node: Node, shapes: ReadonlyMap<string, Shape>, weights: ReadonlyMap<string, Weights>, inputs: ReadonlyMap<string, Tensor>, values: ReadonlyMap<string, Tensor>): Tensor {
  const shape = shapes.get(node.id)!;
  if (node.kind === 'input') return expectTensor(node, 'a value', inputs.get(node.id), shape);
  const op = opOf(node);
  const specs = op.weights(node.attrs, node.inputs.map((id) => shapes.get(id)!));
  const own = weights.get(node.id) ?? {};
  for (const spec of specs) expectTensor(node, `weight "${spec.name}"`, own[spec.name], spec.shape);
  return withNode(node, () => op.evaluate(node.attrs, node.inputs.map((id) => values.get(id)!), own, shape));
}

function expectTensor(node: Node, what: string, value: Tensor | undefined, shape: Shape): Tensor {
  if (value === undefined) throw GraphError.at(node, `expected ${what} of shape ${showShape(shape)}, got none`);
  if (!sameShape(value.shape, shape) || value.data.length !== elements(shape)) {
    throw GraphError.at(node, `expected ${what} of shape ${showShape(shape)}, got ${showShape(value.shape)} with ${value.data.length} values`);
  }
  return value;
}
