import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optimizersPage } from '../bench/optimizers/page.js';
import { readProblems } from '../bench/optimizers/problems.js';
import { commonSeeds, profile, standingOf } from '../bench/optimizers/standing.js';
import { readOwn, readPeers, type SolverRecord } from '../bench/optimizers/store.js';
import { readFlynetFront } from '../bench/optimizers/flynet-front.js';
import { readSuggestionTime } from '../bench/optimizers/suggestion.js';
import { LADDER } from '../bench/optimizers/trajectory.js';

const root = join(import.meta.dirname, '..');
const tests = readProblems();

describe('docs/optimizers.md', () => {
  it('is what the stored runs give; npm run bench:optimizers -- --docs writes it', () => {
    const { markdown, plots } = optimizersPage(tests, readOwn(), readPeers(), readOwn(true), readSuggestionTime(), readFlynetFront());
    expect(readFileSync(join(root, 'docs/optimizers.md'), 'utf8')).toBe(markdown);
    for (const [name, svg] of Object.entries(plots)) expect(readFileSync(join(root, 'docs', name), 'utf8')).toBe(svg);
    for (const [, file] of markdown.matchAll(/\]\((\w[^):]*)\)/g)) expect(existsSync(join(root, 'docs', file!))).toBe(true);
  });
});

describe('the stored runs', () => {
  it('belong to problems there are, of seeds that differ, with a value at each step of the ladder up to the budget', () => {
    for (const record of [...readOwn(), ...readOwn(true), ...readPeers()]) {
      for (const [problem, { budget, seeds }] of Object.entries(record.runs)) {
        const test = tests.find((t) => t.name === problem)!;
        expect(new Set(seeds.map((s) => s.seed)).size).toBe(seeds.length);
        for (const { curve, groups } of seeds) {
          expect(curve.length).toBe(LADDER.filter((b) => b <= budget).length);
          expect(groups !== undefined).toBe(test.objectives === 1);
          // A run keeps the best it has met.
          curve.forEach((v, k) => {
            if (k > 0 && curve[k - 1] !== null) expect(test.objectives === 1 ? v! <= curve[k - 1]! : v! >= curve[k - 1]!).toBe(true);
          });
          // Shares of known hypervolumes: nothing beats an exact one, a numerical one a little.
          if (test.objectives > 1) expect(Math.max(...(curve as number[]))).toBeLessThan(1.01);
        }
      }
    }
  });
});

describe('medians and profiles', () => {
  const test = tests.find((t) => t.name === 'HS65')!;
  const record = (values: readonly (number | null)[]): SolverRecord => ({
    solver: 's', note: '', versions: {},
    runs: { HS65: { budget: 20, seeds: values.map((v, i) => ({ seed: i + 1, curve: [v, v], first: v === null ? null : 30, groups: [v], ms: 1 })) } },
  });

  it('rank a run without a feasible point last', () => {
    expect(standingOf(record([null, 2, 1]), true, tests).at('HS65', 10)).toBe(2);
    expect(standingOf(record([null, null, 1]), true, tests).at('HS65', 20)).toBeNull();
    expect(standingOf(record([1]), true, tests).at('HS65', 500)).toBeUndefined();
  });

  it('count as solved what has come so much of the way from the first feasible value', () => {
    const best = test.best!;
    const half = record([best + 0.05 * (30 - best), best + 0.5 * (30 - best), null]);
    expect(profile([test], [half], half, 0.1, [1, 2, 3])[0]).toBeCloseTo(1 / 3, 12);
    expect(profile([test], [half], half, 0.6, [1, 2, 3])[0]).toBeCloseTo(2 / 3, 12);
    expect(profile([test], [half], half, 0.6, [1])[0]).toBe(1);
  });

  it('count nothing as solved before something was feasible, whatever came of it', () => {
    const late = record([0]);
    const runs = { HS65: { budget: 20, seeds: [{ seed: 1, curve: [null, test.best!], first: test.best!, groups: [null, test.best!], ms: 1 }] } };
    expect(profile([test], [{ ...late, runs }], { ...late, runs }, 0.1, [1])).toEqual([0, 1, 1, 1, 1]);
  });

  it('compare only seeds that all solvers ran', () => {
    const [three, later] = [record([1, 1, 1]), record([1, 1, 1])];
    const shifted = { ...later, runs: { HS65: { ...later.runs['HS65']!, seeds: later.runs['HS65']!.seeds.map((s) => ({ ...s, seed: s.seed + 1 })) } } };
    expect(commonSeeds([test], [three, shifted])).toEqual([2, 3]);
  });
});
