import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { bounded, posteriorSamples } from './outcome-kernel.js';

describe('values that fell apart', () => {
  it('are drawn in to twelve deviations above the median, more of few values; all others are left, however good', () => {
    const rng = Rng.of(1, 'bounded');
    const values = Array.from({ length: 400 }, () => 5 + 2 * rng.normal());
    const { values: drawn, far } = bounded([...values, 1000, -1000]);
    expect(drawn.slice(0, 400)).toEqual(values);
    expect(drawn[400]).toBeGreaterThan(5 + 2 * 11);
    expect(drawn[400]).toBeLessThan(5 + 2 * 13);
    expect(drawn[401]).toBe(-1000);
    expect(far.flatMap((f, i) => (f ? [i] : []))).toEqual([400]);
    // 1.4826 · 1 · 12 · (1 + 6/5)
    expect(bounded([1, 2, 3, 4, 90]).values[4]).toBeCloseTo(3 + 1.4826 * 26.4, 9);
  });

  it('are not known where more than half of the values are the same', () => {
    expect(bounded([3, 3, 3, 9])).toEqual({ values: [3, 3, 3, 9], far: [false, false, false, false] });
  });
});

describe('draws of hyperparameters', () => {
  it('have the posterior\'s mean and deviation: a normal likelihood beside the normal prior of deviation 2', () => {
    const start = [0, 1];
    // likelihood of deviation 1 about (2, 0): posterior variance 1 / (1 + 1/4)
    const misfit = (t: readonly number[]): number => 0.5 * ((t[0]! - 2) ** 2 + t[1]! ** 2);
    const rng = Rng.of(2, 'posterior');
    const all = Array.from({ length: 60 }, () => posteriorSamples(start, [1.6, 0.2], misfit, rng)).flat();
    for (const [i, due] of [1.6, 0.2].entries()) {
      const mean = all.reduce((s, t) => s + t[i]!, 0) / all.length;
      const variance = all.reduce((s, t) => s + (t[i]! - mean) ** 2, 0) / all.length;
      expect(Math.abs(mean - due)).toBeLessThan(0.15);
      expect(Math.abs(variance - 0.8)).toBeLessThan(0.16);
    }
  });
});
