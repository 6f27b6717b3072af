import { inferShapes, totals, type Graph, type Node, type OpKind, type Tensor, type Weights } from '@app/graph';
import { HELPERS, statementOf, type Helper } from './statements.js';

/**
 * A network as a Python module that PyTorch 1.13 and later run: class `Network`, one attribute a layer with weights, one line an
 * operator, any batch size. Layers begin with PyTorch's own initial values. Quantisation noise acts in training mode only.
 *
 * @throws RangeError on an operator of an imported model that we do not know (`opaque`), naming it
 */
export function toPyTorch(graph: Graph): string {
  const shapes = inferShapes(graph);
  const names = torchNames(graph);
  const inputs = graph.nodes.filter((n) => n.kind === 'input');
  const layers: string[] = [];
  const body: string[] = [];
  const helpers = new Set<Helper>();
  let block: string | undefined;
  for (const node of graph.nodes) {
    if (node.kind === 'input') continue;
    const name = names.get(node.id)!;
    const site = { inputs: node.inputs.map((id) => names.get(id)!), shapes: node.inputs.map((id) => shapes.get(id)!), output: shapes.get(node.id)!, name, layer: `self.${name}` };
    const { layer, value, uses = [] } = statementOf(node, site);
    if (node.block !== block && node.block !== undefined) {
      body.push(`# ${node.block}`);
      if (layer !== undefined) layers.push(`# ${node.block}`);
    }
    block = node.block;
    uses.forEach((h) => helpers.add(h));
    if (layer !== undefined) layers.push(`self.${name} = ${layer}`);
    body.push(`${name} = ${value}`);
  }
  const outputs = graph.outputs.map((id) => names.get(id)!).join(', ');
  const { params, macs } = totals(graph);
  const shown = inputs.map((n) => `${names.get(n.id)!} [N, ${shapes.get(n.id)!.slice(1).join(', ')}]`).join(', ');
  return [
    `"""${graph.name}, written by Caddis: ${params.toLocaleString('en')} parameters, ${macs.toLocaleString('en')} multiply-accumulates an image. Input ${shown}."""`,
    'import torch', 'from torch import nn', 'from torch.nn import functional as F', '',
    ...[...helpers].sort().flatMap((h) => ['', ...HELPERS[h], '']), '',
    'class Network(nn.Module):', '    def __init__(self):', '        super().__init__()', ...layers.map((l) => `        ${l}`), '',
    `    def forward(self, ${inputs.map((n) => names.get(n.id)!).join(', ')}):`, ...body.map((l) => `        ${l}`), `        return ${outputs}`, '',
  ].join('\n');
}

/** Node id → its Python name: letters, digits and underscores, no two alike and no word of the language. */
export function torchNames(graph: Graph): ReadonlyMap<string, string> {
  const taken = new Set(['self', 'torch', 'nn', 'F', 'lambda', 'return', 'in', 'is', 'if', 'for', 'not', 'and', 'or', 'None', 'True', 'False', 'class', 'def']);
  const nameOf = ({ id }: Node): string => {
    const plain = id.replace(/\W+/g, '_').replace(/^(?=\d)/, '_') || '_';
    let name = plain;
    for (let i = 2; taken.has(name); i++) name = `${plain}_${i}`;
    taken.add(name);
    return name;
  };
  return new Map(graph.nodes.map((n) => [n.id, nameOf(n)]));
}

/** Names of the layer's tensors in PyTorch, by ours. */
const TENSORS: Partial<Record<OpKind, Readonly<Record<string, string>>>> = {
  batchNorm: { scale: 'weight', shift: 'bias', mean: 'running_mean', variance: 'running_var' },
  activation: { slope: 'weight' },
  channelAttention: { kernel: 'conv.weight' },
};

/** Weights under the keys of the module's `state_dict`. Shapes are the same on both sides. */
export function stateDict(graph: Graph, weights: ReadonlyMap<string, Weights>): ReadonlyMap<string, Tensor> {
  const nameOf = torchName(graph);
  return new Map(graph.nodes.flatMap(({ id }) => Object.entries(weights.get(id) ?? {}).map(([name, value]) => [nameOf(id, name), value] as const)));
}

/** Key of a node's tensor, by our name of it, in the module's `state_dict`. */
export function torchName(graph: Graph): (node: string, tensor: string) => string {
  const names = torchNames(graph);
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]));
  return (node, tensor) => (kinds.get(node) === 'constant' ? names.get(node)! : `${names.get(node)!}.${TENSORS[kinds.get(node)!]?.[tensor] ?? tensor}`);
}
