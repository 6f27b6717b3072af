import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sobol } from '@app/numeric';
import { anyPoints, freePoints, gridPoints, plainDominates, withPermutation } from './arbitrary.fixture.js';
import { hypervolume, hypervolumeContributions, hypervolumeGain } from './hypervolume.js';

/** Volume of the union of boxes by inclusion and exclusion over all subsets. */
function inclusionExclusion(points: readonly (readonly number[])[], reference: readonly number[]): number {
  let sum = 0;
  for (let subset = 1; subset < 1 << points.length; subset++) {
    let [v, sign] = [1, -1];
    for (let i = 0; i < points.length; i++) if ((subset >> i) & 1) sign = -sign;
    reference.forEach((r, j) => {
      const corner = Math.max(...points.map((p, i) => ((subset >> i) & 1 ? p[j]! : -Infinity)));
      v *= Math.max(0, r - corner);
    });
    sum += sign * v;
  }
  return sum;
}

/** Counts unit cells of the integer grid. */
function cellCount(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const m = reference.length;
  const side = reference[0]!;
  let count = 0;
  for (let cell = 0; cell < side ** m; cell++) {
    const low = Array.from({ length: m }, (_, j) => Math.floor(cell / side ** j) % side);
    if (points.some((p) => p.every((v, j) => v <= low[j]!))) count++;
  }
  return count;
}

/** Slabs between consecutive values of the last objective, each as high as the volume of what lies below it in the others. */
function slabs(points: readonly (readonly number[])[], reference: readonly number[], m = reference.length): number {
  if (m === 0) return points.length > 0 ? 1 : 0;
  const inside = points.filter((p) => p[m - 1]! < reference[m - 1]!);
  const levels = [...new Set(inside.map((p) => p[m - 1]!)), reference[m - 1]!].sort((a, b) => a - b);
  let sum = 0;
  for (let k = 0; k + 1 < levels.length; k++) sum += (levels[k + 1]! - levels[k]!) * slabs(inside.filter((p) => p[m - 1]! <= levels[k]!), reference, m - 1);
  return sum;
}

describe('hypervolume', () => {
  it('counts the cells of a grid that the points dominate, ties, copies and points outside included', () => {
    for (const [m, side] of [[1, 5], [2, 5], [3, 5], [4, 4], [5, 3]] as const) {
      fc.assert(fc.property(gridPoints(m, 20, side + 1), (points) => void expect(hypervolume(points, Array(m).fill(side))).toBe(cellCount(points, Array(m).fill(side)))), { numRuns: 60 });
    }
  });

  it('agrees with plain slicing on more points, ties and dominated ones included', () => {
    for (const [m, count] of [[2, 30], [3, 30], [4, 20], [5, 12], [6, 8]] as const) {
      fc.assert(
        fc.property(anyPoints(m, count), (points) => {
          const due = slabs(points, Array(m).fill(5));
          expect(Math.abs(hypervolume(points, Array(m).fill(5)) - due)).toBeLessThanOrEqual(1e-9 * Math.max(1, due));
        }),
        { numRuns: 50 },
      );
    }
  });

  it('agrees with inclusion and exclusion', () => {
    for (const m of [1, 2, 3, 4, 5, 6]) {
      fc.assert(
        fc.property(freePoints(m, 7), (points) => {
          const due = inclusionExclusion(points, Array(m).fill(5));
          expect(Math.abs(hypervolume(points, Array(m).fill(5)) - due)).toBeLessThanOrEqual(1e-9 * 5 ** m);
        }),
        { numRuns: 40 },
      );
    }
  });

  it('agrees with the share of quasi-random points dominated on larger fronts', () => {
    const samples = new Sobol(4, 1).points(4096);
    for (const m of [3, 4]) {
      const front = new Sobol(m, 5).points(40).map((p) => {
        const norm = Math.hypot(...p);
        return [...p].map((v) => v / norm);
      });
      const share = samples.filter((s) => front.some((p) => p.every((v, j) => v <= s[j]!))).length / samples.length;
      expect(Math.abs(hypervolume(front, Array(m).fill(1)) - share)).toBeLessThan(0.01);
    }
  });

  it('does not depend on the order of points, nor of objectives', () => {
    for (const m of [2, 3, 4]) {
      fc.assert(
        fc.property(withPermutation(anyPoints(m, 12)), ({ points, order }) => {
          const value = hypervolume(points, Array(m).fill(5));
          const near = (other: number): void => expect(Math.abs(other - value)).toBeLessThanOrEqual(1e-12 * 5 ** m);
          near(hypervolume(order.map((i) => points[i]!), Array(m).fill(5)));
          near(hypervolume(points.map((p) => [...p].reverse()), Array(m).fill(5)));
        }),
        { numRuns: 50 },
      );
    }
  });

  it('never shrinks by a point, grows by one that nothing dominates, and by exactly its gain', () => {
    for (const m of [1, 2, 3, 4]) {
      fc.assert(
        fc.property(anyPoints(m, 10), anyPoints(m, 1).filter((p) => p.length === 1), (points, [extra]) => {
          const reference = Array<number>(m).fill(7);
          const before = hypervolume(points, reference);
          const after = hypervolume([...points, extra!], reference);
          const tolerance = 1e-12 * 7 ** m;
          expect(after).toBeGreaterThanOrEqual(before - tolerance);
          expect(Math.abs(hypervolumeGain(extra!, points, reference) - (after - before))).toBeLessThanOrEqual(tolerance);
          if (points.some((p) => plainDominates(p, extra!))) expect(after).toBeCloseTo(before, 9);
        }),
        { numRuns: 60 },
      );
    }
  });

  it('is known for the linear and the quarter-circle front in the limit', () => {
    const n = 2000;
    const linear = Array.from({ length: n + 1 }, (_, i) => [i / n, 1 - i / n]);
    expect(hypervolume(linear, [1, 1])).toBeCloseTo(0.5 - 1 / (2 * n), 12);
    const circle = Array.from({ length: n + 1 }, (_, i) => [Math.sin((i / n) * (Math.PI / 2)), Math.cos((i / n) * (Math.PI / 2))]);
    expect(Math.abs(hypervolume(circle, [1.1, 1.1]) - 0.424601837)).toBeLessThan(1e-3); // DTLZ2: 1.21 - π/4
  });

  it('has none without points or below the reference, and refuses what has no volume', () => {
    expect(hypervolume([], [1, 1])).toBe(0);
    expect(hypervolume([[1, 0], [0, 1], [2, -5], [Infinity, 0]], [1, 1])).toBe(0);
    expect(() => hypervolume([[0, NaN]], [1, 1])).toThrow('points[0][1]: expected a number, got NaN');
    expect(() => hypervolume([[0, -Infinity]], [1, 1])).toThrow('points[0][1]: expected a finite number, got -Infinity');
    expect(() => hypervolume([[0, 0]], [1, NaN])).toThrow('reference[1]: expected a number, got NaN');
    expect(() => hypervolume([[0, 0]], [1, Infinity])).toThrow('reference[1]: expected a finite number, got Infinity');
    expect(() => hypervolume([[0, 0]], [1])).toThrow('reference: expected 2 objectives as the points have, got 1');
  });
});

describe('hypervolumeContributions', () => {
  it('is what the volume loses without the point', () => {
    for (const m of [1, 2, 3, 4]) {
      fc.assert(
        fc.property(anyPoints(m, 9), (points) => {
          const reference = Array<number>(m).fill(5);
          const total = hypervolume(points, reference);
          hypervolumeContributions(points, reference).forEach((c, i) => {
            expect(c).toBeGreaterThanOrEqual(0);
            expect(Math.abs(c - (total - hypervolume(points.filter((_, k) => k !== i), reference)))).toBeLessThanOrEqual(1e-12 * 5 ** m);
          });
        }),
        { numRuns: 40 },
      );
    }
  });

  it('is 0 for both of two equal points, also if they are one object', () => {
    const p = [1, 1];
    expect([...hypervolumeContributions([p, p, [0, 3]], [4, 4])]).toEqual([0, 0, 1]);
    expect([...hypervolumeContributions([[1, 1], [1, 1]], [4, 4])]).toEqual([0, 0]);
  });
});
