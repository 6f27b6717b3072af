import { describe, expect, it } from 'vitest';
import { createSearchSpace } from '@app/space';
import { bo } from './bo.js';
import { LowerConfidenceBound } from './lower-confidence-bound.js';
import { readSettings } from './settings.js';

describe('the lower confidence bound', () => {
  it('is κ·s - m with its slopes: of two alike the less known, of two as well known the lower', () => {
    const bound = new LowerConfidenceBound(2.5);
    const [byMean, bySd] = [new Float64Array(1), new Float64Array(1)];
    expect(bound.value([3], [2], byMean, bySd)).toBe(2);
    expect([byMean[0], bySd[0]]).toEqual([-1, 2.5]);
    expect(bound.value([1], [2])).toBeGreaterThan(bound.value([1], [1]));
    expect(bound.value([1], [2])).toBeGreaterThan(bound.value([2], [2]));
  });

  it('finds the least of a curve of one variable in five observations and five explorations', () => {
    const space = createSearchSpace([{ name: 'ratio', type: 'float', min: 0, max: 0.4 }]);
    const loss = (x: number): number => 30 * (x - 0.23) ** 2 + 0.05 * Math.cos(40 * x);
    const problem = { space, objectives: 1, constraints: 0, seed: 3, maxTrials: 10 };
    const run = bo.start(problem, { initialPoints: 5, kappa: 2.5 });
    let best = Infinity;
    const steps: string[] = [];
    for (let i = 0; i < 10; i++) {
      const candidate = run.ask(1)[0]!;
      steps.push(candidate.proposedBy);
      const value = loss(space.decode(candidate.genes)['ratio'] as number);
      best = Math.min(best, value);
      run.tell([{ ...candidate, state: 'completed', objectives: [value], violations: [] }]);
    }
    expect(steps.slice(5)).toEqual(Array(5).fill('bo:lcb'));
    const least = Math.min(...Array.from({ length: 4001 }, (_, k) => loss((0.4 * k) / 4000)));
    expect(best - least).toBeLessThan(0.01);
  });

  it('is refused for several objectives, limits, and a κ that is none', () => {
    expect(() => readSettings({ kappa: -1 })).toThrow('settings.kappa: expected a finite number from 0, got -1');
    expect(() => readSettings({ kappa: 2.5 }, { objectives: 2, constraints: 0 })).toThrow('settings.kappa: expected one objective and no limits, got 2 and 0');
    expect(readSettings({ kappa: 2.5 }, { objectives: 1, constraints: 0 }).kappa).toBe(2.5);
  });
});
