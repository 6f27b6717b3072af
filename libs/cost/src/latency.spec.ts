import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphBuilder, totals, type Graph } from '@app/graph';
import { Rng } from '@app/numeric';
import { adapt, calibrate, conformalInterval, errorFigures, intervalCoverage, listCoefficients } from './calibrate.js';
import { dot, fitCoefficients, mixDevices, type Sample } from './latency-fit.js';
import { coefficientVector, fittedPrice, rangeOf, spreadOver } from './latency-model.js';
import { cellNetwork as cell } from './latency-cell.fixture.js';
import { RUNTIMES, type RuntimeKind, type RuntimeRules } from './latency-rules.js';
import { stepsOf } from './latency-steps.js';
import { TERM_IDS, TERMS, workOfSteps } from './latency-terms.js';
import type { FittedModel } from './types.js';

const code = fc.tuple(...Array.from({ length: 6 }, () => fc.integer({ min: 0, max: 4 }))).map((digits) => digits.join(''));
const countOf = (graph: Graph, runtime: RuntimeKind, kind: string): number => stepsOf(graph, RUNTIMES[runtime]).filter((s) => s.kind === kind).length;
/** convolutions of the skeleton: stem and two each of two reductions; a 1×1 each of their shortcuts */
const SKELETON = { dense: 5, pointwise: 2 };

describe('what a runtime runs', () => {
  it('is every edge with weights, dead or not, where zeros are kept', () => {
    fc.assert(fc.property(code, (c) => {
      const graph = cell(c);
      const steps = stepsOf(graph, RUNTIMES['pytorch-eager']);
      expect(countOf(graph, 'pytorch-eager', 'dense')).toBe(SKELETON.dense + 3 * [...c].filter((d) => d === '3').length);
      expect(countOf(graph, 'pytorch-eager', 'pool')).toBe(2 + 3 * [...c].filter((d) => d === '4').length);
      expect(steps.reduce((sum, s) => sum + s.macs, 0)).toBe(totals(graph).macs);
    }), { numRuns: 60 });
  });

  it('never grows from kept to pushed to folded zeros, nor by merging or fusing', () => {
    fc.assert(fc.property(code, (c) => {
      const graph = cell(c);
      const macs = (zeros: 'kept' | 'pushed' | 'folded'): number => stepsOf(graph, { zeros, merge: false, fusion: 'none' }).reduce((sum, s) => sum + s.macs, 0);
      expect(macs('kept')).toBeGreaterThanOrEqual(macs('pushed'));
      expect(macs('pushed')).toBeGreaterThanOrEqual(macs('folded'));
      const steps = (merge: boolean, fusion: RuntimeRules['fusion']): number => stepsOf(graph, { zeros: 'kept', merge, fusion }).length;
      expect(steps(true, 'none')).toBeLessThanOrEqual(steps(false, 'none'));
      expect(steps(false, 'operators')).toBeLessThanOrEqual(steps(false, 'activation'));
      expect(steps(false, 'activation')).toBeLessThanOrEqual(steps(false, 'batchNorm'));
      expect(steps(false, 'batchNorm')).toBeLessThan(steps(false, 'none'));
    }), { numRuns: 60 });
  });

  // HW-NAS-Bench, Raspberry Pi 4, cells whose first three edges lead nowhere: ms above the cell with none there.
  // 300 16 (one 3×3 ≈ 16), 310 0, 220 0, 203 20 (both run), 204 0, 130 17, 132 0
  it.each([['300100', 1, 0], ['310100', 0, 0], ['220100', 0, 0], ['203100', 1, 1], ['204100', 0, 0], ['130100', 1, 0], ['132100', 0, 0], ['310404', 1, 0]])('runs of the dead convolutions of %s, by pushed zeros, %i 3×3 and %i 1×1', (c, dense, pointwise) => {
    expect(countOf(cell(c), 'tflite-2021', 'dense')).toBe(SKELETON.dense + 3 * dense);
    expect(countOf(cell(c), 'tflite-2021', 'pointwise')).toBe(SKELETON.pointwise + 3 * pointwise);
    if (c !== '310404') expect(countOf(cell(c), 'litert', 'dense')).toBe(SKELETON.dense);
  });

  it('holds a relu behind a residual sum in the sum, as files of TensorFlow Lite do, unless something else reads the sum', () => {
    const residual = (sumIsOutput: boolean, fn: 'relu' | 'relu6' | 'hswish'): Graph => {
      const b = graphBuilder('residual');
      const x = b.input([1, 8, 6, 6]);
      const sum = b.add(b.batchNorm(b.conv2d(x, { outChannels: 8, kernel: 3 })), x);
      b.output(b.activation(sum, fn));
      if (sumIsOutput) b.output(sum);
      return b.build();
    };
    const kinds = (graph: Graph, runtime: RuntimeKind): string[] => stepsOf(graph, RUNTIMES[runtime]).map((s) => s.kind);
    expect(kinds(residual(false, 'relu'), 'tflite-micro')).toEqual(['dense', 'elementwise']);
    expect(kinds(residual(false, 'relu6'), 'tflite-micro')).toEqual(['dense', 'elementwise']);
    expect(kinds(residual(false, 'hswish'), 'tflite-micro')).toEqual(['dense', 'elementwise', 'activation']);
    expect(kinds(residual(true, 'relu'), 'tflite-micro')).toEqual(['dense', 'elementwise', 'activation']);
    expect(kinds(residual(false, 'relu'), 'compiled')).toEqual(['dense', 'elementwise', 'activation']);
  });

  it('pools the same tensor once where equal operators merge', () => {
    // 444441: six poolings of two different tensors, and what the last sum adds
    expect(countOf(cell('444440'), 'pytorch-eager', 'pool')).toBe(2 + 15);
    expect(countOf(cell('444440'), 'litert', 'pool')).toBe(2 + 6);
  });
});

const K = TERMS.length;
const truth = Float64Array.from(TERM_IDS, (id) => ({ inference: 1e-4, launchDense: 2e-5, macDense: 1e-10, macPointwise: 2e-10, tapPool: 1e-9, elementElementwise: 5e-10 } as Record<string, number>)[id] ?? 0);

/** Cells with a latency of `truth` and relative noise. */
function samples(n: number, noise: number, seed: number, coefficients = truth): Sample[] {
  const rng = Rng.of(seed, 'latency spec');
  return Array.from({ length: n }, () => {
    const c = Array.from({ length: 6 }, () => Math.floor(rng.next() * 5)).join('');
    const work = workOfSteps(stepsOf(cell(c), RUNTIMES['pytorch-eager']));
    return { work, value: dot(work, coefficients) * (1 + noise * (rng.next() + rng.next() - 1)), group: c };
  });
}

describe('fits', () => {
  it('predict noiseless measurements to within rounding, and stay non-negative', () => {
    const { crossValidated, coefficients } = calibrate(samples(100, 0, 1), []);
    expect(coefficients.every((c) => c >= 0)).toBe(true);
    samples(100, 0, 1).forEach((s, i) => expect(crossValidated[i]! / s.value).toBeCloseTo(1, 4));
  });

  it('are not moved by a tenth of the rows at twice the time', () => {
    const rows = samples(120, 0.01, 2).map((s, i) => (i % 10 === 0 ? { ...s, value: 2 * s.value } : s));
    const x = fitCoefficients(rows);
    for (const s of samples(40, 0, 3)) expect(Math.abs(dot(s.work, x) / s.value - 1)).toBeLessThan(0.02);
  });

  // fitted on one task of 18 classes, PyTorch Mobile on a Pi 5 was once priced 23 % too dear on another of 100
  it('leave what is the same in every sample to the start of an inference, and do not price more of it', () => {
    const [inference, outputs, macs] = ['inference', 'outputLinear', 'macDense'].map((id) => TERM_IDS.indexOf(id)) as [number, number, number];
    const work = (products: number, classes: number): Float64Array => {
      const w = new Float64Array(TERMS.length);
      w[inference] = 1;
      w[outputs] = classes;
      w[macs] = products;
      return w;
    };
    const samples = Array.from({ length: 12 }, (_, i): Sample => ({ work: work(1e6 * (i + 1), 18), value: 2e-3 + 1e-9 * 1e6 * (i + 1), group: String(i) }));
    const x = fitCoefficients(samples);
    expect([x[inference], x[outputs], x[macs]]).toEqual([expect.closeTo(2e-3, 8), 0, expect.closeTo(1e-9, 14)]);
    expect(dot(work(5e6, 100), x)).toBeCloseTo(7e-3, 8);
  });

  it('keep to the prior where there is nothing to learn from', () => {
    const x = fitCoefficients([], { coefficients: truth, spread: 0.3, noise: 0.05 });
    expect(x.length).toBe(K);
    const few = fitCoefficients(samples(3, 0, 4), { coefficients: truth, spread: 0.3, noise: 0.05 });
    truth.forEach((c, k) => expect(few[k]! - c).toBeCloseTo(0, 8));
  });

  it('find a device that is a mixture of known ones from ten samples', () => {
    const slow = truth.map((c, k) => c * (TERMS[k]!.unit === 'MAC' ? 3 : 1));
    const busy = truth.map((c, k) => c * (TERMS[k]!.unit === 'launch' || TERMS[k]!.unit === 'inference' ? 4 : 1));
    const between = truth.map((_, k) => 0.5 * slow[k]! + 0.8 * busy[k]!);
    const ten = samples(10, 0.02, 5, between);
    const x = adapt(ten, [truth, slow, busy]);
    const asked = samples(60, 0, 6, between);
    expect(errorFigures(asked.map((s) => s.value), asked.map((s) => dot(s.work, x))).mape).toBeLessThan(0.03);
    expect(mixDevices(ten, [truth, slow, busy]).every((c) => c >= 0)).toBe(true);
  });

  it('refuse too few rows and values that are no time', () => {
    expect(() => calibrate(samples(2, 0, 7), [])).toThrow('expected at least 3 measured networks, got 2');
    expect(() => calibrate(samples(5, 0, 7).map((s, i) => (i === 3 ? { ...s, value: -1 } : s)), [])).toThrow('measurement 3: expected a finite value above 0, got -1');
  });
});

describe('intervals', () => {
  it('hold nine of ten points they have not seen', () => {
    for (const [n, noise] of [[400, 0.05], [40, 0.2]] as const) {
      let inside = 0;
      let asked = 0;
      for (let seed = 0; seed < 30; seed++) {
        const rng = Rng.of(seed, 'interval');
        const ratio = (): number => Math.exp(noise * (rng.next() + rng.next() + rng.next() - 1.5));
        const { low, high } = conformalInterval(Array.from({ length: n }, ratio));
        for (let i = 0; i < 200; i++, asked++) {
          const r = ratio();
          if (r >= low && r <= high) inside++;
        }
      }
      expect(inside / asked).toBeGreaterThan(0.87);
      expect(inside / asked).toBeLessThan(0.93);
    }
  });

  it('cover as they promise fold by fold', () => {
    const rows = samples(300, 0.1, 8);
    const coverage = intervalCoverage(rows, rows.map((s) => dot(s.work, truth)));
    expect(coverage).toBeGreaterThan(0.85);
    expect(coverage).toBeLessThan(0.95);
  });

  it('stretch beyond the largest error when there are few points, and never close altogether', () => {
    const { low, high } = conformalInterval([0.9, 1, 1.05]);
    expect(low).toBeLessThan(0.9);
    expect(high).toBeGreaterThan(1 / 0.9);
    expect(conformalInterval(Array<number>(100).fill(1)).low).toBeLessThan(1);
  });
});

describe('rank correlation', () => {
  it('is that of the ranks, ties sharing their mean place', () => {
    expect(errorFigures([1, 2, 3, 4], [10, 20, 30, 40]).spearman).toBeCloseTo(1, 12);
    expect(errorFigures([1, 2, 3, 4], [4, 3, 2, 1]).spearman).toBeCloseTo(-1, 12);
    // ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / √(4.5 · 5)
    expect(errorFigures([1, 2, 2, 4], [1, 2, 3, 4]).spearman).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
    expect(errorFigures([1, 1, 1], [1, 2, 3]).spearman).toBeNull();
  });
});

describe('a fitted model in a profile', () => {
  const graph = cell('314230');
  const steps = stepsOf(graph, RUNTIMES.litert);
  const model: FittedModel = {
    precision: 'fp32', runtime: RUNTIMES.litert, coefficients: listCoefficients(truth, 's'), interval: { low: 0.95, high: 1.1 }, range: rangeOf([steps]),
    fit: { rows: 1, networks: 'one cell', meanError: 0.01, within10: 1, rankCorrelation: null, validation: 'none', source: 'made up', licence: 'none', dataHash: '0'.repeat(64), date: '2026-01-01' },
  };

  it('prices what its terms say', () => {
    const price = fittedPrice(graph, model, 0.5);
    expect(price.value).toBeCloseTo(dot(workOfSteps(steps), coefficientVector(model)), 12);
    expect([price.low / price.value, price.high / price.value]).toEqual([expect.closeTo(0.95, 12), expect.closeTo(1.1, 12)]);
    expect(price.outside).toEqual([]);
  });

  it('shares the whole price among the layers', () => {
    const layers = graph.nodes.map((n) => ({ node: n.id, kind: n.kind, block: null, outputShape: [], macs: 0, params: 0, weightBytes: 0, inputBytes: 0, outputBytes: 0, liveBytes: 0, latency: 0, energy: 0, bound: 'compute' as const }));
    const price = fittedPrice(graph, model, 0.5);
    expect(spreadOver(graph, layers, price).reduce((sum, l) => sum + l.value, 0)).toBeCloseTo(price.value, 12);
    expect(spreadOver(graph, layers.slice(0, 3), price).reduce((sum, l) => sum + l.value, 0)).toBeCloseTo(price.value, 12);
  });

  it('says what lies outside what it was fitted on, and widens the interval to the profile\'s uncertainty', () => {
    const b = graphBuilder('large windows');
    let x = b.input([1, 3, 64, 64]);
    x = b.conv2d(x, { outChannels: 64, kernel: 7 });
    x = b.conv2d(x, { outChannels: 64, kernel: 3, groups: 64 });
    b.output(b.linear(b.flatten(b.globalAvgPool(x)), 10));
    const price = fittedPrice(b.build(), model, 0.5);
    expect(price.outside).toEqual(expect.arrayContaining([expect.stringContaining('MACs, fitted on'), 'dense windows of 49 cells, fitted on at most 9', 'depthwise operators, none among the networks fitted on']));
    expect(price.high / price.value).toBeCloseTo(1.5, 12);
  });
});
