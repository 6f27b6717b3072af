import { GraphError, withNode } from './errors.js';
import { expectInt } from './shape.js';
import type { ActivationFn, Graph, Node, OpAttrs, OpKind, Padding, Pair, Shape } from './types.js';
import { inferNode, verifyGraph } from './verify.js';

export interface ConvSettings {
  readonly outChannels: number;
  readonly kernel: number | Pair;
  readonly stride?: number | Pair;
  /** a number for all four sides; `same`: output is ⌈input / stride⌉, the odd cell goes to bottom and right; default dilation·(k − 1) / 2 */
  readonly padding?: number | Padding | 'same';
  readonly dilation?: number | Pair;
  readonly groups?: number;
  /** default false */
  readonly bias?: boolean;
}

export interface PoolSettings {
  readonly kernel: number | Pair;
  /** default: the kernel */
  readonly stride?: number | Pair;
  /** default 0 */
  readonly padding?: number | Padding;
}

export interface AttentionSettings {
  /** taps along the channels, odd; default 7 */
  readonly kernel?: number;
  readonly statistics: OpAttrs['channelAttention']['statistics'];
  readonly excitation: OpAttrs['channelAttention']['excitation'];
  /** default 1 */
  readonly heads?: number;
  /** default 1 */
  readonly temperature?: number;
}

/**
 * Writes a graph node by node. Each method appends one node and returns its id; shapes are inferred at once, so a mistake is
 * reported where it is made, as a GraphError naming node and block.
 */
export interface GraphBuilder {
  /** Block of the nodes that follow; returns the builder. */
  block(label: string): GraphBuilder;
  input(shape: Shape, id?: string): string;
  constant(shape: Shape): string;
  conv2d(x: string, settings: ConvSettings): string;
  /** epsilon: default 1e-5 */
  batchNorm(x: string, epsilon?: number): string;
  /** bias: default true */
  linear(x: string, outFeatures: number, bias?: boolean): string;
  activation(x: string, fn: ActivationFn, alpha?: number): string;
  add(a: string, b: string): string;
  mul(a: string, b: string): string;
  sub(a: string, b: string): string;
  maximum(a: string, b: string): string;
  /** axis: default 1 */
  concat(xs: readonly string[], axis?: number): string;
  /** Indices start … end−1; axis: default 1. */
  slice(x: string, start: number, end: number, axis?: number): string;
  padChannels(x: string, before: number, after: number): string;
  maxPool(x: string, settings: PoolSettings): string;
  /** countIncludePad: default false */
  avgPool(x: string, settings: PoolSettings & { readonly countIncludePad?: boolean }): string;
  globalAvgPool(x: string): string;
  flatten(x: string): string;
  reshape(x: string, shape: Shape): string;
  transpose(x: string, perm: readonly number[]): string;
  /** axis: default −1 */
  softmax(x: string, axis?: number): string;
  /** `bare`: the un-headed input, for `funnel` only. */
  headReduce(x: string, heads: number, reduction: OpAttrs['headReduce']['reduction'], bare?: string): string;
  channelAttention(x: string, settings: AttentionSettings): string;
  quantizationNoise(x: string, levels: number): string;
  zeros(x: string): string;
  identity(x: string): string;
  resize(x: string, scale: number | Pair, mode: OpAttrs['resize']['mode']): string;
  /** Any op by its kind, with complete attributes; `id` is made up unless given. */
  node<K extends OpKind>(kind: K, inputs: readonly string[], attrs: OpAttrs[K], id?: string): string;
  /** Shape of a node. */
  shape(x: string): Shape;
  output(x: string): void;
  /** The verified graph. */
  build(): Graph;
}

const pair = (v: number | Pair): Pair => (typeof v === 'number' ? [v, v] : v);
const padding = (v: number | Padding): Padding => (typeof v === 'number' ? [v, v, v, v] : v);

/** Padding that gives ⌈size / stride⌉ outputs on both axes. */
export function samePadding(size: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  const along = (axis: 0 | 1): Pair => {
    const total = Math.max(0, (Math.ceil(size[axis] / stride[axis]) - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size[axis]);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const [top, bottom] = along(0);
  const [left, right] = along(1);
  return [top, left, bottom, right];
}

class Builder implements GraphBuilder {
  private readonly nodes: Node[] = [];
  private readonly shapes = new Map<string, Shape>();
  private readonly outputs: string[] = [];
  private label: string | undefined;

  constructor(private readonly name: string) {}

  block(label: string): GraphBuilder {
    this.label = label;
    return this;
  }

  node<K extends OpKind>(kind: K, inputs: readonly string[], attrs: OpAttrs[K], id?: string): string {
    const node: Node<K> = { id: id ?? this.freshId(kind), kind, inputs: [...inputs], attrs, ...(this.label === undefined ? {} : { block: this.label }) };
    if (this.shapes.has(node.id)) throw GraphError.at(node, 'expected an id of its own, but an earlier node has it');
    this.shapes.set(node.id, inferNode(node, this.shapes));
    this.nodes.push(node);
    return node.id;
  }

  private freshId(kind: OpKind): string {
    let n = this.nodes.length;
    while (this.shapes.has(`${kind}_${n}`)) n++;
    return `${kind}_${n}`;
  }

  input(shape: Shape, id = 'input'): string {
    return this.node('input', [], { shape }, id);
  }

  constant(shape: Shape): string {
    return this.node('constant', [], { shape });
  }

  conv2d(x: string, settings: ConvSettings): string {
    const kernel = pair(settings.kernel);
    const stride = pair(settings.stride ?? 1);
    const dilation = pair(settings.dilation ?? 1);
    return this.node('conv2d', [x], {
      outChannels: settings.outChannels,
      kernel,
      stride,
      padding: this.convPadding(x, settings.padding, kernel, stride, dilation),
      dilation,
      groups: settings.groups ?? 1,
      bias: settings.bias ?? false,
    });
  }

  private convPadding(x: string, wanted: ConvSettings['padding'], kernel: Pair, stride: Pair, dilation: Pair): Padding {
    if (wanted === 'same') {
      withNode({ id: this.freshId('conv2d'), kind: 'conv2d', block: this.label }, () => [...kernel, ...stride, ...dilation].forEach((v) => expectInt('kernel, stride and dilation', v, 1)));
      const [, , h, w] = this.shape(x);
      return samePadding([h ?? 1, w ?? 1], kernel, stride, dilation);
    }
    if (wanted !== undefined) return padding(wanted);
    const [v, h] = [0, 1].map((axis) => Math.floor((dilation[axis]! * (kernel[axis]! - 1)) / 2)) as [number, number];
    return [v, h, v, h];
  }

  batchNorm(x: string, epsilon = 1e-5): string {
    return this.node('batchNorm', [x], { epsilon });
  }

  linear(x: string, outFeatures: number, bias = true): string {
    return this.node('linear', [x], { outFeatures, bias });
  }

  activation(x: string, fn: ActivationFn, alpha?: number): string {
    return this.node('activation', [x], alpha === undefined ? { fn } : { fn, alpha });
  }

  add(a: string, b: string): string {
    return this.node('add', [a, b], {});
  }

  mul(a: string, b: string): string {
    return this.node('mul', [a, b], {});
  }

  sub(a: string, b: string): string {
    return this.node('sub', [a, b], {});
  }

  maximum(a: string, b: string): string {
    return this.node('maximum', [a, b], {});
  }

  concat(xs: readonly string[], axis = 1): string {
    return this.node('concat', xs, { axis });
  }

  slice(x: string, start: number, end: number, axis = 1): string {
    return this.node('slice', [x], { axis, start, end });
  }

  padChannels(x: string, before: number, after: number): string {
    return this.node('padChannels', [x], { before, after });
  }

  maxPool(x: string, settings: PoolSettings): string {
    return this.node('maxPool', [x], { kernel: pair(settings.kernel), stride: pair(settings.stride ?? settings.kernel), padding: padding(settings.padding ?? 0) });
  }

  avgPool(x: string, settings: PoolSettings & { readonly countIncludePad?: boolean }): string {
    return this.node('avgPool', [x], {
      kernel: pair(settings.kernel),
      stride: pair(settings.stride ?? settings.kernel),
      padding: padding(settings.padding ?? 0),
      countIncludePad: settings.countIncludePad ?? false,
    });
  }

  globalAvgPool(x: string): string {
    return this.node('globalAvgPool', [x], {});
  }

  flatten(x: string): string {
    return this.node('flatten', [x], {});
  }

  reshape(x: string, shape: Shape): string {
    return this.node('reshape', [x], { shape });
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.node('transpose', [x], { perm });
  }

  softmax(x: string, axis = -1): string {
    return this.node('softmax', [x], { axis });
  }

  headReduce(x: string, heads: number, reduction: OpAttrs['headReduce']['reduction'], bare?: string): string {
    return this.node('headReduce', bare === undefined ? [x] : [x, bare], { heads, reduction });
  }

  channelAttention(x: string, settings: AttentionSettings): string {
    return this.node('channelAttention', [x], {
      kernel: settings.kernel ?? 7,
      statistics: settings.statistics,
      excitation: settings.excitation,
      heads: settings.heads ?? 1,
      temperature: settings.temperature ?? 1,
    });
  }

  quantizationNoise(x: string, levels: number): string {
    return this.node('quantizationNoise', [x], { levels });
  }

  zeros(x: string): string {
    return this.node('zeros', [x], {});
  }

  identity(x: string): string {
    return this.node('identity', [x], {});
  }

  resize(x: string, scale: number | Pair, mode: OpAttrs['resize']['mode']): string {
    return this.node('resize', [x], { scale: pair(scale), mode });
  }

  shape(x: string): Shape {
    const shape = this.shapes.get(x);
    if (shape === undefined) throw GraphError.of(this.name, `expected a node of the graph${this.label === undefined ? '' : ` in block "${this.label}"`}, got "${x}"`);
    return shape;
  }

  output(x: string): void {
    this.shape(x);
    this.outputs.push(x);
  }

  build(): Graph {
    return verifyGraph({ name: this.name, nodes: [...this.nodes], outputs: [...this.outputs] }, this.shapes);
  }
}

export function graphBuilder(name: string): GraphBuilder {
  return new Builder(name);
}
