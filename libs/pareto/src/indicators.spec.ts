import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPoints, freePoints, gridPoints } from './arbitrary.fixture.js';
import { paretoFront, weaklyDominates } from './dominance.js';
import { igdPlus, r2, simplexWeights } from './indicators.js';
import { kneePoints, tradeOffs } from './knee.js';
import { crowdingThinning, epsilonThinning } from './thinning.js';

describe('IGD+ and R2', () => {
  it('never get worse by a point more, and are the same without the dominated ones', () => {
    for (const m of [1, 2, 3]) {
      const weights = simplexWeights(m, 4);
      fc.assert(fc.property(anyPoints(m, 8), anyPoints(m, 1), freePoints(m, 6).filter((z) => z.length > 0), (points, extra, reference) => {
        const front = paretoFront(points).map((i) => points[i]!);
        const utopia = Array<number>(m).fill(0);
        for (const quality of [(p: number[][]): number => igdPlus(p, reference), (p: number[][]): number => r2(p, weights, utopia)]) {
          expect(quality([...points, ...extra])).toBeLessThanOrEqual(quality(points));
          expect(quality(front)).toBe(quality(points));
        }
      }));
    }
  });

  it('have the values of hand-made examples', () => {
    expect(igdPlus([[0, 3]], [[0, 2], [2, 0]])).toBeCloseTo((1 + 3) / 2, 12);
    expect(igdPlus([[0, 2], [1, 0]], [[0, 2], [2, 0]])).toBe(0);
    expect(r2([[1, 3], [2, 2]], [[1, 0], [0.5, 0.5], [0, 1]], [0, 0])).toBeCloseTo((1 + 1 + 2) / 3, 12);
    expect(simplexWeights(3, 4).length).toBe(15);
  });

  it('name what is wrong', () => {
    expect(() => igdPlus([[1, 2]], [])).toThrow('reference: expected at least one point, got none');
    expect(() => r2([[1, 2]], [[1, -1]], [0, 0])).toThrow('weights[0][1]: expected a number from 0, got -1');
    expect(() => r2([[1, -2]], [[1, 1]], [0, 0])).toThrow("points[0][1]: expected no less than the utopia's 0, got -2");
  });
});

describe('thinning', () => {
  it('by epsilon keeps for every point one that is within epsilon of it or better, at most one a box', () => {
    for (const m of [1, 2, 3]) {
      fc.assert(fc.property(anyPoints(m, 25), fc.double({ min: 0.1, max: 3, noNaN: true }), (points, epsilon) => {
        const kept = epsilonThinning(points, Array<number>(m).fill(epsilon));
        const front = new Set(paretoFront(points));
        expect(kept.every((i) => front.has(i))).toBe(true);
        for (const p of points) expect(kept.some((i) => weaklyDominates(points[i]!.map((v) => v - epsilon * (1 + 1e-9)), p))).toBe(true);
        expect(new Set(kept.map((i) => points[i]!.map((v) => Math.floor(v / epsilon)).join())).size).toBe(kept.length);
      }));
    }
  });

  it('by crowding keeps so many front points, the ends among them', () => {
    fc.assert(fc.property(freePoints(2, 25).filter((p) => p.length > 0), fc.integer({ min: 2, max: 10 }), (points, count) => {
      const front = paretoFront(points);
      const kept = crowdingThinning(points, count);
      expect(kept.length).toBe(Math.min(count, front.length));
      expect(kept.every((i) => front.includes(i))).toBe(true);
      for (const j of [0, 1]) expect(Math.min(...kept.map((i) => points[i]![j]!))).toBe(Math.min(...front.map((i) => points[i]![j]!)));
    }));
    // Of four in a row the one that leaves the most even three goes.
    expect(crowdingThinning([[0, 10], [1, 9], [5, 5], [10, 0]], 3)).toEqual([0, 2, 3]);
  });

  it('names what is wrong', () => {
    expect(() => epsilonThinning([[1, 2]], [1, 0])).toThrow('epsilon[1]: expected a positive number, got 0');
    expect(() => crowdingThinning([[1, 2]], 0)).toThrow('count: expected an integer from 1, got 0');
  });
});

describe('tradeOffs', () => {
  it('is highest at the knee, and 1 all along a straight front', () => {
    const bent = [[0, 10], [1, 2], [2, 1], [10, 0], [5, 5]];
    const values = tradeOffs(bent);
    expect(values[4]).toBeNaN();
    const knees = kneePoints(bent);
    expect(Math.max(...[...values].filter((v) => !Number.isNaN(v)))).toBe(values[knees[0]!]);
    for (const v of tradeOffs([[0, 4], [1, 3], [2, 2], [4, 0]])) expect(v).toBeCloseTo(1, 12);
  });

  it('does not depend on the units', () => {
    fc.assert(fc.property(gridPoints(3, 12), (points) => {
      const scaled = tradeOffs(points.map((p) => p.map((v, j) => v * [8, 0.25, 64][j]!)));
      expect([...scaled]).toEqual([...tradeOffs(points)]);
    }));
  });
});
