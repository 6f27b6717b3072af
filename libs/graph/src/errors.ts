import type { Node, OpKind } from './types.js';

/** What an op says about its attributes or input shapes; whoever knows the node turns it into a GraphError. */
export class OpFault extends Error {}

/** A graph that breaks a rule. Names the node, its kind and its block. */
export class GraphError extends Error {
  override readonly name = 'GraphError';

  constructor(
    readonly node: string | null,
    readonly kind: OpKind | null,
    readonly block: string | null,
    readonly fault: string,
  ) {
    super(node === null ? fault : `node "${node}" (${kind ?? 'unknown kind'}${block === null ? '' : `, block "${block}"`}): ${fault}`);
  }

  static at(node: Pick<Node, 'id' | 'kind' | 'block'>, fault: string): GraphError {
    return new GraphError(node.id, node.kind, node.block ?? null, fault);
  }

  static of(graph: string, fault: string): GraphError {
    return new GraphError(null, null, null, `graph "${graph}": ${fault}`);
  }
}

/** Runs an op's rule and names the node if it complains. */
export function withNode<T>(node: Pick<Node, 'id' | 'kind' | 'block'>, rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    if (error instanceof OpFault) throw GraphError.at(node, error.message);
    throw error;
  }
}
