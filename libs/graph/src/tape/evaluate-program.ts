import { erf } from '../erf.js';
import { broadcastShape, elements, stridesOf } from '../shape.js';
import type { OnnxAttribute } from '../op.js';
import type { Shape } from '../types.js';
import type { Program, TapeNode, TapeOp } from './tape.js';

/** Tensor in double precision, row-major. */
export interface Wide {
  readonly shape: Shape;
  readonly data: Float64Array;
}

type Rule = (inputs: readonly Wide[], node: TapeNode) => readonly Wide[];

const wide = (shape: Shape, data: Float64Array = new Float64Array(elements(shape))): Wide => ({ shape, data });
const attribute = (node: TapeNode, name: string): OnnxAttribute | undefined => node.attributes?.[name];
const int = (node: TapeNode, name: string, otherwise: number): number => (attribute(node, name) as { int: number } | undefined)?.int ?? otherwise;
const float = (node: TapeNode, name: string, otherwise: number): number => (attribute(node, name) as { float: number } | undefined)?.float ?? otherwise;
const ints = (node: TapeNode, name: string): readonly number[] => (attribute(node, name) as { ints: readonly number[] }).ints;
const axisFrom = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Calls with each index of a shape, in order, and its position. */
function each(shape: Shape, visit: (index: readonly number[], position: number) => void): void {
  const index = shape.map(() => 0);
  for (let i = 0; i < elements(shape); i++) {
    visit(index, i);
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
}

/** Position of an index in a tensor that is broadcast to the index's rank. */
function positionIn(shape: Shape, strides: readonly number[], index: readonly number[]): number {
  const lead = index.length - shape.length;
  return shape.reduce((sum, d, i) => sum + (d === 1 ? 0 : index[i + lead]! * strides[i]!), 0);
}

const unary = (f: (x: number, node: TapeNode) => number): Rule => ([x], node) => [wide(x!.shape, x!.data.map((v) => f(v, node)))];

const binary = (f: (a: number, b: number) => number): Rule => ([a, b]) => {
  const y = wide(broadcastShape(a!.shape, b!.shape));
  const [sa, sb] = [stridesOf(a!.shape), stridesOf(b!.shape)];
  each(y.shape, (index, i) => (y.data[i] = f(a!.data[positionIn(a!.shape, sa, index)]!, b!.data[positionIn(b!.shape, sb, index)]!)));
  return [y];
};

const reduce = (start: number, f: (a: number, b: number) => number): Rule => ([x, given], node) => {
  const axes = (given === undefined ? [...ints(node, 'axes')] : [...given.data]).map((a) => axisFrom(a, x!.shape.length));
  const y = wide(x!.shape.map((d, i) => (axes.includes(i) ? 1 : d)));
  y.data.fill(start);
  const strides = stridesOf(y.shape);
  each(x!.shape, (index, i) => {
    const at = positionIn(y.shape, strides, index);
    y.data[at] = f(y.data[at]!, x!.data[i]!);
  });
  return [y];
};

const total = reduce(0, (a, b) => a + b);
const average: Rule = (inputs, node) => total(inputs, node).map((y) => wide(y.shape, y.data.map((v) => (v * y.data.length) / inputs[0]!.data.length)));

const product: Rule = ([a, b], node) => {
  const [ta, tb] = [int(node, 'transA', 0) === 1, int(node, 'transB', 0) === 1];
  const turned = ({ shape }: Wide, turn: boolean): Shape => (turn ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape);
  const [sa, sb] = [turned(a!, ta), turned(b!, tb)];
  const batch = broadcastShape(sa.slice(0, -2), sb.slice(0, -2));
  const [rows, inner, columns] = [sa.at(-2)!, sa.at(-1)!, sb.at(-1)!];
  const y = wide([...batch, rows, columns]);
  const stepsOf = (shape: Shape): [Shape, number[]] => [shape.slice(0, -2), stridesOf(shape.slice(0, -2))];
  const [[ba, stra], [bb, strb]] = [stepsOf(sa), stepsOf(sb)];
  each(batch, (index, i) => {
    const fromA = positionIn(ba, stra, index) * rows * inner;
    const fromB = positionIn(bb, strb, index) * inner * columns;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a!.data[fromA + (ta ? k * rows + r : r * inner + k)]! * b!.data[fromB + (tb ? c * inner + k : k * columns + c)]!;
        y.data[i * rows * columns + r * columns + c] = sum;
      }
    }
  });
  return [y];
};

/** Visits every (input cell, weight tap, output cell) of a grouped convolution x → y. */
function visitTaps(node: TapeNode, x: Shape, weight: Shape, y: Shape, visit: (xi: number, wi: number, yi: number) => void): void {
  const [strides, pads, dilations, group] = [ints(node, 'strides'), ints(node, 'pads'), ints(node, 'dilations'), int(node, 'group', 1)];
  const [outPerGroup, perGroup] = [y[1]! / group, weight[1]!];
  each(y, ([n, o, r, c], yi) => {
    each(weight.slice(1), ([i, ky, kx], tap) => {
      const row = r! * strides[0]! + ky! * dilations[0]! - pads[0]!;
      const column = c! * strides[1]! + kx! * dilations[1]! - pads[1]!;
      if (row < 0 || row >= x[2]! || column < 0 || column >= x[3]!) return;
      const channel = Math.floor(o! / outPerGroup) * perGroup + i!;
      visit(((n! * x[1]! + channel) * x[2]! + row) * x[3]! + column, o! * elements(weight.slice(1)) + tap, yi);
    });
  });
}

function outputSide(node: TapeNode, x: Shape, kernel: readonly number[], axis: 0 | 1): number {
  const pads = ints(node, 'pads');
  const dilation = (attribute(node, 'dilations') as { ints: readonly number[] } | undefined)?.ints[axis] ?? 1;
  return Math.floor((x[axis + 2]! + pads[axis]! + pads[axis + 2]! - dilation * (kernel[axis]! - 1) - 1) / ints(node, 'strides')[axis]!) + 1;
}

const conv: Rule = ([x, weight], node) => {
  const kernel = weight!.shape.slice(2);
  const y = wide([x!.shape[0]!, weight!.shape[0]!, outputSide(node, x!.shape, kernel, 0), outputSide(node, x!.shape, kernel, 1)]);
  visitTaps(node, x!.shape, weight!.shape, y.shape, (xi, wi, yi) => (y.data[yi]! += x!.data[xi]! * weight!.data[wi]!));
  return [y];
};

const convTranspose: Rule = ([dy, weight], node) => {
  const [strides, pads, dilations, beyond] = [ints(node, 'strides'), ints(node, 'pads'), ints(node, 'dilations'), ints(node, 'output_padding')];
  const side = (i: 0 | 1): number => strides[i]! * (dy!.shape[i + 2]! - 1) + beyond[i]! + (weight!.shape[i + 2]! - 1) * dilations[i]! + 1 - pads[i]! - pads[i + 2]!;
  const x = wide([dy!.shape[0]!, weight!.shape[1]! * int(node, 'group', 1), side(0), side(1)]);
  visitTaps(node, x.shape, weight!.shape, dy!.shape, (xi, wi, yi) => (x.data[xi]! += dy!.data[yi]! * weight!.data[wi]!));
  return [x];
};

/** Calls with each cell of each pooling window that lies inside the input. */
function visitWindows(node: TapeNode, x: Shape, y: Shape, visit: (xi: number, yi: number) => void): void {
  const [kernel, strides, pads] = [ints(node, 'kernel_shape'), ints(node, 'strides'), ints(node, 'pads')];
  each(y, ([n, c, r, q], yi) => {
    each(kernel, ([ky, kx]) => {
      const row = r! * strides[0]! + ky! - pads[0]!;
      const column = q! * strides[1]! + kx! - pads[1]!;
      if (row >= 0 && row < x[2]! && column >= 0 && column < x[3]!) visit(((n! * x[1]! + c!) * x[2]! + row) * x[3]! + column, yi);
    });
  });
}

const pooled = (x: Wide, node: TapeNode): Shape => [x.shape[0]!, x.shape[1]!, outputSide(node, x.shape, ints(node, 'kernel_shape'), 0), outputSide(node, x.shape, ints(node, 'kernel_shape'), 1)];

const maxPool: Rule = ([x], node) => {
  const y = wide(pooled(x!, node));
  const where = wide(y.shape);
  y.data.fill(-Infinity);
  visitWindows(node, x!.shape, y.shape, (xi, yi) => {
    if (x!.data[xi]! > y.data[yi]!) [y.data[yi], where.data[yi]] = [x!.data[xi]!, xi];
  });
  return [y, where];
};

const averagePool: Rule = ([x], node) => {
  const y = wide(pooled(x!, node));
  const cells = new Float64Array(y.data.length);
  visitWindows(node, x!.shape, y.shape, (xi, yi) => {
    y.data[yi]! += x!.data[xi]!;
    cells[yi]!++;
  });
  const window = elements(ints(node, 'kernel_shape'));
  return [wide(y.shape, y.data.map((v, i) => v / (int(node, 'count_include_pad', 0) === 1 ? window : cells[i]!)))];
};

/** Reads x at a place worked out from the output's index; null: 0. */
function gather(x: Wide, shape: Shape, place: (index: readonly number[]) => readonly number[] | null): Wide {
  const y = wide(shape);
  const strides = stridesOf(x.shape);
  each(shape, (index, i) => {
    const from = place(index);
    if (from !== null) y.data[i] = x.data[positionIn(x.shape, strides, from)]!;
  });
  return y;
}

const along = (index: readonly number[], axis: number, by: number): number[] => index.map((v, i) => (i === axis ? v + by : v));

const split: Rule = ([x, lengths], node) => {
  const axis = int(node, 'axis', 0);
  let start = 0;
  return [...lengths!.data].map((length) => {
    const from = start;
    start += length;
    return gather(x!, x!.shape.map((d, i) => (i === axis ? length : d)), (index) => along(index, axis, from));
  });
};

const concat: Rule = (xs, node) => {
  const axis = int(node, 'axis', 0);
  const y = wide(xs[0]!.shape.map((d, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : d)));
  const strides = stridesOf(y.shape);
  let start = 0;
  for (const x of xs) {
    each(x.shape, (index, i) => (y.data[positionIn(y.shape, strides, along(index, axis, start))] = x.data[i]!));
    start += x.shape[axis]!;
  }
  return [y];
};

const pad: Rule = ([x, pads]) => {
  const before = [...pads!.data.subarray(0, x!.shape.length)];
  const shape = x!.shape.map((d, i) => d + before[i]! + pads!.data[x!.shape.length + i]!);
  return [gather(x!, shape, (index) => {
    const from = index.map((v, i) => v - before[i]!);
    return from.every((v, i) => v >= 0 && v < x!.shape[i]!) ? from : null;
  })];
};

const softmax = (log: boolean): Rule => ([x], node) => {
  const axis = axisFrom(int(node, 'axis', -1), x!.shape.length);
  const [count, stride] = [x!.shape[axis]!, stridesOf(x!.shape)[axis]!];
  const y = wide(x!.shape);
  each(x!.shape, (index, i) => {
    const run = Array.from({ length: count }, (_, k) => x!.data[i + (k - index[axis]!) * stride]!);
    const top = Math.max(...run);
    const total = run.reduce((sum, v) => sum + Math.exp(v - top), 0);
    y.data[i] = log ? x!.data[i]! - top - Math.log(total) : Math.exp(x!.data[i]! - top) / total;
  });
  return [y];
};

function roundHalfToEven(x: number): number {
  const down = Math.floor(x);
  return x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

const clamp01 = (x: number): number => Math.min(1, Math.max(0, x));

const RULES: Readonly<Record<TapeOp, Rule>> = {
  Add: binary((a, b) => a + b), Sub: binary((a, b) => a - b), Mul: binary((a, b) => a * b), Div: binary((a, b) => a / b),
  Max: binary(Math.max), Min: binary(Math.min), Equal: binary((a, b) => (a === b ? 1 : 0)), PRelu: binary((x, slope) => (x < 0 ? slope * x : x)),
  Exp: unary(Math.exp), Log: unary(Math.log), Sqrt: unary(Math.sqrt), Tanh: unary(Math.tanh), Erf: unary(erf),
  Relu: unary((x) => Math.max(0, x)), Abs: unary(Math.abs), Neg: unary((x) => -x), Round: unary(roundHalfToEven), Identity: unary((x) => x), Cast: unary((x) => x),
  Clip: ([x, low, high]) => [wide(x!.shape, x!.data.map((v) => Math.min(high!.data[0]!, Math.max(low!.data[0]!, v))))],
  LeakyRelu: unary((x, node) => (x < 0 ? float(node, 'alpha', 0.01) * x : x)),
  Elu: unary((x, node) => (x < 0 ? float(node, 'alpha', 1) * Math.expm1(x) : x)),
  HardSigmoid: unary((x, node) => clamp01(float(node, 'alpha', 0.2) * x + float(node, 'beta', 0.5))),
  HardSwish: unary((x) => x * clamp01(x / 6 + 0.5)),
  ThresholdedRelu: unary((x, node) => (x > float(node, 'alpha', 1) ? x : 0)),
  MatMul: product, FusedMatMul: product, Conv: conv, ConvTranspose: convTranspose, MaxPool: maxPool, AveragePool: averagePool,
  ScatterElements: ([x, where, updates]) => {
    const y = x!.data.slice();
    where!.data.forEach((at, i) => (y[at]! += updates!.data[i]!));
    return [wide(x!.shape, y)];
  },
  ReduceSum: total, ReduceMean: average, ReduceMax: reduce(-Infinity, Math.max), ReduceMin: reduce(Infinity, Math.min),
  Reshape: ([x, shape]) => [wide([...shape!.data], x!.data)],
  Transpose: ([x], node) => {
    const perm = ints(node, 'perm');
    return [gather(x!, perm.map((p) => x!.shape[p]!), (index) => perm.map((_, d) => index[perm.indexOf(d)]!))];
  },
  Concat: concat, Split: split, Pad: pad,
  Slice: ([x, starts, ends, axes, steps]) => {
    const [axis, start, every] = [axes!.data[0]!, starts!.data[0]!, steps?.data[0] ?? 1];
    return [gather(x!, x!.shape.map((d, i) => (i === axis ? Math.ceil((ends!.data[0]! - start) / every) : d)), (index) => index.map((v, i) => (i === axis ? start + every * v : v)))];
  },
  Expand: ([x, shape]) => [gather(x!, [...shape!.data], (index) => index)],
  Softmax: softmax(false), LogSoftmax: softmax(true),
  BatchNormalization: ([x, scale, bias, mean, variance], node) => {
    const plane = elements(x!.shape.slice(2));
    return [wide(x!.shape, x!.data.map((v, i) => {
      const c = Math.floor(i / plane) % x!.shape[1]!;
      return (scale!.data[c]! * (v - mean!.data[c]!)) / Math.sqrt(variance!.data[c]! + float(node, 'epsilon', 1e-5)) + bias!.data[c]!;
    }))];
  },
};

/**
 * Runs a program in double precision by plain loops: the judge of gradients, since finite differences need the digits.
 * Scatter adds along a vector; reductions keep their axes. What no output needs is not computed.
 *
 * @param inputs one tensor for each of the program's inputs
 * @returns the outputs by role
 * @throws Error naming an input that is missing or misshapen, or an output that has another shape than the tape said
 */
export function evaluateProgram(program: Program, inputs: ReadonlyMap<string, Wide>): ReadonlyMap<string, Wide> {
  const values = new Map<string, Wide>(program.constants.map((c) => [c.name, wide(c.shape, Float64Array.from(c.data))]));
  for (const { name, shape } of program.inputs) {
    const value = inputs.get(name);
    if (value?.data.length !== elements(shape)) throw new Error(`input "${name}": expected ${elements(shape)} values, got ${value?.data.length ?? 'none'}`);
    values.set(name, wide(shape, value.data));
  }
  const live = new Set(Object.values(program.outputs).map((v) => v.name));
  for (const node of [...program.nodes].reverse()) if (node.outputs.some((name) => live.has(name))) node.inputs.forEach((name) => live.add(name));
  for (const node of program.nodes) {
    if (!node.outputs.some((name) => live.has(name))) continue;
    const results = RULES[node.opType](node.inputs.map((name) => values.get(name)!), node);
    node.outputs.forEach((name, i) => values.set(name, results[i]!));
  }
  return new Map(Object.entries(program.outputs).map(([role, { name, shape }]) => {
    const value = values.get(name)!;
    if (value.shape.join() !== shape.join()) throw new Error(`output "${role}": expected shape [${shape.join(', ')}], got [${value.shape.join(', ')}]`);
    return [role, value];
  }));
}
