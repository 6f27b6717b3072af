import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPoints, plainFront } from './arbitrary.fixture.js';
import { ParetoArchive } from './pareto-archive.js';

describe('ParetoArchive', () => {
  it('holds the front of everything inserted, after every insertion, and says what changed', () => {
    for (const m of [1, 2, 3, 4]) {
      fc.assert(
        fc.property(anyPoints(m, 25), (points) => {
          const archive = new ParetoArchive<number>();
          let known = new Set<number>();
          points.forEach((p, i) => {
            const due = new Set(plainFront(points.slice(0, i + 1)));
            const { added, removed } = archive.insert(i, p);
            expect(new Set(archive.ids())).toEqual(due);
            expect(added).toBe(due.has(i));
            expect([...removed].sort((a, b) => a - b)).toEqual([...known].filter((k) => !due.has(k)).sort((a, b) => a - b));
            known = due;
          });
          archive.ids().forEach((id, k) => expect([...archive.points()[k]!]).toEqual(points[id]));
          points.forEach((p, i) => expect(archive.dominates(p)).toBe(!known.has(i)));
        }),
      );
    }
  });

  it('keeps its own copy of a point', () => {
    const archive = new ParetoArchive();
    const point = [1, 2];
    archive.insert('a', point);
    point[0] = 0;
    archive.points()[0]![1] = 0;
    expect([...archive.points()[0]!]).toEqual([1, 2]);
  });

  it('refuses NaN, another number of objectives, and an id that is on the front', () => {
    const archive = new ParetoArchive();
    archive.insert('a', [1, 2]);
    expect(() => archive.insert('b', [NaN, 2])).toThrow('point[0]: expected a number, got NaN');
    expect(() => archive.insert('b', [1, 2, 3])).toThrow('expected 2 objectives, got 3');
    expect(() => archive.insert('a', [0, 0])).toThrow('id "a" is on the front already');
    expect(archive.size).toBe(1);
  });
});
