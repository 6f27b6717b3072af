import { GraphError } from './errors.js';
import { isKind, type Weights } from './op.js';
import { opOf } from './ops/index.js';
import { elements, tensor } from './shape.js';
import type { Graph, Node, OpKind, Shape, Tensor } from './types.js';

/**
 * The value that every cell of a channel has whatever the input is, by node: one number a channel (axis 1), NaN where it varies or is not
 * known. Values from all-zero filters on, through layers whose other operands are constant too.
 *
 * @throws GraphError if weights of a convolution, linear layer or batch norm are missing
 */
export function constantChannels(graph: Graph, weights: ReadonlyMap<string, Weights>, shapes: ReadonlyMap<string, Shape>): ReadonlyMap<string, Float64Array> {
  const known = new Map<string, Float64Array>();
  for (const node of graph.nodes) {
    const count = shapes.get(node.id)![1] ?? 0;
    const found = RULES[node.kind]?.(node, { weights, shapes, of: (id) => known.get(id)! }) ?? null;
    known.set(node.id, found !== null && found.length === count ? found : new Float64Array(count).fill(NaN));
  }
  return known;
}

interface Site {
  readonly weights: ReadonlyMap<string, Weights>;
  readonly shapes: ReadonlyMap<string, Shape>;
  of(id: string): Float64Array;
}
type Rule = (node: Node, site: Site) => Float64Array | null;

function weightsAt(node: Node, { weights }: Site): Weights {
  const own = weights.get(node.id);
  if (own === undefined) throw GraphError.at(node, 'expected its weights, got none');
  return own;
}

/** Bias plus what constant channels add; NaN as soon as a varying channel has a weight, or a constant other than 0 meets padding. */
function weighted(weight: Tensor, bias: Tensor | undefined, groups: number, padded: boolean, x: Float64Array): Float64Array {
  const [rows, columns] = weight.shape as [number, number];
  const size = elements(weight.shape.slice(2));
  return Float64Array.from({ length: rows }, (_, o) => {
    const first = Math.floor(o / (rows / groups)) * columns;
    let value = bias?.data[o] ?? 0;
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      let silent = true;
      for (let t = 0; t < size; t++) {
        const w = weight.data[(o * columns + c) * size + t]!;
        sum += w;
        silent &&= w === 0;
      }
      const v = x[first + c]!;
      if (silent || v === 0) continue;
      value += padded ? NaN : v * sum;
    }
    return value;
  });
}

/** The operator itself on one cell a channel. */
const cellwise: Rule = (node, site) => {
  const x = site.of(node.inputs[0]!);
  const shape = [1, x.length, ...Array<number>(site.shapes.get(node.id)!.length - 2).fill(1)];
  return Float64Array.from(opOf(node).evaluate(node.attrs, [tensor(shape, Float32Array.from(x))], site.weights.get(node.id) ?? {}, shape).data);
};
const passed: Rule = (node, site) => site.of(node.inputs[0]!);

/** A product with 0 is 0, whatever the other operand does. */
const binary = (f: (a: number, b: number) => number): Rule => (node, site) => {
  const [a, b] = node.inputs.map((id) => site.of(id)) as [Float64Array, Float64Array];
  const rank = (id: string): number => site.shapes.get(id)!.length;
  return a.length === b.length && node.inputs.every((id) => rank(id) === rank(node.id)) ? a.map((v, i) => f(v, b[i]!)) : null;
};

const RULES: { readonly [K in OpKind]?: Rule } = {
  conv2d: (node, site) => {
    if (!isKind(node, 'conv2d')) return null;
    const { weight, bias } = weightsAt(node, site);
    return weighted(weight!, bias, node.attrs.groups, node.attrs.padding.some((p) => p > 0), site.of(node.inputs[0]!));
  },
  linear: (node, site) => {
    if (site.shapes.get(node.id)!.length !== 2) return null;
    const { weight, bias } = weightsAt(node, site);
    return weighted(weight!, bias, 1, false, site.of(node.inputs[0]!));
  },
  batchNorm: (node, site) => {
    weightsAt(node, site);
    return cellwise(node, site);
  },
  activation: cellwise,
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => (a === 0 || b === 0 ? 0 : a * b)),
  maximum: binary(Math.max),
  maxPool: passed,
  avgPool: (node, site) => {
    const padded = isKind(node, 'avgPool') && node.attrs.countIncludePad && node.attrs.padding.some((p) => p > 0);
    return site.of(node.inputs[0]!).map((v) => (padded && v !== 0 ? NaN : v));
  },
  globalAvgPool: passed,
  identity: passed,
  quantizationNoise: passed,
  resize: passed,
  zeros: (node, site) => new Float64Array(site.shapes.get(node.id)![1] ?? 0),
  flatten: (node, site) => {
    const x = site.of(node.inputs[0]!);
    const cells = x.length === 0 ? 1 : site.shapes.get(node.id)![1]! / x.length;
    return Float64Array.from({ length: x.length * cells }, (_, i) => x[Math.floor(i / cells)]!);
  },
  concat: (node, site) => {
    if (!isKind(node, 'concat') || (node.attrs.axis !== 1 && node.attrs.axis !== 1 - site.shapes.get(node.id)!.length)) return null;
    return Float64Array.from(node.inputs.flatMap((id) => [...site.of(id)]));
  },
};
