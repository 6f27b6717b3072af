import { Rng } from '@app/numeric';
import { dominates } from '@app/pareto';
import { createSearchSpace, type Parameter } from '@app/space';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Told } from '../contract.js';
import { compareStandings, standings } from './standing.js';
import { nicheSurvivors, referenceDirections } from './niching.js';
import { child, crossover, mutated } from './variation.js';

const parameters: Parameter[] = [
  { name: 'x', type: 'float', min: -2, max: 2 },
  { name: 'n', type: 'int', min: 1, max: 9 },
  { name: 'act', type: 'categorical', values: ['relu', 'hswish', 'gelu'] },
  { name: 'slope', type: 'float', min: 0, max: 1, when: { act: 'hswish' } },
];
const space = createSearchSpace(parameters);
const genes = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }).map((u) => space.fromUnit(u));

const value = fc.integer({ min: 0, max: 4 });
const told = fc.tuple(value, value, fc.option(fc.integer({ min: -2, max: 2 }), { freq: 6 }), fc.boolean()).map(([a, b, g, failed]): Told => ({
  genes: [0], key: '0', proposedBy: 'test', objectives: [a, b], violations: [g], state: failed && g === null ? 'failed' : g !== null && g > 0 ? 'infeasible' : 'completed',
}));

describe('standings', () => {
  it('never put a dominated feasible point, a worse violation or an unknown one first', () => {
    fc.assert(fc.property(fc.array(told, { minLength: 2, maxLength: 12 }), (list) => {
      const s = standings(list);
      list.forEach((a, i) => list.forEach((b, k) => {
        const [ga, gb] = [a.violations[0] ?? null, b.violations[0] ?? null];
        const due = ga === null || a.state === 'failed' ? false : gb === null || b.state === 'failed' ? true : ga <= 0 && gb <= 0 ? dominates(a.objectives as number[], b.objectives as number[]) : Math.max(0, ga) < Math.max(0, gb);
        if (due) expect(compareStandings(s[i]!, s[k]!)).toBe(-1);
      }));
    }));
  });
});

describe('variation', () => {
  it('leaves every point on the grid, canonical', () => {
    fc.assert(fc.property(genes, genes, fc.nat(1000), (a, b, seed) => {
      const next = child(space, Rng.of(seed, 'child'), a, b);
      expect(next).toEqual(space.canonical(next));
    }));
  });

  it('changes the parameter it is told to, a discrete one always to another value, and no other', () => {
    fc.assert(fc.property(genes, fc.nat(2), fc.nat(1000), (a, i, seed) => {
      const next = mutated(space, Rng.of(seed, 'mutation'), a, [i]);
      const changed = next.flatMap((g, k) => (g !== a[k] ? [k] : []));
      // A continuous one at its bound, or a step below the decimal grid, may stay.
      const free = i === 0 ? [0, 3] : [3];
      expect(changed.filter((k) => !free.includes(k))).toEqual(i === 0 ? [] : [i]);
    }));
  });

  it('crosses equal parents to themselves', () => {
    fc.assert(fc.property(genes, fc.nat(1000), (a, seed) => {
      expect(crossover(space, Rng.of(seed, 'crossover'), a, a)).toEqual(a);
    }));
  });

  it('spreads children of two parents symmetrically about their middle', () => {
    const line = createSearchSpace([{ name: 'x', type: 'float', min: 0, max: 1 }]);
    const rng = Rng.of(5, 'spread');
    const n = 4000;
    const moved = Array.from({ length: n }, () => crossover(line, rng, [0.4], [0.6])[0]!);
    expect(Math.abs(moved.reduce((s, v) => s + v, 0) / n - 0.5)).toBeLessThan((4 * 0.12) / Math.sqrt(n));
  });
});

describe('niches', () => {
  it('have the finest lattice of directions that a population can fill', () => {
    expect(referenceDirections(4, 20)).toHaveLength(20);
    expect(referenceDirections(4, 34)).toHaveLength(20);
    expect(referenceDirections(5, 3)).toHaveLength(5);
    for (const w of referenceDirections(6, 56)) expect(w.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('give every direction its nearest point before any gives a second', () => {
    const directions = referenceDirections(3, 6);
    const rng = Rng.of(1, 'niches');
    // on the simplex: one close to each direction, and a crowd about the first
    const close = directions.map((w) => [...w].map((v) => 0.98 * v + 0.02 / 3));
    const crowd = Array.from({ length: 10 }, (_, i) => [0.004 * i, 0.01, 0.99 - 0.004 * i]);
    const chosen = nicheSurvivors(rng, directions, [], [...crowd, ...close], 6);
    expect(chosen.filter((k) => k >= crowd.length).length).toBeGreaterThanOrEqual(5);
    expect(new Set(nicheSurvivors(rng, directions, close.slice(0, 3), [...close.slice(3), ...crowd], 3))).toEqual(new Set([0, 1, 2]));
  });
});
