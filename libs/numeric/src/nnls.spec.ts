import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastSquares } from './least-squares.js';
import { nonNegativeLeastSquares } from './nnls.js';
import { Rng } from './rng.js';

const problem = fc.record({ rows: fc.integer({ min: 1, max: 12 }), cols: fc.integer({ min: 1, max: 6 }), seed: fc.integer({ min: 0, max: 1e6 }), scales: fc.boolean() }).map(({ rows, cols, seed, scales }) => {
  const rng = Rng.of(seed, 'nnls');
  const A = Float64Array.from({ length: rows * cols }, (_, i) => (rng.next() - 0.3) * (scales ? 10 ** ((i % cols) * 3 - 6) : 1));
  return { A, rows, cols, b: Float64Array.from({ length: rows }, () => rng.next() - 0.4) };
});

/** Best of the unconstrained solutions over every subset of columns that comes out non-negative. */
function exhaustive(A: Float64Array, rows: number, cols: number, b: Float64Array): number {
  let best = b.reduce((s, v) => s + v * v, 0);
  for (let mask = 1; mask < 1 << cols; mask++) {
    const chosen = [...Array(cols).keys()].filter((j) => mask & (1 << j));
    const S = Float64Array.from({ length: rows * chosen.length }, (_, k) => A[Math.floor(k / chosen.length) * cols + chosen[k % chosen.length]!]!);
    const fit = leastSquares(S, rows, chosen.length, b);
    if (fit.x.every((v) => v >= 0)) best = Math.min(best, fit.residual ** 2);
  }
  return best;
}

describe('non-negative least squares', () => {
  it('is as good as the best subset of columns found by trying them all', () => {
    fc.assert(fc.property(problem, ({ A, rows, cols, b }) => {
      const { x, squaredResidual } = nonNegativeLeastSquares(A, rows, cols, b);
      expect(x.every((v) => v >= 0)).toBe(true);
      const due = exhaustive(A, rows, cols, b);
      expect(squaredResidual).toBeLessThanOrEqual(due + 1e-7 * (1 + due));
    }), { numRuns: 300 });
  });

  it('meets the conditions of Karush, Kuhn and Tucker', () => {
    fc.assert(fc.property(problem, ({ A, rows, cols, b }) => {
      const { x } = nonNegativeLeastSquares(A, rows, cols, b);
      for (let j = 0; j < cols; j++) {
        let gradient = 0;
        let length = 0;
        for (let r = 0; r < rows; r++) {
          let fit = -b[r]!;
          for (let k = 0; k < cols; k++) fit += A[r * cols + k]! * x[k]!;
          gradient += A[r * cols + j]! * fit;
          length += A[r * cols + j]! ** 2;
        }
        expect(gradient / Math.sqrt(length || 1)).toBeGreaterThan(-1e-6);
        if (x[j]! > 0) expect(Math.abs(gradient) / Math.sqrt(length)).toBeLessThan(1e-6);
      }
    }), { numRuns: 300 });
  });

  it('finds the coefficients that made the data, whatever the units of the columns', () => {
    const rng = Rng.of(7, 'exact');
    const truth = [3e-9, 0, 2e4, 0.5];
    const A = Float64Array.from({ length: 80 }, (_, i) => rng.next() * [1e9, 1, 1e-4, 10][i % 4]!);
    const b = Float64Array.from({ length: 20 }, (_, r) => truth.reduce((s, c, j) => s + c * A[r * 4 + j]!, 0));
    const { x, active } = nonNegativeLeastSquares(A, 20, 4, b);
    truth.forEach((c, j) => expect(x[j]! / (c || 1)).toBeCloseTo(c === 0 ? 0 : 1, 8));
    expect(active).toEqual([0, 2, 3]);
  });

  it('copes with equal columns, columns of zeros and no rows', () => {
    const { x } = nonNegativeLeastSquares(Float64Array.from([1, 1, 0, 2, 2, 0]), 2, 3, [2, 4]);
    expect([x[0]! + x[1]!, x[2]]).toEqual([expect.closeTo(2, 10), 0]);
    expect([...nonNegativeLeastSquares(new Float64Array(0), 0, 2, []).x]).toEqual([0, 0]);
    expect([...nonNegativeLeastSquares(Float64Array.from([1, 2]), 1, 2, [-1]).x]).toEqual([0, 0]);
  });

  it('refuses sizes that do not match and numbers that are not finite', () => {
    expect(() => nonNegativeLeastSquares(new Float64Array(3), 2, 2, [1, 2])).toThrow('expected 2 × 2 entries');
    expect(() => nonNegativeLeastSquares(Float64Array.from([NaN]), 1, 1, [1])).toThrow('finite');
  });
});
