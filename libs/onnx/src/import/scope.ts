import { OPS, graphBuilder, sameShape, showShape, type ActivationFn, type GraphBuilder, type OpAttrs, type OpKind, type Shape, type Tensor, type Weights } from '@app/graph';
import { OnnxError } from '../errors.js';
import type { Constant, OnnxModel, OnnxNode } from './model.js';

/** What a name of the model stands for: a node of our graph, or values known now. */
export type Value = { readonly node: string } | { readonly constant: Constant };

/** The operator, or this use of it, has no counterpart in our graph. `shape`: of its output, where it is known all the same. */
export class Unsupported extends Error {
  constructor(
    message: string,
    readonly shape: Shape | null = null,
  ) {
    super(message);
  }
}

/** Elements of a constant that the importer makes up, such as zeros for padding; more is a broken or hostile file. */
const MAX_FILLED = 2 ** 24;

/** Graph under construction and the names of the model resolved so far. */
export class ImportState {
  readonly builder: GraphBuilder;
  readonly weights = new Map<string, Weights>();
  readonly values = new Map<string, Value>();
  private readonly constantNodes = new Map<Constant, string>();
  private readonly used = new Set<string>();

  constructor(readonly model: OnnxModel) {
    this.builder = graphBuilder(model.name);
    for (const [name, constant] of model.constants) this.values.set(name, { constant });
  }

  /** The name itself if it is still free, else the name with a number. */
  freshId(name: string): string {
    let id = name;
    for (let n = 2; this.used.has(id); n++) id = `${name}~${n}`;
    this.used.add(id);
    return id;
  }

  /** The graph node that carries a value; a stored value becomes a constant node, once. */
  nodeOf(value: Value, name: string): string {
    if ('node' in value) return value.node;
    const known = this.constantNodes.get(value.constant);
    if (known !== undefined) return known;
    const { shape, data } = value.constant;
    const id = this.builder.node('constant', [], { shape }, this.freshId(name));
    this.weights.set(id, { value: { shape, data: Float32Array.from(data) } });
    this.constantNodes.set(value.constant, id);
    return id;
  }
}

/** One operator being imported: its inputs and attributes, and the ways to answer. */
export class Scope {
  constructor(
    readonly state: ImportState,
    readonly node: OnnxNode,
  ) {}

  get opset(): number {
    return this.state.model.opset;
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  value(index: number): Value {
    const name = this.node.inputs[index] ?? '';
    if (name === '') throw new OnnxError(`node "${this.node.name}" (${this.node.opType}): expected input ${index}, got none`);
    const value = this.state.values.get(name);
    if (value === undefined) throw new OnnxError(`node "${this.node.name}" (${this.node.opType}): expected inputs from nodes before it, got "${name}"`);
    return value;
  }

  /** Id of the graph node of an input. */
  x(index = 0): string {
    return this.state.nodeOf(this.value(index), this.node.inputs[index]!);
  }

  shape(index = 0): Shape {
    const value = this.value(index);
    return 'node' in value ? this.state.builder.shape(value.node) : value.constant.shape;
  }

  constant(index: number): Constant | null {
    if (!this.has(index)) return null;
    const value = this.value(index);
    return 'constant' in value ? value.constant : null;
  }

  /** A stored input. @throws Unsupported if it is computed while the network runs */
  stored(index: number, what: string): Constant {
    const constant = this.constant(index);
    if (constant === null) throw new Unsupported(`${what} is not stored in the model`);
    return constant;
  }

  number(name: string, fallback: number): number {
    const a = this.node.attributes.get(name);
    return a?.kind === 'number' ? a.value : fallback;
  }

  text(name: string, fallback: string): string {
    const a = this.node.attributes.get(name);
    return a?.kind === 'text' ? a.value : fallback;
  }

  numbers(name: string): readonly number[] | null {
    const a = this.node.attributes.get(name);
    return a?.kind === 'numbers' ? a.value : null;
  }

  /** A list that stands in an attribute in older opsets and in an input in newer ones. */
  list(name: string, index: number): readonly number[] | null {
    const own = this.numbers(name);
    if (own !== null) return own;
    return this.has(index) ? Array.from(this.stored(index, name).data) : null;
  }

  /** Adds a node of ours. The first of an operator takes the name of its output, further ones that name with a number. */
  add<K extends OpKind>(kind: K, inputs: readonly string[], attrs: OpAttrs[K], weights?: Record<string, Tensor>): string {
    const id = this.state.builder.node(kind, inputs, attrs, this.state.freshId(this.node.outputs[0] ?? this.node.name));
    if (weights !== undefined) {
      const due = OPS[kind].weights(attrs, inputs.map((input) => this.state.builder.shape(input)));
      for (const { name, shape } of due) {
        const got = weights[name]?.shape;
        if (got === undefined || !sameShape(got, shape)) {
          throw new OnnxError(`node "${this.node.name}" (${this.node.opType}): expected ${name} of shape ${showShape(shape)}, got ${got === undefined ? 'none' : showShape(got)}`);
        }
      }
      this.state.weights.set(id, weights);
    }
    return id;
  }

  activation(fn: ActivationFn, x: string, alpha?: number): string {
    return this.add('activation', [x], alpha === undefined ? { fn } : { fn, alpha });
  }

  scalar(value: number): string {
    return this.filled([], value);
  }

  filled(shape: Shape, value: number): string {
    const count = shape.reduce((a, b) => a * b, 1);
    if (!(count <= MAX_FILLED)) throw new Unsupported(`a constant of ${count} elements`);
    const data = new Float32Array(count).fill(value);
    return this.add('constant', [], { shape }, { value: { shape, data } });
  }

  define(node: string, output = 0): void {
    this.state.values.set(this.node.outputs[output]!, { node });
  }

  defineConstant(constant: Constant, output = 0): void {
    this.state.values.set(this.node.outputs[output]!, { constant });
  }
}

export function tensorOf(constant: Constant, shape: Shape = constant.shape): Tensor {
  return { shape, data: constant.data instanceof Float32Array ? constant.data : Float32Array.from(constant.data) };
}
