import { decode } from '@app/decode';
import { evaluate, foldBatchNorm, graphBuilder, initialWeights, isKind, totals, OPS, type ActivationFn, type Graph, type GraphBuilder, type OpKind, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import { fromOnnx, toOnnx } from '@app/onnx';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

const TOLERANCE = 1e-4;

function randomTensor(shape: readonly number[], rng: Rng, deviation = 1): Tensor {
  return { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => deviation * rng.normal()) };
}

/** Weights no rule is blind to: statistics away from 0 and 1, biases away from 0. */
function randomWeights(graph: Graph, rng: Rng): ReadonlyMap<string, Weights> {
  const first = initialWeights(graph, 7);
  return new Map([...first].map(([id, weights]) => [id, Object.fromEntries(Object.entries(weights).map(([name, t]) => {
    const noise = randomTensor(t.shape, rng, 0.3);
    return [name, { shape: t.shape, data: t.data.map((v, i) => (name === 'variance' ? Math.abs(v + noise.data[i]!) + 0.1 : v + noise.data[i]!)) }];
  }))]));
}

async function runOnnx(bytes: Uint8Array, inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries([...inputs].map(([name, t]) => [name, new OrtTensor('float32', t.data, [...t.shape])]));
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, t]) => [name, { shape: [...t.dims], data: t.data as Float32Array }]));
  } finally {
    await session.release();
  }
}

function expectClose(actual: Tensor | undefined, expected: Tensor): void {
  expect(actual?.shape).toEqual([...expected.shape]);
  let worst = 0;
  expected.data.forEach((v, i) => (worst = Math.max(worst, Math.abs(v - actual!.data[i]!) / Math.max(1, Math.abs(v)))));
  expect(worst).toBeLessThan(TOLERANCE);
  expect(Number.isNaN(actual!.data.reduce((a, b) => a + b, 0))).toBe(false);
}

/** The exported model against the reference evaluation, on random weights and input; and the same after a round trip. */
async function expectAgreement(graph: Graph): Promise<void> {
  const rng = Rng.of(2026, 'onnx', graph.name);
  const weights = randomWeights(graph, rng);
  const inputs = new Map(graph.nodes.flatMap((n) => (isKind(n, 'input') ? [[n.id, randomTensor(n.attrs.shape, rng)] as const] : [])));
  const expected = evaluate(graph, weights, inputs);
  const bytes = toOnnx(graph, weights);
  const actual = await runOnnx(bytes, inputs);
  for (const id of graph.outputs) expectClose(actual.get(id), expected.get(id)!);

  const back = fromOnnx(bytes, { unknown: 'refuse' });
  const again = evaluate(back.graph, back.weights, inputs);
  graph.outputs.forEach((id, i) => expectClose(again.get(back.graph.outputs[i]!), expected.get(id)!));
}

function oneInput(name: string, shape: readonly number[], write: (g: GraphBuilder, x: string) => string): Graph {
  const g = graphBuilder(name);
  g.output(write(g, g.input(shape)));
  return g.build();
}

const IMAGE = [2, 6, 9, 8] as const;

/** Small graphs that among them use every kind of op. */
const EXAMPLES: readonly Graph[] = [
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
function flynetBlock(): Graph {
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

function flynet04(): Graph {
  const noNoise = 2 ** 32;
  const everyStage = (name: string, values: readonly number[]): Record<string, number> => Object.fromEntries(values.map((v, i) => [`${name}${i + 1}`, v]));
  return decode({ family: 'flynet', settings: {} }, {
    width: 0.4, resolution: 224, reduction: 'maxout', attentionStatistics: 'mean-variance', excitation: 'softmax', lowResidual: 'mdw-concat', highResidual: 'crop-pad', noiseHead: noNoise,
    ...everyStage('depth', [1, 2, 3, 2, 3]), ...everyStage('heads', [3, 3, 3, 3, 3]), ...everyStage('kernel', [3, 3, 5, 5, 5]), ...everyStage('noise', Array<number>(5).fill(noNoise)),
  }, { numClasses: 1000, inputChannels: 3 });
}

describe('exported models in onnxruntime', () => {
  it.each(EXAMPLES.map((graph) => [graph.name, graph] as const))('compute what the reference evaluation does: %s', async (_name, graph) => {
    await expectAgreement(graph);
  });

  it('compute what the reference evaluation does: a FlyNet block with its head', async () => {
    await expectAgreement(flynetBlock());
  });

  it('compute what the reference evaluation does: the whole FlyNet 0.4 at 224×224, and price the same after a round trip', async () => {
    const graph = flynet04();
    const weights = initialWeights(graph, 1);
    const input = graph.nodes.find((n) => n.kind === 'input')!.id;
    const image = new Map([[input, randomTensor([1, 3, 224, 224], Rng.of(4))]]);
    const bytes = toOnnx(graph, weights);
    const output = graph.outputs[0]!;
    expectClose((await runOnnx(bytes, image)).get(output), evaluate(graph, weights, image).get(output)!);
    // flynet-spec § 9, width 0.4, 3 heads, mdw-concat
    expect(totals(fromOnnx(bytes, { unknown: 'refuse' }).graph)).toMatchObject({ params: 658_066, macs: 20_680_200, madds: 27_063_528 });
  });

  it('cover every kind of op that can be exported', () => {
    const covered = new Set(EXAMPLES.flatMap((graph) => graph.nodes.map((n) => n.kind)));
    expect((Object.keys(OPS) as OpKind[]).filter((kind) => !covered.has(kind))).toEqual(['opaque']);
  });

  it('compute the same after batch norms are folded into the convolutions', async () => {
    const graph = flynetBlock();
    const rng = Rng.of(2026, 'fold');
    const weights = randomWeights(graph, rng);
    const inputs = new Map([['input', randomTensor([1, 8, 14, 14], rng)]]);
    const folded = foldBatchNorm(graph, weights);
    const expected = evaluate(graph, weights, inputs).get(graph.outputs[0]!)!;
    expectClose((await runOnnx(toOnnx(folded.graph, folded.weights), inputs)).get(folded.graph.outputs[0]!), expected);
    expect(totals(folded.graph).macs).toBe(totals(graph).macs);
  });

  it.each([14, 15, 16, 17])('load at opset %i', async (opset) => {
    const graph = flynetBlock();
    const inputs = new Map([['input', randomTensor([1, 8, 14, 14], Rng.of(1))]]);
    const weights = initialWeights(graph, 3);
    const output = graph.outputs[0]!;
    expectClose((await runOnnx(toOnnx(graph, weights, { opset }), inputs)).get(output), evaluate(graph, weights, inputs).get(output)!);
  });
});
