import { Rng } from '@app/numeric';
import { hypervolumeGain, nonDominatedBoxes, paretoFront } from '@app/pareto';
import { createSearchSpace } from '@app/space';
import { describe, expect, it } from 'vitest';
import { Acquisition } from './acquisition.js';
import { FeatureMap } from './features.js';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { LogEhvi } from './log-ehvi.js';
import { NoisyAcquisition } from './noisy-acquisition.js';
import { improvementsOf, type Contender } from './noisy-fronts.js';
import { SampledProcess } from './sampled-process.js';

const map = new FeatureMap(createSearchSpace([{ name: 'x', type: 'float', min: 0, max: 1 }, { name: 'y', type: 'float', min: 0, max: 1 }]));
const REFERENCE = [1.5, 1.5];

interface Setting { readonly rows: Float64Array[]; readonly ys: number[][]; readonly thetas: number[][] }

/** Two objectives and a limit, told at n points with noise of the given variance. */
function setting(n: number, noise: number): Setting {
  const rng = Rng.of(4, n);
  const rows = Array.from({ length: n }, () => Float64Array.of(rng.next(), rng.next()));
  const spread = Math.sqrt(noise);
  const ys = [(x: Float64Array): number => 2 * x[0]! - 1, (x: Float64Array): number => 1 - 2 * x[0]! + (x[1]! - 0.5) ** 2, (x: Float64Array): number => x[1]! - 0.4].map((f) => rows.map((x) => f(x) + spread * rng.normal()));
  const theta = (length: number): number[] => [Math.log(length), Math.log(length), Math.log(noise)];
  return { rows, ys, thetas: [theta(0.8), theta(0.7), theta(0.9)] };
}

function noisy({ rows, ys, thetas }: Setting, pairs: number, pending: Float64Array[] = []): NoisyAcquisition {
  const processes = ys.map((y, j) => new SampledProcess(new ProcessFactor(map, rows, thetas[j]!), rows, y, pending, null, Array.from({ length: pairs }, (_, s) => Rng.of(9, j, s))));
  const limits = [{ process: processes[2]!, threshold: 0 }];
  const contenders = [...rows, ...pending].map((_, row): Contender => ({ genes: [], objectives: [{ row, value: 0 }, { row, value: 0 }], limits: [row] }));
  const objectives = processes.slice(0, 2);
  return new NoisyAcquisition(map, 2 * pairs, { processes: objectives, known: null, improvements: improvementsOf(contenders, 2 * pairs, objectives, limits, REFERENCE), weight: 1 }, limits);
}

const looked = (features: Float64Array): { genes: number[]; features: Float64Array } => ({ genes: [...features], features });
const SPOTS = [[0.2, 0.3], [0.5, 0.1], [0.8, 0.6], [0.05, 0.95]].map((p) => looked(Float64Array.from(p)));

/** Lower factor of a covariance, a nugget added. */
function factor(K: number[][]): number[][] {
  const L = K.map((row) => row.map(() => 0));
  K.forEach((row, i) => row.slice(0, i + 1).forEach((v, j) => {
    const rest = v + (i === j ? 1e-9 : 0) - L[i]!.slice(0, j).reduce((s, l, k) => s + l * L[j]![k]!, 0);
    L[i]![j] = i === j ? Math.sqrt(rest) : rest / L[j]![j]!;
  }));
  return L;
}

/** Mean and factor of the posterior at told points and x together, by the textbook formulas with the kernel written out. */
function posterior(rows: readonly Float64Array[], y: readonly number[], theta: readonly number[], x: Float64Array): { mean: number[]; L: number[][] } {
  const kernel = (a: Float64Array, b: Float64Array): number => {
    const r = Math.sqrt(5) * Math.hypot(...a.map((v, d) => (v - b[d]!) / Math.exp(theta[d]!)));
    return (1 + r + r * r / 3) * Math.exp(-r);
  };
  const gp = new GaussianProcess(new ProcessFactor(map, rows, theta), y);
  const places = [...rows, x];
  const noise = rows.map((a, i) => rows.map((b, j) => kernel(a, b) + (i === j ? Math.exp(theta[2]!) : 0)));
  const C = factor(noise);
  const halves = places.map((p) => rows.reduce<number[]>((w, r, i) => [...w, (kernel(p, r) - w.reduce((s, v, k) => s + v * C[i]![k]!, 0)) / C[i]![i]!], []));
  const covariance = places.map((a, i) => places.map((b, j) => kernel(a, b) - halves[i]!.reduce((s, v, k) => s + v * halves[j]![k]!, 0)));
  return { mean: places.map((p) => gp.predict(p).mean), L: factor(covariance) };
}

describe('NoisyAcquisition', () => {
  it('is log EHVI with the probability of feasibility where there is no noise', () => {
    const own = setting(9, 1e-7);
    const processes = own.ys.map((y, j) => new GaussianProcess(new ProcessFactor(map, own.rows, own.thetas[j]!), y));
    const feasible = own.rows.flatMap((_, i) => (own.ys[2]![i]! <= 0 ? [[own.ys[0]![i]!, own.ys[1]![i]!]] : []));
    const front = paretoFront(feasible).map((k) => feasible[k]!);
    const plain = new Acquisition(map, { processes: processes.slice(0, 2), known: null, improvement: new LogEhvi(nonDominatedBoxes(front, REFERENCE)), weight: 1 }, [{ process: processes[2]!, threshold: 0 }]);
    expect(front.length).toBeGreaterThan(1);
    const [a, b] = [noisy(own, 16).values(SPOTS), plain.values(SPOTS)];
    SPOTS.forEach((_, p) => expect(Math.abs(a[p]! - b[p]!)).toBeLessThan(0.02 * (1 + Math.abs(b[p]!))));
  });

  it('is the mean gain over what front, limits and outcome may be together: agrees with drawing all of them, within five standard errors', () => {
    const own = setting(7, 0.05);
    const acquisition = noisy(own, 1000);
    const DRAWS = 4000;
    for (const spot of SPOTS.slice(0, 3)) {
      const rng = Rng.of(3, 'draws');
      const parts = own.ys.map((y, j) => posterior(own.rows, y, own.thetas[j]!, spot.features));
      const gains = Array.from({ length: DRAWS }, () => {
        const [f1, f2, g] = parts.map(({ mean, L }) => {
          const z = mean.map(() => rng.normal());
          return mean.map((m, i) => m + L[i]!.slice(0, i + 1).reduce((s, l, k) => s + l * z[k]!, 0));
        });
        const told = own.rows.flatMap((_, i) => (g![i]! <= 0 ? [[f1![i]!, f2![i]!]] : []));
        return g!.at(-1)! <= 0 ? hypervolumeGain([f1!.at(-1)!, f2!.at(-1)!], told, REFERENCE) : 0;
      });
      const average = gains.reduce((a, b) => a + b, 0) / DRAWS;
      const error = Math.sqrt(gains.reduce((s, v) => s + (v - average) ** 2, 0)) / DRAWS;
      expect(average).toBeGreaterThan(10 * error);
      // 2000 draws of the other side, of smaller variance each
      expect(Math.abs(Math.exp(acquisition.values([spot])[0]!) - average)).toBeLessThan(5 * 1.5 * error);
    }
  });

  it('has the gradient that finite differences show, with pending points too', () => {
    for (const pending of [[], [Float64Array.of(0.4, 0.2), Float64Array.of(0.1, 0.35)]]) {
      const acquisition = noisy(setting(8, 0.03), 8, pending);
      const slope = new Float64Array(2);
      for (const { features } of SPOTS) {
        expect(acquisition.valueWithSlopes(looked(features), slope)).toBeCloseTo(acquisition.values([looked(features)])[0]!, 10);
        for (const d of [0, 1]) {
          const at = (h: number): number => acquisition.values([looked(features.map((v, i) => (i === d ? v + h : v)))])[0]!;
          const difference = (at(1e-6) - at(-1e-6)) / 2e-6;
          expect(Math.abs(slope[d]! - difference)).toBeLessThan(1e-4 * (1 + Math.abs(difference)));
        }
      }
    }
  });

  it('expects next to nothing of a point that is pending, and as much as before of one far from it', () => {
    const own = setting(8, 0.03);
    const [before, after] = [noisy(own, 32).values(SPOTS), noisy(own, 32, [SPOTS[0]!.features]).values(SPOTS)];
    expect(after[0]! - before[0]!).toBeLessThan(-3);
    expect(Math.abs(after[2]! - before[2]!)).toBeLessThan(0.7);
  });
});

describe('SampledProcess', () => {
  it('has draws whose mean is the posterior mean, at rows and elsewhere, and whose spread at the rows is the posterior deviation', () => {
    const { rows, ys, thetas } = setting(8, 0.05);
    const [y, theta] = [ys[0]!, thetas[0]!];
    const base = new ProcessFactor(map, rows, theta);
    const process = new SampledProcess(base, rows, y, [Float64Array.of(0.9, 0.9)], null, Array.from({ length: 1500 }, (_, s) => Rng.of(2, s)));
    const gp = new GaussianProcess(base, y);
    [...rows, Float64Array.of(0.9, 0.9)].forEach((x, i) => {
      const values = process.values.map((v) => v[i]!);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const sd = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
      expect(mean).toBeCloseTo(gp.predict(x).mean, 6);
      expect(sd / gp.predict(x).sd).toBeCloseTo(1, 1);
      process.look(x);
      values.forEach((v, s) => expect(Math.abs(process.means[s]! - v)).toBeLessThan(1e-3));
    });
    process.look(Float64Array.of(0.3, 0.6));
    expect(process.means.reduce((a, b) => a + b, 0) / process.means.length).toBeCloseTo(gp.predict(Float64Array.of(0.3, 0.6)).mean, 6);
  });

  it('draws the same for told points whatever is pending', () => {
    const { rows, ys, thetas } = setting(6, 0.05);
    const of = (pending: Float64Array[]): SampledProcess => new SampledProcess(new ProcessFactor(map, rows, thetas[0]!), rows, ys[0]!, pending, null, [Rng.of(1)]);
    const [without, one] = [of([]), of([Float64Array.of(0.5, 0.5)])];
    rows.forEach((_, i) => expect(one.values[1]![i]).toBeCloseTo(without.values[1]![i]!, 6));
  });
});
