import type { Tape, Value } from './tape/tape.js';
import type { Node, OpAttrs, OpKind, Shape, Tensor, WeightSpec } from './types.js';

/** Weights of one node by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** Fewest and most inputs. */
export type Arity = readonly [min: number, max: number];

/** The part of OpCounts that an op states itself; the rest follows from shapes and weights. */
export interface Work {
  readonly macs: number;
  readonly elementOps: number;
  readonly madds: number;
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] };

export interface OnnxNodeForm {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** default: ONNX's own */
  readonly domain?: string;
}

export type OnnxInitializer =
  | { readonly name: string; readonly type: 'float'; readonly shape: Shape; readonly data: Float32Array }
  | { readonly name: string; readonly type: 'int64'; readonly shape: Shape; readonly data: readonly number[] };

/** An op as ONNX (default domain, opset 14 to 17), as plain data; the last node's output carries the node's id. */
export interface OnnxForm {
  readonly nodes: readonly OnnxNodeForm[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Where an op stands when it writes its ONNX form. Inner tensors are named `<id>.<part>`. */
export interface OnnxSite<K extends OpKind> {
  readonly id: string;
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly output: Shape;
  readonly weights: Weights;
}

/** Where an op stands when it writes itself onto a tape. Weights are tensors of the tape too. */
export interface TapeSite<K extends OpKind> {
  readonly tape: Tape;
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly Value[];
  readonly weights: Readonly<Record<string, Value>>;
  readonly output: Shape;
  /** batch norm takes the statistics of the batch, quantisation noise acts */
  readonly training: boolean;
  readonly annealing: Annealing | null;
}

/** Temperatures of softmaxes over heads that are above their own: own + (from − own)·share where that is more. */
export interface Annealing {
  readonly from: number;
  /** [], from 1 down to 0 in the course of a training */
  readonly share: Value;
}

export interface Gradients {
  /** one per input; null where none flows */
  readonly inputs: readonly (Value | null)[];
  readonly weights?: Readonly<Record<string, Value>>;
}

/** An op on a tape: its output, and how a gradient flows back through it. */
export interface Differentiated {
  readonly output: Value;
  /** Gradients of a scalar by inputs and trained weights, from that by the output, which has the output's shape. */
  backward(dy: Value): Gradients;
  /** what this batch says of weights that are estimated and not trained: mean and variance of a batch norm, [C] */
  readonly statistics?: Readonly<Record<string, Value>>;
}

/** All rules of one op. Rules throw OpFault; shapes handed to all but `inferShape` are already inferred. */
export interface OpDefinition<K extends OpKind> {
  arity(attrs: OpAttrs[K]): Arity;
  /** Checks attributes and input shapes too. */
  inferShape(attrs: OpAttrs[K], inputs: readonly Shape[]): Shape;
  weights(attrs: OpAttrs[K], inputs: readonly Shape[]): readonly WeightSpec[];
  work(attrs: OpAttrs[K], inputs: readonly Shape[], output: Shape): Work;
  /** Plain reference evaluation: sums in double precision, result in single. Inputs stay as they were. */
  evaluate(attrs: OpAttrs[K], inputs: readonly Tensor[], weights: Weights, output: Shape): Tensor;
  onnx(site: OnnxSite<K>): OnnxForm;
  /** Writes the op onto a tape and states its gradient. Where a function has a kink the gradient is that of one side. */
  differentiate(site: TapeSite<K>): Differentiated;
  /** Short words for a drawing, without the shape. */
  label(attrs: OpAttrs[K]): string;
}

export const UNARY = (): Arity => [1, 1];
export const BINARY = (): Arity => [2, 2];
export const NULLARY = (): Arity => [0, 0];
export const NO_WEIGHTS = (): readonly WeightSpec[] => [];
/** Moves or renames data and computes nothing. */
export const NO_WORK = (): Work => ({ macs: 0, elementOps: 0, madds: 0 });

/** True for a node of that kind, and tells the compiler so. */
export function isKind<K extends OpKind>(node: Node, kind: K): node is Node<K> {
  return node.kind === kind;
}

/** Form of an op that is one ONNX operator with the inputs and output of its node. */
export function singleNode(site: { readonly id: string; readonly inputs: readonly { readonly name: string }[] }, opType: string, attributes: Readonly<Record<string, OnnxAttribute>> = {}, initializers: readonly OnnxInitializer[] = []): OnnxForm {
  return {
    nodes: [{ opType, inputs: [...site.inputs.map((i) => i.name), ...initializers.map((i) => i.name)], outputs: [site.id], attributes }],
    initializers,
  };
}

/** An initializer that holds one of the node's weights. */
export function weightInitializer(id: string, name: string, weights: Weights): OnnxInitializer {
  const value = weights[name]!;
  return { name: `${id}.${name}`, type: 'float', shape: value.shape, data: value.data };
}

export function floatInitializer(name: string, shape: Shape, values: readonly number[]): OnnxInitializer {
  return { name, type: 'float', shape, data: Float32Array.from(values) };
}

export function intInitializer(name: string, values: readonly number[]): OnnxInitializer {
  return { name, type: 'int64', shape: [values.length], data: values };
}
