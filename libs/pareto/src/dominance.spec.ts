import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPoints, plainDominates, plainFront } from './arbitrary.fixture.js';
import { dominates, paretoFront, weaklyDominates } from './dominance.js';

describe('dominates', () => {
  it('keeps a point that ties on one objective and wins on the other', () => {
    expect(dominates([1, 2], [1, 3])).toBe(true);
    expect(dominates([1, 3], [1, 2])).toBe(false);
    expect(dominates([1, 2], [1, 2])).toBe(false);
    expect(dominates([1, 3], [2, 2])).toBe(false);
    expect(weaklyDominates([1, 2], [1, 2])).toBe(true);
  });

  it('agrees with the definition and is a strict order', () => {
    for (const m of [1, 2, 3, 5]) {
      fc.assert(
        fc.property(anyPoints(m, 3).filter((p) => p.length === 3), ([a, b, c]) => {
          expect(dominates(a!, b!)).toBe(plainDominates(a!, b!));
          expect(dominates(a!, b!) && dominates(b!, a!)).toBe(false);
          if (dominates(a!, b!) && dominates(b!, c!)) expect(dominates(a!, c!)).toBe(true);
        }),
      );
    }
  });
});

describe('paretoFront', () => {
  it('is what the definition says, copies included', () => {
    for (const m of [1, 2, 3, 4]) fc.assert(fc.property(anyPoints(m, 25), (points) => void expect(paretoFront(points)).toEqual(plainFront(points))));
  });

  it('takes infinite values, refuses NaN and lengths that differ, with the place', () => {
    expect(paretoFront([[Infinity, 0], [0, Infinity], [Infinity, 1]])).toEqual([0, 1]);
    expect(() => paretoFront([[1, 2], [3, NaN]])).toThrow('points[1][1]: expected a number, got NaN');
    expect(() => paretoFront([[1, 2], [3]])).toThrow('points[1]: expected 2 objectives, got 1');
    expect(() => paretoFront([[]])).toThrow('points[0]: expected at least one objective, got none');
    expect(paretoFront([])).toEqual([]);
  });
});
