import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { OutcomeModel, type Features } from './outcome-model.js';

function sample(n: number, noise = 0.05, seed = 4): { readonly points: Features[]; readonly y: number[] } {
  const rng = Rng.of(seed, 'outcome-model');
  const points = Array.from({ length: n }, (): Features => ({ genes: Float64Array.from({ length: 3 }, () => rng.next()), analytic: Float64Array.of(10 * rng.next(), 3 + rng.next()) }));
  return { points, y: points.map(({ genes, analytic }) => 60 + 2 * analytic[0]! - 8 * (genes[0]! - 0.4) ** 2 + noise * rng.normal()) };
}

describe('a model of an outcome', () => {
  it('says of a point left out what a model without it says', () => {
    const { points, y } = sample(20);
    const model = OutcomeModel.fit(points, y);
    const held = model.heldOut();
    // the twin centres and scales by one point fewer
    for (const i of [0, 7, 19]) {
      const rest = y.map((_, k) => k).filter((k) => k !== i);
      const twin = OutcomeModel.fit(rest.map((k) => points[k]!), rest.map((k) => y[k]!), { hyperparameters: model.hyperparameters }).predict(points[i]!);
      expect(Math.abs(twin.mean - held[i]!.mean)).toBeLessThan(0.15);
      expect(Math.abs(twin.deviation / held[i]!.deviation - 1)).toBeLessThan(0.2);
    }
  });

  it('predicts points it has not seen far better than their mean, within its intervals', () => {
    const { points, y } = sample(120);
    const model = OutcomeModel.fit(points.slice(0, 60), y.slice(0, 60));
    const errors = points.slice(60).map((p, i) => ({ ...model.predict(p), due: y[60 + i]! }));
    const rmse = Math.sqrt(errors.reduce((s, e) => s + (e.mean - e.due) ** 2, 0) / errors.length);
    // the values spread by 6 and more
    expect(rmse).toBeLessThan(0.5);
    const within = errors.filter((e) => Math.abs(e.mean - e.due) <= model.deviations(0.95) * e.deviation).length / errors.length;
    expect(within).toBeGreaterThan(0.75);
  });

  it('has nine in ten values in its 90 % intervals when it has seen few, noisy ones', () => {
    for (const few of [5, 10]) {
      let within = 0;
      for (let seed = 0; seed < 30; seed++) {
        const { points, y } = sample(few + 30, 6, seed);
        const model = OutcomeModel.fit(points.slice(0, few), y.slice(0, few));
        const reach = model.deviations(0.95);
        within += points.slice(few).filter((p, i) => Math.abs(model.predict(p).mean - y[few + i]!) <= reach * model.predict(p).deviation).length / 900;
      }
      expect(within).toBeGreaterThan(0.86);
      expect(within).toBeLessThan(0.95);
    }
  });

  it('does not hang on trainings that fell apart, and says which', () => {
    const { points, y } = sample(70);
    const collapsed = [3, 11, 20];
    const spoilt = y.slice(0, 30).map((v, i) => (collapsed.includes(i) ? v + 200 + 10 * i : v));
    const [sound, model] = [OutcomeModel.fit(points.slice(0, 30), y.slice(0, 30)), OutcomeModel.fit(points.slice(0, 30), spoilt)];
    const errorOf = (of: OutcomeModel): number => Math.sqrt(points.slice(30).reduce((sum, p, i) => sum + (of.predict(p).mean - y[30 + i]!) ** 2, 0) / 40);
    // the values spread by 6
    expect(errorOf(sound)).toBeLessThan(1);
    expect(errorOf(model)).toBeLessThan(2);
    expect(model.heldOut().flatMap((h, i) => (h.far ? [i] : []))).toEqual(collapsed);
    // values that are far better than others are no accidents
    expect(OutcomeModel.fit(points.slice(0, 30), spoilt.map((v) => -v)).heldOut().some((h) => h.far)).toBe(false);
  });

  it('falls back to the mean, and says how little it knows, far from all it has seen', () => {
    const { points, y } = sample(30);
    const model = OutcomeModel.fit(points.map((p) => ({ ...p, analytic: new Float64Array(0) })), y);
    const far = model.predict({ genes: Float64Array.of(50, 50, 50), analytic: new Float64Array(0) });
    const mean = y.reduce((a, b) => a + b, 0) / y.length;
    expect(Math.abs(far.mean - mean)).toBeLessThan(0.1);
    expect(far.deviation).toBeGreaterThan(model.predict({ ...points[3]!, analytic: new Float64Array(0) }).deviation);
  });

  it('takes equal points and equal values, and is the same whenever it is fitted', () => {
    const { points } = sample(5);
    const model = OutcomeModel.fit([...points, ...points], new Array<number>(10).fill(7));
    expect(model.predict(points[2]!).mean).toBeCloseTo(7, 9);
    expect(OutcomeModel.fit(points, [1, 2, 3, 4, 5]).hyperparameters).toEqual(OutcomeModel.fit(points, [1, 2, 3, 4, 5]).hyperparameters);
  });

  it('refuses too few points and values that are none', () => {
    const { points } = sample(3);
    expect(() => OutcomeModel.fit(points.slice(0, 2), [1, 2])).toThrow(/expected at least 3 points/);
    expect(() => OutcomeModel.fit(points, [1, NaN, 2])).toThrow(/expected finite values/);
  });
});
