import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { fitTheta, negativeLogPosterior, priorTheta } from './hyperparameters.js';
import type { FeatureShape, Theta } from './kernel.js';
import { negativeLogLikelihood } from './likelihood.js';

const MIXED: FeatureShape = { size: 4, numeric: 3, categoricalOnly: false };
const CELLS: FeatureShape = { size: 5, numeric: 2, categoricalOnly: true };

function draw(shape: FeatureShape, n: number, seed: number): { rows: Float64Array[]; y: Float64Array; theta: number[]; rng: Rng } {
  const rng = Rng.of(seed);
  const rows = Array.from({ length: n }, () => Float64Array.from({ length: shape.size }, (_, d) => (d < shape.numeric ? rng.next() : rng.int(3))));
  const y = Float64Array.from(rows, (x) => Math.sin(4 * x[0]!) + x[1]! + 0.3 * x[shape.size - 1]! + 0.05 * rng.normal());
  const theta = [...Array.from({ length: shape.size }, () => -0.5 + 0.5 * rng.normal()), -4];
  return { rows, y, theta, rng };
}

const process = (shape: FeatureShape, rows: readonly Float64Array[], y: ArrayLike<number>, theta: Theta): GaussianProcess => new GaussianProcess(new ProcessFactor(shape, rows, theta), y);

/** The kernel straight from its formula. */
function kernel(shape: FeatureShape, a: Float64Array, b: Float64Array, theta: readonly number[]): number {
  let s2 = 0;
  for (let d = 0; d < shape.size; d++) s2 += (d < shape.numeric ? (a[d]! - b[d]!) ** 2 : a[d] === b[d] ? 0 : 1) / Math.exp(theta[d]!) ** 2;
  const r = Math.sqrt(5 * s2);
  return shape.categoricalOnly ? Math.exp(-s2) : (1 + r + r ** 2 / 3) * Math.exp(-r);
}

/** Solves A x = b by Gaussian elimination with row exchange. */
function solve(A: readonly (readonly number[])[], b: readonly number[]): number[] {
  const M = A.map((row, i) => [...row, b[i]!]);
  M.forEach((_, c) => {
    const pivot = M.reduce((best, row, i) => (i >= c && Math.abs(row[c]!) > Math.abs(M[best]![c]!) ? i : best), c);
    [M[c], M[pivot]] = [M[pivot]!, M[c]!];
    M.forEach((row, i) => {
      if (i === c) return;
      const f = row[c]! / M[c]![c]!;
      row.forEach((_v, k) => (row[k]! -= f * M[c]![k]!));
    });
  });
  return M.map((row, i) => row.at(-1)! / row[i]!);
}

describe('GaussianProcess', () => {
  it('predicts what the textbook formulas give, mixed and categorical', () => {
    for (const shape of [MIXED, CELLS]) {
      const { rows, y, theta, rng } = draw(shape, 12, 3);
      const K = rows.map((a, i) => rows.map((b, j) => kernel(shape, a, b, theta) + (i === j ? Math.exp(theta[shape.size]!) : 0)));
      const gp = process(shape, rows, y, theta);
      const ones = rows.map(() => 1);
      const mean = solve(K, [...y]).reduce((s, v) => s + v, 0) / solve(K, ones).reduce((s, v) => s + v, 0);
      const points = Array.from({ length: 7 }, () => Float64Array.from({ length: shape.size }, (_, d) => (d < shape.numeric ? rng.next() : rng.int(3))));
      const many = gp.predictMany(points);
      points.forEach((x, p) => {
        const k = rows.map((r) => kernel(shape, x, r, theta));
        const m = mean + solve(K, [...y].map((v) => v - mean)).reduce((s, v, i) => s + v * k[i]!, 0);
        const variance = 1 - solve(K, k).reduce((s, v, i) => s + v * k[i]!, 0);
        expect(gp.predict(x).mean).toBeCloseTo(m, 9);
        expect(gp.predict(x).sd).toBeCloseTo(Math.sqrt(variance), 9);
        expect(many.mean[p]).toBeCloseTo(m, 9);
        expect(many.sd[p]).toBeCloseTo(Math.sqrt(variance), 9);
      });
    }
  });

  it('has the slopes that finite differences show', () => {
    for (const shape of [MIXED, CELLS]) {
      const { rows, y, theta, rng } = draw(shape, 15, 5);
      const gp = process(shape, rows, y, theta);
      const [mean, sd] = [new Float64Array(shape.numeric), new Float64Array(shape.numeric)];
      for (let t = 0; t < 5; t++) {
        const x = Float64Array.from({ length: shape.size }, (_, d) => (d < shape.numeric ? rng.next() : rng.int(3)));
        expect(gp.predictWithSlopes(x, mean, sd)).toEqual(gp.predict(x));
        for (let d = 0; d < shape.numeric; d++) {
          const at = (h: number): Float64Array => x.map((v, i) => (i === d ? v + h : v));
          const [up, down] = [gp.predict(at(1e-5)), gp.predict(at(-1e-5))];
          expect(mean[d]).toBeCloseTo((up.mean - down.mean) / 2e-5, 5);
          expect(sd[d]).toBeCloseTo((up.sd - down.sd) / 2e-5, 5);
        }
      }
    }
  });

  it('believes a point: the mean stays everywhere, the deviation falls there and rises nowhere', () => {
    const { rows, y, theta, rng } = draw(MIXED, 10, 7);
    const [gp, before] = [process(MIXED, rows, y, theta), process(MIXED, rows, y, theta)];
    const believed = Float64Array.of(0.9, 0.1, 0.5, 2);
    gp.believe(believed);
    expect(gp.predict(believed).sd).toBeLessThan(0.3 * before.predict(believed).sd);
    for (let t = 0; t < 10; t++) {
      const x = Float64Array.from({ length: 4 }, (_, d) => (d < 3 ? rng.next() : rng.int(3)));
      expect(gp.predict(x).mean).toBeCloseTo(before.predict(x).mean, 12);
      expect(gp.predict(x).sd).toBeLessThanOrEqual(before.predict(x).sd + 1e-12);
    }
  });

  it('is the same process, to rounding, whether points came at once or one by one, and forgets the last ones', () => {
    const { rows, y, theta, rng } = draw(MIXED, 23, 13);
    const grown = new ProcessFactor(MIXED, rows.slice(0, 5), theta);
    for (const x of rows.slice(5)) grown.append(x);
    for (let k = 0; k < 40; k++) grown.append(Float64Array.of(rng.next(), rng.next(), rng.next(), 1));
    grown.truncate(23);
    const [a, b] = [new GaussianProcess(grown, y), process(MIXED, rows, y, theta)];
    for (let t = 0; t < 5; t++) {
      const x = Float64Array.of(rng.next(), rng.next(), rng.next(), rng.int(3));
      expect(a.predict(x).mean).toBeCloseTo(b.predict(x).mean, 9);
      expect(a.predict(x).sd).toBeCloseTo(b.predict(x).sd, 9);
    }
  });

  it('stands repeated points with different outcomes', () => {
    const x = Float64Array.of(0.5, 0.5, 0.5, 1);
    const gp = process(MIXED, [x, x, x, Float64Array.of(0, 0, 0, 0)], [1, 1.2, 0.8, -3], priorTheta(4));
    expect(gp.predict(x).mean).toBeCloseTo(1, 1);
  });
});

describe('the likelihood of the hyperparameters', () => {
  it('has the gradient that finite differences show, with and without the prior', () => {
    for (const shape of [MIXED, CELLS]) {
      const { rows, y, theta } = draw(shape, 14, 11);
      const g = new Float64Array(shape.size + 1);
      for (const f of [negativeLogLikelihood, negativeLogPosterior]) {
        f(shape, rows, y, Float64Array.from(theta), g);
        const gradient = [...g];
        gradient.forEach((slope, d) => {
          const at = (h: number): number => f(shape, rows, y, Float64Array.from(theta, (v, i) => (i === d ? v + h : v)), g);
          expect(slope).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 4);
        });
      }
    }
  });

  it('finds a long lengthscale for a parameter without influence and little noise where there is little', () => {
    const rng = Rng.of(2);
    const rows = Array.from({ length: 40 }, () => Float64Array.of(rng.next(), rng.next()));
    const y = rows.map((x) => 2 * Math.sin(6 * x[0]!));
    const theta = fitTheta({ size: 2, numeric: 2, categoricalOnly: false }, rows, y, { previous: null, fromMode: true, draws: 2, iterations: 40 }, Rng.of(1));
    expect(theta[1]! - theta[0]!).toBeGreaterThan(Math.log(3));
    expect(Math.exp(theta[2]!)).toBeLessThan(1e-2);
  });
});
