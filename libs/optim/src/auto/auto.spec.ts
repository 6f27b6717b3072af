import { createSearchSpace, type Parameter } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Candidate, Json, SearchProblem, Told } from '../contract.js';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { auto, planFor } from './auto.js';
import { Progress } from './progress.js';

examineOptimizer(auto, { trials: 24 });

const floats = (n: number): Parameter[] => Array.from({ length: n }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 }));
const cells: Parameter[] = Array.from({ length: 6 }, (_, i) => ({ name: `o${i}`, type: 'categorical', values: ['a', 'b', 'c', 'd', 'e'] }));

const MODEL = 'bo, after 50 bo + mads, after 200 mads + nsga2';

describe('the choice', () => {
  const choice = (parameters: readonly Parameter[], objectives: number, maxTrials?: number, secondsPerTrial?: number): string =>
    planFor({ space: createSearchSpace(parameters), objectives, constraints: 0, seed: 0, maxTrials, secondsPerTrial }).map(({ from, optimizers }) => `${from === 0 ? '' : `after ${from} `}${optimizers.map((o) => o.name).join(' + ')}`).join(', ');

  it.each<[string, readonly Parameter[], number, number | undefined, string]>([
    ['few trials, few dimensions', floats(6), 2, 100, MODEL],
    ['a cell and 300 trials', cells, 3, 300, 'mads, after 200 mads + nsga2'],
    ['a continuous parameter and 300 trials', floats(6), 3, 300, MODEL],
    ['a continuous parameter and 1000 trials', floats(6), 3, 1000, MODEL],
    ['a cell and 100 trials', cells, 3, 100, 'mads, after 200 mads + nsga2'],
    ['no known budget', floats(6), 2, undefined, MODEL],
    ['very many trials', cells, 2, 10_000, 'mads, after 200 mads + nsga2'],
    ['many dimensions', floats(21), 1, 100, 'mads, after 200 mads + nsga2'],
    ['many objectives', floats(6), 5, 100, 'mads, after 200 mads + nsga2'],
  ])('falls by the rules: %s', (_, parameters, objectives, trials, due) => {
    expect(choice(parameters, objectives, trials)).toBe(due);
  });

  it('lets the model lead in cells whose features are counted', () => {
    const space = createSearchSpace(cells, { features: (point) => [Object.values(point).filter((v) => v === 'a').length] });
    expect(planFor({ space, objectives: 3, constraints: 0, seed: 0, maxTrials: 300 }).map((s) => s.optimizers.map((o) => o.name).join(' + '))).toEqual(['bo', 'bo + mads', 'mads + nsga2']);
  });

  it('thinks longer where a trial takes long', () => {
    expect(choice(floats(6), 2, 1000, 60)).toBe('bo, after 50 bo + mads, after 400 mads + nsga2');
    expect(choice(cells, 2, 1000, 60)).toBe('mads, after 200 mads + nsga2');
  });

  it('shows in every candidate', () => {
    const run = auto.start({ space: createSearchSpace(cells), objectives: 2, constraints: 0, seed: 3, maxTrials: 10_000 });
    expect(run.ask(3).map((c) => c.proposedBy)).toEqual(['auto>mads:sobol', 'auto>mads:sobol', 'auto>mads:sobol']);
  });
});

describe('the change of methods', () => {
  const problem: SearchProblem = { space: createSearchSpace([{ name: 'x', type: 'int', min: 0, max: 400 }, { name: 'y', type: 'float', min: 0, max: 1 }]), objectives: 1, constraints: 0, seed: 5, maxTrials: 400 };
  const settle = (c: Candidate): Told => ({ ...c, state: 'completed', objectives: [(c.genes[0]! - 123) ** 2], violations: [] });

  it('comes after fifty told trials, asks nothing twice, and carries on from a snapshot on either side', () => {
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
    expect(methods.slice(0, 50)).toEqual(new Array<string>(50).fill('bo'));
    for (const method of ['bo', 'mads']) expect(methods.slice(-40).filter((m) => m === method).length).toBeGreaterThanOrEqual(8);
  });

  it('shares the asks from two hundred trials of MADS on: all together no point twice, the same after every restore', () => {
    const cell: SearchProblem = { space: createSearchSpace(cells), objectives: 2, constraints: 0, seed: 5, maxTrials: 10_000 };
    const told = (c: Candidate): Told => ({ ...c, state: 'completed', objectives: [c.genes.reduce((s, g, i) => s + ((g * 3 + i) % 5), 0), c.genes.reduce((s, g) => s + g, 0)], violations: [] });
    let run = auto.start(cell);
    const history: Told[] = [];
    while (history.length < 260) {
      const settled = run.ask(4).map(told);
      run.tell(settled);
      history.push(...settled);
      if (history.length < 192) continue;
      run = auto.restore(cell, JSON.parse(JSON.stringify(run.snapshot())) as Json, history);
    }
    const whole = auto.start(cell);
    for (let i = 0; i < history.length; i += 4) {
      expect(whole.ask(4).map((c) => c.key)).toEqual(history.slice(i, i + 4).map((t) => t.key));
      whole.tell(history.slice(i, i + 4));
    }
    expect(new Set(history.map((t) => t.key)).size).toBe(history.length);
    const later = history.slice(200).map((t) => t.proposedBy.slice(0, 9));
    for (const method of ['auto>mads', 'auto>nsga']) expect(later.filter((m) => m === method).length).toBeGreaterThanOrEqual(6);
  });
});

describe('shares', () => {
  const told = (proposedBy: string, f: readonly number[]): Told => ({ genes: [0], key: 'k', proposedBy, state: 'completed', objectives: f, violations: [] });

  it('go to who adds to the hypervolume, a quarter at least to each; evenly where no one does', () => {
    const progress = new Progress();
    expect(progress.shares(['a', 'b'])).toEqual([0.5, 0.5]);
    for (let i = 1; i <= 40; i++) {
      progress.tell(told('a:poll', [-i, -i]));
      progress.tell(told('b:child', [0, 0]));
    }
    const [a, b] = progress.shares(['a', 'b']);
    expect(a! + b!).toBeCloseTo(1, 12);
    expect(b).toBeLessThan(0.26);
    expect(b).toBeGreaterThanOrEqual(0.25);
    for (let i = 1; i <= 40; i++) progress.tell(told('a:poll', [0, 0]));
    expect(progress.shares(['a', 'b'])).toEqual([0.5, 0.5]);
  });
});
