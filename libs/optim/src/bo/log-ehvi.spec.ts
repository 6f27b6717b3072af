import { Rng } from '@app/numeric';
import { hypervolumeGain, nonDominatedBoxes } from '@app/pareto';
import { describe, expect, it } from 'vitest';
import { LogEhvi, logFeasible } from './log-ehvi.js';

const front = (m: number, n: number, rng: Rng): number[][] =>
  Array.from({ length: n }, () => {
    const p = Array.from({ length: m }, () => Math.abs(rng.normal()) + 0.01);
    const norm = Math.hypot(...p);
    return p.map((v) => v / norm);
  });

describe('LogEhvi', () => {
  it('is the mean hypervolume gain of normal outcomes: agrees with Monte Carlo within five standard errors', () => {
    for (const [m, n] of [[1, 1], [2, 0], [2, 5], [3, 6], [4, 4]] as const) {
      const rng = Rng.of(m, n);
      const points = front(m, n, rng);
      const reference = Array<number>(m).fill(1.2);
      const ehvi = new LogEhvi(nonDominatedBoxes(points, reference));
      const mean = Array.from({ length: m }, () => 0.3 + 0.5 * rng.next());
      const sd = Array.from({ length: m }, () => 0.1 + 0.3 * rng.next());
      const draws = Array.from({ length: 4000 }, () => hypervolumeGain(mean.map((v, j) => v + sd[j]! * rng.normal()), points, reference));
      const average = draws.reduce((s, v) => s + v, 0) / draws.length;
      const error = Math.sqrt(draws.reduce((s, v) => s + (v - average) ** 2, 0)) / draws.length;
      expect(Math.abs(Math.exp(ehvi.value(mean, sd)) - average)).toBeLessThan(5 * error);
    }
  });

  it('has the gradient that finite differences show, near the front and where the plain sum underflows', () => {
    for (const m of [1, 2, 3]) {
      const rng = Rng.of(m, 'gradient');
      const ehvi = new LogEhvi(nonDominatedBoxes(front(m, 4, rng), Array<number>(m).fill(1.2)));
      for (const far of [0, 1, 20]) {
        const mean = Float64Array.from({ length: m }, () => 0.6 + far + 0.3 * rng.next());
        const sd = Float64Array.from({ length: m }, () => 0.1 + 0.2 * rng.next());
        const [byMean, bySd] = [new Float64Array(m), new Float64Array(m)];
        const value = ehvi.value(mean, sd, byMean, bySd);
        expect(Number.isFinite(value)).toBe(true);
        expect(ehvi.value(mean, sd)).toBe(value);
        for (let j = 0; j < m; j++) {
          const at = (v: Float64Array, h: number): Float64Array => v.map((x, i) => (i === j ? x + h : x));
          const slope = (ehvi.value(at(mean, 1e-6), sd) - ehvi.value(at(mean, -1e-6), sd)) / 2e-6;
          const spread = (ehvi.value(mean, at(sd, 1e-6)) - ehvi.value(mean, at(sd, -1e-6))) / 2e-6;
          expect(Math.abs(byMean[j]! - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
          expect(Math.abs(bySd[j]! - spread)).toBeLessThan(1e-4 * (1 + Math.abs(spread)));
        }
      }
    }
  });

  it('passes from the plain sum to the logarithms without a step', () => {
    const ehvi = new LogEhvi(nonDominatedBoxes([[0.2, 0.8], [0.6, 0.3]], [1, 1]));
    let before = ehvi.value([1, 1], [0.1, 0.1]);
    for (let mean = 1.002; mean < 4; mean += 0.002) {
      const value = ehvi.value([mean, mean], [0.1, 0.1]);
      expect(value).toBeLessThan(before);
      expect(before - value).toBeLessThan(3);
      before = value;
    }
    expect(before).toBeLessThan(-800);
  });

  it('integrates over the unknown objectives alone where others are known: the limit of vanishing deviations, with its gradient', () => {
    const rng = Rng.of(7, 'known');
    for (const m of [2, 3]) {
      const ehvi = new LogEhvi(nonDominatedBoxes(front(m, 5, rng), Array<number>(m).fill(1.2)));
      for (const far of [0, 12]) {
        const mean = Float64Array.from({ length: m }, (_, j) => (j === 0 ? far : 0) + 0.3 + 0.4 * rng.next());
        const sd = (tiny: number): Float64Array => Float64Array.from({ length: m }, (_, j) => (j === 0 ? 0.2 : tiny));
        const [byMean, bySd] = [new Float64Array(m), new Float64Array(m)];
        const value = ehvi.value(mean, sd(0), byMean, bySd);
        expect(value).toBeCloseTo(ehvi.value(mean, sd(1e-9)), 6);
        for (let j = 0; j < m; j++) {
          const at = (h: number): Float64Array => mean.map((x, i) => (i === j ? x + h : x));
          const slope = (ehvi.value(at(1e-6), sd(0)) - ehvi.value(at(-1e-6), sd(0))) / 2e-6;
          expect(Math.abs(byMean[j]! - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
        }
      }
      expect(ehvi.value(Array<number>(m).fill(2), [0.1, ...Array<number>(m - 1).fill(0)])).toBe(-Infinity);
    }
  });

  it('prefers a better mean, and doubt to none behind the front', () => {
    const ehvi = new LogEhvi(nonDominatedBoxes([[0.5, 0.5]], [1, 1]));
    expect(ehvi.value([0.3, 0.3], [0.1, 0.1])).toBeGreaterThan(ehvi.value([0.4, 0.4], [0.1, 0.1]));
    expect(ehvi.value([0.8, 0.8], [0.3, 0.3])).toBeGreaterThan(ehvi.value([0.8, 0.8], [0.1, 0.1]));
  });
});

describe('logFeasible', () => {
  it('is log ½ at the border, with its slopes', () => {
    expect(logFeasible(0, 3)).toBeCloseTo(Math.log(0.5), 12);
    for (const mean of [-2, 0.5, 30]) {
      const [byMean, bySd] = [new Float64Array(1), new Float64Array(1)];
      logFeasible(mean, 0.7, 0, byMean, bySd);
      expect(byMean[0]).toBeCloseTo((logFeasible(mean + 1e-5, 0.7) - logFeasible(mean - 1e-5, 0.7)) / 2e-5, 4);
      expect(bySd[0]! / ((logFeasible(mean, 0.7 + 1e-6) - logFeasible(mean, 0.7 - 1e-6)) / 2e-6)).toBeCloseTo(1, 4);
    }
  });
});
