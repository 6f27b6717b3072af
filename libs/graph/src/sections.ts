import type { Graph, Node } from './types.js';

/**
 * A piece of a network as a graph of its own. Its `input` nodes stand for the tensors that enter, its outputs are the tensors that
 * leave. Equal pieces of many networks may be one object, so that what is known of it is known of all of them.
 */
export interface Section {
  readonly graph: Graph;
  /** for each tensor that leaves the section before, the input node that takes it; null: not read. The first section takes the network's inputs. */
  readonly takes: readonly (string | null)[];
}

/** A network as a chain of sections: each reads what leaves the one before it and nothing else, and the last one's outputs are the network's. */
export interface SectionedGraph {
  readonly name: string;
  readonly sections: readonly Section[];
}

/** The graph as one section. */
export function asOneSection(graph: Graph): SectionedGraph {
  return { name: graph.name, sections: [{ graph, takes: graph.nodes.filter((node) => node.kind === 'input').map((node) => node.id) }] };
}

/** The network as one graph; node ids are prefixed with the section's number, `3.conv`, but for inputs of the network. */
export function joinSections({ name, sections }: SectionedGraph): Graph {
  const nodes: Node[] = [];
  let arriving: readonly string[] = [];
  sections.forEach(({ graph, takes }, s) => {
    const renamed = new Map<string, string>();
    const now = (id: string): string => renamed.get(id) ?? `${s}.${id}`;
    takes.forEach((id, j) => {
      if (id !== null) renamed.set(id, s === 0 ? id : arriving[j]!);
    });
    for (const node of graph.nodes) {
      if (node.kind === 'input' && s > 0) continue;
      nodes.push({ ...node, id: now(node.id), inputs: node.inputs.map(now) });
    }
    arriving = graph.outputs.map(now);
  });
  return { name, nodes, outputs: arriving };
}
