import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Barrier, covers } from './barrier.js';
import { chooseCentres, gaps } from './centres.js';
import { evaluated, violationScales, type Evaluated } from './evaluated.js';
import type { MeshAxis } from './granular-mesh.js';

const axes: MeshAxis[] = [{ granularity: 0, range: 1, initialLevel: -3 }];
let count = 0;
const point = (f: number[], h = 0): Evaluated => ({ key: `p${count++}`, genes: [0.5], f, h });
const filled = (...points: Evaluated[]): Barrier => {
  const barrier = new Barrier(axes);
  for (const p of points) barrier.insert(p, [-3], null);
  return barrier;
};

describe('the barrier', () => {
  it('holds exactly the non-dominated points, in whatever order they come', () => {
    const some = fc.array(fc.record({ f: fc.tuple(fc.nat(6), fc.nat(6)), h: fc.nat(2) }), { maxLength: 25 });
    fc.assert(fc.property(some, (raw) => {
      const points = raw.map((r) => point([...r.f], r.h));
      const barrier = filled(...points);
      for (const kind of [0, 1]) {
        const all = points.filter((p) => Math.sign(p.h) === kind);
        const listed = (kind === 0 ? barrier.feasible : barrier.infeasible).map((l) => l.point);
        for (const p of all) expect(listed.some((l) => covers(l, p))).toBe(true);
        for (const a of listed) for (const b of listed) if (a !== b) expect(covers(a, b)).toBe(false);
      }
    }));
  });

  it('never raises its threshold, and drops what lies above', () => {
    const barrier = filled(point([3, 3], 1), point([1, 1], 5));
    barrier.lower(2);
    barrier.lower(4);
    expect(barrier.hmax).toBe(2);
    expect(barrier.infeasible.map((l) => l.point.h)).toEqual([1]);
    expect(barrier.insert(point([0, 0], 3), [-3], null)).toBe('rejected');
  });

  it('coarsens the inherited mesh of a point that dominated, not of one that merely joined', () => {
    const barrier = filled(point([2, 2]), point([5, 0]));
    barrier.insert(point([1, 1]), [-6], [0.05]);
    barrier.insert(point([3, 0.5]), [-6], [0.05]);
    expect(barrier.feasible.map((l) => l.mesh[0])).toEqual([-3, -5, -6]);
  });
});

describe('the poll centre', () => {
  it('is the point at the emptiest stretch of the whole list, ends counted double', () => {
    const list = [point([0, 10]), point([1, 9]), point([2, 8]), point([10, 0])];
    const barrier = filled(...list);
    expect([...gaps(barrier.feasible).values()]).toEqual([0.2, 0.2, 0.9, 1.6]);
    expect(chooseCentres(barrier, new Set())!.primary.point).toBe(list[3]);
    expect(chooseCentres(barrier, new Set([list[3]!.key]))!.primary.point).toBe(list[2]);
  });

  it('can be infeasible, if that point sticks out far enough, and is then followed by the feasible one', () => {
    const good = point([10]);
    const out = point([2], 0.3);
    const far = chooseCentres(filled(good, out), new Set())!;
    expect([far.primary.point, far.secondary!.point]).toEqual([out, good]);
    const near = chooseCentres(filled(good, point([9.5], 0.3)), new Set())!;
    expect(near.primary.point).toBe(good);
    expect(near.secondary!.point.h).toBe(0.3);
  });

  it('does not exist once every point is polled to the end', () => {
    const only = point([1]);
    expect(chooseCentres(filled(only), new Set([only.key]))).toBeNull();
  });
});

describe('what was told', () => {
  const told = (state: 'completed' | 'infeasible' | 'failed', objectives: (number | null)[], violations: (number | null)[]) => ({ genes: [0], key: 'k', proposedBy: 't', state, objectives, violations });
  it('is ranked by the scaled squares of its violations', () => {
    expect(evaluated(told('infeasible', [1], [300, -5]), [100, 1])).toMatchObject({ h: 9, f: [1] });
    expect(violationScales([told('completed', [1], [4, null]), told('completed', [1], [-8, 0]), told('failed', [null], [2, null])], 2)).toEqual([4, 1]);
  });
  it('counts a missing objective of an infeasible point as infinite, and leaves out what can not be ranked', () => {
    expect(evaluated(told('infeasible', [null], [1]), [1])).toMatchObject({ h: 1, f: [Infinity] });
    expect(evaluated(told('completed', [null], [-1]), [1])).toBeNull();
    expect(evaluated(told('completed', [1], [null]), [1])).toBeNull();
    expect(evaluated(told('failed', [1], [-1]), [1])).toBeNull();
  });
});
