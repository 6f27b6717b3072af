import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from './rng.js';

const draws = (rng: Rng, n: number): number[] => Array.from({ length: n }, () => rng.next());

describe('Rng', () => {
  it('gives the same sequence for the same seed and streams', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.array(fc.oneof(fc.string(), fc.integer())), (seed, streams) => {
        expect(draws(Rng.of(seed, ...streams), 5)).toEqual(draws(Rng.of(seed, ...streams), 5));
      }),
    );
  });

  it('tells seeds, stream names and where a name ends apart', () => {
    const keys: (readonly [number, ...(number | string)[]])[] = [[1], [2], [1, 'a'], [1, 'b'], [1, 'ab'], [1, 'a', 'b'], [1, 7], [1, '7'], [1.5], [-1], [1, 0], [1 + 2 ** 40]];
    expect(new Set(keys.map((k) => Rng.of(...k).next())).size).toBe(keys.length);
    expect(Rng.of(0).next()).toBe(Rng.of(-0).next());
  });

  it('continues from a state exactly where it stood, also after JSON', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(50), (seed, before) => {
        const rng = Rng.of(seed);
        draws(rng, before);
        const copy = Rng.fromState(JSON.parse(JSON.stringify(rng.state())) as number[]);
        expect(Array.from({ length: 20 }, () => rng.normal())).toEqual(Array.from({ length: 20 }, () => copy.normal()));
      }),
    );
  });

  it('refuses seeds and states that are none', () => {
    expect(() => Rng.of(NaN)).toThrow(/finite seed.*NaN/);
    expect(() => Rng.of(1, Infinity)).toThrow(/Infinity/);
    expect(() => Rng.fromState([1, 2, 3])).toThrow(/4 unsigned/);
    expect(() => Rng.fromState([1, 2, 3, -4])).toThrow(/4 unsigned/);
    expect(() => Rng.of(1).int(0)).toThrow(/got 0/);
    expect(() => Rng.of(1).pick([])).toThrow(/at least one/);
  });

  it('keeps its first draws: a change here changes every search', () => {
    const rng = Rng.of(42, 'snapshot');
    expect([rng.next(), rng.int(1000), rng.normal()]).toMatchInlineSnapshot(`
      [
        0.8777000806141491,
        447,
        0.6342742225744211,
      ]
    `);
  });

  it('is uniform by chi-square over 64 cells, for next and for int', () => {
    const n = 64_000;
    const rng = Rng.of(3);
    const cells = [new Float64Array(64), new Float64Array(64)] as const;
    for (let i = 0; i < n; i++) {
      cells[0][Math.floor(rng.next() * 64)]!++;
      cells[1][rng.int(64)]!++;
    }
    for (const counts of cells) {
      const chi2 = counts.reduce((s, c) => s + (c - 1000) ** 2 / 1000, 0);
      expect(chi2).toBeGreaterThan(30);
      expect(chi2).toBeLessThan(110); // 63 degrees of freedom: 1e-4 each side is 28 … 116
    }
  });

  it('draws int without bias at ranges that are no power of two, above 2^32 too', () => {
    const rng = Rng.of(5);
    const n = 3 * 2 ** 50;
    let low = 0;
    for (let i = 0; i < 3000; i++) if (rng.int(n) < 2 ** 50) low++;
    expect(Math.abs(low - 1000)).toBeLessThan(4 * Math.sqrt(3000 * (1 / 3) * (2 / 3)));
  });

  it('has normal draws of mean 0, variance 1, kurtosis 3', () => {
    const rng = Rng.of(9);
    const n = 40_000;
    let [s1, s2, s4] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const z = rng.normal();
      s1 += z;
      s2 += z * z;
      s4 += z ** 4;
    }
    expect(Math.abs(s1 / n)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(s2 / n - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(s4 / n - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  });

  it('shuffles to every order equally often and leaves the input alone', () => {
    const rng = Rng.of(11);
    const items = Object.freeze([1, 2, 3]);
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = rng.shuffle(items).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
  });
});
