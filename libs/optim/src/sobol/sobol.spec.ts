import { createSearchSpace } from '@app/space';
import { expect, it } from 'vitest';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { sobol } from './sobol.js';

examineOptimizer(sobol);

it('covers every sixteenth of every parameter with its first sixteen points', () => {
  const space = createSearchSpace(Array.from({ length: 6 }, (_, i) => ({ name: `x${i}`, type: 'float' as const, min: 0, max: 1 })));
  const genes = sobol.start({ space, objectives: 1, constraints: 0, seed: 5 }).ask(16).map((c) => c.genes);
  for (let i = 0; i < 6; i++) expect(genes.map((g) => Math.floor(g[i]! * 16)).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, k) => k));
});
