import { Rng } from '@app/numeric';
import { createSearchSpace, type Genes, type SearchSpace } from '@app/space';
import { describe, expect, it } from 'vitest';
import { Features } from './features.js';
import { fitHyper } from './kriging-fit.js';
import { Kriging, linearPart, startHyper, type Hyper } from './kriging.js';

const rng = Rng.of(5);
const cells = createSearchSpace(Array.from({ length: 4 }, (_, i) => ({ name: `c${i}`, type: 'categorical' as const, values: ['a', 'b', 'c'] })));
const mixed = createSearchSpace([
  { name: 'x', type: 'float', min: 0, max: 1 }, { name: 'n', type: 'int', min: 0, max: 20 },
  { name: 'op', type: 'categorical', values: ['u', 'v', 'w'] }, { name: 'y', type: 'float', min: -1, max: 1 },
]);
const draw = (space: SearchSpace): Genes => space.fromUnit(Float64Array.from({ length: space.dimension }, () => rng.next()));
const value = (g: Genes): number => Math.sin(3 * g[0]!) + g[1]! / 10 + [0, 2, -1][g[2]!]! * g[3]!;

/** The covariance written down from its definition. */
function twin(features: Features, a: Float64Array, b: Float64Array, h: Hyper): number {
  const sum = (from: number, to: number): number => Array.from({ length: to - from }, (_, k) => h.weights[from + k]! * features.gap(from + k, a, b)).reduce((s, v) => s + v, 0);
  const [c, r, s] = [sum(0, features.firstOrdered), sum(features.firstOrdered, features.firstShare), sum(features.firstShare, features.length)];
  const t = Math.sqrt(5 * r);
  return Math.exp(-c - s) * (1 + t + (t * t) / 3) * Math.exp(-t) + h.linear * linearPart(features, a, b) + h.quadratic * linearPart(features, a, b) ** 2 + h.shares * Math.exp(-s);
}

/** x with A x = b by elimination. */
function eliminate(A: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = A.map((row, i) => [...row, b[i]!]);
  const n = rows.length;
  for (let c = 0; c < n; c++) for (let r = 0; r < n; r++) if (r !== c) {
    const ratio = rows[r]![c]! / rows[c]![c]!;
    rows[r] = rows[r]!.map((v, k) => v - ratio * rows[c]![k]!);
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

describe('kriging with learned distances', () => {
  for (const [name, space] of [['cells', cells], ['mixed variables', mixed]] as const) {
    it(`predicts as the covariance written down does, ${name}`, () => {
      const features = new Features(space);
      const h = { ...startHyper(features), linear: 0.7, quadratic: 0.2 };
      const genes = Array.from({ length: 12 }, () => draw(space));
      const x = genes.map((g) => features.of(g));
      const y = genes.map(value);
      const model = new Kriging(features, x, y, h);
      const K = x.map((a, i) => x.map((b, j) => twin(features, a, b, h) + (i === j ? h.noise : 0)));
      for (let t = 0; t < 5; t++) {
        const at = features.of(draw(space));
        const k = x.map((b) => twin(features, at, b, h));
        const alpha = eliminate(K, y.map((v) => model.standard(v)));
        const mean = k.reduce((s, v, i) => s + v * alpha[i]!, 0);
        const left = twin(features, at, at, h) - eliminate(K, k).reduce((s, v, i) => s + v * k[i]!, 0);
        expect(model.predict(at).mean).toBeCloseTo(mean, 7);
        expect(model.mean(at)).toBeCloseTo(mean, 7);
        expect(model.predict(at).sd / model.deviation).toBeCloseTo(Math.sqrt(left), 5);
      }
    });
  }

  it('takes in one more point as if it had known it from the beginning', () => {
    const features = new Features(mixed);
    const genes = Array.from({ length: 20 }, () => draw(mixed));
    const x = genes.map((g) => features.of(g));
    // The last ten repeat the first ten's values, so that the scale of both halves is one.
    const y = [...genes.slice(0, 10), ...genes.slice(0, 10)].map(value);
    const whole = new Kriging(features, x, y, startHyper(features));
    const grown = new Kriging(features, x.slice(0, 10), y.slice(0, 10), startHyper(features));
    for (let i = 10; i < 20; i++) grown.append(x[i]!, y[i]!);
    for (let t = 0; t < 5; t++) {
      const at = features.of(draw(mixed));
      expect(grown.predict(at).mean).toBeCloseTo(whole.predict(at).mean, 8);
      expect(grown.predict(at).sd).toBeCloseTo(whole.predict(at).sd, 8);
    }
  });

  it('finds the category that matters, and a cost that adds up over operations from few cells', () => {
    const features = new Features(cells);
    const known = [...cells.enumerate()].filter((_, i) => i % 4 === 0);
    const x = known.map((g) => features.of(g));
    const fit = (y: readonly number[]): Hyper => {
      let h = startHyper(features);
      for (let sweep = 0; sweep < 4; sweep++) h = fitHyper(features, x, y, h, true);
      return h;
    };
    const first = (g: Genes): number => [0, 5, -2][g[0]!]!;
    const one = fit(known.map(first));
    const model = new Kriging(features, x, known.map(first), one);
    for (const genes of cells.enumerate()) expect(Math.abs(model.natural(model.predict(features.of(genes)).mean) - first(genes))).toBeLessThan(1);
    const cost = (g: Genes): number => 1 + g.reduce((s, v) => s + [0, 1, 7][v]!, 0);
    const h = fit(known.map(cost));
    const additive = new Kriging(features, x, known.map(cost), h);
    for (const genes of cells.enumerate()) expect(additive.natural(additive.predict(features.of(genes)).mean)).toBeCloseTo(cost(genes), 0);
  });

  it('takes logarithms of values that span decades, and gives natural values back', () => {
    const features = new Features(mixed);
    const genes = Array.from({ length: 40 }, () => draw(mixed));
    const x = genes.map((g) => features.of(g));
    const steep = genes.map((g) => 3 + Math.exp(9 * g[0]!));
    const h = fitHyper(features, x, steep, startHyper(features), true);
    expect(h.log).toBe(true);
    expect(fitHyper(features, x, steep, startHyper(features), false).log).toBe(false);
    const model = new Kriging(features, x, steep, h);
    for (const v of [2, 3, 4, 100, 8000]) expect(model.natural(model.standard(v)) / v).toBeCloseTo(1, 9);
  });
});
