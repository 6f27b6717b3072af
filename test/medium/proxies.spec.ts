import { datasetSchema, proxyAccuracySchema, type ProxyName } from '@app/contracts';
import { elements, evaluate, evaluateProgram, featureGraph, gradientGraph, graphBuilder, imageGradientGraph, initialWeights, isKind, packWeights, withBatch, type Graph, type Tensor } from '@app/graph';
import { Rng } from '@app/numeric';
import { correlations, loadDataset, proxyEvaluator, proxyScore, spreadOf } from '@app/train';
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

/** Of a symmetric matrix, by Jacobi's rotations. */
function eigenvalues(matrix: Float64Array, n: number): number[] {
  const A = matrix.slice();
  for (let sweep = 0; sweep < 50; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const angle = 0.5 * Math.atan2(2 * A[p * n + q]!, A[q * n + q]! - A[p * n + p]!);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < n; k++) {
          const [a, b] = [A[k * n + p]!, A[k * n + q]!];
          [A[k * n + p], A[k * n + q]] = [c * a - s * b, s * a + c * b];
        }
        for (let k = 0; k < n; k++) {
          const [a, b] = [A[p * n + k]!, A[q * n + k]!];
          [A[p * n + k], A[q * n + k]] = [c * a - s * b, s * a + c * b];
        }
      }
    }
  }
  return Array.from({ length: n }, (_, i) => A[i * (n + 1)]!);
}

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
    // by its definition, along the gradient, with a step that double precision allows and no rectifier switches within
    const h = 1e-7 / Math.hypot(...g);
    const [ahead, behind] = [gradientAt(theta.map((w, i) => w + h * g[i]!)), gradientAt(theta.map((w, i) => w - h * g[i]!))];
    const due = -theta.reduce((s, w, i) => s + (w * (ahead[i]! - behind[i]!)) / (2 * h), 0);
    expect(Math.abs((await proxyScore('grasp', all)) / due - 1)).toBeLessThan(0.01);
  });

  it('GraSP of a layer before a batch norm is the square of its gradient: it does not matter how its weights are scaled', async () => {
    const g = graphBuilder('normed');
    const conv = g.conv2d(g.input([1, 1, 6, 6]), { outChannels: 4, kernel: 3 });
    const map = g.batchNorm(g.conv2d(g.activation(g.batchNorm(conv), 'relu'), { outChannels: 3, kernel: 6, padding: 0 }));
    g.output(g.flatten(map));
    const net = g.build();
    const n = data.train.count;
    const probe = gradientGraph(net, n, 'loss');
    const images = Float64Array.from(data.train.pixels, (v) => (v / 255 - data.mean[0]!) / data.deviation[0]!);
    const targets = new Float64Array(n * 3);
    data.train.labels.forEach((label, i) => (targets[3 * i + label] = 1));
    const weights = packWeights(probe.packing, initialWeights(net, 1));
    const gradient = evaluateProgram(probe.program, new Map([
      ['parameters', { shape: [weights.parameters.length], data: Float64Array.from(weights.parameters) }], ['statistics', { shape: [weights.statistics.length], data: Float64Array.from(weights.statistics) }],
      ['images', { shape: probe.imageShape, data: images }], ['targets', { shape: [n, 3], data: targets }],
    ])).get('gradient')!.data;
    const due = probe.packing.parameters.filter((s) => s.decayed).reduce((sum, { offset, shape }) => sum + gradient.subarray(offset, offset + elements(shape)).reduce((s, v) => s + v * v, 0), 0);
    expect(Math.abs((await proxyScore('grasp', { graph: net, data, batch: n, seed: 1 })) / due - 1)).toBeLessThan(0.01);
  });

  it('Jacobian covariance agrees with double precision, worked out by eigenvalues', async () => {
    const probe = imageGradientGraph(graph, 4);
    const weights = packWeights(probe.packing, initialWeights(graph, 1));
    const four = { ...data, train: { ...data.train, count: 4, pixels: data.train.pixels.slice(0, 144), labels: data.train.labels.slice(0, 4) } };
    const images = Float64Array.from(four.train.pixels, (v) => (v / 255 - data.mean[0]!) / data.deviation[0]!);
    const logits = (x: Float64Array): number => {
      const tensor: Tensor = { shape: [4, 1, 6, 6], data: Float32Array.from(x) };
      return evaluate(withBatch(graph, 4), initialWeights(graph, 1), new Map([['input', tensor]])).get(graph.outputs[0]!)!.data.reduce((a, b) => a + b, 0);
    };
    const wide = evaluateProgram(probe.program, new Map([['parameters', { shape: [weights.parameters.length], data: Float64Array.from(weights.parameters) }], ['images', { shape: [4, 1, 6, 6], data: images }]])).get('gradient')!.data;
    // the network is piecewise linear: differences are exact but for rounding
    for (const i of [0, 40, 100]) expect((logits(images.map((v, k) => (k === i ? v + 1e-2 : v))) - logits(images.map((v, k) => (k === i ? v - 1e-2 : v)))) / 2e-2).toBeCloseTo(wide[i]!, 2);
    const C = correlations(wide, 4);
    const due = -eigenvalues(C, 4).reduce((s, v) => s + Math.log(v + 1e-5) + 1 / (v + 1e-5), 0);
    const got = await proxyScore('jacob-cov', { graph, data: four, batch: 4, seed: 1 });
    expect(Math.abs(got / due - 1)).toBeLessThan(1e-3);
  });

  it('Jacobian covariance of images whose gradients are unlike is the highest there is', () => {
    // v = 1 throughout
    expect(spreadOf(Float64Array.of(1, 0, 0, 1))).toBeCloseTo(-2 * (Math.log(1 + 1e-5) + 1 / (1 + 1e-5)), 12);
    expect(spreadOf(Float64Array.of(1, 0.9, 0.9, 1))).toBeCloseTo(-[0.1, 1.9].reduce((s, v) => s + Math.log(v + 1e-5) + 1 / (v + 1e-5), 0), 9);
    expect(spreadOf(Float64Array.of(1, NaN, NaN, 1))).toBeNaN();
  });

  it('Zen-score does not see how weights are scaled, and falls with fewer channels', async () => {
    const normed = (channels: number, batchNorms: boolean): Graph => {
      const g = graphBuilder('normed');
      const conv = g.conv2d(g.input([1, 1, 6, 6]), { outChannels: channels, kernel: 3 });
      const map = g.activation(batchNorms ? g.batchNorm(conv) : conv, 'relu');
      g.output(g.linear(g.flatten(g.globalAvgPool(map)), 3, false));
      return g.build();
    };
    const zen = (net: Graph): Promise<number> => proxyScore('zen', { graph: net, data, batch: 16, seed: 1 });
    const [narrow, wide] = [await zen(normed(4, true)), await zen(normed(16, true))];
    // ‖Δ‖ of four times the channels is twice as long
    expect(wide - narrow).toBeGreaterThan(Math.log(2) - 0.35);
    expect(wide - narrow).toBeLessThan(Math.log(2) + 0.35);
    await expect(zen(normed(4, false))).rejects.toThrow(/expected batch norms before the last feature map/);
  });

  it('Zen-score of one layer is what the plain definition gives', async () => {
    const g = graphBuilder('one');
    const conv = g.conv2d(g.input([1, 1, 6, 6]), { outChannels: 5, kernel: 3 });
    g.output(g.linear(g.flatten(g.globalAvgPool(g.batchNorm(conv))), 3, false));
    const net = g.build();
    let due = 0;
    for (let draw = 0; draw < 4; draw++) {
      const probe = featureGraph(net, 8);
      const rng = Rng.of(1, 'zen', draw);
      const kernels = Array.from({ length: 5 }, () => Array.from({ length: 9 }, () => rng.normal()));
      Array.from({ length: 15 }, () => rng.normal());
      expect(probe.packing.parameters.filter((s) => s.decayed).map((s) => elements(s.shape))).toEqual([45, 15]);
      const x = Array.from({ length: 8 * 36 }, () => rng.normal());
      const y = x.map((v) => v + 0.01 * rng.normal());
      const normal = (images: readonly number[]): { map: number[]; variance: number } => {
        const map = new Array<number>(8 * 5 * 36).fill(0);
        for (let b = 0; b < 8; b++) for (let c = 0; c < 5; c++) for (let i = 0; i < 6; i++) for (let j = 0; j < 6; j++) for (let k = 0; k < 9; k++) {
          const [u, v] = [i + Math.floor(k / 3) - 1, j + (k % 3) - 1];
          if (u >= 0 && u < 6 && v >= 0 && v < 6) map[((b * 5 + c) * 6 + i) * 6 + j]! += kernels[c]![k]! * images[b * 36 + u * 6 + v]!;
        }
        let variance = 0;
        for (let c = 0; c < 5; c++) {
          const at = map.flatMap((_, i) => (Math.floor(i / 36) % 5 === c ? [i] : []));
          const mean = at.reduce((s, i) => s + map[i]!, 0) / at.length;
          const spread = at.reduce((s, i) => s + (map[i]! - mean) ** 2, 0);
          for (const i of at) map[i] = (map[i]! - mean) / Math.sqrt(spread / at.length + 1e-5);
          variance += spread / (at.length - 1) / 5;
        }
        return { map, variance };
      };
      const [a, b] = [normal(x), normal(y)];
      const lengths = Array.from({ length: 8 }, (_, n) => Math.sqrt(a.map.reduce((s, v, i) => s + (Math.floor(i / 180) === n ? (v - b.map[i]!) ** 2 : 0), 0)));
      due += (Math.log(lengths.reduce((s, v) => s + v, 0) / 8) + 0.5 * Math.log(a.variance)) / 4;
    }
    expect(await proxyScore('zen', { graph: net, data, batch: 8, seed: 1 })).toBeCloseTo(due, 3);
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
