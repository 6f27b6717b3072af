import { describe, expect, it } from 'vitest';
import { referencePoint } from './reference-point.js';

const front = [[0.2, 0.8], [0.4, 0.6], [0.6, 0.4]];
const dominated = [0.7, 0.9];
const points = [...front, dominated];

describe('the reference point of the acquisition', () => {
  it('is the user\'s once a point is better in all', () => {
    expect(referencePoint([1, 1], points, front, points, 0)).toEqual([1, 1]);
    expect(referencePoint([0.1, 0.1], points, front, points, 1)).not.toEqual([0.1, 0.1]);
  });

  it('is a tenth of the range beyond the front in two asks of three, and beyond all feasible points in the third', () => {
    for (const turn of [1, 2, 4]) referencePoint(undefined, points, front, points, turn).forEach((v, j) => expect(v).toBeCloseTo([0.64, 0.84][j]!, 12));
    for (const turn of [0, 3]) referencePoint(undefined, points, front, points, turn).forEach((v, j) => expect(v).toBeCloseTo([0.75, 0.95][j]!, 12));
  });

  it('reaches in that third beyond undominated points that break a limit, past which other pieces of the front may lie', () => {
    const broken = [[1, 0.1], [0.9, 0.95]];
    const wide = referencePoint(undefined, points, front, [...points, ...broken], 3);
    expect(wide[0]).toBeCloseTo(1 + 0.1 * 0.8, 12);
    expect(wide[1]).toBeCloseTo(0.9 + 0.1 * 0.8, 12);
    expect(referencePoint(undefined, points, front, [...points, ...broken], 1)).toEqual(referencePoint(undefined, points, front, points, 1));
  });

  it('spans all points where none is feasible, and stands one above where they are alike', () => {
    referencePoint(undefined, [], [], [[1, 5], [3, 5]], 1).forEach((v, j) => expect(v).toBeCloseTo([3.2, 6][j]!, 12));
  });
});
