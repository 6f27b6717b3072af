import { GraphError } from '../errors.js';
import { isKind } from '../op.js';
import { weightsOf } from '../initial-weights.js';
import type { Graph, Node, Shape } from '../types.js';
import { inferNode, inferShapes, verifyGraph } from '../verify.js';

/**
 * The same network, with the same weights, for smaller images: both sides of its inputs [1, C, H, W] times the root of the share, rounded, so that about that share
 * of its multiply-accumulates is left. A reshape that keeps the last two dimensions of what it takes keeps them.
 *
 * @param share  of the pixels, 0 < share ≤ 1
 * @throws GraphError if a weight or an output would have another shape: the network is made for one resolution
 */
export function atResolution(graph: Graph, share: number): Graph {
  if (!(share > 0 && share <= 1)) throw GraphError.of(graph.name, `expected a share of the pixels above 0 and up to 1, got ${share}`);
  const before = inferShapes(graph);
  const after = new Map<string, Shape>();
  const nodes = graph.nodes.map((node): Node => {
    const smaller = fitted(node, share, before, after);
    after.set(node.id, inferNode(smaller, after));
    const [was, is] = [before, after].map((shapes) => weightsOf(node, shapes).map((w) => `${w.name} [${w.shape.join(', ')}]`).join());
    if (was !== is) throw GraphError.at(node, `expected weights of any resolution, got ${was} and ${is}`);
    return smaller;
  });
  for (const id of graph.outputs) {
    const [was, is] = [before.get(id)!, after.get(id)!];
    if (was.join() !== is.join()) throw GraphError.of(graph.name, `expected output "${id}" to stay [${was.join(', ')}] at another resolution, got [${is.join(', ')}]`);
  }
  return verifyGraph({ ...graph, nodes }, after);
}

function fitted(node: Node, share: number, before: ReadonlyMap<string, Shape>, after: ReadonlyMap<string, Shape>): Node {
  if (isKind(node, 'input') && node.attrs.shape.length === 4) {
    const [n, channels, ...sides] = node.attrs.shape as [number, number, number, number];
    return { ...node, attrs: { shape: [n, channels, ...sides.map((side) => Math.max(1, Math.round(side * Math.sqrt(share))))] } };
  }
  if (isKind(node, 'reshape')) {
    const [output, was, is] = [before.get(node.id)!, before.get(node.inputs[0]!)!, after.get(node.inputs[0]!)!];
    if (was.length >= 4 && output.length >= 4 && output.slice(-2).join() === was.slice(-2).join()) return { ...node, attrs: { shape: [...output.slice(0, -2), ...is.slice(-2)] } };
  }
  return node;
}
