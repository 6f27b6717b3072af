import { Rng } from '@app/numeric';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphBuilder, type GraphBuilder } from '../builder.js';
import { erf } from '../erf.js';
import { evaluate } from '../evaluate.js';
import { initialWeights } from '../initial-weights.js';
import { elements, stridesOf } from '../shape.js';
import type { Shape, Tensor } from '../types.js';

function random(shape: Shape, seed: number): Tensor {
  const rng = Rng.of(seed, 'test tensor');
  return { shape, data: Float32Array.from({ length: elements(shape) }, () => rng.normal()) };
}

function run(shape: Shape, write: (g: GraphBuilder, x: string) => string, x: Tensor): Tensor {
  const g = graphBuilder('test');
  const y = write(g, g.input(shape));
  g.output(y);
  const graph = g.build();
  return evaluate(graph, initialWeights(graph, 1), new Map([['input', x]])).get(y)!;
}

/** Element of a tensor at an index, and 0 beyond its ends. */
function at(t: Tensor, ...index: number[]): number {
  if (index.some((i, axis) => i < 0 || i >= t.shape[axis]!)) return 0;
  const strides = stridesOf(t.shape);
  return t.data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
}

function expectClose(actual: Tensor, expected: (index: number[]) => number): void {
  const strides = stridesOf(actual.shape);
  const errors = actual.data.map((v, i) => Math.abs(v - expected(strides.map((s, axis) => Math.floor(i / s) % actual.shape[axis]!))));
  expect(Math.max(...errors)).toBeLessThan(5e-5);
}

describe('convolution', () => {
  const geometry = fc.record({
    groups: fc.integer({ min: 1, max: 3 }), perGroup: fc.integer({ min: 1, max: 2 }), outPerGroup: fc.integer({ min: 1, max: 3 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    height: fc.integer({ min: 7, max: 9 }), width: fc.integer({ min: 7, max: 9 }), seed: fc.nat(1000),
  });

  it('is the sum over taps and channels of its definition, whatever the geometry', () => {
    fc.assert(fc.property(geometry, ({ groups, perGroup, outPerGroup, kernel, stride, dilation, padding, height, width, seed }) => {
      const x = random([2, groups * perGroup, height, width], seed);
      const g = graphBuilder('conv');
      const y = g.conv2d(g.input(x.shape), { outChannels: groups * outPerGroup, kernel, stride, dilation, padding, groups, bias: true });
      g.output(y);
      const graph = g.build();
      const bias = random([groups * outPerGroup], seed + 1);
      const weight = initialWeights(graph, seed).get(y)!['weight']!;
      const result = evaluate(graph, new Map([[y, { weight, bias }]]), new Map([['input', x]])).get(y)!;
      expectClose(result, ([n, o, r, c]) => {
        let sum = bias.data[o!]!;
        for (let i = 0; i < perGroup; i++) {
          for (let ky = 0; ky < kernel[0]; ky++) {
            for (let kx = 0; kx < kernel[1]; kx++) {
              const channel = Math.floor(o! / outPerGroup) * perGroup + i;
              sum += at(weight, o!, i, ky, kx) * at(x, n!, channel, r! * stride[0] + ky * dilation[0] - padding[0], c! * stride[1] + kx * dilation[1] - padding[1]);
            }
          }
        }
        return sum;
      });
    }), { numRuns: 60 });
  });

  it('with a 1×1 kernel is a linear layer at every position', () => {
    const x = random([1, 5, 2, 3], 3);
    const g = graphBuilder('pointwise');
    const input = g.input(x.shape);
    const conv = g.conv2d(input, { outChannels: 4, kernel: 1 });
    const linear = g.linear(g.transpose(input, [0, 2, 3, 1]), 4, false);
    const moved = g.transpose(conv, [0, 2, 3, 1]);
    g.output(moved);
    g.output(linear);
    const graph = g.build();
    const weight = random([4, 5], 4);
    const result = evaluate(graph, new Map([[conv, { weight: { shape: [4, 5, 1, 1], data: weight.data } }], [linear, { weight }]]), new Map([[input, x]]));
    result.get(moved)!.data.forEach((v, i) => expect(v).toBeCloseTo(result.get(linear)!.data[i]!, 5));
  });
});

describe('layout', () => {
  const x = random([2, 3, 4, 5], 8);

  it('transposing twice with a permutation and its inverse gives the tensor back', () => {
    const perms = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(fc.property(perms, (perm) => {
      const inverse = perm.map((_, i) => perm.indexOf(i));
      expect(run(x.shape, (g, id) => g.transpose(g.transpose(id, perm), inverse), x)).toEqual(x);
    }));
  });

  it('transposing moves the element at an index to the permuted index', () => {
    const y = run(x.shape, (g, id) => g.transpose(id, [3, 0, 2, 1]), x);
    expect(y.shape).toEqual([5, 2, 4, 3]);
    expectClose(y, ([a, b, c, d]) => at(x, b!, d!, c!, a!));
  });

  it('slices joined again are the tensor, on every axis', () => {
    for (const axis of [0, 1, 2, 3, -1]) {
      const cut = 1;
      const size = x.shape.at(axis)!;
      expect(run(x.shape, (g, id) => g.concat([g.slice(id, 0, cut, axis), g.slice(id, cut, size, axis)], axis), x)).toEqual(x);
    }
  });

  it('zero channels stand before and after', () => {
    const y = run(x.shape, (g, id) => g.padChannels(id, 2, 1), x);
    expect(y.shape).toEqual([2, 6, 4, 5]);
    expectClose(y, ([n, c, h, w]) => at(x, n!, c! - 2, h!, w!));
  });
});

describe('arithmetic, pools and the rest', () => {
  const x = random([2, 3, 4, 5], 9);

  it('broadcasts as numpy does', () => {
    const y = run(x.shape, (g, id) => g.mul(g.slice(id, 0, 1, 0), g.globalAvgPool(id)), x);
    const mean = (n: number, c: number): number => {
      let sum = 0;
      for (let h = 0; h < 4; h++) for (let w = 0; w < 5; w++) sum += at(x, n, c, h, w);
      return sum / 20;
    };
    expect(y.shape).toEqual([2, 3, 4, 5]);
    expectClose(y, ([n, c, h, w]) => at(x, 0, c!, h!, w!) * mean(n!, c!));
  });

  it('max pooling never takes the padding, average pooling divides by the cells inside unless told otherwise', () => {
    const negative = { shape: [1, 1, 2, 2], data: Float32Array.of(-4, -3, -2, -1) };
    const window = { kernel: 2, stride: 1, padding: 1 };
    expect([...run([1, 1, 2, 2], (g, id) => g.maxPool(id, window), negative).data]).toEqual([-4, -3, -3, -2, -1, -1, -2, -1, -1]);
    expect([...run([1, 1, 2, 2], (g, id) => g.avgPool(id, window), negative).data]).toEqual([-4, -3.5, -3, -3, -2.5, -2, -2, -1.5, -1]);
    expect([...run([1, 1, 2, 2], (g, id) => g.avgPool(id, { ...window, countIncludePad: true }), negative).data]).toEqual([-1, -1.75, -0.75, -1.5, -2.5, -1, -0.5, -0.75, -0.25]);
  });

  it('softmax sums to 1 along its axis and survives large values', () => {
    const y = run([1, 3, 1, 1], (g, id) => g.softmax(id, 1), { shape: [1, 3, 1, 1], data: Float32Array.of(1000, 1001, 999) });
    expect(y.data.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    expect(y.data[1]! / y.data[0]!).toBeCloseTo(Math.E, 4);
  });

  it('batch norm with its own statistics gives mean `shift` and deviation `scale`', () => {
    const g = graphBuilder('norm');
    const id = g.batchNorm(g.input([1, 1, 1, 4]), 1e-12);
    g.output(id);
    const one = (v: number): Tensor => ({ shape: [1], data: Float32Array.of(v) });
    const weights = new Map([[id, { scale: one(3), shift: one(-2), mean: one(2.5), variance: one(1.25) }]]);
    const y = evaluate(g.build(), weights, new Map([['input', { shape: [1, 1, 1, 4], data: Float32Array.of(1, 2, 3, 4) }]])).get(id)!.data;
    const mean = y.reduce((a, b) => a + b, 0) / 4;
    expect(mean).toBeCloseTo(-2, 5);
    expect(Math.sqrt(y.reduce((a, b) => a + (b - mean) ** 2, 0) / 4)).toBeCloseTo(3, 5);
  });

  it('zeros are zero even where the input is infinite', () => {
    expect([...run([1, 2], (g, id) => g.zeros(id), { shape: [1, 2], data: Float32Array.of(Infinity, 1) }).data]).toEqual([0, 0]);
  });

  it('activations keep NaN visible', () => {
    for (const fn of ['relu', 'relu6', 'hswish', 'hsigmoid', 'gelu'] as const) {
      expect(run([1, 1], (g, id) => g.activation(id, fn), { shape: [1, 1], data: Float32Array.of(NaN) }).data[0]).toBeNaN();
    }
  });

  it('inputs stay as they were', () => {
    const before = x.data.slice();
    run(x.shape, (g, id) => g.add(g.activation(id, 'relu'), g.identity(id)), x);
    expect(x.data).toEqual(before);
  });
});

describe('erf', () => {
  // Abramowitz & Stegun, Handbook of Mathematical Functions, table 7.1
  it.each([[0, 0], [0.5, 0.5204998778], [1, 0.8427007929], [1.5, 0.9661051465], [2, 0.9953222650]])('erf(%d) is tabulated as %d', (x, value) => {
    expect(erf(x)).toBeCloseTo(value, 10);
    expect(erf(-x)).toBeCloseTo(-value, 10);
  });

  it('has the derivative 2/√π · exp(−x²) everywhere, its ends included', () => {
    fc.assert(fc.property(fc.double({ min: -7, max: 7, noNaN: true }), (x) => {
      const h = 1e-5;
      expect((erf(x + h) - erf(x - h)) / (2 * h)).toBeCloseTo((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x), 8);
    }));
    expect([erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([1, -1, NaN]);
  });
});
