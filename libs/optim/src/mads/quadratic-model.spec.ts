import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { achievement, addGradient, minimiseInBox, quadraticFit, valueOf, type Quadratic } from './quadratic-model.js';

const rng = Rng.of(9);
const draw = (n: number): number[] => Array.from({ length: n }, () => 2 * rng.next() - 1);
const truth = (z: readonly number[]): number => 1 + 2 * z[0]! - z[1]! + 3 * z[0]! ** 2 + z[0]! * z[1]! + 0.5 * z[2]! ** 2;

describe('the quadratic model', () => {
  it('finds a quadratic again from ten points in three dimensions, and from thirty', () => {
    for (const p of [10, 30]) {
      const z = Array.from({ length: p }, () => draw(3));
      const q = quadraticFit(z)!(z.map(truth));
      for (let t = 0; t < 20; t++) {
        const x = draw(3);
        expect(valueOf(q, x)).toBeCloseTo(truth(x), 2);
      }
    }
  });

  it('passes through fewer points than it has coefficients, and needs n + 1', () => {
    const z = Array.from({ length: 6 }, () => draw(3));
    const q = quadraticFit(z)!(z.map(truth));
    for (const x of z) expect(valueOf(q, x)).toBeCloseTo(truth(x), 5);
    expect(quadraticFit(z.slice(0, 3))).toBeNull();
    expect(quadraticFit(z.map((x) => [x[0]!, x[1]!, 0]))).toBeNull();
  });

  it('has the gradient of its finite differences', () => {
    const z = Array.from({ length: 12 }, () => draw(3));
    const q = quadraticFit(z)!(z.map(truth));
    const x = draw(3);
    const g = new Float64Array(3);
    addGradient(q, x, 1, g);
    for (let i = 0; i < 3; i++) {
      const moved = (e: number): number => valueOf(q, x.map((v, k) => (k === i ? v + e : v)));
      expect(g[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
    }
  });

  it('is minimised in the box and under a constraint', () => {
    const bowl: Quadratic = { alpha: 0, g: Float64Array.from([-4, -2]), H: Float64Array.from([2, 0, 0, 2]) };
    const line: Quadratic = { alpha: -1, g: Float64Array.from([1, 1]), H: new Float64Array(4) };
    const free = minimiseInBox(achievement([bowl], [0], [1]), [], [-1, -1], [1, 1], [[0, 0]]);
    expect(free[0]).toBeCloseTo(1, 6);
    expect(free[1]).toBeCloseTo(1, 6);
    // Nearest point to (2, 1) on x + y ≤ 1: (1, 0).
    const bound = minimiseInBox(achievement([bowl], [0], [1]), [line], [-3, -3], [3, 3], [[0, 0]]);
    expect(bound[0]).toBeCloseTo(1, 3);
    expect(bound[1]).toBeCloseTo(0, 3);
  });
});
