import { describe, expect, it } from 'vitest';
import { computed, readProblems, startDesign } from '../bench/optimizers/problems.js';

describe('the test problems of the optimizers\' bench', () => {
  const problems = readProblems();

  it('are 72, each under its own name', () => {
    expect(new Set(problems.map((p) => p.name)).size).toBe(72);
  });

  it.each(problems.map((p) => [p.name, p] as const))('%s has the values of its check points, told through the space too', (_, problem) => {
    const { space } = problem.problem(1);
    for (const [x, f, g] of problem.checks) {
      const own = problem.compute(x);
      expect([own.f.length, own.g.length]).toEqual([problem.objectives, problem.constraints]);
      [...own.f, ...own.g].forEach((v, i) => expect(Math.abs(v - [...f, ...g][i]!)).toBeLessThan(1e-9 * Math.max(1, Math.abs(v))));
      const genes = space.fromUnit(problem.variables.map(([kind, low, high], i) => (kind === 'R' ? (x[i]! - low) / (high - low) : (x[i]! - low + 0.5) / (high - low + 1))));
      const told = problem.evaluate(genes);
      told.objectives.forEach((v, j) => expect(Math.abs(v! - f[j]!)).toBeLessThan(1e-3 * Math.max(1, Math.abs(f[j]!))));
    }
  });

  it('tell what the service computes before a trial: all but the first objective, the values the trial is told with', () => {
    for (const name of ['NAS201-2', 'NAS201-3', 'NAS201-2c']) {
      const test = problems.find((p) => p.name === name)!;
      const served = computed(test, 300).problem(7);
      expect(served.maxTrials).toBe(300);
      expect(served.start).toEqual(test.problem(7).start);
      for (const genes of [...served.start!, [0, 1, 2, 3, 4, 0]]) {
        const told = test.evaluate(genes);
        expect(served.known!(genes)).toEqual({ objectives: [null, ...told.objectives.slice(1)], violations: told.violations });
      }
    }
    expect(() => computed(problems.find((p) => p.name === 'TNK')!, 300)).toThrow(/TNK/);
  });

  it('start from a Latin hypercube: one point in each stratum of each variable', () => {
    const design = startDesign(Array.from({ length: 5 }, () => ['R', 0, 1] as const), 7);
    expect(design.length).toBe(12);
    for (let i = 0; i < 5; i++) expect(design.map((p) => Math.floor(12 * p[i]!)).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, k) => k));
  });
});
