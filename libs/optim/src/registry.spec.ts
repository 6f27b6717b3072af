import { expect, it } from 'vitest';
import { optimizerNamed, optimizers } from './registry.js';

it('finds each optimizer under its name', () => {
  expect(optimizers().map((o) => o.name)).toEqual(['auto', 'mads', 'bo', 'sobol', 'random']);
  for (const o of optimizers()) expect(optimizerNamed(o.name)).toBe(o);
});

it('names the known ones when asked for another', () => {
  expect(() => optimizerNamed('nsga')).toThrow('expected one of auto, mads, bo, sobol, random, got "nsga"');
});
