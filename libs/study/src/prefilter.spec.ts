import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { studySpec } from '@app/contracts';
import { Rng } from '@app/numeric';
import { dominates } from '@app/pareto';
import { outscored, placeOf, type Scored } from './prefilter.js';
import { studyTerms } from './problem.js';

const of = (score: number, ...objectives: (number | null)[]): Scored => ({ score, objectives });
const scoreMetric = (value: number) => ({ proxy: { value, unit: '1', provenance: 'computed' as const, source: 'test' } });

describe('the place of a scored candidate', () => {
  it('is by score alone where nothing is computed of it', () => {
    const others = [3, 9, 1, 5].map((s) => of(s, null));
    expect([10, 6, 4, 2, 0].map((s) => placeOf(s, [null], others).place)).toEqual([0, 1, 2, 3, 4]);
    // who came first has the better place
    expect(placeOf(5, [null], others)).toEqual({ place: 2, of: 5 });
  });

  it('comes after those that dominate it, and not after one that it dominates', () => {
    const value = fc.integer({ min: 0, max: 6 });
    const scored = fc.record({ score: value, cost: value, size: value });
    fc.assert(fc.property(scored, fc.array(scored, { maxLength: 20 }), (own, others) => {
      const point = (s: typeof own): number[] => [s.cost, s.size, -s.score];
      const { place, of: count } = placeOf(own.score, [null, own.cost, own.size], others.map((s) => of(s.score, 1, s.cost, s.size)));
      expect(count).toBe(others.length + 1);
      expect(place).toBeGreaterThanOrEqual(others.filter((s) => dominates(point(s), point(own))).length);
      expect(place).toBeLessThanOrEqual(others.length - others.filter((s) => dominates(point(own), point(s))).length);
    }));
  });

  it('lets the smallest network compete though every larger one has a higher score', () => {
    const others = Array.from({ length: 20 }, (_, i) => of(i + 1, null, i + 1));
    expect(placeOf(0, [null, 0], others).place).toBeLessThanOrEqual(2);
  });

  it('does not count those without a value it has, or without a score', () => {
    expect(placeOf(0, [null, 2], [of(5, 1, null), of(NaN, 1, 1), of(9, null, 1)])).toEqual({ place: 1, of: 2 });
  });
});

describe('a candidate is passed over', () => {
  const spec = studySpec.parse({ name: 's', searchSpace: 'flynet', accuracy: { method: 'surrogate' }, objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 10 } });
  const terms = studyTerms(spec);
  const scored = Array.from({ length: 10 }, (_, i) => of(i, null));
  const judge = (score: number, change: object = {}): string | null => outscored({ keep: 0.3, after: 10, among: 40, scored, ...change }, terms, scoreMetric(score), [null]);

  it('once enough are scored, unless it is of the better share', () => {
    expect(judge(7.5)).toBeNull();
    expect(judge(6.5)).toBeNull();
    expect(judge(5.5)).toBe('proxy score 5.5: place 5 of 11 scored candidates; the first 4 are trained');
    expect(judge(0, { after: 11 })).toBeNull();
  });

  it('by the latest alone', () => {
    expect(judge(0.5, { among: 3 })).not.toBeNull();
    const fallen = [...scored].reverse();
    expect(judge(5.5, { scored: fallen, among: 5 })).toBeNull();
  });

  it('never without a score', () => {
    expect(outscored({ keep: 0.3, after: 3, among: 40, scored }, terms, {}, [null])).toBeNull();
  });

  it.each([0.25, 0.5, 0.75])('so that about the share asked for goes on where the search does not change its ways: %d', (keep) => {
    const rng = Rng.of(7, 'scores');
    const before: Scored[] = [];
    let trained = 0;
    for (let i = 0; i < 400; i++) {
      const [cost, score] = [rng.normal(), rng.normal()];
      if (i >= 40 && outscored({ keep, after: 40, among: 40, scored: before }, terms, scoreMetric(score), [null, cost]) === null) trained++;
      before.push(of(score, null, cost));
    }
    expect(Math.abs(trained / 360 - keep)).toBeLessThan(0.1);
  });
});
