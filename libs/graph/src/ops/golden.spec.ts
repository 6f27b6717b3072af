import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../builder.js';
import { evaluate } from '../evaluate.js';
import type { Tensor } from '../types.js';
import { channelScores, channelStatistics, excite } from './channel-attention.js';
import { quantizeToLevels } from './quantization-noise.js';

type Nested = number | readonly Nested[];
interface Vectors {
  readonly vectors: {
    readonly mdw_maxout: { readonly input: { readonly A: Nested; readonly W: Nested }; readonly output: { readonly F_pre: Nested; readonly F_post: Nested } };
    readonly mean_var_eca: {
      readonly input: { readonly F: Nested; readonly kernel: readonly (readonly [number, number])[]; readonly z: number; readonly heads: number; readonly T: number };
      readonly output: { readonly mean: readonly number[]; readonly var: readonly number[]; readonly s: readonly number[]; readonly sigmoid: readonly number[]; readonly softmax_over_heads: Nested };
    };
  } & Record<`quantization_noise_q${4 | 6 | 8 | 16}`, { readonly input: { readonly x: readonly number[]; readonly q: number }; readonly output: readonly number[] }>;
}
// golden_vectors.json of the reference material: computed from formulas F-B1…F-B5 and F-N1 by an independent script
const { vectors } = JSON.parse(readFileSync(new URL('../fixtures/flynet-golden.json', import.meta.url), 'utf8')) as Vectors;

const flat = (x: Nested): number[] => (typeof x === 'number' ? [x] : x.flatMap(flat));
const tensorOf = (x: Nested, shape: number[]): Tensor => ({ shape, data: Float32Array.from(flat(x)) });

function expectAll(actual: Iterable<number>, expected: readonly number[], digits = 5): void {
  const values = [...actual];
  expect(values).toHaveLength(expected.length);
  expected.forEach((v, i) => expect(values[i]).toBeCloseTo(v, digits));
}

describe('multihead depthwise convolution and max-out (F-B1, F-B2)', () => {
  const { input, output } = vectors.mdw_maxout;

  it('gives the golden heads and their maximum', () => {
    const g = graphBuilder('mdw');
    const x = g.input([1, 2, 3, 3]);
    const heads = g.conv2d(x, { outChannels: 6, kernel: 3, groups: 2 });
    const reduced = g.headReduce(heads, 3, 'maxout');
    g.output(heads);
    g.output(reduced);
    const weights = new Map([[heads, { weight: tensorOf(input.W, [6, 1, 3, 3]) }]]);
    const result = evaluate(g.build(), weights, new Map([[x, tensorOf(input.A, [1, 2, 3, 3])]]));
    expectAll(result.get(heads)!.data, flat(output.F_pre));
    expectAll(result.get(reduced)!.data, flat(output.F_post));
  });

  it('takes the input itself as one more candidate in the funnel, and the ReLU of the sum in sum-relu', () => {
    const g = graphBuilder('reductions');
    const bare = g.input([1, 2, 3, 3], 'bare');
    const headed = g.input([1, 6, 3, 3], 'headed');
    const funnel = g.headReduce(headed, 3, 'funnel', bare);
    const sum = g.headReduce(headed, 3, 'sum-relu');
    g.output(funnel);
    g.output(sum);
    const pre = flat(output.F_pre);
    const result = evaluate(g.build(), new Map(), new Map([['bare', tensorOf(input.A, [1, 2, 3, 3])], ['headed', tensorOf(output.F_pre, [1, 6, 3, 3])]]));
    expectAll(result.get(funnel)!.data, flat(output.F_post).map((v, i) => Math.max(v, flat(input.A)[i]!)));
    expectAll(result.get(sum)!.data, flat(output.F_post).map((_, i) => {
      const at = Math.floor(i / 9) * 27 + (i % 9);
      return Math.max(0, pre[at]! + pre[at + 9]! + pre[at + 18]!);
    }));
  });
});

describe('channel attention (F-B3 to F-B5)', () => {
  const { input, output } = vectors.mean_var_eca;
  const x = tensorOf(input.F, [1, 6, 3, 3]);
  // the fixture lists taps as rows; the weight has one row a statistic
  const kernel = tensorOf([input.kernel.map((tap) => tap[0]), input.kernel.map((tap) => tap[1])], [1, 2, 3]);
  const attrs = { kernel: input.z, statistics: 'mean-variance', heads: input.heads, temperature: input.T } as const;
  const sigmoid = { ...attrs, excitation: 'sigmoid' } as const;
  const softmax = { ...attrs, excitation: 'softmax' } as const;

  it('gives the golden mean and population variance', () => expectAll(channelStatistics(sigmoid, x), [...output.mean, ...output.var]));

  it('gives the golden scores', () => expectAll(channelScores(sigmoid, x, kernel), output.s));

  it('gives the golden gates, by sigmoid and by softmax over the heads', () => {
    expectAll(excite(sigmoid, channelScores(sigmoid, x, kernel)), output.sigmoid);
    expectAll(excite(softmax, channelScores(softmax, x, kernel)), flat(output.softmax_over_heads));
  });

  it('multiplies each channel by its gate', () => {
    const g = graphBuilder('attention');
    const id = g.channelAttention(g.input([1, 6, 3, 3]), { ...softmax });
    g.output(id);
    const result = evaluate(g.build(), new Map([[id, { kernel }]]), new Map([['input', x]]));
    const gates = flat(output.softmax_over_heads);
    expectAll(result.get(id)!.data, flat(input.F).map((v, i) => v * gates[Math.floor(i / 9)]!));
  });
});

describe('quantization noise (F-N1)', () => {
  it.each([4, 6, 8, 16] as const)('rounds to the golden levels for q = %i', (q) => {
    const vector = vectors[`quantization_noise_q${q}`];
    expectAll(quantizeToLevels(Float32Array.from(vector.input.x), q), vector.output);
  });

  it('leaves a constant tensor as it is', () => expect([...quantizeToLevels(Float32Array.of(2, 2, 2), 4)]).toEqual([2, 2, 2]));

  it('sends halves to the even level', () => expect([...quantizeToLevels(Float32Array.of(0, 0.5, 1.5, 2.5, 3), 4)]).toEqual([0, 0, 2, 2, 3]));

  it('is the identity at inference', () => {
    const g = graphBuilder('noise');
    g.output(g.quantizationNoise(g.input([1, 3]), 2));
    const graph = g.build();
    expect([...evaluate(graph, new Map(), new Map([['input', { shape: [1, 3], data: Float32Array.of(0, 0.3, 1) }]])).get(graph.outputs[0]!)!.data]).toEqual([...Float32Array.of(0, 0.3, 1)]);
  });
});
