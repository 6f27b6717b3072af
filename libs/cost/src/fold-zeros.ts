import { inferShapes, sameShape, type Graph, type Node } from '@app/graph';

/**
 * The graph with tensors that are zero by construction made constants, and additions of them taken out, as exporters and runtimes do:
 * `x + 0` becomes x under its own name, and what only a `zeros` read is read no more. Computes the same; node ids are kept.
 */
export function foldZeros(graph: Graph): { readonly graph: Graph; readonly zeros: ReadonlySet<string> } {
  if (!graph.nodes.some((node) => node.kind === 'zeros')) return { graph, zeros: NO_ZEROS };
  const shapes = inferShapes(graph);
  const zeros = new Set<string>();
  const replaced = new Map<string, string>();
  const now = (id: string): string => replaced.get(id) ?? id;
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (node.kind === 'zeros') {
      zeros.add(node.id);
      nodes.push({ ...node, kind: 'constant', inputs: [], attrs: { shape: shapes.get(node.id)! } });
      continue;
    }
    const inputs = node.inputs.map(now);
    const summand = node.kind === 'add' ? otherSummand(inputs, zeros, (id) => sameShape(shapes.get(id)!, shapes.get(node.id)!)) : null;
    if (summand === null) nodes.push({ ...node, inputs });
    else replaced.set(node.id, summand);
  }
  return { graph: { ...graph, nodes, outputs: graph.outputs.map(now) }, zeros };
}

const NO_ZEROS: ReadonlySet<string> = new Set();

/** What an addition comes to if a summand is zero and the other has the sum's shape; null: it does add. */
function otherSummand(inputs: readonly string[], zeros: ReadonlySet<string>, hasSumShape: (id: string) => boolean): string | null {
  const zero = inputs.findIndex((id) => zeros.has(id));
  if (zero < 0) return null;
  const other = inputs[1 - zero]!;
  return hasSumShape(other) ? other : null;
}
