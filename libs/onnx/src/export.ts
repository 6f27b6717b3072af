import { OPS, elements, inferShapes, opOf, pruneDead, verifyGraph, type Graph, type Node, type OnnxAttribute, type OnnxInitializer, type OnnxNodeForm, type OnnxSite, type Shape, type Weights } from '@app/graph';
import { OnnxError } from './errors.js';
import { ATTRIBUTE_TYPE, DATA_TYPE, encodeModel, type AttributeProto, type NodeProto, type TensorProto, type ValueInfoProto } from './proto.js';

/** IR version written: the one that came with opset 15 to 17 (ONNX 1.10 to 1.12). */
export const IR_VERSION = 8;
export const DEFAULT_OPSET = 17;
/** HardSwish came with 14; from 18 on the reductions take their axes as an input. */
const OPSETS = { min: 14, max: 17 } as const;

export interface ExportOptions {
  /** default `caddis` */
  readonly producer?: string;
  readonly producerVersion?: string;
  /** 14 to 17, default 17 */
  readonly opset?: number;
  /** kept in the file as metadata properties */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The graph as an ONNX model for inference (float32, static shapes, default operator domain). Graph inputs and outputs carry
 * the node ids; the weights of node n are initializers `n.weight`, …; node names are `block/id`. Dead nodes are left out.
 *
 * @param weights per node; names and shapes as `weightsOf` tells
 * @throws GraphError if the graph breaks a rule or holds an `opaque` node
 * @throws OnnxError  on an opset we do not write, missing or misshapen weights, an output that is an input, names that collide
 */
export function toOnnx(graph: Graph, weights: ReadonlyMap<string, Weights>, options: ExportOptions = {}): Uint8Array {
  return writeModel(graph, weights, options, plainForm);
}

/** A node of a model and its stored values. Inner tensors are named `<id>.<part>`, the last node's output is the node's. */
export interface WrittenForm {
  readonly nodes: readonly OnnxNodeForm[];
  readonly initializers: readonly TensorProto[];
}

export function plainForm(node: Node, site: OnnxSite<never>): WrittenForm {
  const { nodes, initializers } = OPS[node.kind].onnx(site);
  return { nodes, initializers: initializers.map(tensorProto) };
}

/** The model, each node as `formOf` writes it. @throws as `toOnnx` */
export function writeModel(graph: Graph, weights: ReadonlyMap<string, Weights>, options: ExportOptions, formOf: (node: Node, site: OnnxSite<never>) => WrittenForm): Uint8Array {
  const opset = options.opset ?? DEFAULT_OPSET;
  if (!Number.isInteger(opset) || opset < OPSETS.min || opset > OPSETS.max) throw new OnnxError(`expected an opset from ${OPSETS.min} to ${OPSETS.max}, got ${opset}`);
  const live = pruneDead(verifyGraph(graph));
  const shapes = inferShapes(live);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  for (const node of live.nodes) {
    const output = shapes.get(node.id)!;
    if (node.kind === 'input') {
      if (live.outputs.includes(node.id)) throw new OnnxError(`expected outputs other than the inputs, got "${node.id}"; put an identity between`);
      inputs.push(valueInfo(node.id, output));
      continue;
    }
    const own = weights.get(node.id) ?? {};
    const inputShapes = node.inputs.map((id) => shapes.get(id)!);
    for (const spec of opOf(node).weights(node.attrs, inputShapes)) {
      const value = own[spec.name];
      if (value === undefined || value.data.length !== elements(spec.shape) || value.shape.join() !== spec.shape.join()) {
        throw new OnnxError(`expected weight "${spec.name}" of node "${node.id}" with shape [${spec.shape.join(', ')}], got ${value === undefined ? 'none' : `[${value.shape.join(', ')}]`}`);
      }
    }
    const form = formOf(node, { id: node.id, attrs: node.attrs as never, inputs: node.inputs.map((name, i) => ({ name, shape: inputShapes[i]! })), output, weights: own });
    const name = node.block === undefined ? node.id : `${node.block}/${node.id}`;
    form.nodes.forEach((n, i) => nodes.push({
      name: i === form.nodes.length - 1 ? name : `${name}/${n.outputs[0]!.slice(node.id.length + 1)}`,
      opType: n.opType,
      input: n.inputs,
      output: n.outputs,
      attribute: Object.entries(n.attributes ?? {}).map(([key, value]) => attributeProto(key, value)),
    }));
    initializers.push(...form.initializers);
  }
  refuseCollisions([...inputs.map((i) => i.name!), ...nodes.flatMap((n) => n.output), ...initializers.map((i) => i.name!)]);
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: options.producer ?? 'caddis',
    ...(options.producerVersion === undefined ? {} : { producerVersion: options.producerVersion }),
    opsetImport: [{ domain: '', version: opset }],
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: nodes,
      initializer: initializers,
      input: inputs,
      output: live.outputs.map((id) => valueInfo(id, shapes.get(id)!)),
      valueInfo: [],
    },
  });
}

function refuseCollisions(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new OnnxError(`expected tensor names that differ, got "${name}" twice; rename the node`);
    seen.add(name);
  }
}

export function valueInfo(name: string, shape: Shape): ValueInfoProto {
  return { name, type: { tensorType: { elemType: DATA_TYPE.float, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } };
}

export function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if ('int' in value) return { name, type: ATTRIBUTE_TYPE.int, i: value.int };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  if ('string' in value) return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value.string) };
  if ('ints' in value) return { name, type: ATTRIBUTE_TYPE.ints, ints: value.ints };
  return { name, type: ATTRIBUTE_TYPE.floats, floats: value.floats };
}

export function tensorProto(value: OnnxInitializer): TensorProto {
  const bytes = new Uint8Array(value.data.length * (value.type === 'float' ? 4 : 8));
  const view = new DataView(bytes.buffer);
  if (value.type === 'float') value.data.forEach((v, i) => view.setFloat32(4 * i, v, true));
  else value.data.forEach((v, i) => view.setBigInt64(8 * i, BigInt(v), true));
  return { name: value.name, dims: value.shape, dataType: DATA_TYPE[value.type], rawData: bytes };
}
