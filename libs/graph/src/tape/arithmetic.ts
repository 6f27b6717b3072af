/** Element-wise operators, reductions, products and moves on a tape, with their shapes. */
import { broadcastShape, elements, sameShape } from '../shape.js';
import type { Shape } from '../types.js';
import type { Tape, TapeOp, Value } from './tape.js';

const binary = (opType: TapeOp) => (t: Tape, a: Value, b: Value): Value => {
  const shape = broadcastShape(a.shape, b.shape);
  // behind an axis of length 1 the runtime takes the other operand for each cell anew
  if (b.shape.length === 0 && shape.at(-1) === 1) return reshape(t, t.op(opType, [reshape(t, a, [elements(shape)]), b], [elements(shape)]), shape);
  return t.op(opType, [a, b], shape);
};
const unary = (opType: TapeOp) => (t: Tape, x: Value): Value => t.op(opType, [x], x.shape);

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const max = binary('Max');
export const min = binary('Min');
export const exp = unary('Exp');
export const sqrt = unary('Sqrt');
export const neg = unary('Neg');
export const round = unary('Round');

export const scale = (t: Tape, x: Value, by: number): Value => (by === 1 ? x : mul(t, x, t.scalar(by)));
export const shift = (t: Tape, x: Value, by: number): Value => (by === 0 ? x : add(t, x, t.scalar(by)));

/** 1 / (1 + e⁻ˣ). Not the runtime's own operator, which is true to 1e-7 and no closer near 0: a batch norm behind a gate that is almost shut makes all of that error. */
export const sigmoid = (t: Tape, x: Value): Value => div(t, t.scalar(1), shift(t, exp(t, neg(t, x)), 1));

/** 1 where x > 0, else 0: a hard sigmoid so steep that only |x| < 1e-30 falls between. One pass, where a comparison and a cast are two. */
export const step = (t: Tape, x: Value): Value => t.op('HardSigmoid', [x], x.shape, { alpha: { float: 1e30 }, beta: { float: 0 } });

/** 1 where the two are equal, else 0. */
export function equal(t: Tape, a: Value, b: Value): Value {
  const shape = broadcastShape(a.shape, b.shape);
  return t.op('Cast', [t.op('Equal', [a, b], shape)], shape, { to: { int: 1 } });
}

export const reshape = (t: Tape, x: Value, shape: Shape): Value => t.reshape(x, shape);

export function transpose(t: Tape, x: Value, perm: readonly number[]): Value {
  const shape = perm.map((p) => x.shape[p]!);
  // nothing moves in memory when only axes of length 1 change places
  const moved = perm.filter((p) => x.shape[p] !== 1);
  if (moved.every((p, i) => i === 0 || moved[i - 1]! < p)) return reshape(t, x, shape);
  return t.op('Transpose', [x], shape, { perm: { ints: perm } });
}

export function expand(t: Tape, x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : t.op('Expand', [x, t.ints(shape)], shape);
}

/** Cells start, start + every, … before end along an axis. */
export function slice(t: Tape, x: Value, axis: number, start: number, end: number, every = 1): Value {
  if (start === 0 && end === x.shape[axis] && every === 1) return x;
  const shape = x.shape.map((d, i) => (i === axis ? Math.ceil((end - start) / every) : d));
  return t.op('Slice', [x, t.ints([start]), t.ints([end]), t.ints([axis]), ...(every === 1 ? [] : [t.ints([every])])], shape);
}

/** Zeros before and after along one axis. */
export function pad(t: Tape, x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const side = (cells: number): number[] => x.shape.map((_, i) => (i === axis ? cells : 0));
  return t.op('Pad', [x, t.ints([...side(before), ...side(after)])], x.shape.map((d, i) => (i === axis ? before + d + after : d)));
}

export function concat(t: Tape, xs: readonly Value[], axis: number): Value {
  const shape = xs[0]!.shape.map((d, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : d));
  return xs.length === 1 ? xs[0]! : t.op('Concat', xs, shape, { axis: { int: axis } });
}

/** Pieces of the given lengths along an axis. */
export function split(t: Tape, x: Value, axis: number, lengths: readonly number[]): readonly Value[] {
  if (lengths.length === 1) return [x];
  return t.multi('Split', [x, t.ints(lengths)], lengths.map((n) => x.shape.map((d, i) => (i === axis ? n : d))), { axis: { int: axis } });
}

const reduced = (shape: Shape, axes: readonly number[]): Shape => shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** Sums over axes, which stay with length 1. */
export function sum(t: Tape, x: Value, axes: readonly number[]): Value {
  const due = axes.filter((a) => x.shape[a] !== 1);
  return due.length === 0 ? x : t.op('ReduceSum', [x, t.ints(due)], reduced(x.shape, due), { keepdims: { int: 1 } });
}

/** Mean over axes, which stay with length 1. */
export function mean(t: Tape, x: Value, axes: readonly number[]): Value {
  const due = axes.filter((a) => x.shape[a] !== 1);
  return due.length === 0 ? x : t.op('ReduceMean', [x], reduced(x.shape, due), { axes: { ints: due }, keepdims: { int: 1 } });
}

/** Maximum over axes, which stay with length 1. */
export const maxOver = (t: Tape, x: Value, axes: readonly number[]): Value => t.op('ReduceMax', [x], reduced(x.shape, axes), { axes: { ints: axes }, keepdims: { int: 1 } });
export const minOver = (t: Tape, x: Value, axes: readonly number[]): Value => t.op('ReduceMin', [x], reduced(x.shape, axes), { axes: { ints: axes }, keepdims: { int: 1 } });

/** Cells of a row up to which a product with ones beats copying. */
const SHORT_ROW = 16;

/** x [N, C, 1, P] as often as it says along axis 2. Exact for finite values. */
export function repeat(t: Tape, x: Value, times: number): Value {
  const [n, channels, , plane] = x.shape as [number, number, number, number];
  const shape = [n, channels, times, plane];
  if (plane > SHORT_ROW) return expand(t, x, shape);
  const copies = t.table(`copies.${times}x${plane}`, [plane, times * plane], () => Float32Array.from({ length: plane * times * plane }, (_, i) => (Math.floor(i / (times * plane)) === i % plane ? 1 : 0)));
  return reshape(t, matmul(t, reshape(t, x, [n * channels, plane]), copies), shape);
}

/** 1 where a ≥ b, else 0; both of one shape. */
export const atLeast = (t: Tape, a: Value, b: Value): Value => t.op('HardSigmoid', [sub(t, a, b)], a.shape, { alpha: { float: 1e30 }, beta: { float: 1 } });

/** Sum of a gradient down to the shape that was broadcast. */
export function unbroadcast(t: Tape, dy: Value, shape: Shape): Value {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return reshape(t, sum(t, dy, axes), shape);
}

/** a[c]·x + b[c] along axis 1, in one pass: a batch norm of mean 0 and variance 1. */
export function affine(t: Tape, x: Value, a: Value, b: Value): Value {
  const channels = x.shape[1]!;
  // the batch norm goes channel by channel, which is cell by cell here
  if (elements(x.shape) === x.shape[0]! * channels) return reshape(t, add(t, mul(t, reshape(t, x, [x.shape[0]!, channels]), a), b), x.shape);
  return t.op('BatchNormalization', [x, a, b, t.constant([channels], new Float32Array(channels)), t.constant([channels], new Float32Array(channels).fill(1))], x.shape, { epsilon: { float: 0 } });
}

/** Matrix product over the last two axes, the others broadcast. */
export function matmul(t: Tape, a: Value, b: Value, transposed: { readonly a?: boolean; readonly b?: boolean } = {}): Value {
  const rank = Math.max(a.shape.length, b.shape.length);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rows = a.shape.at(transposed.a ? -1 : -2)!;
  const columns = b.shape.at(transposed.b ? -2 : -1)!;
  const shape = [...batch, rows, columns].slice(-rank);
  if (!transposed.a && !transposed.b) return t.op('MatMul', [a, b], shape);
  return t.op('FusedMatMul', [a, b], shape, { transA: { int: transposed.a ? 1 : 0 }, transB: { int: transposed.b ? 1 : 0 } });
}

/** Elements of x in row-major order as a vector. */
export const flat = (t: Tape, x: Value): Value => reshape(t, x, [elements(x.shape)]);

