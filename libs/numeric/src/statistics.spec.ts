import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mean, median, quantile, standardDeviation } from './statistics.js';

describe('quantile', () => {
  it('interpolates as type 7 does: R gives 1.9 for quantile(c(1, 2, 4, 8), 0.3)', () => {
    expect(quantile([8, 1, 4, 2], 0.3)).toBeCloseTo(1.9, 12);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([5], 0.7)).toBe(5);
    expect(quantile([Infinity, 1], 1)).toBe(Infinity);
  });

  it('leaves at least p of the values at or below it, and never leaves their range', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const q = quantile(values, p);
        expect(values.filter((v) => v <= q).length).toBeGreaterThanOrEqual(Math.floor(p * (values.length - 1)) + 1);
        expect(q >= Math.min(...values) && q <= Math.max(...values)).toBe(true);
      }),
    );
  });

  it('refuses no values, NaN and shares outside [0, 1]', () => {
    expect(() => median([])).toThrow(/at least one value/);
    expect(() => median([1, NaN])).toThrow(/NaN/);
    expect(() => quantile([1], 1.1)).toThrow(/0 to 1, got 1.1/);
  });
});

describe('mean and standardDeviation', () => {
  it('are those of the list itself', () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2);
    expect(standardDeviation([3])).toBe(0);
    expect(() => mean([])).toThrow(/at least one value/);
  });
});
