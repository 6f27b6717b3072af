import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimiseLbfgs, type Differentiable } from './lbfgs.js';
import { Rng } from './rng.js';

const rosenbrock: Differentiable = (x, g) => {
  let sum = 0;
  g.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const [a, b] = [1 - x[i]!, x[i + 1]! - x[i]! ** 2];
    sum += a * a + 100 * b * b;
    g[i]! += -2 * a - 400 * x[i]! * b;
    g[i + 1]! += 200 * b;
  }
  return sum;
};

describe('minimiseLbfgs', () => {
  it('solves Rosenbrock in 10 dimensions to (1, …, 1)', () => {
    const { x, value, converged } = minimiseLbfgs(rosenbrock, Array.from({ length: 10 }, (_, i) => (i % 2 ? 1 : -1.2)), { maxIterations: 500, gradientTolerance: 1e-8, valueTolerance: 0 });
    expect(converged).toBe(true);
    expect(value).toBeLessThan(1e-12);
    for (const v of x) expect(v).toBeCloseTo(1, 6);
  });

  it('finds the bound minimum: Rosenbrock in [-2, 0.5]² is least at (0.5, 0.25)', () => {
    // With x₁ = 0.5 the best x₂ is x₁²; the slope in x₁ there is -1.
    const { x, value } = minimiseLbfgs(rosenbrock, [-1.2, -1], { lower: [-2, -2], upper: [0.5, 0.5], maxIterations: 300 });
    expect(x[0]).toBe(0.5);
    expect(x[1]).toBeCloseTo(0.25, 4);
    expect(value).toBeCloseTo(0.25, 6);
  });

  it('meets the optimality conditions of random convex quadratics in a box', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(), (n, seed) => {
        const rng = Rng.of(seed);
        const B = Array.from({ length: n * n }, () => rng.normal());
        const centre = Array.from({ length: n }, () => 2 * rng.normal());
        const f: Differentiable = (x, g) => {
          const d = Array.from(x, (v, i) => v - centre[i]!);
          const Bd = Array.from({ length: n }, (_, i) => d.reduce((s, v, j) => s + B[i * n + j]! * v, 0));
          for (let j = 0; j < n; j++) g[j] = 2 * Bd.reduce((s, v, i) => s + B[i * n + j]! * v, 0) + 0.2 * d[j]!;
          return Bd.reduce((s, v) => s + v * v, 0) + 0.1 * d.reduce((s, v) => s + v * v, 0);
        };
        const { x } = minimiseLbfgs(f, new Float64Array(n), { lower: Array(n).fill(-1), upper: Array(n).fill(1), maxIterations: 1000, gradientTolerance: 1e-7, valueTolerance: 0 });
        const g = new Float64Array(n);
        f(x, g);
        x.forEach((v, i) => {
          expect(v >= -1 && v <= 1).toBe(true);
          if (v > -1 + 1e-6) expect(g[i]).toBeLessThan(1e-4);
          if (v < 1 - 1e-6) expect(g[i]).toBeGreaterThan(-1e-4);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('steps back from where the function is not finite, and stays put at a minimum', () => {
    const logBarrier: Differentiable = (x, g) => {
      g[0] = 1 - 0.01 / x[0]!;
      return x[0]! > 0 ? x[0]! - 0.01 * Math.log(x[0]!) : NaN;
    };
    expect(minimiseLbfgs(logBarrier, [5]).x[0]).toBeCloseTo(0.01, 4);
    const still = minimiseLbfgs((x, g) => ((g[0] = 2 * x[0]!), x[0]! ** 2), [0]);
    expect(still).toMatchObject({ iterations: 0, evaluations: 1, converged: true });
  });

  it('projects the start into the box and leaves the array given alone', () => {
    const start = [9, -9];
    const { x } = minimiseLbfgs((p, g) => ((g[0] = 1), (g[1] = 0), p[0]!), start, { lower: [-1, -1], upper: [1, 1] });
    expect([...x]).toEqual([-1, -1]);
    expect(start).toEqual([9, -9]);
  });

  it('refuses crossed bounds, bounds of another length, and a start without a value', () => {
    expect(() => minimiseLbfgs(rosenbrock, [0, 0], { lower: [1, 0], upper: [0, 1] })).toThrow('bounds[0]: expected lower ≤ upper, got 1 and 0');
    expect(() => minimiseLbfgs(rosenbrock, [0, 0], { lower: [0] })).toThrow('expected 2 bounds, got 1 lower and 2 upper');
    expect(() => minimiseLbfgs(() => NaN, [0])).toThrow('expected a finite value at the start, got NaN');
  });
});
