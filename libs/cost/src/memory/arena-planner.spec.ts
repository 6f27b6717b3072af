import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planArena } from './arena-planner.js';
import { greedyPlacement, type Placement } from './greedy-planner.js';
import { lifetimes, peakOf, type Buffer } from './program.js';
import { programs } from './random-program.fixture.js';

/** From the definition: buffers in use at the same time lie apart, and the arena ends where the last of them does. */
function expectApart(buffers: readonly Buffer[], { offsets, size }: Placement): void {
  buffers.forEach((a, i) => {
    expect(offsets[i]).toBeGreaterThanOrEqual(0);
    buffers.slice(0, i).forEach((b, j) => {
      const together = a.first <= b.last && b.first <= a.last;
      expect(!together || offsets[i]! + a.size <= offsets[j]! || offsets[j]! + b.size <= offsets[i]!).toBe(true);
    });
  });
  expect(size).toBe(Math.max(0, ...buffers.map((b, i) => offsets[i]! + b.size)));
}

/** Every placement at integer offsets below `limit`: the smallest size there is. */
function bruteForce(buffers: readonly Buffer[], limit: number): number {
  const offsets: number[] = [];
  let best = limit;
  const visit = (i: number, size: number): void => {
    if (size >= best) return;
    if (i === buffers.length) {
      best = size;
      return;
    }
    const a = buffers[i]!;
    for (let offset = 0; offset + a.size < best; offset++) {
      const apart = buffers.slice(0, i).every((b, j) => a.first > b.last || b.first > a.last || offset + a.size <= offsets[j]! || offsets[j]! + b.size <= offset);
      if (!apart) continue;
      offsets[i] = offset;
      visit(i + 1, Math.max(size, offset + a.size));
    }
  };
  visit(0, 0);
  return best;
}

const buffer = fc.record({ size: fc.integer({ min: 1, max: 5 }), first: fc.nat(5), span: fc.nat(3) }).map(({ size, first, span }): Buffer => ({ size, first, last: first + span }));

describe('the greedy planner of TensorFlow Lite Micro', () => {
  it('places by falling size, of equal ones the later first, each at the lowest gap', () => {
    // 30: 0; 20 (both live with it): the later at 30, the other, which does not meet it, at 30 too; 10 above
    const buffers = [{ size: 10, first: 0, last: 3 }, { size: 20, first: 0, last: 1 }, { size: 30, first: 1, last: 2 }, { size: 20, first: 2, last: 3 }];
    expect(greedyPlacement(buffers)).toEqual({ offsets: [50, 30, 0, 30], size: 60 });
  });

  it('uses a gap between two placed buffers', () => {
    const buffers = [{ size: 8, first: 0, last: 1 }, { size: 9, first: 1, last: 1 }, { size: 10, first: 0, last: 0 }, { size: 1, first: 1, last: 1 }];
    const placement = greedyPlacement(buffers);
    expect(placement.offsets).toEqual([10, 0, 0, 9]);
  });

  it('keeps apart whatever lives at the same time', () => {
    fc.assert(fc.property(programs(15), (program) => {
      const { buffers } = lifetimes(program, undefined, 16);
      expectApart(buffers, greedyPlacement(buffers));
    }));
  });
});

describe('our planner', () => {
  it('finds the smallest arena of all there are for a few buffers, and proves it', () => {
    fc.assert(fc.property(fc.array(buffer, { minLength: 1, maxLength: 6 }), (buffers) => {
      const plan = planArena(buffers);
      expectApart(buffers, plan);
      expect(plan.proven).toBe(true);
      expect(plan.size).toBe(bruteForce(buffers, greedyPlacement(buffers).size + 1));
    }));
  });

  it('finds it by search where the greedy orders do not', () => {
    fc.assert(fc.property(fc.array(buffer, { minLength: 5, maxLength: 7 }), (buffers) => {
      const plan = planArena(buffers, { rounds: 0 });
      expectApart(buffers, plan);
      expect(plan.size).toBe(bruteForce(buffers, greedyPlacement(buffers).size + 1));
    }), { numRuns: 30 });
  });

  it('is never above the greedy planner nor below the largest live set', () => {
    fc.assert(fc.property(programs(25), (program) => {
      const { buffers } = lifetimes(program);
      const plan = planArena(buffers, { nodes: 500 });
      expectApart(buffers, plan);
      expect(plan.size).toBeLessThanOrEqual(greedyPlacement(buffers).size);
      expect(plan.lowerBound).toBeGreaterThanOrEqual(peakOf(buffers));
      expect(plan.lowerBound).toBeLessThanOrEqual(plan.size);
    }));
  });

  it('claims no proof that a full search would not give where it is cut short', () => {
    fc.assert(fc.property(fc.array(buffer, { minLength: 5, maxLength: 12 }), fc.nat(20), (buffers, nodes) => {
      const cut = planArena(buffers, { rounds: 0, nodes });
      const full = planArena(buffers);
      expect(cut.lowerBound).toBeLessThanOrEqual(full.size);
      if (cut.proven) expect(cut.size).toBe(full.size);
    }));
  });

  it('has an arena of nothing for no buffers', () => {
    expect(planArena([])).toEqual({ offsets: [], size: 0, lowerBound: 0, proven: true });
  });
});
