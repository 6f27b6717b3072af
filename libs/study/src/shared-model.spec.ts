import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { OutcomeModel, type Features } from './outcome-model.js';
import { SharedModel, type Observation } from './shared-model.js';

const truth = ({ genes, analytic }: Features): number => 70 + 3 * analytic[0]! - 25 * (genes[0]! - 0.4) ** 2 + 4 * Math.sin(5 * genes[1]!);

function points(rng: Rng, n: number): Features[] {
  return Array.from({ length: n }, () => ({ genes: Float64Array.from({ length: 4 }, () => rng.next()), analytic: Float64Array.of(2 * rng.next(), 3 + rng.next()) }));
}

interface Judged {
  readonly error: number;
  readonly within: number;
  /** mean half width of 90 % intervals */
  readonly reach: number;
  readonly weight: number;
}

/** What `few` own values foretell of 60 new points: error, share inside 90 % intervals, and how far others are believed. */
function judged(seed: number, few: number, others: (p: Features, i: number, rng: Rng) => Omit<Observation, 'features'>, use = true): Judged {
  const rng = Rng.of(seed, 'shared-model');
  const [own, other, test] = [points(rng, few), points(rng, 50), points(rng, 60)];
  const y = own.map((p) => truth(p) + 0.3 * rng.normal());
  const observations = other.map((p, i) => ({ features: p, ...others(p, i, rng) }));
  const model = OutcomeModel.fit(own, y, { shared: use ? SharedModel.fit(observations) : undefined });
  const errors = test.map((p) => ({ ...model.predict(p), due: truth(p) + 0.3 * rng.normal() }));
  return {
    error: Math.sqrt(errors.reduce((s, e) => s + (e.mean - e.due) ** 2, 0) / errors.length),
    within: errors.filter((e) => Math.abs(e.mean - e.due) <= model.deviations(0.95) * e.deviation).length / errors.length,
    reach: errors.reduce((s, e) => s + model.deviations(0.95) * e.deviation, 0) / errors.length,
    weight: model.weight,
  };
}

function over(few: number, others: Parameters<typeof judged>[2], use = true): Judged {
  const all = Array.from({ length: 5 }, (_, seed) => judged(seed, few, others, use));
  const mean = (of: keyof Judged): number => all.reduce((s, r) => s + r[of], 0) / all.length;
  return { error: mean('error'), within: mean('within'), reach: mean('reach'), weight: mean('weight') };
}

const shorter = (p: Features, _i: number, rng: Rng): Omit<Observation, 'features'> => ({ value: 0.5 * truth(p) - 20 + 0.3 * rng.normal(), group: 'shorter' });

describe('what other studies tell', () => {
  const alone = over(10, shorter, false);

  it('halves the error of ten own trials, values of a shorter recipe too, which are lower and closer together', () => {
    const helped = over(10, shorter);
    expect(helped.error).toBeLessThan(0.5 * alone.error);
    expect(helped.weight).toBeGreaterThan(0.4);
  });

  it('leaves intervals true: nine in ten values and more lie in those of 90 %, which are closer than without', () => {
    for (const few of [10, 30]) {
      const [{ within, reach }, without] = [over(few, shorter), over(few, shorter, false)];
      expect(within).toBeGreaterThan(0.88);
      expect(reach).toBeLessThan(0.7 * without.reach);
    }
  });

  it('does not hang on values that fell apart', () => {
    const spoilt = (p: Features, i: number, rng: Rng): Omit<Observation, 'features'> => (i % 10 === 3 ? { value: 500, group: 'shorter' } : shorter(p, i, rng));
    expect(over(10, spoilt).error).toBeLessThan(0.6 * alone.error);
  });

  it('does not depend on where their values lie: an offset and a scale change nothing', () => {
    const rng = Rng.of(5, 'shared-model');
    const [own, other] = [points(rng, 8), points(rng, 30)];
    const model = (scale: number, offset: number): OutcomeModel => OutcomeModel.fit(own, own.map(truth), { shared: SharedModel.fit(other.map((p) => ({ features: p, value: scale * truth(p) + offset, group: 'a' }))) });
    const [one, two] = [model(1, 0), model(0.25, 1000)];
    for (const p of points(rng, 5)) expect(two.predict(p).mean).toBeCloseTo(one.predict(p).mean, 6);
  });

  it('does little harm where it is wrong: noise, or the opposite of the truth', () => {
    for (const wrong of [
      (_p: Features, _i: number, rng: Rng) => ({ value: 10 * rng.normal(), group: 'noise' }),
      (p: Features) => ({ value: -truth(p), group: 'opposite' }),
    ]) {
      const misled = over(10, wrong);
      expect(misled.error).toBeLessThan(1.15 * alone.error);
      expect(misled.within).toBeGreaterThan(0.75);
    }
    // the more own trials, the less it is believed
    expect(over(30, (p) => ({ value: -truth(p), group: 'opposite' })).weight).toBeLessThan(0.1);
  });

  it('is learned of several studies together, each with its own offset; one that says something else is set apart', () => {
    const several = over(10, (p, i, rng) => (i % 4 === 0 ? { value: 5 * rng.normal(), group: 'noise' } : { value: truth(p) + 10 * (i % 4) + 0.3 * rng.normal(), group: `study ${i % 4}` }));
    expect(several.error).toBeLessThan(0.75 * alone.error);
  });

  it('has a positive variance between points, none where it is sure, and changes nothing it was given', () => {
    const rng = Rng.of(6, 'shared-model');
    const other = points(rng, 25).map((features, i): Observation => ({ features, value: truth(features), group: i % 2 === 0 ? 'a' : 'b' }));
    const before = JSON.stringify(other.map((o) => [[...o.features.genes], [...o.features.analytic], o.value]));
    const model = SharedModel.fit(other);
    for (const p of points(rng, 10)) {
      const at = model.at(p);
      expect(model.covariance(at, at)).toBeGreaterThan(-1e-9);
      expect(model.covariance(at, at)).toBeGreaterThan(model.covariance(model.at(other[0]!.features), model.at(other[0]!.features)));
    }
    expect(model.common).toBeGreaterThan(0.5);
    expect(JSON.stringify(other.map((o) => [[...o.features.genes], [...o.features.analytic], o.value]))).toBe(before);
  });

  it('takes what is not known of a point to be as usual', () => {
    const rng = Rng.of(7, 'shared-model');
    const own = points(rng, 12).map((p, i): Features => ({ ...p, analytic: Float64Array.of(...p.analytic, i % 3 === 0 ? NaN : p.genes[0]!) }));
    const model = OutcomeModel.fit(own, own.map(truth));
    for (const p of own) expect(Number.isFinite(model.predict(p).mean)).toBe(true);
    const blind = own.map((p) => ({ ...p, analytic: Float64Array.of(...p.analytic.subarray(0, 2), NaN) }));
    expect(Number.isFinite(OutcomeModel.fit(blind, own.map(truth)).predict(own[1]!).mean)).toBe(true);
  });

  it('refuses too few values and values that are none', () => {
    const [a, b, c] = points(Rng.of(8, 'shared-model'), 3) as [Features, Features, Features];
    const of = (features: Features, value: number): Observation => ({ features, value, group: 'a' });
    expect(() => SharedModel.fit([of(a, 1), of(b, 2)])).toThrow(/expected at least 3 observations, got 2/);
    expect(() => SharedModel.fit([of(a, 1), of(b, NaN), of(c, 3)])).toThrow(/expected finite values/);
  });
});
