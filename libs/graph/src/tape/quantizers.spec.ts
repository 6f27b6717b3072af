import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../builder.js';
import { initialWeights } from '../initial-weights.js';
import { elements } from '../shape.js';
import { packWeights, packingOf } from '../training/packing.js';
import { INT8, quantizationOf } from '../training/quantization.js';
import { inferenceProgram, rangesProgram } from '../training/training-graph.js';
import type { Graph, Shape } from '../types.js';
import { evaluateProgram, type Wide } from './evaluate-program.js';
import { quantizeActivation, quantizeWeight, rangeOf, type Quantized, type Quantizer } from './quantizers.js';
import { Tape, type Value } from './tape.js';

/** Value and gradient (of the sum of dy·value) of a quantiser at x. */
function at(x: readonly number[], shape: Shape, write: (t: Tape, x: Value) => Quantized, dy: readonly number[] = x.map(() => 1)): { value: number[]; gradient: number[] } {
  const tape = new Tape();
  const quantized = write(tape, tape.input('x', shape));
  const program = tape.program('quantiser', { value: quantized.value, gradient: quantized.backward(tape.input('dy', shape)) });
  const out = evaluateProgram(program, new Map<string, Wide>([['x', { shape, data: Float64Array.from(x) }], ['dy', { shape, data: Float64Array.from(dy) }]]));
  return { value: [...out.get('value')!.data], gradient: [...out.get('gradient')!.data] };
}
const weight = (quantizer: Quantizer) => (t: Tape, x: Value): Quantized => quantizeWeight(t, quantizer, x);
const activation = (quantizer: Quantizer) => (t: Tape, x: Value): Quantized => quantizeActivation(t, quantizer, x, quantizer.kind === 'affine' ? rangeOf(t, x) : null);
const close = (got: readonly number[], due: readonly number[]): void => due.forEach((v, i) => expect(got[i]).toBeCloseTo(v, 6));
const noise = (n: number, seed = 1): number[] => {
  const rng = Rng.of(seed, 'quantizers');
  return Array.from({ length: n }, () => rng.normal());
};

describe('DoReFa weights', () => {
  it('are 2·Q(tanh w / 2 max|tanh w| + ½) − 1, the gradient that of tanh over its maximum (thesis eq. 5.4)', () => {
    const w = noise(24);
    const most = Math.max(...w.map((v) => Math.abs(Math.tanh(v))));
    for (const levels of [4, 6, 16, 256]) {
      const { value, gradient } = at(w, [4, 6], weight({ kind: 'tanh', levels }));
      close(value, w.map((v) => (2 * Math.round((levels - 1) * (Math.tanh(v) / (2 * most) + 0.5))) / (levels - 1) - 1));
      close(gradient, w.map((v) => (1 - Math.tanh(v) ** 2) / most));
      expect(new Set(value.map((v) => v.toFixed(9))).size).toBeLessThanOrEqual(levels);
    }
  });

  it('of one bit are signs, and learn within −1 … 1 only (F-Q2)', () => {
    const { value, gradient } = at([-2, -0.5, 0, 0.5, 2], [1, 5], weight({ kind: 'tanh', levels: 2 }));
    expect(value).toEqual([-1, -1, 1, 1, 1]);
    expect(gradient).toEqual([0, 1, 1, 1, 0]);
  });
});

describe('DoReFa activations', () => {
  it('are Q(clip(x, 0, 1)) and learn within (eq. 5.5)', () => {
    const { value, gradient } = at([-0.5, 0.2, 0.5, 0.9, 1.5], [1, 5], activation({ kind: 'relu', levels: 4 }), [1, 2, 3, 4, 5]);
    close(value, [0, 1 / 3, 2 / 3, 1, 1]);
    expect(gradient).toEqual([0, 2, 3, 4, 0]);
  });
});

describe('weights on an even grid', () => {
  it('are within half a cell of what they were, each output channel on a grid of its own', () => {
    const w = noise(30).map((v, i) => v * (i < 10 ? 1 : i < 20 ? 100 : 0.01));
    const { value, gradient } = at(w, [3, 10], weight({ kind: 'symmetric', levels: 255 }));
    for (let o = 0; o < 3; o++) {
      const row = w.slice(10 * o, 10 * o + 10);
      const cell = Math.max(...row.map(Math.abs)) / 127;
      value.slice(10 * o, 10 * o + 10).forEach((v, i) => {
        expect(Math.abs(v - row[i]!)).toBeLessThanOrEqual(cell / 2 + 1e-12);
        expect(Math.abs(v / cell - Math.round(v / cell))).toBeLessThan(1e-6);
      });
    }
    expect(gradient).toEqual(w.map(() => 1));
  });

  it('of two levels are the mean size with its sign', () => {
    close(at([1, -2, 3, -6], [2, 2], weight({ kind: 'symmetric', levels: 2 })).value, [1.5, -1.5, 4.5, -4.5]);
  });

  it('that are all zero stay so', () => {
    for (const kind of ['tanh', 'symmetric'] as const) for (const v of at([0, 0], [1, 2], weight({ kind, levels: 255 })).value) expect(Math.abs(v)).toBeLessThan(1e-6);
  });
});

describe('activations on an even grid', () => {
  it('hold 0 exactly, at most the number of levels, and are within a cell', () => {
    for (const levels of [4, 6, 16, 256]) {
      const x = [0, ...noise(500, levels).map((v) => v + 0.7)];
      const { value, gradient } = at(x, [1, 501], activation({ kind: 'affine', levels }));
      const cell = (Math.max(...x) - Math.min(...x, 0)) / (levels - 1);
      expect(value[0]).toBe(0);
      expect(new Set(value.map((v) => v.toFixed(9))).size).toBeLessThanOrEqual(levels);
      value.forEach((v, i) => expect(Math.abs(v - x[i]!)).toBeLessThanOrEqual(cell * 1.0001));
      expect(gradient).toEqual(x.map(() => 1));
    }
  });

  it('beyond the range they were shown are cut off, and nothing is learned of them', () => {
    const { value, gradient } = at([-3, 0.5, 9], [1, 3], (t, x) => quantizeActivation(t, { kind: 'affine', levels: 256 }, x, { low: t.constant([1], Float32Array.of(-1)), high: t.constant([1], Float32Array.of(1)) }));
    expect(value[0]).toBeGreaterThan(-1.01);
    expect(value[2]).toBeLessThan(1.01);
    expect(gradient).toEqual([0, 1, 0]);
  });
});

describe('a quantised network', () => {
  function network(): Graph {
    const g = graphBuilder('small');
    const input = g.input([1, 2, 6, 6]);
    g.block('stage1.a');
    const a = g.activation(g.batchNorm(g.conv2d(input, { outChannels: 4, kernel: 3 })), 'hswish');
    g.block('stage2.a');
    const b = g.activation(g.batchNorm(g.conv2d(a, { outChannels: 8, kernel: 3, groups: 4 })), 'relu');
    g.block('head');
    g.output(g.linear(g.flatten(g.globalAvgPool(b)), 3));
    return g.build();
  }
  const graph = network();
  const [first, second, last] = graph.nodes.filter((n) => n.kind === 'conv2d' || n.kind === 'linear').map((n) => n.id) as [string, string, string];

  it('has levels by layer: ends, blocks by the longest name that fits, the others', () => {
    const layers = quantizationOf(graph, { scheme: 'dorefa', weights: 4, activations: 6, ends: INT8, blocks: { 'stage2': { weights: 2, activations: null } } });
    expect(layers.get(first)).toEqual({ weights: { kind: 'symmetric', levels: 255 }, input: { kind: 'affine', levels: 256 } });
    expect(layers.get(second)).toEqual({ weights: { kind: 'tanh', levels: 2 }, input: null });
    expect(quantizationOf(graph, { scheme: 'dorefa', weights: 4, activations: 6 }).get(last)).toEqual({ weights: { kind: 'tanh', levels: 4 }, input: { kind: 'relu', levels: 6 } });
    expect(() => quantizationOf(graph, { scheme: 'affine', weights: 1, activations: null })).toThrow(/expected quantisation levels to be an integer from 2, got 1/);
    expect(() => quantizationOf(graph, { scheme: 'affine', weights: 4, activations: 4, blocks: { stage9: { weights: 2, activations: 2 } } })).toThrow(/expected a block to quantise, one of stage1.a, stage2.a, head, got "stage9"/);
  });

  it('with many levels answers what the network does, with few something else', () => {
    const rng = Rng.of(4, 'images');
    const images = { shape: [5, 2, 6, 6], data: Float64Array.from({ length: 360 }, () => rng.normal()) };
    const wide = (values: ArrayLike<number>): Wide => ({ shape: [values.length], data: Float64Array.from(values) });
    const answer = (levels: number | null): number[] => {
      const layers = quantizationOf(graph, { scheme: 'affine', weights: levels, activations: levels });
      if (levels === null) {
        const { program, packing } = inferenceProgram(graph, 5);
        const { parameters, statistics } = packWeights(packing, initialWeights(graph, 3));
        return [...evaluateProgram(program, new Map<string, Wide>([['images', images], ['parameters', wide(parameters)], ['statistics', wide(statistics)]])).get('logits')!.data];
      }
      const ranges = rangesProgram(graph, 5, layers);
      const weights = new Map(initialWeights(graph, 3));
      const packed = packWeights(ranges.packing, weights);
      const seen = evaluateProgram(ranges.program, new Map<string, Wide>([['images', images], ['parameters', wide(packed.parameters)], ['statistics', wide(packed.statistics)]]));
      expect(ranges.layers).toEqual([first, second, last]);
      ranges.layers.forEach((id, k) => weights.set(id, { ...weights.get(id), inputLow: { shape: [1], data: Float32Array.of(seen.get('low')!.data[k]!) }, inputHigh: { shape: [1], data: Float32Array.of(seen.get('high')!.data[k]!) } }));
      const inference = inferenceProgram(graph, 5, layers);
      const vectors = packWeights(packingOf(graph, layers), weights);
      return [...evaluateProgram(inference.program, new Map<string, Wide>([['images', images], ['parameters', wide(vectors.parameters)], ['statistics', wide(vectors.statistics)]])).get('logits')!.data];
    };
    const float = answer(null);
    const difference = (levels: number): number => Math.max(...answer(levels).map((v, i) => Math.abs(v - float[i]!)));
    expect(elements([5, 3])).toBe(float.length);
    expect(difference(65_535)).toBeLessThan(1e-3);
    expect(difference(255)).toBeLessThan(0.1);
    expect(difference(255)).toBeLessThan(difference(7));
    expect(difference(7)).toBeGreaterThan(0.01);
  });
});
