import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastSquares } from './least-squares.js';
import { Rng } from './rng.js';

const random = (rng: Rng, n: number): Float64Array => Float64Array.from({ length: n }, () => rng.normal());
const image = (A: Float64Array, rows: number, cols: number, x: Float64Array): number[] =>
  Array.from({ length: rows }, (_, i) => x.reduce((s, v, j) => s + A[i * cols + j]! * v, 0));
const back = (A: Float64Array, cols: number, r: readonly number[]): number[] =>
  Array.from({ length: cols }, (_, j) => r.reduce((s, v, i) => s + A[i * cols + j]! * v, 0));

describe('leastSquares', () => {
  it('leaves a residual orthogonal to every column, and a solution in the row space: the least-norm minimiser', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (rows, cols, inner, seed) => {
        // A = B C has rank min(rows, cols, inner).
        const rng = Rng.of(seed);
        const [B, C, b] = [random(rng, rows * inner), random(rng, inner * cols), random(rng, rows)];
        const A = new Float64Array(rows * cols);
        for (let i = 0; i < rows; i++) for (let p = 0; p < inner; p++) for (let j = 0; j < cols; j++) A[i * cols + j]! += B[i * inner + p]! * C[p * cols + j]!;
        const { x, rank, residual } = leastSquares(A, rows, cols, b, 1e-11);
        const r = image(A, rows, cols, x).map((v, i) => v - b[i]!);
        const scale = Math.hypot(...A) * (Math.hypot(...x) + 1);
        expect(rank).toBe(Math.min(rows, cols, inner));
        for (const v of back(A, cols, r)) expect(Math.abs(v)).toBeLessThan(1e-10 * scale * Math.hypot(...A));
        expect(residual).toBeCloseTo(Math.hypot(...r), 9);
        // In the row space: x is its own least-squares image under Aᵀ.
        const At = Float64Array.from({ length: rows * cols }, (_, k) => A[(k % rows) * cols + Math.floor(k / rows)]!);
        expect(leastSquares(At, cols, rows, x, 1e-11).residual).toBeLessThan(1e-7 * (1 + Math.hypot(...x)));
      }),
      { numRuns: 60 },
    );
  });

  it('fits a line through four points: Golub & Van Loan style example by hand', () => {
    // y = 1, 3, 2, 5 at 0, 1, 2, 3: slope 1.1, intercept 1.1
    const { x, residual } = leastSquares(Float64Array.from([1, 0, 1, 1, 1, 2, 1, 3]), 4, 2, [1, 3, 2, 5]);
    expect(x[0]).toBeCloseTo(1.1, 12);
    expect(x[1]).toBeCloseTo(1.1, 12);
    expect(residual).toBeCloseTo(Math.sqrt(2.7), 12);
  });

  it('takes a zero matrix and badly scaled columns', () => {
    expect(leastSquares(new Float64Array(6), 3, 2, [1, 2, 2])).toEqual({ x: new Float64Array(2), rank: 0, residual: 3 });
    const { x } = leastSquares(Float64Array.from([1e-100, 1e100, 2e-100, -1e100]), 2, 2, [3, 3], 0);
    expect(x[0]! * 1e-100).toBeCloseTo(2, 12);
    expect(x[1]! * 1e100).toBeCloseTo(1, 12);
  });

  it('refuses sizes that do not match and values that are not finite', () => {
    expect(() => leastSquares(new Float64Array(3), 2, 2, [1, 2])).toThrow('expected 2 × 2 entries and 2 right sides, got 3 and 2');
    expect(() => leastSquares(Float64Array.of(NaN), 1, 1, [1])).toThrow(/finite/);
    expect(() => leastSquares(Float64Array.of(1), 1, 1, [Infinity])).toThrow(/finite/);
  });
});
