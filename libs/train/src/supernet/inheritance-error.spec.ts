import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { inheritanceError } from './inheritance-error.js';

describe('the inheritance error', () => {
  it('is not known of fewer than three networks, those that diverged not counted', () => {
    expect(inheritanceError([])).toBeNull();
    expect(inheritanceError([{ inherited: 80, alone: 82 }, { inherited: 80, alone: null }, { inherited: 81, alone: 82 }])).toBeNull();
  });

  it('of three is mean ± t · s · √(1 + 1/3) with t = 2.920 of 2 degrees of freedom', () => {
    const [low, high] = inheritanceError([{ inherited: 80, alone: 81 }, { inherited: 70, alone: 72 }, { inherited: 60, alone: 63 }])!;
    expect((low + high) / 2).toBeCloseTo(2, 12);
    // 1.2 % low, as stated
    expect((high - low) / 2 / (2.92 * Math.sqrt(4 / 3))).toBeCloseTo(1, 1.5);
  });

  it.each([4, 10])('holds nine in ten further networks after %i normal differences', (n) => {
    const rng = Rng.of(n, 'inheritance error');
    let held = 0;
    const rounds = 4000;
    for (let r = 0; r < rounds; r++) {
      const [low, high] = inheritanceError(Array.from({ length: n }, () => ({ inherited: 80, alone: 83 + 2 * rng.normal() })))!;
      const next = 3 + 2 * rng.normal();
      if (next >= low && next <= high) held++;
    }
    // three standard deviations of the share are 1.4 points
    expect(Math.abs(held / rounds - 0.9)).toBeLessThan(0.015);
  });
});
