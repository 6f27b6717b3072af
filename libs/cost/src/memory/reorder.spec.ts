import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lifetimes, peakOf, type MemoryProgram } from './program.js';
import { programs } from './random-program.fixture.js';
import { reorderOperators } from './reorder.js';

/** Smallest peak over all orders, one after another. */
function bruteForce(program: MemoryProgram): number {
  const { ops } = program;
  const producer = new Map(ops.flatMap((op, k) => op.outputs.map((t) => [t, k] as const)));
  let best = Infinity;
  const visit = (order: number[]): void => {
    if (order.length === ops.length) best = Math.min(best, peakOf(lifetimes(program, order).buffers));
    ops.forEach((op, k) => {
      if (!order.includes(k) && op.inputs.every((t) => !producer.has(t) || order.includes(producer.get(t)!))) visit([...order, k]);
    });
  };
  visit([]);
  return best;
}

/** Two branches, each a wide tensor that is reduced to a narrow one: run side by side they need both wide tensors, one by one only one. */
const branches: MemoryProgram = {
  tensors: [10, 100, 100, 5, 5, 10],
  ops: [
    { id: 'wide a', inputs: [0], outputs: [1], scratch: [], overwrites: [] },
    { id: 'wide b', inputs: [0], outputs: [2], scratch: [], overwrites: [] },
    { id: 'narrow a', inputs: [1], outputs: [3], scratch: [], overwrites: [] },
    { id: 'narrow b', inputs: [2], outputs: [4], scratch: [], overwrites: [] },
    { id: 'join', inputs: [3, 4], outputs: [5], scratch: [], overwrites: [] },
  ],
  inputs: [0],
  outputs: [5],
};

describe('reordering operators', () => {
  it('finds the smallest peak of all orders of a small program, and proves it', () => {
    fc.assert(fc.property(programs(7), (program) => {
      const found = reorderOperators(program);
      expect(found.peak).toBe(bruteForce(program));
      expect(found).toMatchObject({ optimal: true, lowerBound: found.peak });
      expect(peakOf(lifetimes(program, found.order).buffers)).toBe(found.peak);
    }), { numRuns: 150 });
  });

  it('runs one branch to its end before it begins the next', () => {
    expect(reorderOperators(branches)).toMatchObject({ before: 210, peak: 115, optimal: true });
  });

  it('keeps bound ≤ optimum ≤ answer where it is cut short', () => {
    fc.assert(fc.property(programs(8), fc.integer({ min: 0, max: 3 }), (program, states) => {
      const best = reorderOperators(program).peak;
      const cut = reorderOperators(program, states);
      expect(cut.lowerBound).toBeLessThanOrEqual(best);
      expect(cut.peak).toBeGreaterThanOrEqual(best);
      expect(cut.peak).toBeLessThanOrEqual(cut.before);
      if (cut.optimal) expect(cut.peak).toBe(best);
    }), { numRuns: 150 });
  });

  it('counts aligned sizes', () => {
    expect(reorderOperators(branches, 1000, 16)).toMatchObject({ before: 112 + 112 + 16, peak: 112 + 16 + 16 });
  });

  it('is empty for a program without operators', () => {
    expect(reorderOperators({ tensors: [8], ops: [], inputs: [0], outputs: [0] })).toEqual({ order: [], peak: 8, before: 8, lowerBound: 8, optimal: true });
  });
});

describe('lifetimes', () => {
  it('are what a step by step account of tensors in use says, in any order', () => {
    fc.assert(fc.property(programs(9), (program) => {
      const { buffers, bufferOf } = lifetimes(program);
      const home = new Map<number, number>();
      program.inputs.forEach((t) => home.set(t, t));
      const alive = new Set(program.inputs);
      const needed = (t: number, k: number): boolean => program.outputs.includes(t) || program.ops.slice(k).some((op) => op.inputs.includes(t));
      let peak = program.inputs.reduce((sum, t) => sum + program.tensors[t]!, 0);
      program.ops.forEach((op, k) => {
        for (const t of [...alive]) if (!needed(t, k)) alive.delete(t);
        const over = op.overwrites.find((t) => !needed(t, k + 1));
        const [out] = op.outputs;
        home.set(out!, over === undefined ? out! : home.get(over)!);
        const homes = new Set([...alive, out!].map((t) => home.get(t)!));
        peak = Math.max(peak, [...homes].reduce((sum, t) => sum + program.tensors[t]!, 0) + op.scratch.reduce((a, b) => a + b, 0));
        alive.add(out!);
      });
      expect(peakOf(buffers)).toBe(peak);
      home.forEach((h, t) => expect(bufferOf[t]).toBe(bufferOf[h]));
    }));
  });

  it('refuse an order that is none, naming the operator', () => {
    expect(() => lifetimes(branches, [2, 0, 1, 3, 4])).toThrow('"narrow a" stands before "wide a"');
    expect(() => lifetimes(branches, [0, 0, 1, 3, 4])).toThrow('"wide a" stands twice');
    expect(() => lifetimes(branches, [0, 1])).toThrow('expected 5 operators, got 2');
    expect(() => lifetimes(branches, [0, 1, 2, 3, 9])).toThrow('9 is not one of 5 operators');
  });
});
