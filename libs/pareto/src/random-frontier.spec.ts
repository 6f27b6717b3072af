import { Rng } from '@app/numeric';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dominates, paretoFront } from './dominance.js';
import { dominanceProbability, drawNormal, expectedEfficiency, frontProbability, independentFrontProbability, knownFrontProbability, pairwiseDominance, relativeEfficiency, type UncertainPoint } from './random-frontier.js';

const coordinate = fc.integer({ min: 1, max: 6 });
const cloud = fc.integer({ min: 1, max: 4 }).chain((m) => fc.array(fc.array(coordinate, { minLength: m, maxLength: m }), { minLength: 1, maxLength: 10 }));
const certain = (mean: readonly number[]): UncertainPoint => ({ mean, deviation: mean.map(() => 0) });
const rng = (): Rng => Rng.of(7, 'random-frontier');

describe('a front without variance', () => {
  it('is exactly the deterministic one: probabilities 0 and 1, no error, dominance as defined', () => {
    fc.assert(fc.property(cloud, fc.integer({ min: 1, max: 7 }), (points, samples) => {
      const draws = drawNormal(points.map(certain), samples, rng());
      const { value, standardError } = frontProbability(draws);
      const front = new Set(paretoFront(points));
      expect([...value]).toEqual(points.map((_, i) => (front.has(i) ? 1 : 0)));
      expect([...standardError]).toEqual(points.map(() => 0));
      const pairs = pairwiseDominance(draws);
      points.forEach((a, i) => points.forEach((b, k) => {
        expect(pairs[i * points.length + k]).toBe(dominates(a, b) ? 1 : 0);
        expect(dominanceProbability(certain(a), certain(b))).toBe(dominates(a, b) ? 1 : 0);
      }));
      points.forEach((p, i) => expect(knownFrontProbability(p, points.filter((_, k) => k !== i).map(certain))).toBe(front.has(i) ? 1 : 0));
      const efficiency = expectedEfficiency(draws);
      expect([...efficiency.value]).toEqual([...relativeEfficiency(points)]);
      expect([...efficiency.standardError]).toEqual(points.map(() => 0));
    }));
  });
});

describe('a front with variance', () => {
  const points: UncertainPoint[] = [
    { mean: [2, 5], deviation: [0.5, 1] },
    { mean: [3, 4], deviation: [0, 0] },
    { mean: [3.5, 4.2], deviation: [1, 0.3] },
    { mean: [5, 5], deviation: [0.1, 2] },
  ];
  const samples = 4000;
  const draws = drawNormal(points, samples, rng());
  const within = (share: number, exact: number): void => expect(Math.abs(share - exact)).toBeLessThan(4 * Math.sqrt(Math.max(exact * (1 - exact), 1 / samples) / samples));

  it('has the exact probability of dominance within the error of the draws', () => {
    const pairs = pairwiseDominance(draws);
    points.forEach((a, i) => points.forEach((b, k) => {
      if (i !== k) within(pairs[i * points.length + k]!, dominanceProbability(a, b));
    }));
  });

  it('has the exact probability of being on the front for a point that is known', () => {
    within(frontProbability(draws).value[1]!, knownFrontProbability(points[1]!.mean, points.filter((_, i) => i !== 1)));
  });

  it('is exact for independent candidates of a few measured vectors each: the share of all their combinations', () => {
    const few = fc.integer({ min: 1, max: 3 }).chain((m) => fc.array(fc.array(fc.array(coordinate, { minLength: m, maxLength: m }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }));
    fc.assert(fc.property(few, (values) => {
      const worlds = values.reduce<number[][][]>((all, own) => all.flatMap((world) => own.map((p) => [...world, p])), [[]]);
      const due = frontProbability(worlds).value;
      independentFrontProbability(values).forEach((p, i) => expect(p).toBeCloseTo(due[i]!, 12));
    }), { numRuns: 60 });
    expect(() => independentFrontProbability([[[1, 2]], []])).toThrow('values[1]: expected at least one vector, got none');
  });

  it('has one objective\'s front probabilities add to one', () => {
    const single = points.map((p) => ({ mean: [p.mean[0]!], deviation: [0.5] }));
    expect([...frontProbability(drawNormal(single, 500, rng())).value].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('gives the halves of a coin to two candidates alike', () => {
    const twins = [0, 1].map(() => ({ mean: [1, 1], deviation: [0.2, 0] }));
    expect(dominanceProbability(twins[0]!, twins[1]!)).toBeCloseTo(0.5, 12);
    const { value, standardError } = frontProbability(drawNormal(twins, samples, rng()));
    expect(Math.abs(value[0]! - 0.5)).toBeLessThan(4 * standardError[0]!);
    expect(standardError[0]!).toBeCloseTo(Math.sqrt(0.25 / samples), 4);
  });
});

describe('relative efficiency', () => {
  it('is the factor at which the shrunken point is no longer beaten, whatever the units', () => {
    fc.assert(fc.property(cloud, fc.integer({ min: 2, max: 1000 }), (points, unit) => {
      const efficiency = relativeEfficiency(points);
      points.forEach((p, i) => {
        const strictlyBeaten = (q: readonly number[]): boolean => points.some((other) => other.every((v, j) => v < q[j]!));
        expect(efficiency[i]! > 0 && efficiency[i]! <= 1).toBe(true);
        expect(strictlyBeaten(p.map((v) => v * efficiency[i]! * (1 - 1e-9)))).toBe(false);
        if (efficiency[i]! < 1) expect(strictlyBeaten(p.map((v) => v * efficiency[i]! * (1 + 1e-9)))).toBe(true);
      });
      relativeEfficiency(points.map((p) => p.map((v, j) => (j === 0 ? v * unit : v)))).forEach((e, i) => expect(e).toBeCloseTo(efficiency[i]!, 12));
    }));
  });

  it('orders a point below whatever is better in everything', () => {
    expect([...relativeEfficiency([[2, 4], [1, 2], [4, 1], [4, 2]])]).toEqual([0.5, 1, 1, 1]);
  });
});

it('names what is wrong with its input', () => {
  expect(() => frontProbability([])).toThrow('draws: expected at least one, got none');
  expect(() => frontProbability([[[1, 2]], []])).toThrow('draws[1]: expected 1 candidates, got 0');
  expect(() => drawNormal([{ mean: [1], deviation: [-1] }], 3, rng())).toThrow('deviation[0][0]: expected a finite number from 0, got -1');
  expect(() => drawNormal([{ mean: [1], deviation: [1, 1] }], 3, rng())).toThrow('deviation[0]: expected 1 objectives, got 2');
  expect(() => drawNormal([certain([1])], 0, rng())).toThrow('samples: expected an integer from 1, got 0');
  expect(() => relativeEfficiency([[1, 2], [1, 0]])).toThrow('points[1][1]: expected a positive number, got 0');
});
