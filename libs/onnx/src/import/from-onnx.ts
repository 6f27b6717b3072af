import { GraphError, pruneDead, verifyGraph, type Graph, type Shape, type Weights } from '@app/graph';
import { OnnxError } from '../errors.js';
import { broadcastTo } from './broadcast.js';
import { FOLDS } from './fold-constants.js';
import { readModel, type OnnxModel } from './model.js';
import { ELEMENTWISE } from './operators-elementwise.js';
import { LAYERS, type Operator } from './operators-layers.js';
import { LAYOUT } from './operators-layout.js';
import { orderNodes } from './order-nodes.js';
import { FUSED, fuseComposites } from './patterns.js';
import { ImportState, Scope, Unsupported } from './scope.js';

export interface ImportOptions {
  /** what to do with an operator that has no counterpart: refuse the model, or keep its place as an `opaque` node */
  readonly unknown: 'refuse' | 'fallback';
  /** shapes for inputs whose dimensions are dynamic (a dynamic batch alone becomes 1 without being asked) */
  readonly inputShapes?: Readonly<Record<string, Shape>>;
}

export interface UnknownOperator {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** what about it is unknown */
  readonly reason: string;
}

export interface ImportedModel {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Weights>;
  readonly unknown: readonly UnknownOperator[];
  readonly opset: number;
  readonly inputs: readonly { readonly name: string; readonly shape: Shape }[];
  /** names of the nodes that were left out because no output depends on them */
  readonly unreachable: readonly string[];
}

const OPERATORS: Readonly<Record<string, Operator>> = { ...LAYERS, ...ELEMENTWISE, ...LAYOUT };
/** Operator names that exist only as composites found by structure. */
const COMPOSITES: ReadonlySet<string> = new Set(['Silu', 'Linear', 'ChannelAffine', 'HeadReduce', 'ChannelAttention']);

/**
 * An ONNX model as our graph. Weights go to their nodes, shape arithmetic is worked out, composites are recognised
 * (see patterns), nodes that no output needs are left out, whatever they are. Node ids are the model's tensor names.
 *
 * @throws OnnxError if the bytes are no ONNX model, keep weights outside, have dynamic shapes beyond the batch, go in a circle, or
 *                   are inconsistent otherwise; with `unknown: 'refuse'` also if an operator has no counterpart, naming all of them
 */
export function fromOnnx(bytes: Uint8Array, options: ImportOptions): ImportedModel {
  const model = readModel(bytes);
  const state = new ImportState(model);
  const unknown: UnknownOperator[] = [];
  const inputs = addInputs(state, model, options.inputShapes ?? {});
  const { nodes, unreachable } = orderNodes(model);
  for (const node of fuseComposites({ ...model, nodes })) {
    try {
      importNode(new Scope(state, node), unknown);
    } catch (error) {
      if (error instanceof GraphError) throw new OnnxError(`node "${node.name}" (${node.opType}): ${error.fault}`);
      throw error;
    }
  }
  if (unknown.length > 0 && options.unknown === 'refuse') {
    throw new OnnxError(`expected operators with a counterpart, got ${unknown.map((u) => `${u.domain === '' ? '' : `${u.domain}.`}${u.opType} ("${u.name}": ${u.reason})`).join(', ')}`);
  }
  for (const name of model.outputs) {
    const value = state.values.get(name);
    if (value === undefined) throw new OnnxError(`expected outputs that some node computes, got "${name}"`);
    state.builder.output(state.nodeOf(value, name));
  }
  try {
    const graph = verifyGraph(pruneDead(state.builder.build()));
    const kept = new Set(graph.nodes.map((n) => n.id));
    return { graph, weights: new Map([...state.weights].filter(([id]) => kept.has(id))), unknown, opset: model.opset, inputs, unreachable: unreachable.map((n) => n.name) };
  } catch (error) {
    if (error instanceof GraphError) throw new OnnxError(error.message);
    throw error;
  }
}

function addInputs(state: ImportState, model: OnnxModel, given: Readonly<Record<string, Shape>>): { name: string; shape: Shape }[] {
  for (const name of Object.keys(given)) {
    if (!model.inputs.some((i) => i.name === name)) throw new OnnxError(`expected shapes for the inputs ${model.inputs.map((i) => `"${i.name}"`).join(', ')}, got one for "${name}"`);
  }
  return model.inputs.map(({ name, shape: stated, float }) => {
    if (!float) throw new OnnxError(`expected input "${name}" to hold floating-point numbers, got another type`);
    if (stated === null && given[name] === undefined) throw new OnnxError(`expected input "${name}" to state its shape, got none; hand it in`);
    const shape = given[name] ?? stated!.map((d, axis) => {
      if (typeof d === 'number' && d > 0) return d;
      if (axis === 0) return 1;
      throw new OnnxError(`expected input "${name}" with a fixed size on axis ${axis}, got ${d === '' ? 'none' : `"${d}"`}; hand its shape in`);
    });
    try {
      state.values.set(name, { node: state.builder.input(shape, state.freshId(name)) });
    } catch (error) {
      if (error instanceof GraphError) throw new OnnxError(`input "${name}": ${error.fault}`);
      throw error;
    }
    return { name, shape };
  });
}

function importNode(scope: Scope, unknown: UnknownOperator[]): void {
  const { node } = scope;
  try {
    const fold = node.domain === '' && Object.hasOwn(FOLDS, node.opType) ? FOLDS[node.opType]!(scope) : null;
    if (fold !== null) return scope.defineConstant(fold);
    const known = Object.hasOwn(OPERATORS, node.opType) && (node.domain === FUSED || (node.domain === '' && !COMPOSITES.has(node.opType)));
    if (!known) throw new Unsupported('not an operator that we know');
    OPERATORS[node.opType]!(scope);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    unknown.push({ name: node.name, opType: node.opType, domain: node.domain === FUSED ? '' : node.domain, reason: error.message });
    addOpaque(scope, error.shape);
  }
}

/** Shape of an opaque node: what its rule or the file says, else that of its computed inputs together. */
function addOpaque(scope: Scope, known: Shape | null): void {
  const { node, state } = scope;
  const computed = node.inputs.flatMap((_, i) => (scope.has(i) && 'node' in scope.value(i) ? [i] : []));
  const inputs = computed.map((i) => scope.x(i));
  node.outputs.forEach((name, output) => {
    if (name === '') return;
    const shape = (output === 0 ? known : null) ?? state.model.stated.get(name) ?? guess(computed.map((i) => scope.shape(i)));
    scope.define(scope.add('opaque', inputs, { opType: node.opType, shape }), output);
  });
}

function guess(shapes: readonly Shape[]): Shape {
  const [first = [1], ...rest] = shapes;
  return rest.reduce((a, b) => broadcastTo(a, b)?.shape ?? a, first);
}

