import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { graphBuilder, samePadding } from './builder.js';
import { evaluate } from './evaluate.js';
import { foldBatchNorm, fusedInto } from './fusion.js';
import { initialWeights } from './initial-weights.js';
import { isReachable, liveNodes, pruneDead } from './liveness.js';
import { isKind, type Weights } from './op.js';
import { elements } from './shape.js';
import type { Graph, Tensor } from './types.js';
import { verifyGraph } from './verify.js';

function random(shape: readonly number[], rng: Rng): Tensor {
  return { shape, data: Float32Array.from({ length: elements(shape) }, () => rng.normal()) };
}

function livelyWeights(graph: Graph): ReadonlyMap<string, Weights> {
  const rng = Rng.of(5, 'lively');
  return new Map([...initialWeights(graph, 5)].map(([id, w]) => [id, Object.fromEntries(Object.entries(w).map(([name, t]) => [name, name === 'variance' ? { ...t, data: t.data.map(() => 0.2 + rng.next()) } : random(t.shape, rng)]))]));
}

describe('fusion', () => {
  it('joins convolution, batch norm and activation, and linear with activation', () => {
    const g = graphBuilder('chain');
    const conv = g.conv2d(g.input([1, 3, 8, 8]), { outChannels: 4, kernel: 3 });
    const norm = g.batchNorm(conv);
    const act = g.activation(norm, 'relu');
    const linear = g.linear(g.flatten(act), 5);
    const end = g.activation(linear, 'hswish');
    g.output(end);
    expect([...fusedInto(g.build())]).toEqual([[norm, conv], [act, conv], [end, linear]]);
  });

  it('leaves a value alone that something else reads, or that is an output', () => {
    const g = graphBuilder('shared');
    const conv = g.conv2d(g.input([1, 3, 8, 8]), { outChannels: 4, kernel: 3 });
    const act = g.activation(g.batchNorm(conv), 'relu');
    g.output(g.add(act, conv));
    expect(fusedInto(g.build()).size).toBe(0);

    const h = graphBuilder('output');
    const seen = h.conv2d(h.input([1, 3, 8, 8]), { outChannels: 4, kernel: 3 });
    h.output(seen);
    h.output(h.batchNorm(seen));
    expect(fusedInto(h.build()).size).toBe(0);
  });

  it('does not fold a batch norm over axis 1 into a linear layer over the last of three axes', () => {
    const g = graphBuilder('axes');
    g.output(g.batchNorm(g.linear(g.input([1, 4, 6]), 4)));
    expect(fusedInto(g.build()).size).toBe(0);
  });

  it('folding keeps the function and removes the batch norms', () => {
    const g = graphBuilder('fold');
    const x = g.input([2, 3, 6, 6]);
    const first = g.activation(g.batchNorm(g.conv2d(x, { outChannels: 8, kernel: 3, groups: 1, bias: true }), 0.01), 'hswish');
    const depthwise = g.batchNorm(g.conv2d(first, { outChannels: 16, kernel: 3, groups: 8 }));
    const vector = g.batchNorm(g.linear(g.flatten(g.globalAvgPool(depthwise)), 5));
    g.output(vector);
    const graph = g.build();
    const weights = livelyWeights(graph);
    const input = new Map([[x, random([2, 3, 6, 6], Rng.of(9))]]);
    const folded = foldBatchNorm(graph, weights);
    verifyGraph(folded.graph);
    expect(folded.graph.nodes.some((n) => n.kind === 'batchNorm')).toBe(false);
    expect(folded.graph.nodes.filter((n) => isKind(n, 'conv2d') || isKind(n, 'linear')).every((n) => (n.attrs as { bias: boolean }).bias)).toBe(true);
    const [before, after] = [evaluate(graph, weights, input).get(vector)!, evaluate(folded.graph, folded.weights, input).get(folded.graph.outputs[0]!)!];
    before.data.forEach((v, i) => expect(after.data[i]).toBeCloseTo(v, 4));
  });

  it('names the node whose weights are missing', () => {
    const g = graphBuilder('missing');
    g.output(g.batchNorm(g.conv2d(g.input([1, 1, 3, 3]), { outChannels: 1, kernel: 3 })));
    expect(() => foldBatchNorm(g.build(), new Map())).toThrow(/batchNorm_2.*expected weights of it and of "conv2d_1"/);
  });
});

describe('liveness', () => {
  const g = graphBuilder('dead ends');
  const x = g.input([1, 3]);
  const spare = g.input([1, 2], 'spare');
  const used = g.activation(x, 'relu');
  const dead = g.activation(g.linear(spare, 3), 'relu');
  g.output(g.add(used, x));
  const graph = g.build();

  it('follows the outputs back', () => {
    expect(isReachable(graph, used)).toBe(true);
    expect(isReachable(graph, dead)).toBe(false);
    expect(liveNodes(graph).has(spare)).toBe(false);
  });

  it('prunes what no output needs, keeps the inputs, and changes nothing the second time', () => {
    const pruned = pruneDead(graph);
    expect(pruned.nodes.map((n) => n.id)).toEqual([x, spare, used, graph.outputs[0]]);
    expect(pruneDead(pruned)).toEqual(pruned);
    verifyGraph(pruned);
  });
});

describe('the builder', () => {
  it.each([[224, 3, 2, 1], [7, 3, 2, 1], [8, 5, 1, 2], [10, 1, 3, 1], [9, 4, 2, 1]])('same padding of size %i, kernel %i, stride %i, dilation %i gives ⌈size / stride⌉', (size, kernel, stride, dilation) => {
    const g = graphBuilder('same');
    const y = g.conv2d(g.input([1, 1, size, size]), { outChannels: 1, kernel, stride, dilation, padding: 'same' });
    expect(g.shape(y)).toEqual([1, 1, Math.ceil(size / stride), Math.ceil(size / stride)]);
    const [top, left, bottom, right] = samePadding([size, size], [kernel, kernel], [stride, stride], [dilation, dilation]);
    expect([bottom - top, right - left].every((d) => d === 0 || d === 1)).toBe(true);
  });

  it('pads (k − 1) / 2 unless told otherwise', () => {
    const g = graphBuilder('default');
    expect(g.shape(g.conv2d(g.input([1, 3, 14, 14]), { outChannels: 2, kernel: 5 }))).toEqual([1, 2, 14, 14]);
  });

  it('keeps on writing after build without touching the graph it gave', () => {
    const g = graphBuilder('later');
    const x = g.input([1, 2]);
    g.output(g.activation(x, 'relu'));
    const first = g.build();
    g.output(g.activation(x, 'tanh'));
    expect(first.nodes).toHaveLength(2);
    expect(g.build().outputs).toHaveLength(2);
  });
});

describe('initial weights', () => {
  const g = graphBuilder('weights');
  const conv = g.conv2d(g.input([1, 32, 4, 4]), { outChannels: 32, kernel: 3, bias: true });
  const norm = g.batchNorm(conv);
  const act = g.activation(norm, 'prelu-shared');
  g.output(act);
  const graph = g.build();

  it('are the same for the same seed, and others for another', () => {
    expect(initialWeights(graph, 1)).toEqual(initialWeights(graph, 1));
    expect(initialWeights(graph, 1).get(conv)).not.toEqual(initialWeights(graph, 2).get(conv));
  });

  it('have variance 2 / fan-in and mean 0 (He et al. 2015, eq. 10), within four standard errors', () => {
    const { data } = initialWeights(graph, 3).get(conv)!['weight']!;
    const variance = 2 / (32 * 9);
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const square = data.reduce((a, b) => a + b * b, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(variance / data.length));
    expect(Math.abs(square / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / data.length));
  });

  it('start batch norm as the identity and PReLU at ¼', () => {
    const weights = initialWeights(graph, 3);
    expect(Object.entries(weights.get(norm)!).map(([name, t]) => [name, t.data[5]])).toEqual([['scale', 1], ['shift', 0], ['mean', 0], ['variance', 1]]);
    expect([...weights.get(act)!['slope']!.data]).toEqual([0.25]);
  });

  it('of a node do not depend on the rest of the graph', () => {
    const alone = graphBuilder('alone');
    const id = alone.node('conv2d', [alone.input([1, 32, 4, 4])], graph.nodes.find((n) => isKind(n, 'conv2d'))!.attrs as never, conv);
    alone.output(id);
    expect(initialWeights(alone.build(), 7).get(conv)).toEqual(initialWeights(graph, 7).get(conv));
  });
});

describe('the reference evaluation', () => {
  const g = graphBuilder('errors');
  const x = g.input([1, 3]);
  const y = g.linear(x, 2);
  g.output(y);
  const graph = g.build();
  const value = { shape: [1, 3], data: new Float32Array(3) };

  it('names the weight or input that is missing or misshapen', () => {
    expect(() => evaluate(graph, new Map(), new Map([[x, value]]))).toThrow(/"linear_1" \(linear\): expected weight "weight" of shape \[2, 3\], got none/);
    expect(() => evaluate(graph, initialWeights(graph, 1), new Map())).toThrow(/"input" \(input\): expected a value of shape \[1, 3\], got none/);
    expect(() => evaluate(graph, initialWeights(graph, 1), new Map([[x, { shape: [3], data: new Float32Array(3) }]]))).toThrow(/expected a value of shape \[1, 3\], got \[3\] with 3 values/);
  });

  it('refuses operators it does not know', () => {
    const opaque = graphBuilder('opaque');
    opaque.output(opaque.node('opaque', [opaque.input([1, 3])], { opType: 'Warp', shape: [1, 3] }));
    expect(() => evaluate(opaque.build(), new Map(), new Map([['input', value]]))).toThrow(/cannot evaluate the unknown operator Warp/);
  });
});
