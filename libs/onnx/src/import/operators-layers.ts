import type { Shape, Tensor } from '@app/graph';
import type { Constant } from './model.js';
import { Unsupported, tensorOf, type Scope } from './scope.js';
import { readWindow } from './windows.js';

export type Operator = (scope: Scope) => void;

function expectRank4(x: Shape): void {
  if (x.length !== 4) throw new Unsupported(`an input of ${x.length} axes`);
}

function transposed(w: Constant): Tensor {
  const [rows, columns] = w.shape as [number, number];
  const data = new Float32Array(w.data.length);
  w.data.forEach((v, i) => (data[(i % columns) * rows + Math.floor(i / columns)] = v));
  return { shape: [columns, rows], data };
}

/** 2-D convolution; a 1-D one is a 2-D one over a single row. */
function conv(scope: Scope): void {
  const x = scope.shape();
  const weight = scope.stored(1, 'the weight');
  if (x.length !== weight.shape.length || (x.length !== 4 && x.length !== 3)) throw new Unsupported(`a convolution over ${x.length - 2} axes`);
  const window = readWindow(scope, x, weight.shape.slice(2));
  const bias = scope.has(2) ? scope.stored(2, 'the bias') : null;
  const flat = x.length === 3;
  const source = flat ? scope.add('reshape', [scope.x()], { shape: [x[0]!, x[1]!, 1, x[2]!] }) : scope.x();
  const weightShape = [weight.shape[0]!, weight.shape[1]!, ...window.kernel];
  const y = scope.add(
    'conv2d',
    [source],
    { outChannels: weight.shape[0]!, ...window, groups: scope.number('group', 1), bias: bias !== null },
    { weight: tensorOf(weight, weightShape), ...(bias === null ? {} : { bias: tensorOf(bias, bias.data.length === weight.shape[0] ? [bias.data.length] : bias.shape) }) },
  );
  const [n, channels, , length] = scope.state.builder.shape(y) as [number, number, number, number];
  scope.define(flat ? scope.add('reshape', [y], { shape: [n, channels, length] }) : y);
}

/** Bias of a linear layer of `features` outputs, spread from a scalar or [1, O] where the model keeps it so. */
function biasOf(stored: Constant, features: number, factor = 1): Tensor {
  const count = stored.data.length;
  if ((count !== 1 && count !== features) || stored.shape.slice(0, -1).some((d) => d !== 1)) throw new Unsupported(`a bias of shape [${stored.shape.join(', ')}]`);
  return { shape: [features], data: Float32Array.from({ length: features }, (_, i) => factor * stored.data[count === 1 ? 0 : i]!) };
}

function addLinear(scope: Scope, weight: Tensor, bias: Tensor | null): void {
  scope.define(scope.add('linear', [scope.x()], { outFeatures: weight.shape[0]!, bias: bias !== null }, bias === null ? { weight } : { weight, bias }));
}

function gemm(scope: Scope): void {
  if (scope.number('transA', 0) === 1) throw new Unsupported('a transposed first operand');
  const stored = scope.stored(1, 'the weight');
  const plain = scope.number('transB', 0) === 1 ? tensorOf(stored) : transposed(stored);
  const alpha = scope.number('alpha', 1);
  const weight = alpha === 1 ? plain : { shape: plain.shape, data: plain.data.map((v) => alpha * v) };
  addLinear(scope, weight, scope.has(2) ? biasOf(scope.stored(2, 'the bias'), weight.shape[0]!, scope.number('beta', 1)) : null);
}

function matMulShape(a: Shape, b: Shape): Shape | null {
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) return null;
  const lead = a.length >= b.length ? a : b;
  return [...lead.slice(0, -2), a.at(-2)!, b.at(-1)!];
}

function matMul(scope: Scope): void {
  const weight = scope.constant(1);
  if (weight === null || weight.shape.length !== 2 || scope.shape().length < 2 || scope.constant(0) !== null) {
    throw new Unsupported('a product of other than an activation and a stored matrix', matMulShape(scope.shape(0), scope.shape(1)));
  }
  addLinear(scope, transposed(weight), scope.has(2) ? biasOf(scope.stored(2, 'the bias'), weight.shape[1]!) : null);
}

function batchNormalization(scope: Scope): void {
  if (scope.number('training_mode', 0) === 1) throw new Unsupported('batch normalization in training mode', scope.shape());
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => tensorOf(scope.stored(i, 'a statistic'))) as [Tensor, Tensor, Tensor, Tensor];
  scope.define(scope.add('batchNorm', [scope.x()], { epsilon: scope.number('epsilon', 1e-5) }, { scale, shift, mean, variance }));
}

/** scale · x + shift a channel, as a batch norm of mean 0 and variance 1. */
function channelAffine(scope: Scope): void {
  const [scale, shift] = [scope.stored(1, 'the scale'), scope.stored(2, 'the shift')];
  const channels = [scope.shape()[1]!];
  const epsilon = 1e-5;
  const filled = (value: number): Tensor => ({ shape: channels, data: new Float32Array(channels[0]!).fill(value) });
  scope.define(scope.add('batchNorm', [scope.x()], { epsilon }, { scale: tensorOf(scale, channels), shift: tensorOf(shift, channels), mean: filled(0), variance: filled(1 - epsilon) }));
}

function maxPool(scope: Scope): void {
  expectRank4(scope.shape());
  if ((scope.node.outputs[1] ?? '') !== '') throw new Unsupported('the positions of the maxima');
  const { kernel, stride, padding, dilation } = readWindow(scope, scope.shape(), null);
  if (dilation[0] !== 1 || dilation[1] !== 1) throw new Unsupported('a dilated pool');
  scope.define(scope.add('maxPool', [scope.x()], { kernel, stride, padding }));
}

function averagePool(scope: Scope): void {
  expectRank4(scope.shape());
  const { kernel, stride, padding, dilation } = readWindow(scope, scope.shape(), null);
  const countIncludePad = scope.number('count_include_pad', 0) === 1;
  if (dilation[0] !== 1 || dilation[1] !== 1) throw new Unsupported('a dilated pool');
  if (countIncludePad && scope.number('ceil_mode', 0) === 1) throw new Unsupported('ceil_mode together with count_include_pad');
  scope.define(scope.add('avgPool', [scope.x()], { kernel, stride, padding, countIncludePad }));
}

function globalAveragePool(scope: Scope): string {
  expectRank4(scope.shape());
  return scope.add('globalAvgPool', [scope.x()], {});
}

function globalMaxPool(scope: Scope): string {
  expectRank4(scope.shape());
  const kernel = [scope.shape()[2]!, scope.shape()[3]!] as const;
  return scope.add('maxPool', [scope.x()], { kernel, stride: kernel, padding: [0, 0, 0, 0] });
}

/** Reduction over both spatial axes of [N, C, H, W]; other axes have no counterpart, but their shape is known. */
function spatialReduction(pool: ((scope: Scope) => string) | null): Operator {
  return (scope) => {
    const x = scope.shape();
    const axes = (scope.list('axes', 1) ?? x.map((_, i) => i)).map((a) => (a < 0 ? a + x.length : a));
    const keep = scope.number('keepdims', 1) === 1;
    const shape = x.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
    const spatial = x.length === 4 && axes.length === 2 && axes.includes(2) && axes.includes(3);
    if (pool === null || !spatial) throw new Unsupported(`a reduction over axes ${axes.join(', ')}`, shape);
    const pooled = pool(scope);
    scope.define(keep ? pooled : scope.add('flatten', [pooled], {}));
  };
}

function headReduce(scope: Scope): void {
  const shape = scope.numbers('shape')!;
  const x = scope.shape();
  const reduction = scope.text('reduction', 'maxout') as 'maxout' | 'sum-relu' | 'funnel';
  const output = [shape[0]!, shape[1]!, ...shape.slice(3)];
  if (shape[0] !== x[0] || shape[1]! * shape[2]! !== x[1] || shape.slice(3).join() !== x.slice(2).join()) throw new Unsupported('a reduction over an inner axis', output);
  scope.define(scope.add('headReduce', reduction === 'funnel' ? [scope.x(0), scope.x(1)] : [scope.x()], { heads: shape[2]!, reduction }));
}

function channelAttention(scope: Scope): void {
  const kernel = scope.stored(1, 'the kernel');
  scope.define(scope.add('channelAttention', [scope.x()], {
    kernel: kernel.shape[2]!,
    statistics: kernel.shape[1] === 2 ? 'mean-variance' : 'mean',
    excitation: scope.text('excitation', 'sigmoid') as 'sigmoid' | 'softmax',
    heads: scope.number('heads', 1),
    temperature: scope.number('temperature', 1),
  }, { kernel: tensorOf(kernel) }));
}

/** Convolutions, linear layers, normalisation, pools, and the composites of our own kind. */
export const LAYERS: Readonly<Record<string, Operator>> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matMul,
  Linear: matMul,
  BatchNormalization: batchNormalization,
  ChannelAffine: channelAffine,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (scope) => scope.define(globalAveragePool(scope)),
  GlobalMaxPool: (scope) => scope.define(globalMaxPool(scope)),
  ReduceMean: spatialReduction(globalAveragePool),
  ReduceMax: spatialReduction(globalMaxPool),
  ReduceSum: spatialReduction(null),
  HeadReduce: headReduce,
  ChannelAttention: channelAttention,
};
