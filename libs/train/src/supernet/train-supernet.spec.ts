import { describe, expect, it } from 'vitest';
import { betweenOf } from './train-supernet.js';

describe('the networks between the ends', () => {
  it.each([2, 3, 4, 7, 16])('of %i drawn take turns, two different ones a step', (count) => {
    const drawn = Array.from({ length: count }, (_, i) => i);
    const times = new Map<number, number>();
    for (let step = 0; step < 84; step++) {
      const taken = betweenOf(drawn, step);
      expect(new Set(taken).size).toBe(2);
      for (const i of taken) times.set(i, (times.get(i) ?? 0) + 1);
    }
    expect(Math.max(...times.values()) - Math.min(...drawn.map((i) => times.get(i) ?? 0))).toBeLessThanOrEqual(1);
  });

  it('of one drawn are that one, once', () => {
    expect([0, 1, 2].map((step) => betweenOf(['only'], step))).toEqual([['only'], ['only'], ['only']]);
  });
});
