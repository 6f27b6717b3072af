import { evaluateProgram, graphBuilder, inferenceProgram, packWeights, type Graph, type LayerQuantization, type Quantizer, type Tensor, type Weights, type Wide } from '@app/graph';
import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { fitByte, inputRange, roundHalfEven, scaledCodes, weightCodes, weightsOfCodes } from './quantize-values.js';

const FEATURES = 12;
const ROWS = 5;

/** One linear layer. */
function layer(): { graph: Graph; id: string } {
  const g = graphBuilder('layer');
  const id = g.linear(g.flatten(g.input([1, FEATURES, 1, 1])), ROWS, false);
  g.output(id);
  return { graph: g.build(), id };
}

/** What the layer answers as training's quantisers have it: [batch, ROWS]. */
function answers(quantization: LayerQuantization, own: Weights, images: Float64Array): Float64Array {
  const { graph, id } = layer();
  const layers = new Map([[id, quantization]]);
  const batch = images.length / FEATURES;
  const { program, packing } = inferenceProgram(graph, batch, layers);
  const { parameters, statistics } = packWeights(packing, new Map([[id, own]]));
  const wide = (values: ArrayLike<number>, shape: number[]): Wide => ({ shape, data: Float64Array.from(values) });
  const feeds = new Map([['parameters', wide(parameters, [parameters.length])], ['images', wide(images, [batch, FEATURES, 1, 1])]]);
  if (statistics.length > 0) feeds.set('statistics', wide(statistics, [statistics.length]));
  return evaluateProgram(program, feeds).get('logits')!.data;
}

const identity = (): Float64Array => Float64Array.from({ length: FEATURES ** 2 }, (_, i) => (i % (FEATURES + 1) === 0 ? 1 : 0));
const drawn = (seed: number, size = 1): Tensor => {
  const rng = Rng.of(seed, 'codes');
  return { shape: [ROWS, FEATURES], data: Float32Array.from({ length: ROWS * FEATURES }, () => size * rng.normal()) };
};

describe('codes of weights', () => {
  it.each<Quantizer>([
    ...[2, 3, 15, 16, 255].map((levels) => ({ kind: 'symmetric' as const, levels })),
    ...[2, 4, 6, 15, 128].map((levels) => ({ kind: 'tanh' as const, levels })),
  ])('stand for what training rounds to: $kind, $levels levels', (quantizer) => {
    const weight = drawn(quantizer.levels);
    const rounded = answers({ weights: quantizer, input: null }, { weight }, identity());
    const codes = weightCodes(quantizer, weight);
    expect(fitByte(quantizer)).toBe(true);
    for (const c of codes.codes.data) expect(Number.isInteger(c) && Math.abs(c) <= 127).toBe(true);
    expect(new Set(codes.codes.data).size).toBeLessThanOrEqual(quantizer.levels);
    weightsOfCodes(codes).data.forEach((v, i) => expect(v).toBeCloseTo(rounded[(i % FEATURES) * ROWS + Math.floor(i / FEATURES)]!, 5));
  });

  it('of more levels than a byte has are told apart', () => {
    expect([128, 129, 130, 255, 256, 257].map((levels) => fitByte({ kind: 'symmetric', levels }))).toEqual([true, true, false, true, false, false]);
  });

  it('of a channel of zeros are zeros, with a scale that can be divided by', () => {
    const weight = drawn(1);
    weight.data.fill(0, 0, FEATURES);
    const { codes, scales } = weightCodes({ kind: 'symmetric', levels: 255 }, weight);
    expect([...codes.data.subarray(0, FEATURES)].every((c) => c === 0)).toBe(true);
    expect(scales[0]).toBe(1);
  });

  it('take in a factor a channel without a change of their sizes', () => {
    const weight = drawn(2);
    const codes = weightCodes({ kind: 'symmetric', levels: 255 }, weight);
    const factors = [2, -0.5, 0, 1, -3];
    const scaled = scaledCodes(codes, factors);
    scaled.scales.forEach((s) => expect(s).toBeGreaterThan(0));
    weightsOfCodes(scaled).data.forEach((v, i) => expect(v).toBeCloseTo(weightsOfCodes(codes).data[i]! * factors[Math.floor(i / FEATURES)]!, 6));
  });
});

describe('codes of what enters a layer', () => {
  const eye: Tensor = { shape: [ROWS, FEATURES], data: Float32Array.from({ length: ROWS * FEATURES }, (_, i) => (i % FEATURES === Math.floor(i / FEATURES) ? 1 : 0)) };
  const rng = Rng.of(5, 'inputs');
  const values = Float64Array.from({ length: 200 * FEATURES }, () => Math.fround(-1.7 + 4 * rng.next()));

  it.each<[Quantizer, number, number]>([
    [{ kind: 'affine', levels: 256 }, -1.3, 2.1], [{ kind: 'affine', levels: 256 }, 0, 1.9], [{ kind: 'affine', levels: 16 }, -0.4, 1], [{ kind: 'relu', levels: 256 }, 0, 1], [{ kind: 'relu', levels: 6 }, 0, 1],
  ])('stand for what training rounds to: %o from %d to %d', (quantizer, low, high) => {
    const scalar = (v: number): Tensor => ({ shape: [1], data: Float32Array.of(v) });
    const due = answers({ weights: null, input: quantizer }, { weight: eye, inputLow: scalar(low), inputHigh: scalar(high) }, values);
    const { scale, zero, levels } = inputRange(quantizer, Math.fround(low), Math.fround(high));
    const rounded = (x: number): number => scale * (Math.min(levels - 1, Math.max(0, roundHalfEven(x / scale) + zero)) - zero);
    let apart = 0;
    for (let b = 0; b < 200; b++) for (let o = 0; o < ROWS; o++) if (Math.abs(rounded(values[b * FEATURES + o]!) - due[b * ROWS + o]!) > 1e-5) apart++;
    // a value half way between two levels may fall to either side where precision differs
    expect(apart).toBeLessThanOrEqual(2);
    expect(Number.isInteger(zero) && zero >= 0 && zero <= levels - 1).toBe(true);
  });

  it('halves go to the even neighbour', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, -2.5001, 7].map(roundHalfEven).map((v) => v + 0)).toEqual([0, 2, 2, 0, -2, 2, -3, 7]);
  });
});
