import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cholesky, choleskyAppend, choleskyInverse, choleskySolve, logDiagonal, NotPositiveDefinite, solveLower, solveLowerTransposed } from './cholesky.js';
import { Rng } from './rng.js';

/** B Bᵀ + I/10 for random B: symmetric, positive definite. */
function spd(n: number, seed: number): Float64Array {
  const rng = Rng.of(seed);
  const B = Array.from({ length: n * n }, () => rng.normal());
  const K = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let p = 0; p < n; p++) K[i * n + j]! += B[i * n + p]! * B[j * n + p]!;
  for (let i = 0; i < n; i++) K[i * n + i]! += 0.1;
  return K;
}

/** A B for [n, n] row-major matrices. */
function times(A: Float64Array, B: Float64Array, n: number): Float64Array {
  const C = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let p = 0; p < n; p++) for (let j = 0; j < n; j++) C[i * n + j]! += A[i * n + p]! * B[p * n + j]!;
  return C;
}

const transposed = (A: Float64Array, n: number): Float64Array => A.map((_, k) => A[(k % n) * n + Math.floor(k / n)]!);
const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
const largest = (A: ArrayLike<number>, B: ArrayLike<number>): number => Array.from(A).reduce((worst, v, i) => Math.max(worst, Math.abs(v - B[i]!)), 0);

describe('cholesky', () => {
  it('gives a lower factor with L Lᵀ = K at every size around the block and tile borders', () => {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 35, 36, 63, 64, 67, 100]) {
      const K = spd(n, n);
      const before = K.slice();
      const { L, jitter } = cholesky(K, n);
      expect(jitter).toBe(0);
      expect(K).toEqual(before);
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(L[i * n + j]).toBe(0);
      expect(largest(times(L, transposed(L, n), n), K)).toBeLessThan(1e-12 * (n + 1) * Math.max(1, ...K));
    }
  });

  it('reads the lower triangle only', () => {
    const K = spd(9, 4);
    const garbled = K.map((v, k) => (k % 9 > Math.floor(k / 9) ? NaN : v));
    expect(cholesky(garbled, 9).L).toEqual(cholesky(K, 9).L);
  });

  it('solves, inverts and takes the determinant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 45 }), fc.nat(), (n, seed) => {
        const K = spd(n, seed);
        const { L } = cholesky(K, n);
        const rng = Rng.of(seed, 'b');
        const b = Float64Array.from({ length: n }, () => rng.normal());
        const image = (A: Float64Array, x: Float64Array): Float64Array => Float64Array.from({ length: n }, (_, i) => x.reduce((s, v, j) => s + A[i * n + j]! * v, 0));
        expect(largest(image(L, solveLower(L, n, b)), b)).toBeLessThan(1e-9);
        expect(largest(image(transposed(L, n), solveLowerTransposed(L, n, b)), b)).toBeLessThan(1e-9);
        expect(largest(image(K, choleskySolve(L, n, b)), b)).toBeLessThan(1e-8);
        expect(largest(times(K, choleskyInverse(L, n), n), identity(n))).toBeLessThan(1e-8);
      }),
      { numRuns: 25 },
    );
    expect(logDiagonal(Float64Array.from([2, 0, 1, 3]), 2)).toBeCloseTo(Math.log(6), 14);
  });

  it('grows by a row to the factor of the larger matrix', () => {
    const n = 34;
    const K = spd(n + 1, 8);
    const head = Float64Array.from({ length: n * n }, (_, k) => K[Math.floor(k / n) * (n + 1) + (k % n)]!);
    const grown = choleskyAppend(cholesky(head, n).L, n, K.subarray(n * (n + 1), n * (n + 1) + n), K[(n + 1) ** 2 - 1]!);
    expect(largest(grown, cholesky(K, n + 1).L)).toBeLessThan(1e-12);
    expect(() => choleskyAppend(Float64Array.of(1), 1, [2], 1)).toThrow(NotPositiveDefinite);
  });

  it('adds as little to the diagonal of a singular matrix as it takes, and says how much', () => {
    const ones = new Float64Array(25).fill(1);
    const { L, jitter } = cholesky(ones, 5);
    expect(jitter).toBeGreaterThan(0);
    expect(jitter).toBeLessThanOrEqual(1e-8);
    expect(largest(times(L, transposed(L, 5), 5), ones)).toBeLessThan(2 * jitter);
  });

  it('refuses an indefinite matrix with pivot and value, NaN at once, and a wrong size', () => {
    expect(() => cholesky(Float64Array.from([1, 2, 2, 1]), 2)).toThrow(/pivot 1 is -2.99/);
    expect(() => cholesky(Float64Array.from([1, 0, NaN, 1]), 2)).toThrow(/pivot 1 is NaN/);
    expect(() => cholesky(Float64Array.from([Infinity]), 1)).toThrow(NotPositiveDefinite);
    expect(() => cholesky(new Float64Array(3), 2)).toThrow('expected a matrix of 2 × 2 = 4 entries, got 3');
  });
});
