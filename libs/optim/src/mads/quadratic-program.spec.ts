import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { valueOf, type Quadratic } from './quadratic-model.js';
import { minimiseQuadratic } from './quadratic-program.js';

const diagonal = (alpha: number, g: number[], h: number[]): Quadratic => ({
  alpha, g: Float64Array.from(g), H: Float64Array.from({ length: g.length ** 2 }, (_, k) => (k % (g.length + 1) === 0 ? h[k / (g.length + 1)]! : 0)),
});

describe('minimiser of a quadratic under quadratic constraints in a box', () => {
  it('finds -44 at (0, 1, 2, -1) for Rosen and Suzuki (Hock & Schittkowski, problem 43), to a hundred-millionth of what the functions vary over the box', () => {
    const f = diagonal(0, [-5, -5, -21, 7], [2, 2, 4, 2]);
    const constraints = [diagonal(-8, [1, -1, 1, -1], [2, 2, 2, 2]), diagonal(-10, [-1, 0, 0, -1], [2, 4, 2, 4]), diagonal(-5, [2, -1, 0, -1], [4, 2, 2, 0])];
    for (const side of [3, 10, 100]) {
      const z = minimiseQuadratic(f, constraints, [-side, -side, -side, -side], [side, side, side, side], [[0, 0, 0, 0]]);
      expect(Math.abs(valueOf(f, z) + 44)).toBeLessThan(1e-8 * side ** 2);
      [0, 1, 2, -1].forEach((v, i) => expect(z[i]).toBeCloseTo(v, 3));
      for (const q of constraints) expect(valueOf(q, z)).toBeLessThan(1e-8 * side ** 2);
    }
  });

  it('leaves no better point of a convex problem, wherever the box lies: drawn points are worse or break a constraint', () => {
    const rng = Rng.of(5);
    for (let round = 0; round < 40; round++) {
      const n = 1 + rng.int(5);
      const numbers = (): number[] => Array.from({ length: n }, () => rng.normal());
      const low = numbers();
      const high = low.map((l) => l + 0.1 + 3 * rng.next());
      const inside = (): number[] => low.map((l, i) => l + rng.next() * (high[i]! - l));
      const f = diagonal(0, numbers(), numbers().map(Math.abs));
      const anchor = inside();
      const plain = diagonal(0, numbers(), numbers().map(Math.abs));
      const constraint = { ...plain, alpha: -valueOf(plain, anchor) };
      const z = minimiseQuadratic(f, [constraint], low, high, [inside()]);
      z.forEach((v, i) => expect(v >= low[i]! - 1e-12 && v <= high[i]! + 1e-12).toBe(true));
      expect(valueOf(constraint, z)).toBeLessThan(1e-6);
      for (let t = 0; t < 200; t++) {
        const other = t === 0 ? anchor : inside();
        if (valueOf(constraint, other) <= 0) expect(valueOf(f, other)).toBeGreaterThan(valueOf(f, z) - 1e-6);
      }
    }
  });

  it('takes the better of two minima of a concave quadratic if a start leads there, and stays where the box has no room', () => {
    const f = diagonal(0, [0.1, 0], [-2, -2]);
    expect(minimiseQuadratic(f, [], [-1, 0], [1, 0], [[0.9, 0], [-0.9, 0]])).toEqual([-1, 0]);
  });

  it('comes nearest to constraints that no point of the box keeps', () => {
    const z = minimiseQuadratic(diagonal(0, [1], [0]), [diagonal(5, [-1], [0])], [0], [2], [[0]]);
    expect(z[0]).toBeCloseTo(2, 9);
  });
});
