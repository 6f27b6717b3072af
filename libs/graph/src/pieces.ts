import type { Graph, Node } from './types.js';

/** An operator with what runs inside it, as a graph of its own with one output. Equal operators of many networks may be one object. */
export interface Piece {
  readonly graph: Graph;
  /** its input nodes, one for each tensor it reads; a piece that reads none is an input of the network */
  readonly takes: readonly string[];
}

/** A network of pieces in the order they run, inputs first. What is not the output is read by a later piece. */
export interface PiecedGraph {
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** reads[starts[p]] … reads[starts[p + 1] − 1]: the pieces whose tensors piece p takes, each once */
  readonly reads: readonly number[];
  readonly starts: readonly number[];
  /** the piece whose tensor leaves the network */
  readonly output: number;
}

export function isPieced(network: Graph | PiecedGraph): network is PiecedGraph {
  return 'pieces' in network;
}

/** The network as one graph; node ids are prefixed with the piece's number, `3.conv`. */
export function joinPieces({ name, pieces, reads, starts, output }: PiecedGraph): Graph {
  const nodes: Node[] = [];
  const made: string[] = [];
  pieces.forEach(({ graph, takes }, p) => {
    const taken = new Map(takes.map((id, j) => [id, made[reads[starts[p]! + j]!]!]));
    const now = (id: string): string => taken.get(id) ?? `${p}.${id}`;
    for (const node of graph.nodes) if (!taken.has(node.id)) nodes.push({ ...node, id: now(node.id), inputs: node.inputs.map(now) });
    made.push(now(graph.outputs[0]!));
  });
  return { name, nodes, outputs: [made[output]!] };
}
