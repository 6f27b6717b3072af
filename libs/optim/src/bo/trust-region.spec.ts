import { createSearchSpace } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Told } from '../contract.js';
import { bo } from './bo.js';
import { FeatureMap } from './features.js';
import { afterOutcome, boxAround, centreAt, centresOf, entersFront, FRESH_LENGTH, localPoints } from './trust-region.js';

const space = createSearchSpace(Array.from({ length: 4 }, (_, i) => ({ name: `x${i}`, type: 'float' as const, min: 0, max: 1 })));
const told = (genes: number[], objectives: number[], violations: number[] = []): Told => ({ genes, key: space.key(genes), proposedBy: 'test', state: violations.some((g) => g > 0) ? 'infeasible' : 'completed', objectives, violations });

describe('the length of a trust region', () => {
  it('doubles after three successes in a row, halves after five failures, and begins anew when very small', () => {
    let region = FRESH_LENGTH;
    for (let k = 0; k < 3; k++) region = afterOutcome(region, true, 4);
    expect(region.length).toBe(2 * FRESH_LENGTH.length);
    for (let k = 0; k < 4; k++) region = afterOutcome(region, false, 4);
    expect(region.length).toBe(2 * FRESH_LENGTH.length);
    region = afterOutcome(region, true, 4);
    expect(region.failures).toBe(0);
    const lengths = new Set<number>();
    for (let k = 0; k < 60; k++) lengths.add((region = afterOutcome(region, false, 4)).length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(0.01);
    expect([...lengths].filter((l) => l === FRESH_LENGTH.length)).toHaveLength(1);
    let patient = FRESH_LENGTH;
    for (let k = 0; k < 29; k++) patient = afterOutcome(patient, false, 60);
    expect(patient.length).toBe(FRESH_LENGTH.length);
  });
});

describe('centres', () => {
  it('are the front with its ends and widest gaps first, and take turns; without a feasible point those that violate least', () => {
    const history = [[0, 1], [0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [1, 0], [1, 1]].map((f, i) => told([i / 10, 0, 0, 0], f));
    const centres = centresOf(history);
    expect([...centres].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(centres.slice(0, 2).sort()).toEqual([0, 4]);
    expect(new Set([0, 1, 2, 3, 4].map((t) => centreAt(centres, t))).size).toBe(5);
    expect(centreAt([], 3)).toBeUndefined();
    const broken = [3, 1, 2].map((g, i) => told([i / 10, 0, 0, 0], [0, 0], [g]));
    expect(centresOf(broken)).toEqual([1, 2, 0]);
  });

  it('count an outcome as a success if it is on the front and new there', () => {
    const history = [told([0, 0, 0, 0], [0, 1]), told([1, 0, 0, 0], [1, 0])];
    expect(entersFront(told([0.5, 0, 0, 0], [0.5, 0.5]), history)).toBe(true);
    expect(entersFront(told([0.5, 0, 0, 0], [0, 1]), history)).toBe(false);
    expect(entersFront(told([0.5, 0, 0, 0], [0.5, 1]), history)).toBe(false);
    expect(entersFront(told([0.5, 0, 0, 0], [0, 0], [1]), history)).toBe(false);
  });
});

describe('the box', () => {
  it('lies around its centre within the unit cube, longer where the length of the process is', () => {
    const map = new FeatureMap(space);
    const { lower, upper } = boxAround(space, map, [0.5, 0.5, 0.5, 0.05], 0.2, [0, 1, 0, 0, -4]);
    expect(upper[1]! - lower[1]!).toBeGreaterThan(2 * (upper[0]! - lower[0]!));
    expect([lower[3], upper[3]! < 0.25]).toEqual([0, true]);
  });

  it('is learned from in the points nearest to its centre and those of the front', () => {
    const features = Array.from({ length: 50 }, (_, i) => Float64Array.of(i / 50, 0, 0, 0));
    const kept = localPoints(features, 10, [10, 49], 8, new FeatureMap(space), null);
    expect(kept).toHaveLength(8);
    expect(kept).toContain(49);
    expect(kept.filter((i) => Math.abs(i - 10) <= 3)).toHaveLength(7);
  });
});

it('trust regions are what an ask looks in beyond the points a model keeps, and every other ask above 20 parameters', () => {
  const steps = (dimension: number, trials: number, settings: Record<string, unknown>): Set<string> => {
    const wide = createSearchSpace(Array.from({ length: dimension }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 })));
    const run = bo.start({ space: wide, objectives: 1, constraints: 0, seed: 1 }, { candidates: 32, localSearches: 1, ...settings });
    const seen = new Set<string>();
    for (let t = 0; t < trials; t++) {
      const asked = run.ask(1);
      run.tell(asked.map((c) => ({ ...c, state: 'completed' as const, objectives: [c.genes.reduce((s, g) => s + (g - 0.3) ** 2, 0)], violations: [] })));
      if (t > trials - 4) for (const c of asked) seen.add(c.proposedBy);
    }
    return seen;
  };
  expect(steps(2, 20, { modelPoints: 12, initialPoints: 6 })).toEqual(new Set(['bo:trust-region']));
  expect(steps(22, 12, { initialPoints: 6 })).toEqual(new Set(['bo:log-ei', 'bo:trust-region']));
});
