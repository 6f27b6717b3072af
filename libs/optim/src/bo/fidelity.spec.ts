import { Rng } from '@app/numeric';
import { createSearchSpace, type Genes } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Optimizer, Told } from '../contract.js';
import { halving } from '../halving/halving.js';
import { bo } from './bo.js';
import { truncation } from './fidelity.js';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { fitTheta, negativeLogPosterior } from './hyperparameters.js';
import type { FeatureShape } from './kernel.js';
import { meanGains, Observations } from './observations.js';

const SHAPE: FeatureShape = { size: 2, numeric: 2, categoricalOnly: false };
const SHARES = [1 / 9, 1 / 3, 1];

function draw(n: number, seed: number): { rows: Float64Array[]; shares: number[]; y: number[]; theta: number[] } {
  const rng = Rng.of(seed, 'fidelity');
  const rows = Array.from({ length: n }, () => Float64Array.of(rng.next(), rng.next()));
  const shares = rows.map((_, i) => SHARES[i % 3]!);
  const y = rows.map((x, i) => Math.sin(5 * x[0]!) + x[1]! + (1 - shares[i]!) * (0.5 + x[0]! * x[1]!) + 0.05 * rng.normal());
  return { rows, shares, y, theta: [-0.7, -0.4, -4, -1, -1.5] };
}

describe('a process over partial evaluations', () => {
  it('predicts full ones as the joint normal distribution written out does', () => {
    const { rows, shares, y, theta } = draw(9, 1);
    const kernel = (a: Float64Array, b: Float64Array): number => {
      const r = Math.sqrt(5) * Math.hypot((a[0]! - b[0]!) / Math.exp(theta[0]!), (a[1]! - b[1]!) / Math.exp(theta[1]!));
      return (1 + r + r ** 2 / 3) * Math.exp(-r);
    };
    const cov = (a: Float64Array, s: number, b: Float64Array, t: number): number => kernel(a, b) + (1 - s) * (1 - t) * (1 + s * t) * (Math.exp(theta[3]!) + Math.exp(theta[4]!) * kernel(a, b));
    const gp = new GaussianProcess(new ProcessFactor(SHAPE, rows, theta, shares), y);
    const x = Float64Array.of(0.4, 0.6);
    const mean = gp.predict(Float64Array.of(1e6, 1e6)).mean;
    // Gauss-Seidel on K a = y - m, K b = k
    const K = rows.map((a, i) => rows.map((b, j) => cov(a, shares[i]!, b, shares[j]!) + (i === j ? Math.exp(theta[2]!) : 0)));
    const solve = (b: readonly number[]): number[] => {
      const out = b.map(() => 0);
      for (let sweep = 0; sweep < 20_000; sweep++) b.forEach((v, i) => (out[i]! += (v - K[i]!.reduce((s, k, j) => s + k * out[j]!, 0)) / K[i]![i]!));
      return out;
    };
    const k = rows.map((r, i) => cov(x, 1, r, shares[i]!));
    const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0);
    const ones = solve(y.map(() => 1));
    expect(mean).toBeCloseTo(dot(ones, y) / ones.reduce((a, b) => a + b, 0), 8);
    expect(gp.predict(x).mean).toBeCloseTo(mean + dot(k, solve(y.map((v) => v - mean))), 8);
    expect(gp.predict(x).sd).toBeCloseTo(Math.sqrt(1 - dot(k, solve(k))), 8);
  });

  it('comes to the same whether points are factorised at once or appended, and after some are dropped again', () => {
    const { rows, shares, y, theta } = draw(12, 2);
    const whole = new GaussianProcess(new ProcessFactor(SHAPE, rows, theta, shares), y);
    const grown = new ProcessFactor(SHAPE, rows.slice(0, 5), theta, shares.slice(0, 5));
    grown.append(Float64Array.of(0.5, 0.5));
    grown.truncate(5);
    rows.slice(5).forEach((x, i) => grown.append(x, shares[5 + i]));
    const x = Float64Array.of(0.3, 0.8);
    expect(new GaussianProcess(grown, y).predict(x).mean).toBeCloseTo(whole.predict(x).mean, 9);
    expect(new GaussianProcess(grown, y).predict(x).sd).toBeCloseTo(whole.predict(x).sd, 9);
  });

  it('has the slopes of the posterior that finite differences show', () => {
    const { rows, shares, y, theta } = draw(10, 3);
    const value = (t: Float64Array): number => negativeLogPosterior(SHAPE, rows, y, t, new Float64Array(5), shares);
    const gradient = new Float64Array(5);
    negativeLogPosterior(SHAPE, rows, y, Float64Array.from(theta), gradient, shares);
    gradient.forEach((g, d) => {
      const at = (h: number): Float64Array => Float64Array.from(theta, (v, i) => (i === d ? v + h : v));
      expect(g).toBeCloseTo((value(at(1e-5)) - value(at(-1e-5))) / 2e-5, 5);
    });
  });

  it('errs less at held-out points with 5 full and 30 partial results than with the 5 alone, and less than with all taken for full', () => {
    const full = (x: Float64Array): number => Math.sin(6 * x[0]!) + (x[1]! - 0.4) ** 2 * 2;
    const partial = (x: Float64Array): number => full(x) + (8 / 9) * (0.6 + 0.5 * x[1]!);
    const errors = [1, 2, 3, 4, 5].map((seed) => {
      const rng = Rng.of(seed, 'held out');
      const rows = Array.from({ length: 30 }, () => Float64Array.of(rng.next(), rng.next()));
      const [five, low] = [rows.slice(0, 5).map(full), rows.map(partial)];
      const test = Array.from({ length: 200 }, () => Float64Array.of(rng.next(), rng.next()));
      const effort = { previous: null, fromMode: true, draws: 2, iterations: 60 };
      const error = (points: Float64Array[], y: number[], shares: number[] | null): number => {
        const theta = fitTheta(SHAPE, points, y, { ...effort, ...(shares && { fidelities: shares }) }, Rng.of(seed, 'fit'));
        const gp = new GaussianProcess(new ProcessFactor(SHAPE, points, theta, shares), y);
        return Math.sqrt(test.reduce((s, x) => s + (gp.predict(x).mean - full(x)) ** 2, 0) / test.length);
      };
      const both = [...rows.slice(0, 5), ...rows];
      const told = [...five, ...low];
      return [error(rows.slice(0, 5), five, null), error(both, told, null), error(both, told, told.map((_, i) => (i < 5 ? 1 : 1 / 9)))] as const;
    });
    for (const [alone, blind, aware] of errors) {
      expect(aware).toBeLessThan(0.5 * alone);
      expect(aware).toBeLessThan(0.5 * blind);
    }
  });

  it('has no bias left at a full evaluation', () => {
    expect(truncation(1, 0.3)).toBe(0);
    expect(truncation(0.2, 0.2)).toBeCloseTo(0.64 * 1.04, 12);
  });
});

describe('halving around bo', () => {
  it('comes to lower errors when partial results are learned from as such than when they are told as estimates', () => {
    const space = createSearchSpace(Array.from({ length: 5 }, (_, i) => ({ name: `x${i}`, type: 'float' as const, min: 0, max: 1 })));
    const final = (g: Genes): number => g.reduce((s, v, i) => s + (v - [0.3, 0.7, 0.45, 0.6, 0.2][i]!) ** 2, 0);
    const error = (g: Genes, share: number): number => final(g) + (share === 1 ? 0 : (share < 0.2 ? 1 : 0.5) * (0.4 + 0.6 * Math.abs(g[1]! - 0.5) + 0.3 * g[4]!));
    const blind: Optimizer = {
      ...bo,
      start: (problem, settings) => {
        const run = bo.start(problem, settings);
        return { ask: (n) => run.ask(n), tell: (settled) => run.tell(settled.map(({ partial: _, ...t }) => t)), snapshot: () => run.snapshot(), screened: 0 };
      },
    };
    const best = (optimizer: Optimizer, seed: number): number => {
      const run = halving(optimizer).start({ space, objectives: 1, constraints: 0, seed, maxTrials: 52, fidelities: SHARES }, { candidates: 128, localSearches: 2 });
      let least = Infinity;
      for (let trial = 0; trial < 52; trial++) {
        const settled = run.ask(1).map((c): Told => ({ ...c, state: 'completed', objectives: [error(c.genes, c.fidelity ?? 1)], violations: [] }));
        if (settled[0]!.fidelity === undefined) least = Math.min(least, settled[0]!.objectives[0]!);
        run.tell(settled);
      }
      return least;
    };
    const seeds = [1, 2, 3, 4, 5];
    const [aware, unaware] = [bo, blind].map((o) => seeds.reduce((s, seed) => s + best(o, seed), 0));
    expect(aware).toBeLessThan(0.5 * unaware!);
  });
});

describe('observations', () => {
  const told = (key: string, value: number, more: Partial<Told> = {}): Told => ({ genes: [], key, proposedBy: 'test', state: 'completed', objectives: [value], violations: [], ...more });
  const at = (fidelity: number, value: number): { fidelity: number; objectives: number[]; violations: number[] } => ({ fidelity, objectives: [value], violations: [] });

  it('are the history itself until a trial has partial results, then each of those and the full ones, in places that stay', () => {
    const list = new Observations();
    const history = [told('a', 1), told('b', 2, { fidelity: 1 / 3 })];
    expect(list.of(history)).toBe(history);
    history.push(told('c', 3, { partial: [at(1 / 9, 5), at(1 / 3, 4)] }), told('d', 9, { fidelity: 1 / 9, partial: [at(1 / 9, 6)] }), told('e', 0, { state: 'failed', fidelity: 1 / 3, partial: [at(1 / 9, 7)] }));
    expect(list.of(history).map((o) => [o.key, o.share ?? 1, o.objectives[0]])).toEqual([['a', 1, 1], ['b', 1, 2], ['c', 1 / 9, 5], ['c', 1 / 3, 4], ['c', 1, 3], ['d', 1 / 9, 6], ['e', 1 / 9, 7], ['e', 1, 0]]);
  });

  it('gain from a share to the full what the points known at both do, else what the medians differ by', () => {
    const o = (key: string, share: number, value: number): { key: string; share: number; value: number } => ({ key, share, value });
    const gains = meanGains([o('a', 1, 10), o('b', 1, 12), o('a', 0.5, 13), o('b', 0.5, 13), o('c', 0.5, 99), o('d', 0.25, 20)]);
    expect(gains.get(0.5)).toBe(-2);
    expect(gains.get(0.25)).toBe(12 - 20);
    expect(meanGains([o('a', 0.5, 3)]).get(0.5)).toBe(0);
  });
});
