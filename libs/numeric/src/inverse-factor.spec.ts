import { describe, expect, it } from 'vitest';
import { NotPositiveDefinite } from './cholesky.js';
import { InverseFactor } from './inverse-factor.js';
import { Rng } from './rng.js';

/** A Aᵀ + I. */
function positiveDefinite(n: number, rng: Rng): Float64Array {
  const A = Float64Array.from({ length: n * n }, () => rng.normal());
  const K = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let p = 0; p < n; p++) K[i * n + j]! += A[i * n + p]! * A[j * n + p]! + (i === j && p === 0 ? 1 : 0);
  return K;
}

const leading = (K: Float64Array, n: number, m: number): Float64Array => Float64Array.from({ length: m * m }, (_, k) => K[Math.floor(k / m) * n + (k % m)]!);

describe('InverseFactor', () => {
  it('gives K⁻¹ b as L⁻ᵀ (L⁻¹ b), for sizes around the unrolled ones, built at once or grown', () => {
    for (const n of [1, 2, 3, 4, 5, 7, 8, 13, 40]) {
      const rng = Rng.of(n);
      const K = positiveDefinite(n, rng);
      const b = Float64Array.from({ length: n }, () => rng.normal());
      const start = Math.ceil(n / 3);
      const grown = new InverseFactor(leading(K, n, start), start);
      for (let i = start; i < n; i++) grown.append(K.slice(i * n, i * n + i), K[i * n + i]!);
      for (const factor of [new InverseFactor(K, n), grown]) {
        const x = factor.applyTransposed(factor.apply(b));
        for (let i = 0; i < n; i++) {
          let product = 0;
          for (let j = 0; j < n; j++) product += K[i * n + j]! * x[j]!;
          expect(product).toBeCloseTo(b[i]!, 8);
        }
      }
    }
  });

  it('gives the squares of four vectors at once as it does one by one', () => {
    for (const n of [1, 2, 5, 12]) {
      const rng = Rng.of(n, 'squares');
      const factor = new InverseFactor(positiveDefinite(n, rng), n);
      const B = Float64Array.from({ length: 4 * n }, () => rng.normal());
      const out = new Float64Array(4);
      factor.squaresOfFour(B, n, out);
      const sums = new Float64Array(5);
      for (const [from, to] of [[0, n >> 1], [n >> 1, n]] as const) factor.addSquaresOfFour(B, 0, n, from, to, sums, 1);
      for (let c = 0; c < 4; c++) expect(sums[1 + c]).toBeCloseTo(out[c]!, 10);
      for (let c = 0; c < 4; c++) expect(out[c]).toBeCloseTo(factor.apply(B.subarray(c * n, (c + 1) * n)).reduce((s, v) => s + v * v, 0), 10);
    }
  });

  it('forgets rows, and takes others in their place', () => {
    const rng = Rng.of(99);
    const K = positiveDefinite(9, rng);
    const factor = new InverseFactor(leading(K, 9, 6), 6);
    const before = factor.apply(Float64Array.of(1, 2, 3, 4, 5, 6));
    for (let i = 6; i < 9; i++) factor.append(K.slice(i * 9, i * 9 + i), K[i * 9 + i]!);
    factor.truncate(6);
    expect(factor.size).toBe(6);
    expect(factor.apply(Float64Array.of(1, 2, 3, 4, 5, 6))).toEqual(before);
    expect(() => factor.truncate(7)).toThrow('at most 6 rows');
  });

  it('refuses a row that the others determine, and is as it was', () => {
    const factor = new InverseFactor(Float64Array.of(1, 0, 0, 1), 2);
    expect(() => factor.append(Float64Array.of(1, 0), 1)).toThrow(NotPositiveDefinite);
    expect(factor.size).toBe(2);
    factor.append(Float64Array.of(1, 0), 2);
    expect([...factor.apply(Float64Array.of(1, 2, 3))]).toEqual([1, 2, 2]);
  });
});
