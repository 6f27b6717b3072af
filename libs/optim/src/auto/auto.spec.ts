import { createSearchSpace, type Parameter } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Candidate, Json, SearchProblem, Told } from '../contract.js';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { auto, planFor } from './auto.js';

examineOptimizer(auto, { trials: 24 });

const floats = (n: number): Parameter[] => Array.from({ length: n }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 }));
const cells: Parameter[] = Array.from({ length: 6 }, (_, i) => ({ name: `o${i}`, type: 'categorical', values: ['a', 'b', 'c', 'd', 'e'] }));

describe('the choice', () => {
  const choice = (parameters: readonly Parameter[], objectives: number, maxTrials?: number): string => {
    const { first, then } = planFor({ space: createSearchSpace(parameters), objectives, constraints: 0, seed: 0, maxTrials });
    return then ? `${first.name}, after ${then.after} ${then.optimizer.name}` : first.name;
  };

  it.each<[string, readonly Parameter[], number, number | undefined, string]>([
    ['few trials, few dimensions', floats(6), 2, 100, 'bo'],
    ['a cell and 300 trials', cells, 3, 300, 'mads'],
    ['a continuous parameter and 300 trials', floats(6), 3, 300, 'bo'],
    ['a continuous parameter and 1000 trials', floats(6), 3, 1000, 'bo, after 100 mads'],
    ['a cell and 100 trials', cells, 3, 100, 'bo'],
    ['no known budget', floats(6), 2, undefined, 'bo, after 100 mads'],
    ['very many trials', cells, 2, 10_000, 'mads'],
    ['many dimensions', floats(21), 1, 100, 'mads'],
    ['many objectives', floats(6), 5, 100, 'mads'],
  ])('falls by the rules: %s', (_, parameters, objectives, trials, due) => {
    expect(choice(parameters, objectives, trials)).toBe(due);
  });

  it('shows in every candidate', () => {
    const run = auto.start({ space: createSearchSpace(cells), objectives: 2, constraints: 0, seed: 3, maxTrials: 10_000 });
    expect(run.ask(3).map((c) => c.proposedBy)).toEqual(['auto>mads:sobol', 'auto>mads:sobol', 'auto>mads:sobol']);
  });
});

describe('the change of methods', () => {
  const problem: SearchProblem = { space: createSearchSpace([{ name: 'x', type: 'int', min: 0, max: 400 }, { name: 'y', type: 'float', min: 0, max: 1 }]), objectives: 1, constraints: 0, seed: 5, maxTrials: 400 };
  const settle = (c: Candidate): Told => ({ ...c, state: 'completed', objectives: [(c.genes[0]! - 123) ** 2], violations: [] });

  it('comes after a hundred told trials, asks nothing twice, and carries on from a snapshot on either side', () => {
    let run = auto.start(problem, { candidates: 20, localSearches: 1 });
    const history: Told[] = [];
    const asked: Candidate[] = [];
    let waiting: Candidate[] = [];
    while (history.length < 130) {
      const fresh = run.ask(5);
      asked.push(...fresh);
      // Two of each five wait for a turn, so that some are open at the change.
      const settled = [...waiting, ...fresh.slice(0, 3)].map(settle);
      waiting = fresh.slice(3);
      run.tell(settled);
      history.push(...settled);
      const twin = auto.restore(problem, JSON.parse(JSON.stringify(run.snapshot())) as Json, history, { candidates: 20, localSearches: 1 });
      expect(twin.snapshot()).toEqual(JSON.parse(JSON.stringify(run.snapshot())));
      run = twin;
    }
    expect(new Set(asked.map((c) => c.key)).size).toBe(asked.length);
    const methods = asked.map((c) => /^auto>(mads|bo):/.exec(c.proposedBy)![1]);
    expect(methods.slice(0, 100)).toEqual(new Array<string>(100).fill('bo'));
    expect(methods.slice(-25)).toEqual(new Array<string>(25).fill('mads'));
  });
});
