import { datasetSchema, proxyAccuracySchema, type ProxyName } from '@app/contracts';
import { elements, evaluate, evaluateProgram, gradientGraph, graphBuilder, initialWeights, isKind, packWeights, withBatch, type Graph, type Tensor } from '@app/graph';
import { loadDataset, proxyEvaluator, proxyScore } from '@app/train';
import { describe, expect, it } from 'vitest';

const BATCH = 6;
const data = await loadDataset(datasetSchema.parse({ format: 'synthetic', size: 6, images: 64, classes: 3 }));

/** Two layers of weights without biases and batch norms, so that the definitions can be worked out by hand. */
function plain(): Graph {
  const g = graphBuilder('plain');
  const conv = g.activation(g.conv2d(g.input([1, 1, 6, 6]), { outChannels: 4, kernel: 3 }), 'relu');
  g.output(g.linear(g.flatten(conv), 3, false));
  return g.build();
}

const graph = plain();
const score = (proxy: ProxyName): Promise<number> => proxyScore(proxy, { graph, data, batch: BATCH, seed: 1 });

describe('zero-cost proxies', () => {
  it('SynFlow is the sum over layers of the flow, which each layer carries whole', async () => {
    const weights = new Map([...initialWeights(graph, 1)].map(([id, w]) => [id, Object.fromEntries(Object.entries(w).map(([name, t]) => [name, { ...t, data: t.data.map(Math.abs) }]))]));
    const ones: Tensor = { shape: [1, 1, 6, 6], data: new Float32Array(36).fill(1) };
    const flow = evaluate(graph, weights, new Map([['input', ones]])).get(graph.outputs[0]!)!.data.reduce((a, b) => a + b, 0);
    expect(await score('synflow')).toBeCloseTo(Math.log(2 * flow), 4);
  });

  it('NASWOT is the log determinant of how many units two images switch alike', async () => {
    // identical images: all agree, and the matrix is as singular as can be
    const one = { ...data, train: { ...data.train, pixels: data.train.pixels.map((_, i) => data.train.pixels[i % 36]!) } };
    const same = await proxyScore('naswot', { graph, data: one, batch: BATCH, seed: 1 });
    const varied = await score('naswot');
    expect(same).toBeLessThan(varied);
    // Hadamard: log det K ≤ Σ log K_ii, and every image agrees with itself at all 4 · 36 units
    expect(varied).toBeLessThanOrEqual(BATCH * Math.log(4 * 36));
  });

  it('NASWOT of two images is what counting by hand gives', async () => {
    const two = { ...data, train: { ...data.train, count: 2, pixels: data.train.pixels.slice(0, 72), labels: data.train.labels.slice(0, 2) } };
    const conv = graph.nodes.find((n) => isKind(n, 'conv2d'))!.id;
    const images: Tensor = { shape: [2, 1, 6, 6], data: Float32Array.from(two.train.pixels, (v) => (v / 255 - data.mean[0]!) / data.deviation[0]!) };
    const before = evaluate(withBatch({ ...graph, outputs: [conv] }, 2), initialWeights(graph, 1), new Map([['input', images]])).get(conv)!.data;
    const units = before.length / 2;
    let alike = 0;
    for (let i = 0; i < units; i++) if (before[i]! > 0 === before[units + i]! > 0) alike++;
    expect(await proxyScore('naswot', { graph, data: two, batch: 2, seed: 1 })).toBeCloseTo(Math.log(units ** 2 - alike ** 2), 3);
  });

  it('SNIP, gradient norm and GraSP agree with double precision', async () => {
    const probe = gradientGraph(graph, data.train.count, 'loss');
    const weights = packWeights(probe.packing, initialWeights(graph, 1));
    const [images, targets] = [new Float64Array(elements(probe.imageShape)), new Float64Array(data.train.count * 3)];
    images.forEach((_, i) => (images[i] = (data.train.pixels[i]! / 255 - data.mean[0]!) / data.deviation[0]!));
    data.train.labels.forEach((label, i) => (targets[3 * i + label] = 1));
    const theta = Float64Array.from(weights.parameters);
    const gradientAt = (p: Float64Array): Float64Array => evaluateProgram(probe.program, new Map([
      ['parameters', { shape: [p.length], data: p }], ['images', { shape: probe.imageShape, data: images }], ['targets', { shape: [data.train.count, 3], data: targets }],
    ])).get('gradient')!.data;
    const g = gradientAt(theta);
    const all = { graph, data, batch: data.train.count, seed: 1 };
    expect(await proxyScore('snip', all)).toBeCloseTo(g.reduce((s, v, i) => s + Math.abs(v * theta[i]!), 0), 3);
    const norms = probe.packing.parameters.map(({ offset, shape }) => Math.hypot(...g.subarray(offset, offset + elements(shape))));
    expect(await proxyScore('grad-norm', all)).toBeCloseTo(norms.reduce((a, b) => a + b, 0), 3);
    const h = 1e-5 / Math.hypot(...g);
    const [ahead, behind] = [gradientAt(theta.map((w, i) => w + h * g[i]!)), gradientAt(theta.map((w, i) => w - h * g[i]!))];
    const due = -theta.reduce((s, w, i) => s + (w * (ahead[i]! - behind[i]!)) / (2 * h), 0);
    // rectifiers that switch within the longer step of single precision move it a little
    expect(Math.abs((await proxyScore('grasp', all)) / due - 1)).toBeLessThan(0.15);
  });

  it('come as metric `proxy` from a process of their own, and say what they are', async () => {
    const evaluator = proxyEvaluator(proxyAccuracySchema.parse({ method: 'proxy', proxy: 'synflow', dataset: { format: 'synthetic', size: 6, images: 64, classes: 3 } }), 1, { numClasses: 3, inputChannels: 1 });
    const request = { space: { name: 's', title: '', description: '', family: 'flynet', parameters: [], settings: {}, sources: [] }, point: {}, task: { numClasses: 3, inputChannels: 1 }, signal: new AbortController().signal };
    try {
      const { proxy } = await evaluator.evaluate({ ...request, graph });
      expect(proxy).toMatchObject({ value: await score('synflow'), provenance: 'computed', source: expect.stringMatching(/SynFlow .* of the untrained network/) });
      await expect(evaluator.evaluate({ ...request, graph: null })).rejects.toMatchObject({ reason: 'unsupported' });
    } finally {
      await evaluator.close();
    }
  });
});
