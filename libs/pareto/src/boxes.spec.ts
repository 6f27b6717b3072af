import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng, Sobol } from '@app/numeric';
import { anyPoints, freePoints } from './arbitrary.fixture.js';
import { nonDominatedBoxes, type Boxes } from './boxes.js';
import { hypervolume } from './hypervolume.js';

const row = (a: Float64Array, k: number, m: number): Float64Array => a.subarray(k * m, (k + 1) * m);

/** How many boxes hold the point; sides closed below, open above. */
function holders(boxes: Boxes, y: ArrayLike<number>): number {
  let count = 0;
  for (let k = 0; k < boxes.count; k++) {
    const [lo, up] = [row(boxes.lower, k, boxes.objectives), row(boxes.upper, k, boxes.objectives)];
    if (lo.every((v, j) => v <= y[j]! && y[j]! < up[j]!)) count++;
  }
  return count;
}

describe('nonDominatedBoxes', () => {
  it('covers what is below the reference and not dominated exactly once, and nothing else', () => {
    for (const m of [1, 2, 3, 4, 5]) {
      fc.assert(
        fc.property(anyPoints(m, 10), fc.nat(), (points, seed) => {
          const boxes = nonDominatedBoxes(points, Array(m).fill(5));
          const rng = Rng.of(seed);
          for (let s = 0; s < 30; s++) {
            const y = Array.from({ length: m }, () => rng.next() * 7 - 1);
            const free = y.every((v) => v < 5) && !points.some((p) => p.every((v, j) => v <= y[j]!));
            expect(holders(boxes, y)).toBe(free ? 1 : 0);
          }
        }),
        { numRuns: m < 5 ? 60 : 20 },
      );
    }
  });

  it('has, cut off below, the volume that the hypervolume leaves', () => {
    for (const m of [1, 2, 3, 4]) {
      fc.assert(
        fc.property(freePoints(m, 12), (points) => {
          const boxes = nonDominatedBoxes(points, Array(m).fill(5));
          let sum = 0;
          for (let k = 0; k < boxes.count; k++) sum += row(boxes.lower, k, m).reduce((v, lo, j) => v * (row(boxes.upper, k, m)[j]! - Math.max(0, lo)), 1);
          expect(Math.abs(sum + hypervolume(points, Array(m).fill(5)) - 5 ** m)).toBeLessThan(1e-9 * 5 ** m);
        }),
        { numRuns: 40 },
      );
    }
  });

  it('takes n + 1 boxes for two objectives and 2n + 1 for three in general position', () => {
    const sphere = (m: number, n: number): number[][] =>
      new Sobol(m, 3).points(n).map((p) => {
        const norm = Math.hypot(...p);
        return [...p].map((v) => v / norm);
      });
    for (const n of [0, 1, 5, 30]) {
      expect(nonDominatedBoxes(sphere(2, n), [2, 2]).count).toBe(n + 1);
      expect(nonDominatedBoxes(sphere(3, n), [2, 2, 2]).count).toBe(2 * n + 1);
    }
  });

  it('refuses NaN and a reference that is not finite', () => {
    expect(() => nonDominatedBoxes([[NaN, 1]], [2, 2])).toThrow('points[0][0]: expected a number, got NaN');
    expect(() => nonDominatedBoxes([], [2, Infinity])).toThrow('reference[1]: expected a finite number, got Infinity');
  });
});
