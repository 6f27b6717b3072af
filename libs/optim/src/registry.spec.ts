import { expect, it } from 'vitest';
import { optimizerNamed, optimizers } from './registry.js';

it('finds each optimizer under its name', () => {
  expect(optimizers().map((o) => o.name)).toEqual(['auto', 'mads', 'bo', 'tpe', 'nsga2', 'evolution', 'sobol', 'random']);
  for (const o of optimizers()) expect(optimizerNamed(o.name)).toBe(o);
});

it('names the known ones when asked for another', () => {
  expect(() => optimizerNamed('nsga-iii')).toThrow('expected one of auto, mads, bo, tpe, nsga2, evolution, sobol, random, got "nsga-iii"');
});
