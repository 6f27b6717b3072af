import { decode } from '@app/decode';
import { graphBuilder, initialWeights, type ActivationFn, type Graph, type GraphBuilder, type Tensor, type Weights } from '@app/graph';
import type { Rng } from '@app/numeric';

export function randomTensor(shape: readonly number[], rng: Rng, deviation = 1): Tensor {
  return { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => deviation * rng.normal()) };
}

/** Weights no rule is blind to: statistics away from 0 and 1, biases away from 0. */
export function randomWeights(graph: Graph, rng: Rng): ReadonlyMap<string, Weights> {
  const first = initialWeights(graph, 7);
  return new Map([...first].map(([id, weights]) => [id, Object.fromEntries(Object.entries(weights).map(([name, t]) => {
    const noise = randomTensor(t.shape, rng, 0.3);
    return [name, { shape: t.shape, data: t.data.map((v, i) => (name === 'variance' ? Math.abs(v + noise.data[i]!) + 0.1 : v + noise.data[i]!)) }];
  }))]));
}

export function oneInput(name: string, shape: readonly number[], write: (g: GraphBuilder, x: string) => string): Graph {
  const g = graphBuilder(name);
  g.output(write(g, g.input(shape)));
  return g.build();
}

const IMAGE = [2, 6, 9, 8] as const;

/** Small graphs that among them use every kind of op. */
export const EXAMPLES: readonly Graph[] = [
  oneInput('dense convolution with bias', IMAGE, (g, x) => g.conv2d(x, { outChannels: 5, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], bias: true })),
  oneInput('dilated grouped convolution', IMAGE, (g, x) => g.conv2d(x, { outChannels: 9, kernel: 3, dilation: 2, groups: 3 })),
  oneInput('same padding', IMAGE, (g, x) => g.conv2d(x, { outChannels: 4, kernel: 5, stride: 2, padding: 'same' })),
  oneInput('multihead depthwise convolution', IMAGE, (g, x) => g.conv2d(x, { outChannels: 18, kernel: 3, stride: 2, groups: 6 })),
  oneInput('batch norm of a map', IMAGE, (g, x) => g.batchNorm(x, 1e-3)),
  oneInput('batch norm of a vector', [3, 7], (g, x) => g.batchNorm(x)),
  oneInput('linear', [3, 7], (g, x) => g.linear(x, 5)),
  oneInput('linear without bias', [3, 7], (g, x) => g.linear(x, 5, false)),
  oneInput('linear over the last of three axes', [2, 4, 7], (g, x) => g.linear(x, 5)),
  oneInput('linear over three axes without bias', [2, 4, 7], (g, x) => g.linear(x, 5, false)),
  ...(['relu', 'relu6', 'hswish', 'hsigmoid', 'sigmoid', 'tanh', 'silu', 'gelu', 'prelu-shared', 'exp', 'neg', 'abs'] as ActivationFn[]).map((fn) =>
    oneInput(`activation ${fn}`, IMAGE, (g, x) => g.activation(g.add(x, x), fn))),
  oneInput('activation sqrt', IMAGE, (g, x) => g.activation(g.activation(x, 'abs'), 'sqrt')),
  oneInput('leaky ReLU', IMAGE, (g, x) => g.activation(x, 'leaky-relu', 0.2)),
  oneInput('ELU', IMAGE, (g, x) => g.activation(x, 'elu', 1.5)),
  oneInput('broadcast arithmetic', [2, 3, 4, 5], (g, x) => {
    const c = g.constant([3, 1, 5]);
    return g.maximum(g.sub(g.mul(g.add(x, c), g.globalAvgPool(x)), x), c);
  }),
  oneInput('concat, slice, zero channels', IMAGE, (g, x) => g.padChannels(g.concat([g.slice(x, 1, 3), x, g.slice(x, 4, 6)]), 2, 1)),
  oneInput('slice of a spatial axis', IMAGE, (g, x) => g.slice(x, 2, 7, -1)),
  oneInput('max pool', IMAGE, (g, x) => g.maxPool(x, { kernel: 3, stride: 2, padding: 1 })),
  oneInput('average pool without its padding', IMAGE, (g, x) => g.avgPool(x, { kernel: 3, stride: 2, padding: [1, 0, 1, 2] })),
  oneInput('average pool with its padding', IMAGE, (g, x) => g.avgPool(x, { kernel: [3, 2], padding: 1, countIncludePad: true })),
  oneInput('classifier end', IMAGE, (g, x) => g.softmax(g.linear(g.flatten(g.globalAvgPool(x)), 4))),
  oneInput('softmax over the channels', IMAGE, (g, x) => g.softmax(x, 1)),
  oneInput('channel shuffle', IMAGE, (g, x) => g.reshape(g.transpose(g.reshape(x, [2, 3, 2, 9, 8]), [0, 2, 1, 3, 4]), [2, -1, 9, 8])),
  oneInput('max-out', IMAGE, (g, x) => g.headReduce(x, 3, 'maxout')),
  oneInput('max-out of one head', IMAGE, (g, x) => g.headReduce(x, 1, 'maxout')),
  oneInput('sum of heads, ReLU', IMAGE, (g, x) => g.headReduce(x, 3, 'sum-relu')),
  oneInput('funnel', IMAGE, (g, x) => g.headReduce(g.conv2d(x, { outChannels: 12, kernel: 3, groups: 6 }), 2, 'funnel', x)),
  oneInput('attention, mean and variance, sigmoid', IMAGE, (g, x) => g.channelAttention(x, { statistics: 'mean-variance', excitation: 'sigmoid' })),
  oneInput('attention, mean, sigmoid', IMAGE, (g, x) => g.channelAttention(x, { kernel: 3, statistics: 'mean', excitation: 'sigmoid' })),
  oneInput('attention over heads, softmax', IMAGE, (g, x) => g.channelAttention(x, { statistics: 'mean-variance', excitation: 'softmax', heads: 3, temperature: 2.5 })),
  oneInput('pass-through ops', IMAGE, (g, x) => g.add(g.quantizationNoise(g.identity(x), 16), g.zeros(x))),
  oneInput('nearest resize', IMAGE, (g, x) => g.resize(x, [2, 3], 'nearest')),
  oneInput('bilinear resize', IMAGE, (g, x) => g.resize(x, [2, 1.5], 'linear')),
  oneInput('bilinear reduction', IMAGE, (g, x) => g.resize(x, 0.5, 'linear')),
];

/** Expansion, multihead depthwise, attention over heads, max-out, projection, concat shortcut: flynet-spec § 4 to 6. */
export function flynetBlock(): Graph {
  const g = graphBuilder('flynet block');
  const attend = (x: string, excitation: 'sigmoid' | 'softmax', heads = 1): string => g.channelAttention(x, { statistics: 'mean-variance', excitation, heads, temperature: 3 });
  const normed = (x: string, outChannels: number, kernel: number, stride: number, groups: number): string => g.batchNorm(g.conv2d(x, { outChannels, kernel, stride, groups }), 1e-3);
  const x = g.input([1, 8, 14, 14]);
  g.block('block 1');
  const expanded = attend(g.activation(normed(x, 24, 1, 1, 1), 'hswish'), 'sigmoid');
  const reduced = g.headReduce(attend(normed(expanded, 72, 5, 2, 24), 'softmax', 3), 3, 'maxout');
  const projected = attend(normed(attend(g.batchNorm(reduced, 1e-3), 'sigmoid'), 12, 1, 1, 1), 'sigmoid');
  const shortcut = g.concat([normed(x, 8, 3, 2, 8), normed(g.slice(x, 0, 4), 4, 3, 2, 4)]);
  g.block('head');
  const hidden = g.activation(g.linear(g.flatten(g.globalAvgPool(g.add(projected, shortcut))), 16), 'hswish');
  g.output(g.linear(g.quantizationNoise(hidden, 64), 10));
  return g.build();
}

export function flynet04(): Graph {
  const noNoise = 2 ** 32;
  const everyStage = (name: string, values: readonly number[]): Record<string, number> => Object.fromEntries(values.map((v, i) => [`${name}${i + 1}`, v]));
  return decode({ family: 'flynet', settings: {} }, {
    width: 0.4, resolution: 224, reduction: 'maxout', attentionStatistics: 'mean-variance', excitation: 'softmax', lowResidual: 'mdw-concat', highResidual: 'crop-pad', noiseHead: noNoise,
    ...everyStage('depth', [1, 2, 3, 2, 3]), ...everyStage('heads', [3, 3, 3, 3, 3]), ...everyStage('kernel', [3, 3, 5, 5, 5]), ...everyStage('noise', Array<number>(5).fill(noNoise)),
  }, { numClasses: 1000, inputChannels: 3 });
}
