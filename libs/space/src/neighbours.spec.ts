import { describe, expect, it } from 'vitest';
import { createSearchSpace } from './create-search-space.js';
import { gridNeighbours } from './neighbours.js';

describe('grid neighbours', () => {
  it('move an ordered gene by one and a category to every other value, and leave continuous genes alone', () => {
    const space = createSearchSpace([
      { name: 'n', type: 'int', min: 0, max: 9 },
      { name: 'op', type: 'categorical', values: ['a', 'b', 'c'] },
      { name: 'x', type: 'float', min: 0, max: 1 },
    ]);
    expect(gridNeighbours(space, [0, 1, 0.5])).toEqual([[1, 1, 0.5], [0, 0, 0.5], [0, 2, 0.5]]);
  });

  it('switch a child on at its default, and never move a gene that is switched off', () => {
    const space = createSearchSpace([
      { name: 'deep', type: 'categorical', values: [false, true] },
      { name: 'w', type: 'ordinal', values: [1, 2, 3, 4, 5], when: { deep: true } },
    ]);
    expect(gridNeighbours(space, [0, 2])).toEqual([[1, 2]]);
    expect(gridNeighbours(space, [1, 4])).toEqual([[0, 2], [1, 3]]);
  });

  it('connect every point of a space without continuous parameters', () => {
    const space = createSearchSpace([
      { name: 'deep', type: 'int', min: 0, max: 2 },
      { name: 'w', type: 'ordinal', values: [1, 2, 3], when: { deep: [1, 2] } },
      { name: 'v', type: 'categorical', values: ['a', 'b', 'c'], when: { w: 3 } },
    ]);
    const reached = new Map([[space.key(space.canonical([0, 0, 0])), space.canonical([0, 0, 0])]]);
    for (const genes of reached.values()) for (const next of gridNeighbours(space, genes)) reached.set(space.key(next), next);
    expect(reached.size).toBe(space.cardinality);
  });
});
