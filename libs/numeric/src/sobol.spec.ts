import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from './rng.js';
import { Sobol } from './sobol.js';
import { SOBOL_TABLE_DIMENSIONS, sobolDirections } from './sobol-directions.js';

const SEEDS = fc.integer({ min: 0, max: 2 ** 31 });

describe('Sobol direction numbers', () => {
  it('have property A up to 128 dimensions: the first 2^d points fall one in each orthant, as Joe & Kuo state', () => {
    for (const dimensions of [1, 2, 3, 7, 20, 32, 64, SOBOL_TABLE_DIMENSIONS]) {
      // The top bit of dimension i of point n is row i of a binary matrix times the bits of n; property A: that matrix is regular.
      // Columns beyond 32 need the recurrence over more than 32 bits, so larger cases check the rank of the 32 columns there are.
      const v = sobolDirections(dimensions);
      const columns = Math.min(dimensions, 32);
      const rows = Array.from({ length: dimensions }, (_, d) => Array.from({ length: columns }, (_, j) => (v[d * 32 + j]! >>> 31) & 1));
      expect(rank2(rows)).toBe(columns);
    }
  });

  it('put every single dimension in (0,1)-sequence form: regular upper triangular', () => {
    const v = sobolDirections(SOBOL_TABLE_DIMENSIONS);
    v.forEach((word, k) => expect(Math.clz32(word & -word)).toBe(k % 32));
  });
});

describe('Sobol', () => {
  it('puts exactly one of the first 2^k points in each of 2^k slices of every coordinate, padded ones too', () => {
    fc.assert(
      fc.property(SEEDS, fc.integer({ min: 0, max: 6 }), (seed, k) => {
        const n = 2 ** k;
        const points = new Sobol(132, seed).points(n);
        for (let d = 0; d < 132; d += 11) expect(new Set(points.map((p) => Math.floor(p[d]! * n))).size).toBe(n);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the first two dimensions a (0, m, 2)-net under scrambling', () => {
    fc.assert(
      fc.property(SEEDS, (seed) => {
        const points = new Sobol(2, seed).points(64);
        for (let i = 0; i <= 6; i++) {
          expect(new Set(points.map((p) => `${Math.floor(p[0]! * 2 ** i)},${Math.floor(p[1]! * 2 ** (6 - i))}`)).size).toBe(64);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is uniform over seeds at one index', () => {
    let sum = 0;
    const product = { xy: 0 };
    const n = 4000;
    for (let seed = 0; seed < n; seed++) {
      const [x, y] = new Sobol(2, seed).point(0);
      sum += x! - 0.5;
      product.xy += (x! - 0.5) * (y! - 0.5);
    }
    expect(Math.abs(sum / n)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(product.xy / n)).toBeLessThan(4 * (1 / 12 / Math.sqrt(n)));
  });

  it('integrates a smooth function in 8 dimensions far better than chance', () => {
    const f = (p: ArrayLike<number>): number => Array.from(p).reduce((v, x, i) => v * (1 + (x - 0.5) / (i + 1)), 1);
    const n = 1024;
    const errors: number[] = [];
    const random: number[] = [];
    for (let seed = 0; seed < 10; seed++) {
      const rng = Rng.of(seed);
      errors.push(new Sobol(8, seed).points(n).reduce((s, p) => s + f(p), 0) / n - 1);
      random.push(Array.from({ length: n }, () => f(Array.from({ length: 8 }, () => rng.next()))).reduce((s, v) => s + v, 0) / n - 1);
    }
    const rms = (v: number[]): number => Math.sqrt(v.reduce((s, e) => s + e * e, 0) / v.length);
    expect(rms(errors)).toBeLessThan(rms(random) / 20);
  });

  it('lies strictly inside the cube and repeats exactly', () => {
    const [a, b] = [new Sobol(140, 7), new Sobol(140, 7)];
    for (const index of [0, 1, 1000, 2 ** 32 - 1]) {
      expect([...a.point(index)]).toEqual([...b.point(index)]);
      for (const x of a.point(index)) expect(x > 0 && x < 1).toBe(true);
    }
    expect([...new Sobol(3, 1.25).point(0)]).not.toEqual([...new Sobol(3, 1.5).point(0)]);
  });

  it('refuses dimensions, seeds and indexes that are none', () => {
    expect(() => new Sobol(0, 1)).toThrow(/got 0/);
    expect(() => new Sobol(2, NaN)).toThrow(/finite seed/);
    expect(() => new Sobol(2, 1).point(-1)).toThrow(/got -1/);
    expect(() => new Sobol(2, 1).point(2 ** 32)).toThrow(/2\^32 - 1/);
  });
});

/** Rank over the field of two elements, by elimination. */
function rank2(matrix: readonly (readonly number[])[]): number {
  const rows = matrix.map((r) => [...r]);
  let rank = 0;
  for (let c = 0; c < rows[0]!.length; c++) {
    const pivot = rows.findIndex((r, i) => i >= rank && r[c] === 1);
    if (pivot < 0) continue;
    [rows[rank], rows[pivot]] = [rows[pivot]!, rows[rank]!];
    rows.forEach((r, i) => {
      if (i !== rank && r[c] === 1) r.forEach((_, j) => (r[j]! ^= rows[rank]![j]!));
    });
    rank++;
  }
  return rank;
}
