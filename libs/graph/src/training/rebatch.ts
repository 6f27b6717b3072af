import { GraphError } from '../errors.js';
import { isKind } from '../op.js';
import type { Graph, Node } from '../types.js';
import { inferShapes, verifyGraph } from '../verify.js';

/**
 * The same network for n images at a time. Inputs take the batch on axis 0, and so does a reshape whose first dimension is the batch.
 *
 * @param graph  of batch 1
 * @throws GraphError if an input has another batch, or an operator mixes the images (a node's shape does not follow)
 */
export function withBatch(graph: Graph, n: number): Graph {
  if (!Number.isSafeInteger(n) || n < 1) throw GraphError.of(graph.name, `expected a batch of at least 1, got ${n}`);
  const before = inferShapes(graph);
  const nodes = graph.nodes.map((node): Node => {
    if (isKind(node, 'input')) {
      if (node.attrs.shape[0] !== 1) throw GraphError.at(node, `expected an input of batch 1, got ${node.attrs.shape[0]}`);
      return { ...node, attrs: { shape: [n, ...node.attrs.shape.slice(1)] } };
    }
    if (isKind(node, 'reshape') && before.get(node.id)![0] === 1 && before.get(node.inputs[0]!)![0] === 1) {
      return { ...node, attrs: { shape: [n, ...before.get(node.id)!.slice(1)] } };
    }
    return node;
  });
  const batched = verifyGraph({ ...graph, nodes });
  const after = inferShapes(batched);
  for (const id of graph.outputs) {
    const [was, is] = [before.get(id)!, after.get(id)!];
    if (is[0] !== n * was[0]! || is.slice(1).join() !== was.slice(1).join()) {
      throw GraphError.of(graph.name, `expected output "${id}" to grow from [${was.join(', ')}] to a batch of ${n}, got [${is.join(', ')}]`);
    }
  }
  return batched;
}
