import type { Graph, Node } from './types.js';

/** An operator with what runs inside it. Equal operators of many networks may be one object. */
export interface Piece {
  /**
   * As a graph of its own with one output, made anew. `takes`: its input nodes, one for each tensor it reads; a piece that reads none is an
   * input of the network.
   *
   * @throws GraphError if it breaks a rule
   */
  graph(): { readonly graph: Graph; readonly takes: readonly string[] };
  /** nodes of the graph besides what it takes */
  readonly operators: number;
  /** what others know of it, one each */
  readonly notes: { readonly by: object }[];
}

/**
 * Pieces in the order they run, inputs of the network first. Equal runs of many networks may be one object. Its tensors are numbered: what
 * it takes, in order, then what each piece makes.
 */
export interface Section {
  readonly pieces: readonly Piece[];
  /** tensors it takes; a piece reads each of them */
  readonly taken: number;
  /** reads[starts[p]] … reads[starts[p + 1] − 1]: the tensors piece p takes, each once */
  readonly reads: readonly number[];
  readonly starts: readonly number[];
  /** pieces whose tensors may be read behind it; what leaves not is read within */
  readonly leaves: readonly number[];
  /** what others know of it, one each */
  readonly notes: { readonly by: object }[];
}

/** A network of sections in the order they run. Its tensors are numbered: what leaves each section, in order. */
export interface PiecedGraph {
  readonly name: string;
  readonly sections: readonly Section[];
  /** reads[starts[s]] … reads[starts[s + 1] − 1]: the tensors section s takes, each once */
  readonly reads: readonly number[];
  readonly starts: readonly number[];
  /** the tensor that leaves the network */
  readonly output: number;
}

export function isPieced(network: Graph | PiecedGraph): network is PiecedGraph {
  return 'sections' in network;
}

/** The network's pieces in one run, which takes nothing; what leaves it is the network's output. */
export function wholeSection({ sections, reads, starts, output }: PiecedGraph): Section {
  const whole = { pieces: [] as Piece[], taken: 0, reads: [] as number[], starts: [0] };
  const made: number[] = [];
  sections.forEach((section, s) => {
    const before = whole.pieces.length - section.taken;
    const now = (t: number): number => (t < section.taken ? made[reads[starts[s]! + t]!]! : before + t);
    section.pieces.forEach((piece, p) => {
      for (let i = section.starts[p]!; i < section.starts[p + 1]!; i++) whole.reads.push(now(section.reads[i]!));
      whole.starts.push(whole.reads.length);
      whole.pieces.push(piece);
    });
    for (const leaf of section.leaves) made.push(before + section.taken + leaf);
  });
  return { ...whole, leaves: [made[output]!], notes: [] };
}

/** The network as one graph; node ids are prefixed with the piece's number, `3.conv`. */
export function joinPieces(network: PiecedGraph): Graph {
  const { pieces, reads, starts, leaves } = wholeSection(network);
  const nodes: Node[] = [];
  const made: string[] = [];
  pieces.forEach((piece, p) => {
    const { graph, takes } = piece.graph();
    const taken = new Map(takes.map((id, j) => [id, made[reads[starts[p]! + j]!]!]));
    const now = (id: string): string => taken.get(id) ?? `${p}.${id}`;
    for (const node of graph.nodes) if (!taken.has(node.id)) nodes.push({ ...node, id: now(node.id), inputs: node.inputs.map(now) });
    made.push(now(graph.outputs[0]!));
  });
  return { name: network.name, nodes, outputs: [made[leaves[0]!]!] };
}
