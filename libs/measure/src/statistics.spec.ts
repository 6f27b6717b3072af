import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '@app/numeric';
import { noiseWarnings, quantile, summarize } from './statistics.js';

const samples = fc.array(fc.double({ min: 1e-6, max: 10, noNaN: true }), { minLength: 1, maxLength: 80 });

describe('summary of timings', () => {
  it('is in order: min ≤ low ≤ median ≤ high ≤ max, and does not hang on the order of the samples', () => {
    fc.assert(fc.property(samples, (xs) => {
      const s = summarize(Object.freeze([...xs]));
      const order = [s.min, s.low, s.median, s.high, s.max];
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect({ ...summarize([...xs].reverse()), mean: 0 }).toEqual({ ...s, mean: 0 });
      // half of the samples lie on either side, by counting
      expect(xs.filter((x) => x <= s.median + 1e-12).length * 2).toBeGreaterThanOrEqual(xs.length);
      expect(xs.filter((x) => x >= s.median - 1e-12).length * 2).toBeGreaterThanOrEqual(xs.length);
    }));
  });

  it('is moved by no outlier: a run in twenty that takes a hundred times as long', () => {
    const calm = Array.from({ length: 60 }, (_, i) => 1 + (i % 7) / 1000);
    const disturbed = calm.map((x, i) => (i % 20 === 3 ? 100 * x : x));
    expect(Math.abs(summarize(disturbed).median - summarize(calm).median)).toBeLessThan(0.002);
    expect(summarize(disturbed).mad).toBeLessThan(0.004);
    expect(summarize(disturbed).mean).toBeGreaterThan(5);
  });

  it('gives the quantiles that R (type 7) gives for 1 … 10', () => {
    // R: quantile(1:10, c(0.05, 0.5, 0.95)) → 1.45 5.5 9.55
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    [0.05, 0.5, 0.95].forEach((p, i) => expect(quantile(x, p)).toBeCloseTo([1.45, 5.5, 9.55][i]!, 12));
  });

  it.each([5, 12, 50, 300])('holds the true median nine times in ten from %i samples, however skewed', (n) => {
    const rng = Rng.of(7, 'median', n);
    const trials = 3000;
    let held = 0;
    for (let t = 0; t < trials; t++) {
      // exponential: as skewed as timings are; its median is ln 2
      const s = summarize(Array.from({ length: n }, () => -Math.log(1 - rng.next())));
      if (s.medianInterval![0] <= Math.LN2 && Math.LN2 <= s.medianInterval![1]) held++;
    }
    // 3.5 standard errors below 0.9
    expect(held / trials).toBeGreaterThan(0.9 - 3.5 * Math.sqrt(0.09 / trials));
    expect(held / trials).toBeLessThan(0.97);
  });

  it('gives no interval of the median where there are too few samples for 90 %', () => {
    expect(summarize([1, 2, 3, 4]).medianInterval).toBeNull();
    expect(summarize([5, 1, 2, 3, 4]).medianInterval).toEqual([1, 5]);
  });

  it.each([[[]], [[1, Number.NaN]], [[Infinity]]])('refuses %j', (xs) => {
    expect(() => summarize(xs)).toThrow(RangeError);
  });
});

describe('signs of a restless machine', () => {
  const rng = Rng.of(1, 'noise');
  const around = (centre: number, share: number, n: number): number[] => Array.from({ length: n }, () => centre * (1 + share * rng.normal()));

  it('are none where runs agree within two per cent, a few stragglers aside', () => {
    expect(noiseWarnings(around(3, 0.02, 60).map((x, i) => (i % 15 === 0 ? 4 * x : x)))).toEqual([]);
  });

  it('are seen in a wide spread and in a slow change', () => {
    expect(noiseWarnings(around(3, 0.2, 60))[0]).toMatch(/^the machine is noisy: the middle half of 60 runs spreads over \d+ % of the median$/);
    expect(noiseWarnings(around(3, 0.01, 60).map((x, i) => x * (1 + i / 600)))).toEqual([expect.stringMatching(/^the machine drifted: the last third of the runs took [5-8] % longer than the first$/)]);
  });
});
