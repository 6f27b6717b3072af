import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attainment, attainmentSurface } from './attainment.js';
import { anyPoints, gridPoints } from './arbitrary.fixture.js';
import { paretoFront } from './dominance.js';

const runsOf = (m: number): fc.Arbitrary<number[][][]> => fc.array(gridPoints(m, 6, 4), { minLength: 1, maxLength: 4 });

describe('attainmentSurface', () => {
  it('separates the goals that so many runs attain from those they do not, on every cell of a grid', () => {
    for (const m of [1, 2, 3]) {
      fc.assert(fc.property(runsOf(m), fc.nat(), (runs, choice) => {
        const level = 1 + (choice % runs.length);
        const surface = attainmentSurface(runs, level);
        for (let cell = 0; cell < 5 ** m; cell++) {
          const goal = Array.from({ length: m }, (_, j) => Math.floor(cell / 5 ** j) % 5);
          const attained = attainment(runs, goal) * runs.length >= level - 1e-9;
          expect(surface.some((p) => p.every((v, j) => v <= goal[j]!))).toBe(attained);
        }
        expect(paretoFront(surface).length).toBe(surface.length);
      }), { numRuns: 50 });
    }
  });

  it('is the front of all points for level 1 and of one run for itself', () => {
    fc.assert(fc.property(anyPoints(2, 12), (points) => {
      const distinct = new Set(paretoFront(points).map((i) => points[i]!.map((v) => v + 0).join()));
      expect(new Set(attainmentSurface([points], 1).map((p) => [...p].map((v) => v + 0).join()))).toEqual(distinct);
    }));
  });

  it('names what is wrong', () => {
    expect(() => attainmentSurface([], 1)).toThrow('runs: expected at least one, got none');
    expect(() => attainmentSurface([[[1, 2]]], 2)).toThrow('level: expected an integer from 1 to 1, got 2');
    expect(() => attainment([[[1, 2]], [[1]]], [1, 2])).toThrow('runs[1]: expected 2 objectives, got 1');
  });
});
