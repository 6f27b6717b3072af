import { choleskySolve, cholesky, Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { fitTheta, type FitEffort } from './hyperparameters.js';
import { ScaledRows, type FeatureShape } from './kernel.js';
import { leaveOneOutScore } from './leave-one-out.js';

const SHAPE: FeatureShape = { size: 3, numeric: 2, categoricalOnly: false };
const WHOLE: FitEffort = { previous: null, fromMode: true, draws: 2, iterations: 40 };

function drawn(n: number, seed: number): Float64Array[] {
  const rng = Rng.of(seed);
  return Array.from({ length: n }, () => Float64Array.of(rng.next(), rng.next(), rng.int(3)));
}

/** Universal kriging of one outcome from the others, by the textbook: mean and variance, the mean's own error counted. */
function foretold(points: readonly Float64Array[], y: readonly number[], theta: readonly number[], left: number): { mean: number; variance: number } {
  const n = points.length;
  const rows = new ScaledRows(SHAPE, theta, n);
  points.forEach((x) => rows.append(x));
  const all = rows.matrix();
  const k = (i: number, j: number): number => (i === j ? 1 + Math.exp(theta[3]!) : all[Math.max(i, j) * n + Math.min(i, j)]!);
  const rest = points.flatMap((_, i) => (i === left ? [] : [i]));
  const { L } = cholesky(Float64Array.from(rest.flatMap((i) => rest.map((j) => k(i, j)))), n - 1);
  const solve = (b: readonly number[]): Float64Array => choleskySolve(L, n - 1, Float64Array.from(b));
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((s, v, i) => s + v * b[i]!, 0);
  const [one, own, near] = [rest.map(() => 1), rest.map((i) => y[i]!), rest.map((i) => k(i, left))];
  const trust = dot(one, solve(one));
  const mu = dot(one, solve(own)) / trust;
  const weights = solve(near);
  return { mean: mu + dot(weights, own.map((v) => v - mu)), variance: k(left, left) - dot(near, weights) + (1 - dot(one, weights)) ** 2 / trust };
}

describe('the score of what is left out', () => {
  it('is what leaving out one after the other gives', () => {
    const points = drawn(12, 3);
    const y = points.map((x) => Math.sin(5 * x[0]!) + x[1]! * x[2]!);
    const theta = [-0.7, 0.1, 0.4, -3];
    const plain = points.reduce((sum, _, i) => {
      const { mean, variance } = foretold(points, y, theta, i);
      return sum - 0.5 * (Math.log(2 * Math.PI * variance) + (y[i]! - mean) ** 2 / variance);
    }, 0);
    expect(leaveOneOutScore(SHAPE, points, y, theta)).toBeCloseTo(plain, 8);
  });

  it('punishes a model that calls exact what differs at one point', () => {
    const points = [Float64Array.of(0.5, 0.5, 1), Float64Array.of(0.5, 0.5, 1), Float64Array.of(0, 0, 0)];
    const of = (logNoise: number): number => leaveOneOutScore(SHAPE, points, [0, 1, -1], [0, 0, 0, logNoise]);
    expect(Number.isFinite(of(-Infinity))).toBe(true);
    expect(of(-Infinity)).toBeLessThan(of(-1) - 100);
  });
});

describe('the fit of exact outcomes', () => {
  it('follows a smooth function more closely than one that may call its bends noise, and a ragged one as loosely', () => {
    const points = drawn(20, 5).map((x) => Float64Array.of(x[0]!, x[1]!, 0));
    const standardised = (y: readonly number[]): number[] => {
      const mean = y.reduce((a, b) => a + b, 0) / y.length;
      const sd = Math.sqrt(y.reduce((s, v) => s + (v - mean) ** 2, 0) / y.length);
      return y.map((v) => (v - mean) / sd);
    };
    const smooth = standardised(points.map((x) => (x[0]! - 0.5) ** 2 + (x[1]! - 0.4) ** 2));
    const noise = (y: readonly number[], exact: boolean): number => fitTheta(SHAPE, points, y, { ...WHOLE, exact }, Rng.of(1))[3]!;
    expect(noise(smooth, true)).toBeLessThan(noise(smooth, false) - 2);
    const rng = Rng.of(8);
    const ragged = standardised(points.map((x) => x[0]! + rng.normal()));
    expect(noise(ragged, true)).toBeGreaterThan(Math.log(0.05));
  });
});
