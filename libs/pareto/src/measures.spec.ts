import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPoints, withPermutation } from './arbitrary.fixture.js';
import { idealPoint, nadirPoint, normalise } from './bounds.js';
import { crowdingDistance } from './crowding.js';
import { kneeDistances, kneePoints } from './knee.js';

describe('idealPoint and nadirPoint', () => {
  it('bound the front; a dominated point does not move the nadir', () => {
    const points = [[0, 4], [2, 2], [3, 0], [9, 9]];
    expect([...idealPoint(points)]).toEqual([0, 0]);
    expect([...nadirPoint(points)]).toEqual([3, 4]);
    expect(normalise(points, [0, 0], [3, 4]).map((p) => [...p])).toEqual([[0, 1], [2 / 3, 0.5], [1, 0], [3, 2.25]]);
    expect(normalise([[7, 1]], [7, 0], [7, 2]).map((p) => [...p])).toEqual([[0, 0.5]]);
  });

  it('refuse no points', () => {
    expect(() => idealPoint([])).toThrow(/at least one point/);
    expect(() => nadirPoint([])).toThrow(/at least one point/);
    expect(() => normalise([[1, 2]], [0], [1])).toThrow('expected bounds of 2 objectives, got 1 and 1');
  });
});

describe('crowdingDistance', () => {
  it('is the gap between the neighbours in shares of the range, by hand', () => {
    // f1: 0 1 3 4, f2: 10 5 4 0
    expect([...crowdingDistance([[0, 10], [1, 5], [3, 4], [4, 0]])]).toEqual([Infinity, 3 / 4 + 6 / 10, 3 / 4 + 5 / 10, Infinity]);
  });

  it('ends at infinity, counts copies once, and ignores an objective in which all agree', () => {
    expect([...crowdingDistance([[1, 1]])]).toEqual([Infinity]);
    expect([...crowdingDistance([[0, 1], [0, 1], [1, 0]])]).toEqual([Infinity, 0, Infinity]);
    expect([...crowdingDistance([[0, 2, 5], [1, 1, 5], [2, 0, 5]])]).toEqual([Infinity, 2, Infinity]);
    expect([...crowdingDistance([])]).toEqual([]);
    expect(() => crowdingDistance([[0, Infinity]])).toThrow('points[0][1]: expected a finite number, got Infinity');
  });

  it('moves with the points when their order changes', () => {
    fc.assert(
      fc.property(withPermutation(anyPoints(3, 15)), ({ points, order }) => {
        const here = crowdingDistance(points);
        const there = crowdingDistance(order.map((i) => points[i]!));
        const label = (d: Float64Array, place: (k: number) => number): string[] => [...d].map((v, k) => `${points[place(k)]!.join()}:${v}`).sort();
        expect(label(there, (k) => order[k]!)).toEqual(label(here, (k) => k));
      }),
    );
  });
});

describe('kneePoints', () => {
  it('finds the corner of an elbow, whatever the units', () => {
    const front = [[0, 1], [0.1, 0.2], [0.3, 0.15], [1, 0]];
    expect(kneePoints(front)).toEqual([1]);
    expect(kneePoints(front.map(([a, b]) => [1e6 * a! + 7, 1e-3 * b! - 2]))).toEqual([1]);
    expect(kneeDistances(front)[1]).toBeCloseTo(0.7 / Math.SQRT2, 12);
  });

  it('finds the elbow in three objectives', () => {
    expect(kneePoints([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.2, 0.2], [0.5, 0.1, 0.3]])).toEqual([3]);
  });

  it('has none on a front that is concave or has two points, and passes over dominated points', () => {
    const circle = Array.from({ length: 21 }, (_, i) => [Math.sin((i * Math.PI) / 40), Math.cos((i * Math.PI) / 40)]);
    expect(kneePoints(circle)).toEqual([]);
    expect(kneePoints([[0, 1], [1, 0]])).toEqual([]);
    expect(kneePoints([])).toEqual([]);
    expect(kneePoints([[5, 5], [0, 1], [0.1, 0.1], [1, 0]])).toEqual([2]);
    expect(kneeDistances([[5, 5], [0, 1], [1, 0]])[0]).toBeNaN();
  });

  it('names equal knees all, and a lone point as its own', () => {
    expect(kneePoints([[0, 1], [0.1, 0.1], [0.1, 0.1], [1, 0]])).toEqual([1, 2]);
    expect(kneePoints([[3, 4]])).toEqual([0]);
  });

  it('puts no point of the front nearer the ideal corner than the knee', () => {
    fc.assert(
      fc.property(anyPoints(3, 15), (points) => {
        const distances = kneeDistances(points);
        const knees = kneePoints(points);
        for (const k of knees) for (const d of distances) expect(Number.isNaN(d) || d <= distances[k]! + 1e-12).toBe(true);
      }),
    );
  });
});
