import { createSearchSpace, type Parameter } from '@app/space';
import { describe, expect, it } from 'vitest';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { auto, chooseOptimizer } from './auto.js';

examineOptimizer(auto, { trials: 24 });

describe('the choice', () => {
  const floats = (n: number): Parameter[] => Array.from({ length: n }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 }));
  const cells: Parameter[] = Array.from({ length: 6 }, (_, i) => ({ name: `o${i}`, type: 'categorical', values: ['a', 'b', 'c', 'd', 'e'] }));
  const choice = (parameters: readonly Parameter[], objectives: number, maxTrials?: number): string =>
    chooseOptimizer({ space: createSearchSpace(parameters), objectives, constraints: 0, seed: 0, maxTrials }).name;

  it.each<[string, readonly Parameter[], number, number | undefined, string]>([
    ['few trials, few dimensions', floats(6), 2, 100, 'bo'],
    ['a cell and 300 trials', cells, 3, 300, 'mads'],
    ['a cell and 100 trials', cells, 3, 100, 'bo'],
    ['no known budget', floats(6), 2, undefined, 'mads'],
    ['many dimensions', floats(21), 1, 100, 'mads'],
    ['many objectives', floats(6), 5, 100, 'mads'],
  ])('falls by the rules: %s', (_, parameters, objectives, trials, due) => {
    expect(choice(parameters, objectives, trials)).toBe(due);
  });

  it('shows in every candidate', () => {
    const run = auto.start({ space: createSearchSpace(cells), objectives: 2, constraints: 0, seed: 3, maxTrials: 1000 });
    expect(run.ask(3).map((c) => c.proposedBy)).toEqual(['auto>mads:sobol', 'auto>mads:sobol', 'auto>mads:sobol']);
  });
});
