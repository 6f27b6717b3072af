import { Rng } from '@app/numeric';
import { createSearchSpace, type Genes } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Noise, Optimizer, SearchProblem, Told } from '../contract.js';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { bo } from './bo.js';

/** Outcomes taken for noisy, also where they are exact. */
const noisy: Optimizer = {
  ...bo,
  start: (problem, settings) => bo.start(problem, { noise: true, ...settings }),
  restore: (problem, snapshot, history, settings) => bo.restore(problem, snapshot, history, { noise: true, ...settings }),
};
examineOptimizer(noisy, { trials: 14, settings: { initialPoints: 8, candidates: 32, localSearches: 1 } });

const space = createSearchSpace([{ name: 'x', type: 'float', min: 0, max: 1 }, { name: 'y', type: 'float', min: 0, max: 1 }]);
const QUICK = { candidates: 128, localSearches: 2 };

/** Depth of a bowl with its bottom at (0.3, 0.7). */
const bowl = ([x, y]: Genes): number => 4 * ((x! - 0.3) ** 2 + (y! - 0.7) ** 2);

function search(seed: number, trials: number, sd: number, noise: Noise | undefined, settings: Record<string, unknown>, batch = 1): Told[] {
  const problem: SearchProblem = { space, objectives: 1, constraints: 0, seed, maxTrials: trials, noise };
  const run = bo.start(problem, { ...QUICK, ...settings });
  const told: Told[] = [];
  while (told.length < trials) {
    const settled = run.ask(batch).map((c): Told => ({ ...c, state: 'completed', objectives: [bowl(c.genes) + sd * Rng.of(seed, c.key).normal()], violations: [] }));
    run.tell(settled);
    told.push(...settled);
  }
  return told;
}

/** How deep the points of the second half lie. */
const late = (told: readonly Told[]): number => told.slice(told.length / 2).reduce((s, t) => s + bowl(t.genes), 0) / (told.length / 2);

describe('bo with noise', () => {
  it('looks nearer the bottom of a noisy bowl than when it takes the luckiest outcome for the truth', () => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const mean = (noise: Noise | undefined): number => seeds.reduce((s, seed) => s + late(search(seed, 30, 0.3, noise, {})), 0) / seeds.length;
    expect(mean({ objectives: [0.3], violations: [] })).toBeLessThan(0.8 * mean(undefined));
  });

  it('says what it went by: only where noise is notable, whether that was declared or found', () => {
    const steps = (told: readonly Told[]): string[] => [...new Set(told.slice(-8).map((t) => t.proposedBy))];
    expect(steps(search(1, 24, 0.3, { objectives: [0.3], violations: [] }, {}))).toEqual(['bo:log-nei']);
    expect(steps(search(1, 24, 0.3, { objectives: [null], violations: [] }, {}))).toEqual(['bo:log-nei']);
    expect(steps(search(1, 24, 0.3, undefined, { noise: true }))).toEqual(['bo:log-nei']);
    expect(steps(search(1, 24, 0.3, undefined, {}))).toEqual(['bo:log-ei']);
    expect(steps(search(1, 24, 0, { objectives: [0], violations: [] }, { noise: true }))).toEqual(['bo:log-ei']);
    expect(search(1, 24, 0, undefined, { noise: true }).at(-1)!.proposedBy).toBe('bo:log-ei');
  });

  it('spreads a batch', () => {
    const batch = search(2, 24, 0.3, { objectives: [0.3], violations: [] }, {}, 4).slice(-4);
    for (const a of batch) for (const b of batch) if (a !== b) expect(Math.hypot(a.genes[0]! - b.genes[0]!, a.genes[1]! - b.genes[1]!)).toBeGreaterThan(0.02);
  });
});
