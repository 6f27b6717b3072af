import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPoints, plainDominates, plainFront, withPermutation } from './arbitrary.fixture.js';
import { nonDominatedSort, RankedFronts } from './ranks.js';

/** Peels front after front. */
function plainRanks(points: readonly (readonly number[])[]): number[] {
  const ranks = new Array<number>(points.length).fill(-1);
  let left = points.map((_, i) => i);
  for (let rank = 0; left.length > 0; rank++) {
    const front = new Set(plainFront(left.map((i) => points[i]!)).map((k) => left[k]!));
    for (const i of front) ranks[i] = rank;
    left = left.filter((i) => !front.has(i));
  }
  return ranks;
}

describe('nonDominatedSort', () => {
  it('gives the ranks that peeling gives', () => {
    for (const m of [1, 2, 3, 4]) fc.assert(fc.property(anyPoints(m, 30), (points) => void expect([...nonDominatedSort(points)]).toEqual(plainRanks(points))));
  });

  it('ranks a chain 0, 1, 2, … and equal points alike', () => {
    expect([...nonDominatedSort([[3, 3], [1, 1], [2, 2], [1, 1]])]).toEqual([2, 0, 1, 0]);
    expect([...nonDominatedSort([])]).toEqual([]);
  });

  it('puts under each point of rank k > 0 some point of rank k - 1 that dominates it', () => {
    fc.assert(
      fc.property(anyPoints(3, 40), (points) => {
        const ranks = nonDominatedSort(points);
        points.forEach((p, i) => {
          if (ranks[i]! > 0) expect(points.some((q, j) => ranks[j] === ranks[i]! - 1 && plainDominates(q, p))).toBe(true);
        });
      }),
    );
  });
});

describe('RankedFronts', () => {
  it('keeps the ranks of a full sort after every insertion, and names exactly the points that changed', () => {
    for (const m of [1, 2, 3]) {
      fc.assert(
        fc.property(anyPoints(m, 25), (points) => {
          const fronts = new RankedFronts<number>();
          let before: number[] = [];
          points.forEach((p, i) => {
            const due = plainRanks(points.slice(0, i + 1));
            const changes = fronts.insert(i, p);
            expect(due.map((_, k) => fronts.rankOf(k))).toEqual(due);
            expect(changes[0]).toEqual({ id: i, rank: due[i] });
            const moved = due.flatMap((rank, k) => (k !== i && rank !== before[k] ? [{ id: k, rank }] : []));
            expect(changes.slice(1).sort((a, b) => a.id - b.id)).toEqual(moved);
            before = due;
          });
          for (let rank = 0; rank <= fronts.depth; rank++) expect(fronts.front(rank).sort((a, b) => a - b)).toEqual(before.flatMap((r, k) => (r === rank ? [k] : [])));
        }),
      );
    }
  });

  it('does not care for the order, and builds the same from a list', () => {
    fc.assert(
      fc.property(withPermutation(anyPoints(3, 25)), ({ points, order }) => {
        const fronts = new RankedFronts<number>();
        for (const i of order) fronts.insert(i, points[i]!);
        const bulk = RankedFronts.from(points.map((point, id) => ({ id, point })));
        points.forEach((_, i) => expect(fronts.rankOf(i)).toBe(bulk.rankOf(i)));
        expect(bulk.depth).toBe(fronts.depth);
        expect(bulk.size).toBe(points.length);
        const [a, b] = [fronts.insert(-1, [1, 1, 1]), bulk.insert(-1, [1, 1, 1])];
        expect(new Set(a.map((c) => `${c.id}:${c.rank}`))).toEqual(new Set(b.map((c) => `${c.id}:${c.rank}`)));
      }),
    );
  });

  it('refuses NaN, another number of objectives, and an id it knows', () => {
    const fronts = new RankedFronts();
    fronts.insert('a', [1, 2]);
    expect(() => fronts.insert('b', [1, NaN])).toThrow('point of "b"[1]: expected a number, got NaN');
    expect(() => fronts.insert('b', [1])).toThrow('expected 2 objectives, got 1');
    expect(() => fronts.insert('a', [1, 1])).toThrow('id "a" is ranked already');
    expect(fronts.size).toBe(1);
    expect(fronts.rankOf('b')).toBeUndefined();
  });
});
