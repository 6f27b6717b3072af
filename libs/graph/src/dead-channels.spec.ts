import { decode } from '@app/decode';
import { Rng } from '@app/numeric';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphBuilder, type GraphBuilder } from './builder.js';
import { totals } from './counts.js';
import { pruneDeadChannels } from './dead-channels.js';
import { evaluate } from './evaluate.js';
import { foldBatchNorm } from './fusion.js';
import { initialWeights } from './initial-weights.js';
import { isKind, type Weights } from './op.js';
import type { Graph, Tensor } from './types.js';
import { inferShapes, verifyGraph } from './verify.js';

type Filled = Map<string, Record<string, Tensor>>;

/** Random weights, biases and statistics. */
function lively(graph: Graph, rng: Rng): Filled {
  return new Map([...initialWeights(graph, 1)].map(([id, own]) => [id, Object.fromEntries(Object.entries(own).map(([name, t]) => [name, { ...t, data: t.data.map(() => (name === 'variance' ? 0.5 + rng.next() : 0.5 * rng.normal())) }]))]));
}

/** Makes every weight of these output channels of a layer zero, the bias (if any) too or negative. */
function silence(weights: Filled, layer: string, channels: readonly number[], bias = 0): void {
  const { weight, bias: b } = weights.get(layer)!;
  const size = weight!.data.length / weight!.shape[0]!;
  for (const c of channels) {
    weight!.data.fill(0, c * size, (c + 1) * size);
    if (b) b.data[c] = bias;
  }
}

function outputs(graph: Graph, weights: ReadonlyMap<string, Weights>, rng: Rng): number[] {
  const inputs = new Map(graph.nodes.flatMap((n) => (isKind(n, 'input') ? [[n.id, { shape: n.attrs.shape, data: Float32Array.from({ length: n.attrs.shape.reduce((a, b) => a * b, 1) }, () => rng.normal()) }] as const] : [])));
  return graph.outputs.flatMap((id) => [...evaluate(graph, weights, inputs).get(id)!.data]);
}

function expectSame(graph: Graph, weights: ReadonlyMap<string, Weights>, seed = 3): ReturnType<typeof pruneDeadChannels> {
  const pruned = pruneDeadChannels(graph, weights);
  verifyGraph(pruned.graph);
  const [before, after] = [outputs(graph, weights, Rng.of(seed)), outputs(pruned.graph, pruned.weights, Rng.of(seed))];
  expect(after).toHaveLength(before.length);
  after.forEach((v, i) => expect(v).toBeCloseTo(before[i]!, 4));
  return pruned;
}

const conv = (g: GraphBuilder, x: string, outChannels: number, kernel = 1, groups = 1, bias = true): string => g.conv2d(x, { outChannels, kernel, groups, bias });
/** Steps that keep [1, C, H, W]. */
const STEPS: Readonly<Record<string, (g: GraphBuilder, x: string) => string>> = {
  pointwise: (g, x) => g.activation(g.batchNorm(conv(g, x, 6, 1, 1, false)), 'relu'),
  dense: (g, x) => g.activation(conv(g, x, 6, 3), 'hswish'),
  depthwise: (g, x) => g.activation(g.batchNorm(conv(g, x, g.shape(x)[1]!, 3, g.shape(x)[1]!)), 'relu6'),
  residual: (g, x) => g.add(x, g.activation(conv(g, x, g.shape(x)[1]!, 3), 'relu')),
  gate: (g, x) => g.mul(x, g.activation(conv(g, g.activation(conv(g, g.globalAvgPool(x), 3), 'relu'), g.shape(x)[1]!), 'hsigmoid')),
  pools: (g, x) => g.maximum(g.maxPool(x, { kernel: 3, stride: 1, padding: 1 }), g.avgPool(x, { kernel: 3, stride: 1, padding: 1 })),
  twice: (g, x) => conv(g, g.concat([x, g.activation(conv(g, x, 4), 'relu')]), 6),
  attention: (g, x) => g.channelAttention(x, { kernel: 3, statistics: 'mean', excitation: 'sigmoid' }),
  groups: (g, x) => conv(g, x, 6, 3, 2),
  sliced: (g, x) => g.padChannels(g.slice(x, 0, 3), 0, 3),
  counted: (g, x) => g.avgPool(x, { kernel: 3, stride: 1, padding: 1, countIncludePad: true }),
};

function networkOf(steps: readonly string[]): Graph {
  const g = graphBuilder('random');
  let x = conv(g, g.input([1, 3, 5, 5]), 6, 3);
  steps.forEach((name) => (x = STEPS[name]!(g, x)));
  g.output(g.linear(g.flatten(g.globalAvgPool(x)), 4));
  return g.build();
}

describe('channels that can not be seen', () => {
  it('go, and the network computes the same, whatever it is made of and whichever filters are silent', () => {
    let smaller = 0;
    fc.assert(fc.property(fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 999 }), (steps, seed) => {
      const graph = networkOf(steps);
      const rng = Rng.of(seed, 'dead');
      const weights = lively(graph, rng);
      for (const node of graph.nodes) {
        if (isKind(node, 'conv2d') && rng.next() < 0.7) silence(weights, node.id, Array.from({ length: node.attrs.outChannels }, (_, c) => c).filter(() => rng.next() < 0.4), rng.next() < 0.5 ? 0 : rng.normal());
      }
      const { graph: after, removed } = expectSame(graph, weights, seed);
      if (removed.length > 0) smaller++;
      expect(totals(after).macs).toBeLessThanOrEqual(totals(graph).macs);
      expect(pruneDeadChannels(after, pruneDeadChannels(graph, weights).weights).removed).toEqual([]);
    }), { numRuns: 120 });
    expect(smaller).toBeGreaterThan(30);
  });

  it('go through depthwise convolution, batch norm and activation, with the columns behind; a negative one is zero behind its ReLU', () => {
    const g = graphBuilder('separable');
    const first = conv(g, g.input([1, 3, 6, 6]), 8);
    const filtered = conv(g, g.activation(first, 'relu'), 8, 3, 8);
    const last = conv(g, g.activation(g.batchNorm(filtered), 'relu'), 5);
    g.output(last);
    const graph = g.build();
    const weights = lively(graph, Rng.of(1));
    silence(weights, first, [1, 4, 6], -2);
    const { removed, graph: after } = expectSame(graph, weights);
    expect(removed).toEqual([{ node: first, dead: 3, of: 8 }, { node: filtered, dead: 3, of: 8 }]);
    expect(inferShapes(after).get(last)).toEqual([1, 5, 6, 6]);
  });

  it('that are a constant other than zero go into the next bias, but stay before padding', () => {
    const build = (kernel: number): ReturnType<typeof pruneDeadChannels> => {
      const g = graphBuilder('constant');
      const first = conv(g, g.input([1, 2, 4, 4]), 4);
      g.output(conv(g, first, 3, kernel, 1, false));
      const weights = lively(g.build(), Rng.of(2));
      silence(weights, first, [2], 0.7);
      return expectSame(g.build(), weights);
    };
    expect(build(1).removed).toHaveLength(1);
    expect(build(3).removed).toEqual([]);
  });

  it('that no layer weighs go as well, with all that only they need', () => {
    const g = graphBuilder('unread');
    const first = conv(g, g.input([1, 2, 4, 4]), 4);
    const second = conv(g, g.activation(first, 'hswish'), 6);
    const last = conv(g, g.activation(second, 'hswish'), 3);
    g.output(last);
    const weights = lively(g.build(), Rng.of(4));
    // the last layer reads nothing of second's channels 1 to 5, and second's channel 0 nothing of first's 3
    for (let o = 0; o < 3; o++) weights.get(last)!['weight']!.data.fill(0, o * 6 + 1, o * 6 + 6);
    weights.get(second)!['weight']!.data[3] = 0;
    expect(expectSame(g.build(), weights).removed).toEqual([{ node: first, dead: 1, of: 4 }, { node: second, dead: 5, of: 6 }]);
  });

  it('of a sum stay while one of its operands lives, and a layer that is silent altogether keeps one channel', () => {
    const g = graphBuilder('sum');
    const x = conv(g, g.input([1, 2, 4, 4]), 4);
    const side = conv(g, x, 4);
    const whole = conv(g, g.add(x, side), 4);
    g.output(g.linear(g.flatten(g.globalAvgPool(whole)), 2));
    const weights = lively(g.build(), Rng.of(5));
    silence(weights, side, [0, 1]);
    expect(expectSame(g.build(), weights).removed).toEqual([]);
    silence(weights, whole, [0, 1, 2, 3]);
    expect(expectSame(g.build(), weights).removed.find((r) => r.node === whole)).toEqual({ node: whole, dead: 3, of: 4 });
  });

  it('of MLPerf Tiny\'s visual wake words model leave 3,742,091 MACs and 30,610 parameters', () => {
    // all-zero channels of the released int8 file, pointwise layers 5 to 13 (mlcommons/tiny, vww_96_int8.tflite)
    const DEAD = [4, 21, 71, 98, 109, 109, 101, 224, 234];
    const whole = decode({ family: 'mobilenet-v1', settings: {} }, { width: 0.25, resolution: 96, depth: 5 }, { numClasses: 2, inputChannels: 3 });
    const { graph, weights } = foldBatchNorm(whole, lively(whole, Rng.of(6)));
    const filled: Filled = new Map([...weights].map(([id, own]) => [id, { ...own }]));
    DEAD.forEach((count, i) => silence(filled, `block${i + 5}.pw`, Array.from({ length: count }, (_, c) => c), -1));
    expect(totals(graph)).toMatchObject({ macs: 7_489_664, params: 210_850 });
    const { graph: alive, removed } = pruneDeadChannels(graph, filled);
    expect(removed.filter((r) => r.node.endsWith('.pw')).map((r) => [r.dead, r.of])).toEqual(DEAD.map((dead, i) => [dead, [64, 128, 128, 128, 128, 128, 128, 256, 256][i]]));
    expect(totals(alive)).toMatchObject({ macs: 3_742_091, params: 30_610 });
  });
});
