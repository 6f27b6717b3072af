import { fusedInto } from './fusion.js';
import { opOf } from './ops/index.js';
import { elements } from './shape.js';
import type { Graph, OpCounts, Shape } from './types.js';
import { inferShapes } from './verify.js';

/**
 * What each node does, by id; rules in flynet-spec § 9 and formulas § 1 (F-C1…F-C6). Dead nodes are counted too: prune them
 * first if they are not to be paid for. A batch norm that `fusedInto` merges counts 2 stored elements a channel, else 4.
 *
 * @param shapes  of its nodes, where they are known
 * @throws GraphError as `inferShapes`
 */
export function countOps(graph: Graph, shapes: ReadonlyMap<string, Shape> = inferShapes(graph)): ReadonlyMap<string, OpCounts> {
  const fused = fusedInto(graph, shapes);
  const counts = new Map<string, OpCounts>();
  for (const node of graph.nodes) {
    const op = opOf(node);
    const inputs = node.inputs.map((id) => shapes.get(id)!);
    const output = shapes.get(node.id)!;
    let [params, held, inputElements] = [0, 0, 0];
    for (const { shape, trainable } of op.weights(node.attrs, inputs)) {
      const size = elements(shape);
      held += size;
      if (trainable) params += size;
    }
    for (const shape of inputs) inputElements += elements(shape);
    const { macs, elementOps, madds } = op.work(node.attrs, inputs, output);
    const weightElements = node.kind === 'batchNorm' && fused.has(node.id) ? params : held;
    counts.set(node.id, { macs, elementOps, params, weightElements, inputElements, outputElements: elements(output), madds });
  }
  return counts;
}

/** Sums over all nodes. */
export function totals(graph: Graph): OpCounts {
  return sumCounts(countOps(graph).values());
}

export function sumCounts(counts: Iterable<OpCounts>): OpCounts {
  const sum = { macs: 0, elementOps: 0, params: 0, weightElements: 0, inputElements: 0, outputElements: 0, madds: 0 };
  for (const c of counts) {
    sum.macs += c.macs;
    sum.elementOps += c.elementOps;
    sum.params += c.params;
    sum.weightElements += c.weightElements;
    sum.inputElements += c.inputElements;
    sum.outputElements += c.outputElements;
    sum.madds += c.madds;
  }
  return sum;
}

/** Sums per block, in the order the blocks appear; nodes without one are under null. */
export function countsByBlock(graph: Graph): ReadonlyMap<string | null, OpCounts> {
  const counts = countOps(graph);
  const blocks = new Map<string | null, OpCounts[]>();
  for (const node of graph.nodes) {
    const block = node.block ?? null;
    const members = blocks.get(block);
    if (members === undefined) blocks.set(block, [counts.get(node.id)!]);
    else members.push(counts.get(node.id)!);
  }
  return new Map([...blocks].map(([block, members]) => [block, sumCounts(members)]));
}
