import { broadcastTo } from './broadcast.js';
import type { Constant } from './model.js';
import { Unsupported, type Scope } from './scope.js';

/** Values computed at import are shapes and scalars; anything larger is left to the graph. */
const MAX_FOLDED = 2 ** 24;

type Fold = (scope: Scope) => Constant | null;

function integers(values: readonly number[], shape: readonly number[] = [values.length]): Constant {
  return { shape, data: Float64Array.from(values) };
}

function allConstant(scope: Scope): Constant[] | null {
  const constants = scope.node.inputs.map((_, i) => scope.constant(i));
  return constants.every((c): c is Constant => c !== null) ? constants : null;
}

function elementwise(f: (a: number, b: number) => number): Fold {
  return (scope) => {
    const operands = allConstant(scope);
    if (operands === null || operands.length !== 2) return null;
    const [a, b] = operands as [Constant, Constant];
    const broadcast = broadcastTo(a.shape, b.shape);
    if (broadcast === null || broadcast.count > MAX_FOLDED) return null;
    const values = Float64Array.from({ length: broadcast.count }, (_, i) => f(a.data[broadcast.left(i)]!, b.data[broadcast.right(i)]!));
    return { shape: broadcast.shape, data: a.data instanceof Float32Array ? Float32Array.from(values) : values };
  };
}

function mapped(f: (v: number) => number): Fold {
  return (scope) => {
    const x = scope.constant(0);
    return x === null ? null : { shape: x.shape, data: x.data.map(f) };
  };
}

function integerDivision(a: number, b: number): number {
  return Number.isInteger(a) && Number.isInteger(b) ? Math.trunc(a / b) : a / b;
}

/** TensorProto data types that hold integers (and booleans). */
const INTEGER_TYPES: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13]);

/**
 * Operators whose result is known at import, mostly the arithmetic on shapes that exporters write around Reshape.
 * Each returns null where its inputs are not stored values.
 */
export const FOLDS: Readonly<Record<string, Fold>> = {
  Constant: (scope) => {
    for (const [name, a] of scope.node.attributes) {
      if (name === 'value' && a.kind === 'tensor') return a.value;
      if (name === 'value_float' && a.kind === 'number') return { shape: [], data: Float32Array.of(a.value) };
      if (name === 'value_int' && a.kind === 'number') return integers([a.value], []);
      if (name === 'value_ints' && a.kind === 'numbers') return integers(a.value);
      if (name === 'value_floats' && a.kind === 'numbers') return { shape: [a.value.length], data: Float32Array.from(a.value) };
    }
    throw new Unsupported('a constant without numeric values');
  },
  ConstantOfShape: (scope) => {
    const shape = scope.constant(0);
    if (shape === null) return null;
    const dims = Array.from(shape.data);
    const count = dims.reduce((a, b) => a * b, 1);
    if (!(count <= MAX_FOLDED) || dims.some((d) => !Number.isSafeInteger(d) || d < 0)) throw new Unsupported(`a constant of shape [${dims.join(', ')}]`);
    const value = scope.node.attributes.get('value');
    const data = value?.kind === 'tensor' && value.value.data instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
    return { shape: dims, data: data.fill(value?.kind === 'tensor' ? value.value.data[0]! : 0) };
  },
  Shape: (scope) => {
    const shape = scope.shape();
    const at = (v: number): number => (v < 0 ? v + shape.length : v);
    return integers(shape.slice(at(scope.number('start', 0)), at(scope.number('end', shape.length))));
  },
  Size: (scope) => integers([scope.shape().reduce((a, b) => a * b, 1)], []),
  Gather: (scope) => {
    const [data, indices] = [scope.constant(0), scope.constant(1)];
    if (data === null || indices === null || data.shape.length !== 1 || scope.number('axis', 0) !== 0) return null;
    const values = Array.from(indices.data, (i) => data.data[i < 0 ? i + data.data.length : i]);
    if (values.some((v) => v === undefined)) throw new Unsupported('an index beyond its list');
    return { shape: indices.shape, data: data.data instanceof Float32Array ? Float32Array.from(values as number[]) : Float64Array.from(values as number[]) };
  },
  Concat: (scope) => {
    const parts = allConstant(scope);
    if (parts === null || parts.some((p) => p.shape.length !== 1)) return null;
    const values = parts.flatMap((p) => Array.from(p.data));
    return { shape: [values.length], data: parts.some((p) => p.data instanceof Float32Array) ? Float32Array.from(values) : Float64Array.from(values) };
  },
  Slice: (scope) => {
    const x = scope.constant(0);
    const [starts, ends] = [scope.list('starts', 1), scope.list('ends', 2)];
    if (x === null || x.shape.length !== 1 || starts?.length !== 1 || ends?.length !== 1 || (scope.list('steps', 4)?.[0] ?? 1) !== 1) return null;
    const data = x.data.slice(starts[0], ends[0]! > x.data.length ? x.data.length : ends[0]);
    return { shape: [data.length], data };
  },
  Unsqueeze: (scope) => {
    const x = scope.constant(0);
    const axes = scope.list('axes', 1);
    if (x === null || axes === null) return null;
    const shape = [...x.shape];
    for (const axis of axes.map((a) => (a < 0 ? a + x.shape.length + axes.length : a)).sort((a, b) => a - b)) shape.splice(axis, 0, 1);
    return { shape, data: x.data };
  },
  Squeeze: (scope) => {
    const x = scope.constant(0);
    if (x === null) return null;
    const axes = scope.list('axes', 1)?.map((a) => (a < 0 ? a + x.shape.length : a));
    return { shape: x.shape.filter((d, i) => (axes === undefined ? d !== 1 : !axes.includes(i))), data: x.data };
  },
  Reshape: (scope) => {
    const [x, shape] = [scope.constant(0), scope.constant(1)];
    if (x === null || shape === null) return null;
    const wanted = Array.from(shape.data, (d, i) => (d === 0 && scope.number('allowzero', 0) === 0 ? x.shape[i]! : d));
    const rest = wanted.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
    const dims = wanted.map((d) => (d === -1 ? x.data.length / rest : d));
    return dims.reduce((a, b) => a * b, 1) === x.data.length ? { shape: dims, data: x.data } : null;
  },
  Transpose: (scope) => {
    const x = scope.constant(0);
    const perm = scope.numbers('perm') ?? [1, 0];
    if (x === null || x.shape.length !== 2 || perm[0] !== 1) return null;
    const [rows, columns] = x.shape as [number, number];
    const turned = x.data.slice();
    x.data.forEach((v, i) => (turned[(i % columns) * rows + Math.floor(i / columns)] = v));
    return { shape: [columns, rows], data: turned };
  },
  Cast: (scope) => {
    const x = scope.constant(0);
    if (x === null) return null;
    return INTEGER_TYPES.has(scope.number('to', 1)) ? { shape: x.shape, data: Float64Array.from(x.data, Math.trunc) } : { shape: x.shape, data: Float32Array.from(x.data) };
  },
  /** Stored weights of a quantised model, per tensor or along one axis. */
  DequantizeLinear: (scope) => {
    const [x, scale] = [scope.constant(0), scope.constant(1)];
    if (x === null || scale === null) return null;
    const zero = scope.constant(2);
    const axis = scope.number('axis', 1);
    const at = axis < 0 ? axis + x.shape.length : axis;
    const step = x.shape.slice(at + 1).reduce((a, b) => a * b, 1);
    const index = (i: number): number => (scale.data.length === 1 ? 0 : Math.floor(i / step) % scale.data.length);
    return { shape: x.shape, data: Float32Array.from(x.data, (v, i) => (v - (zero?.data[index(i)] ?? 0)) * scale.data[index(i)]!) };
  },
  Identity: mapped((v) => v),
  Floor: mapped(Math.floor),
  Ceil: mapped(Math.ceil),
  Sqrt: mapped(Math.sqrt),
  Neg: mapped((v) => -v),
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: (scope) => elementwise(scope.constant(0)?.data instanceof Float64Array ? integerDivision : (a, b) => a / b)(scope),
};
