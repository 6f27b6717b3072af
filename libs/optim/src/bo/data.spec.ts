import { createSearchSpace, type Parameter, type Point } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Told } from '../contract.js';
import { FeatureMap } from './features.js';
import { isFeasible, modelPoints } from './model-points.js';
import { constraintScaling, objectiveScaling, scaled, unscaled } from './outputs.js';
import { readSettings } from './settings.js';

const told = (i: number, objectives: (number | null)[], violations: (number | null)[] = [], state: Told['state'] = 'completed'): Told => ({ genes: [i], key: `${i}`, proposedBy: 'test', state, objectives, violations });

describe('FeatureMap', () => {
  it('puts numbers first, then the conditions, then the categories; leaves single values out', () => {
    const space = createSearchSpace([
      { name: 'op', type: 'categorical', values: ['a', 'b'] },
      { name: 'fixed', type: 'int', min: 3, max: 3 },
      { name: 'n', type: 'int', min: 1, max: 4 },
      { name: 'x', type: 'float', min: 0, max: 1, when: { op: 'b' } },
      { name: 'y', type: 'float', min: 0, max: 1, when: { op: 'b' } },
    ]);
    const map = new FeatureMap(space);
    expect([map.size, map.numeric, map.categoricalOnly]).toEqual([5, 4, false]);
    expect([...map.featureOf]).toEqual([4, -1, 0, 1, 2]);
    expect([...map.of([1, 0, 3, 0.25, 0.75])]).toEqual([0.875, 0.25, 0.75, 1, 1]);
    expect([...map.of(space.canonical([0, 0, 0, 0.25, 0.75]))]).toEqual([0.125, 0.5, 0.5, 0, 0]);
  });

  it('adds the share of each level where a space of categories has a list in common', () => {
    const ops = ['none', 'skip', 'conv'];
    const map = new FeatureMap(createSearchSpace([...['a', 'b', 'c', 'd'].map((name) => ({ name, type: 'categorical' as const, values: ops })), { name: 'act', type: 'categorical', values: ['x', 'y'] }]));
    expect([map.size, map.numeric, map.categoricalOnly]).toEqual([8, 3, true]);
    expect([...map.of([2, 2, 0, 2, 1])]).toEqual([0.25, 0, 0.75, 2, 2, 0, 2, 1]);
  });

  it('takes what the space knows of a point where there are categories, and nowhere else', () => {
    const features = (point: Point): number[] => [point['op'] === 'conv' ? 1 : 0, 0.5];
    const op: Parameter = { name: 'op', type: 'categorical', values: ['skip', 'conv'] };
    const n: Parameter = { name: 'n', type: 'int', min: 1, max: 2 };
    const map = new FeatureMap(createSearchSpace([op, n], { features }));
    expect([map.size, map.numeric, [...map.featureOf]]).toEqual([4, 3, [3, 0]]);
    expect([...map.of([1, 0])]).toEqual([0.25, 1, 0.5, 1]);
    expect(new FeatureMap(createSearchSpace([n], { features })).size).toBe(1);
  });
});

describe('scaling of outcomes', () => {
  it('gives mean 0 and deviation 1, and back', () => {
    const s = objectiveScaling([1, 2, 3, 4], false);
    const y = [1, 2, 3, 4].map((v) => scaled(v, s));
    expect(y.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
    expect(y.reduce((a, b) => a + b * b, 0)).toBeCloseTo(4, 12);
    expect(unscaled(scaled(2.5, s), s)).toBeCloseTo(2.5, 12);
  });

  it('does not let one absurd outcome squeeze the others together', () => {
    const s = objectiveScaling([1, 2, 3, 4, 1e9], false);
    expect(scaled(2, s) - scaled(1, s)).toBeGreaterThan(0.1);
    expect(scaled(1e9, s)).toBe(scaled(13, s));
    expect(scaled(-1e9, s)).toBeLessThan(-1e6);
  });

  it('bends in a long tail of bad outcomes where that is wanted, keeps the order and slope 1 at the best, and leaves symmetric ones straight', () => {
    const tail = Array.from({ length: 40 }, (_, i) => Math.exp(i / 8));
    const [bent, straight] = [objectiveScaling(tail, true), objectiveScaling(tail, false)];
    expect(bent.bend.strength).toBeGreaterThan(0);
    expect(straight.bend.strength).toBe(0);
    const share = (s: typeof bent): number => (scaled(tail[20]!, s) - scaled(tail[0]!, s)) / (scaled(tail[39]!, s) - scaled(tail[0]!, s));
    expect(share(bent)).toBeGreaterThan(2 * share(straight));
    for (let i = 1; i < 40; i++) expect(scaled(tail[i]!, { ...bent, top: Infinity })).toBeGreaterThan(scaled(tail[i - 1]!, bent));
    expect(((scaled(1 + 1e-6, bent) - scaled(1 - 1e-6, bent)) * bent.scale) / 2e-6).toBeCloseTo(1, 4);
    for (const v of [-3, 1, 4]) expect(unscaled(scaled(v, bent), bent)).toBeCloseTo(v, 10);
    expect(objectiveScaling(Array.from({ length: 40 }, (_, i) => Math.sin(i)), true).bend.strength).toBe(0);
  });

  it('keeps the side of the border on which a constraint lies', () => {
    const values = [-3, -2, -1, -0.5, 1e6];
    const s = constraintScaling(values);
    const border = scaled(0, { ...s, top: Infinity });
    for (const v of values) expect(scaled(v, s) > border).toBe(v > 0);
  });

  it('takes equal outcomes for 0', () => {
    const s = objectiveScaling([7, 7, 7], false);
    expect(scaled(7, s)).toBe(0);
    expect(scaled(8, s)).toBe(1);
  });
});

describe('modelPoints', () => {
  it('keeps all up to the cap, and beyond it the best half and an even spread of the rest', () => {
    const history = Array.from({ length: 100 }, (_, i) => told(i, [(i * 37) % 100, 0]));
    expect(modelPoints(history, 100)).toHaveLength(100);
    const kept = modelPoints(history, 20);
    expect(kept).toHaveLength(20);
    expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
    expect(kept.filter((i) => (i * 37) % 100 < 10)).toHaveLength(10);
    for (let quarter = 0; quarter < 4; quarter++) expect(kept.some((i) => Math.floor(i / 25) === quarter)).toBe(true);
  });

  it('puts feasible before infeasible, and copes where no point is complete', () => {
    const history = Array.from({ length: 30 }, (_, i) => (i < 5 ? told(i, [9], [-1]) : told(i, [0], [i], 'infeasible')));
    const kept = modelPoints(history, 10);
    expect(kept.filter((i) => i < 5)).toEqual([0, 1, 2, 3, 4]);
    expect(modelPoints(history.map((t) => ({ ...t, objectives: [null] })), 10)).toHaveLength(10);
  });
});

describe('isFeasible', () => {
  it('wants every objective and constraint known and kept', () => {
    expect(isFeasible(told(0, [1], [0]))).toBe(true);
    expect(isFeasible(told(0, [1], [0.1]))).toBe(false);
    expect(isFeasible(told(0, [1], [null]))).toBe(false);
    expect(isFeasible(told(0, [null], [0]))).toBe(false);
    expect(isFeasible(told(0, [1], [-1], 'failed'))).toBe(false);
  });
});

describe('readSettings', () => {
  it('has defaults, and refuses what is no setting with name, value and what was due', () => {
    expect(readSettings({ candidates: 64 })).toMatchObject({ candidates: 64, initialPoints: null });
    expect(() => readSettings({ candidates: 0 })).toThrow('settings.candidates: expected an integer from 1, got 0');
    expect(() => readSettings({ modelPoints: '9' })).toThrow('settings.modelPoints: expected an integer from 10, got "9"');
    expect(() => readSettings({ noise: 1 })).toThrow('settings.noise: expected true or false, got 1');
    expect(() => readSettings({ speed: 1 })).toThrow('settings.speed: unknown setting');
  });
});
