import type { Graph } from './types.js';

/** Ids of the nodes whose values some output needs, outputs included. */
export function liveNodes(graph: Graph): ReadonlySet<string> {
  const live = new Set(graph.outputs);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (live.has(node.id)) node.inputs.forEach((id) => live.add(id));
  }
  return live;
}

/** Does an output depend on this node? */
export function isReachable(graph: Graph, id: string): boolean {
  return liveNodes(graph).has(id);
}

/** The graph without nodes that no output needs; inputs stay, they are the network's face. */
export function pruneDead(graph: Graph): Graph {
  const live = liveNodes(graph);
  return { ...graph, nodes: graph.nodes.filter((node) => live.has(node.id) || node.kind === 'input') };
}

/** Ids of the nodes that read each node, in order, one entry per use. */
export function consumersOf(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const consumers = new Map<string, string[]>(graph.nodes.map((node) => [node.id, []]));
  for (const node of graph.nodes) for (const id of node.inputs) consumers.get(id)?.push(node.id);
  return consumers;
}
