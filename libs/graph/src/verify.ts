import { GraphError, withNode } from './errors.js';
import { OPS, opOf } from './ops/index.js';
import type { Graph, Node, Shape } from './types.js';

/**
 * Shape of one node from those of the nodes before it.
 *
 * @throws GraphError naming the node: unknown kind, unknown or later inputs, number of inputs, attributes, shapes
 */
export function inferNode(node: Node, shapes: ReadonlyMap<string, Shape>): Shape {
  if (!Object.hasOwn(OPS, node.kind)) throw GraphError.at(node, `expected a kind out of ${Object.keys(OPS).join(', ')}, got "${String(node.kind)}"`);
  const op = opOf(node);
  const [min, max] = op.arity(node.attrs);
  if (node.inputs.length < min || node.inputs.length > max) {
    throw GraphError.at(node, `expected ${min === max ? min : `at least ${min}`} inputs, got ${node.inputs.length}`);
  }
  const inputs = node.inputs.map((id) => {
    const shape = shapes.get(id);
    if (shape === undefined) throw GraphError.at(node, `expected inputs among the nodes before it, got "${id}"`);
    return shape;
  });
  return withNode(node, () => op.inferShape(node.attrs, inputs));
}

/**
 * Output shape of every node by id.
 *
 * @throws GraphError at the first node that breaks a rule, duplicate ids included
 */
export function inferShapes(graph: Graph): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const node of graph.nodes) {
    if (shapes.has(node.id)) throw GraphError.at(node, 'expected an id of its own, but an earlier node has it');
    shapes.set(node.id, inferNode(node, shapes));
  }
  return shapes;
}

/**
 * Checks a graph from the definition: ids, order, arity, attributes, shapes, and outputs that exist and are named once.
 *
 * @param shapes  of its nodes, where they were inferred node by node
 * @returns the same graph
 * @throws  GraphError saying what came and what was due
 */
export function verifyGraph(graph: Graph, shapes: ReadonlyMap<string, Shape> = inferShapes(graph)): Graph {
  if (graph.outputs.length === 0) throw GraphError.of(graph.name, 'expected at least one output, got none');
  graph.outputs.forEach((id, i) => {
    if (!shapes.has(id)) throw GraphError.of(graph.name, `expected outputs to be node ids, got "${id}"`);
    if (graph.outputs.indexOf(id) !== i) throw GraphError.of(graph.name, `expected every output once, got "${id}" twice`);
  });
  if (!graph.nodes.some((node) => node.kind === 'input')) throw GraphError.of(graph.name, `expected at least one input node, got ${graph.nodes.length} nodes without any`);
  return graph;
}

/** Kinds whose attributes say nothing of their size; their label names it. */
const SIZED_BY_SHAPE: ReadonlySet<string> = new Set(['input', 'constant', 'concat', 'flatten']);

/** Short label of a node for drawings, such as `conv 3×3 s2, 16` or `input, 1×3×224×224`. */
export function describeNode(node: Node, shape: Shape): string {
  const label = opOf(node).label(node.attrs);
  return SIZED_BY_SHAPE.has(node.kind) ? `${label}, ${shape.join('×')}` : label;
}
