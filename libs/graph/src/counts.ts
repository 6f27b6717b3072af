import { fusedInto } from './fusion.js';
import { opOf } from './ops/index.js';
import { elements } from './shape.js';
import type { Graph, OpCounts } from './types.js';
import { inferShapes } from './verify.js';

/**
 * What each node does, by id; rules in flynet-spec § 9 and formulas § 1 (F-C1…F-C6). Dead nodes are counted too: prune them
 * first if they are not to be paid for. A batch norm that `fusedInto` merges counts 2 stored elements a channel, else 4.
 *
 * @throws GraphError as `inferShapes`
 */
export function countOps(graph: Graph): ReadonlyMap<string, OpCounts> {
  const shapes = inferShapes(graph);
  const fused = fusedInto(graph);
  return new Map(graph.nodes.map((node) => {
    const op = opOf(node);
    const inputs = node.inputs.map((id) => shapes.get(id)!);
    const output = shapes.get(node.id)!;
    const weights = op.weights(node.attrs, inputs);
    const sum = (of: typeof weights): number => of.reduce((total, w) => total + elements(w.shape), 0);
    const params = sum(weights.filter((w) => w.trainable));
    return [node.id, {
      ...op.work(node.attrs, inputs, output),
      params,
      weightElements: node.kind === 'batchNorm' && fused.has(node.id) ? params : sum(weights),
      inputElements: inputs.reduce((total, shape) => total + elements(shape), 0),
      outputElements: elements(output),
    }];
  }));
}

const NOTHING: OpCounts = { macs: 0, elementOps: 0, params: 0, weightElements: 0, inputElements: 0, outputElements: 0, madds: 0 };

/** Sums over all nodes. */
export function totals(graph: Graph): OpCounts {
  return sumCounts(countOps(graph).values());
}

export function sumCounts(counts: Iterable<OpCounts>): OpCounts {
  let sum = NOTHING;
  for (const c of counts) {
    sum = {
      macs: sum.macs + c.macs,
      elementOps: sum.elementOps + c.elementOps,
      params: sum.params + c.params,
      weightElements: sum.weightElements + c.weightElements,
      inputElements: sum.inputElements + c.inputElements,
      outputElements: sum.outputElements + c.outputElements,
      madds: sum.madds + c.madds,
    };
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
