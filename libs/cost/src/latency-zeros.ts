import type { Graph, Node } from '@app/graph';

/** What a node's value comes to when products with zero are followed through the graph. */
type Value =
  | { readonly is: 'zero' }
  | { readonly is: 'node'; readonly id: string }
  /** zero times a convolution that may yet take the zero into its weights */
  | { readonly is: 'product'; readonly of: string };

interface Followed {
  readonly values: ReadonlyMap<string, Value>;
  /** nodes that an operator other than a sum or a product with zero reads */
  readonly readByOperator: ReadonlySet<string>;
  readonly readBySum: ReadonlySet<string>;
  /** sums of two or more terms, with the convolutions whose products enter them */
  readonly entering: ReadonlyMap<string, readonly string[]>;
}

const ZERO: Value = { is: 'zero' };

/**
 * The graph as a converter leaves it that moves a multiplication by zero into the weights of the convolution before it, if nothing else
 * reads that convolution, and folds the other zeros away. A `zeros` node that reads such a convolution is replaced by the convolution
 * itself (its weights are zero, but it runs); the rest stay `zeros`.
 *
 * A product that enters a sum which nothing live reads does not keep its convolution. Learnt from the latencies of HW-NAS-Bench on
 * Pixel 3 and Raspberry Pi 4, cells whose edges lead nowhere.
 */
export function pushZeros(graph: Graph): Graph {
  if (!graph.nodes.some((node) => node.kind === 'zeros')) return graph;
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  /** a convolution, or the batch norm right behind one */
  const isConvolution = (id: string): boolean => {
    const node = byId.get(id)!;
    return node.kind === 'conv2d' || (node.kind === 'batchNorm' && byId.get(node.inputs[0]!)!.kind === 'conv2d');
  };

  /** @param used  convolutions known to be read by an operator: their products are zero from the start */
  const follow = (used: ReadonlySet<string>): Followed => {
    const values = new Map<string, Value>();
    const readByOperator = new Set<string>();
    const readBySum = new Set<string>();
    const entering = new Map<string, string[]>();
    const valueOf = (node: Node): Value => {
      const inputs = node.inputs.map((id) => values.get(id)!);
      if (node.kind === 'zeros') {
        const [x] = inputs as [Value];
        if (x.is !== 'node') return x;
        return isConvolution(x.id) && !used.has(x.id) ? { is: 'product', of: x.id } : ZERO;
      }
      if (node.kind === 'identity') return inputs[0]!;
      let reads = readByOperator;
      if (node.kind === 'add') {
        const terms = inputs.filter((v) => v.is !== 'zero');
        if (terms.length < 2) return terms[0] ?? ZERO;
        entering.set(node.id, terms.flatMap((v) => (v.is === 'product' ? [v.of] : [])));
        reads = readBySum;
      }
      if (node.kind !== 'batchNorm' || !isConvolution(node.id)) for (const v of inputs) if (v.is === 'node') reads.add(v.id);
      return { is: 'node', id: node.id };
    };
    for (const node of graph.nodes) values.set(node.id, valueOf(node));
    return { values, readByOperator, readBySum, entering };
  };
  const { values, readByOperator, readBySum, entering } = follow(follow(new Set()).readByOperator);

  const live = new Set<string>();
  const visit = (v: Value): void => {
    if (v.is !== 'node' || live.has(v.id)) return;
    live.add(v.id);
    byId.get(v.id)!.inputs.forEach((id) => visit(values.get(id)!));
  };
  graph.outputs.forEach((id) => visit(values.get(id)!));
  const lost = new Set([...entering].flatMap(([sum, products]) => (live.has(sum) ? [] : products)));
  const runs = (id: string): boolean => !readByOperator.has(id) && !readBySum.has(id) && !lost.has(id);

  const replaced = new Map<string, string>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const v = node.kind === 'zeros' ? values.get(node.id)! : null;
    if (v?.is === 'product' && runs(v.of)) replaced.set(node.id, v.of);
    else nodes.push({ ...node, inputs: node.inputs.map((id) => replaced.get(id) ?? id) });
  }
  return { ...graph, nodes, outputs: graph.outputs.map((id) => replaced.get(id) ?? id) };
}
