import fc from 'fast-check';

/** Lists of points on a small integer grid, so that ties, copies and dominated points are common. */
export const gridPoints = (m: number, maxLength: number, top = 6): fc.Arbitrary<number[][]> => fc.array(fc.array(fc.integer({ min: 0, max: top }), { minLength: m, maxLength: m }), { maxLength });

/** Lists of points in general position. */
export const freePoints = (m: number, maxLength: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(fc.double({ min: 0, max: 6, noNaN: true }), { minLength: m, maxLength: m }), { maxLength });

export const anyPoints = (m: number, maxLength: number): fc.Arbitrary<number[][]> => fc.oneof(gridPoints(m, maxLength), freePoints(m, maxLength));

/** Dominance straight from the definition. */
export const plainDominates = (a: readonly number[], b: readonly number[]): boolean => a.every((v, j) => v <= b[j]!) && a.some((v, j) => v < b[j]!);

/** Front from the definition: indexes no other point dominates. */
export const plainFront = (points: readonly (readonly number[])[]): number[] =>
  points.flatMap((p, i) => (points.some((q) => plainDominates(q, p)) ? [] : [i]));

/** A permutation of the list, chosen by fast-check. */
export const withPermutation = <T>(list: fc.Arbitrary<T[]>): fc.Arbitrary<{ points: T[]; order: number[] }> =>
  list.chain((points) => fc.shuffledSubarray([...points.keys()], { minLength: points.length, maxLength: points.length }).map((order) => ({ points, order })));
