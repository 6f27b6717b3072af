import { OnnxError } from '../errors.js';
import type { OnnxModel, OnnxNode } from './model.js';

export interface OrderedNodes {
  /** every node that an output needs, each behind those it reads */
  readonly nodes: readonly OnnxNode[];
  /** the others: no output depends on them */
  readonly unreachable: readonly OnnxNode[];
}

/**
 * The nodes in an order of execution, in the file's own where that is one.
 *
 * @throws OnnxError if two of them make the same tensor, or if they read each other in a circle, which is named node by node
 */
export function orderNodes(model: OnnxModel): OrderedNodes {
  const makers = makersOf(model);
  const reached = new Set<OnnxNode>();
  const open = model.outputs.flatMap((name) => makers.get(name) ?? []);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    for (const name of node.inputs) open.push(...(makers.has(name) ? [makers.get(name)!] : []));
  }
  const nodes: OnnxNode[] = [];
  const done = new Set<OnnxNode>();
  for (const start of model.nodes) if (reached.has(start)) visit(start, makers, done, nodes);
  return { nodes, unreachable: model.nodes.filter((n) => !reached.has(n)) };
}

function makersOf(model: OnnxModel): ReadonlyMap<string, OnnxNode> {
  const makers = new Map<string, OnnxNode>();
  const given = new Set([...model.constants.keys(), ...model.inputs.map((i) => i.name)]);
  for (const node of model.nodes) {
    for (const name of node.outputs) {
      if (name === '') continue;
      const other = makers.get(name);
      if (other !== undefined) throw new OnnxError(`expected every tensor from one node, got "${name}" from "${other.name}" (${other.opType}) and "${node.name}" (${node.opType})`);
      if (given.has(name)) throw new OnnxError(`expected every tensor from one place, got "${name}" from "${node.name}" (${node.opType}) and among the inputs and stored tensors`);
      makers.set(name, node);
    }
  }
  return makers;
}

/** Depth first without recursion: the path is what is being waited for, so a node that is met on it closes a circle. */
function visit(start: OnnxNode, makers: ReadonlyMap<string, OnnxNode>, done: Set<OnnxNode>, order: OnnxNode[]): void {
  const path: { node: OnnxNode; next: number }[] = [{ node: start, next: 0 }];
  const onPath = new Set<OnnxNode>([start]);
  while (path.length > 0) {
    const top = path.at(-1)!;
    if (done.has(top.node) || top.next === top.node.inputs.length) {
      path.pop();
      onPath.delete(top.node);
      if (!done.has(top.node)) order.push(top.node);
      done.add(top.node);
      continue;
    }
    const maker = makers.get(top.node.inputs[top.next++]!);
    if (maker === undefined || done.has(maker)) continue;
    if (onPath.has(maker)) {
      const circle = path.slice(path.findIndex((p) => p.node === maker)).map((p) => p.node).reverse();
      throw new OnnxError(`expected a graph without circles, got ${[...circle, circle[0]!].map((n) => `"${n.name}" (${n.opType})`).join(' → ')}`);
    }
    onPath.add(maker);
    path.push({ node: maker, next: 0 });
  }
}
