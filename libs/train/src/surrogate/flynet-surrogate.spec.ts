import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvaluatorError, type AccuracyRequest } from '@app/study';
import { fitResolution, fitScaling, leaveOneOut, logit, percentOf } from './fit.js';
import { flynetSurrogate } from './flynet-surrogate.js';
import { ABLATIONS, NO_NOISE, RESOLUTION_ROWS, RESOLUTION_SIDES, SCALING_ROWS, type FlynetRow } from './published.js';

const surrogate = flynetSurrogate();

/** FlyNet-h3 1.0× with changes. */
const pointOf = (change: Record<string, number | string> = {}) => ({
  width: 1, resolution: 224, reduction: 'maxout', attentionStatistics: 'mean-variance', excitation: 'softmax', lowResidual: 'mdw-concat', highResidual: 'crop-pad', noiseHead: NO_NOISE,
  ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((i) => [[`depth${i}`, [1, 2, 3, 2, 3][i - 1]!], [`heads${i}`, 3], [`kernel${i}`, i < 3 ? 3 : 5], [`noise${i}`, NO_NOISE]])),
  ...change,
});
const heads = (h: number) => Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`heads${i}`, h]));

const ask = async (change: Record<string, number | string> = {}, request: Partial<AccuracyRequest> = {}) => {
  const metrics = await surrogate.evaluate({
    space: { name: 'flynet', title: '', description: '', family: 'flynet', parameters: [], settings: { temperature: 1 }, sources: [] },
    point: pointOf(change), graph: null, task: { numClasses: 1000, inputChannels: 3 }, signal: new AbortController().signal, ...request,
  });
  return metrics['accuracy']!;
};
const askRow = ({ width, heads: h, reduction, excitation, lowResidual, noiseHead }: FlynetRow) => ask({ width, reduction, excitation, lowResidual, noiseHead, ...heads(h) });

describe('the fit on the printed tables', () => {
  it('predicts a row left out within 1.2 points, 0.6 by root mean square', () => {
    const points = leaveOneOut().map((e) => Math.abs(e.points));
    expect(Math.max(...points)).toBeLessThan(1.2);
    expect(Math.sqrt(points.reduce((s, v) => s + v * v, 0) / points.length)).toBeLessThan(0.65);
  });

  it('is the least-squares one: no small step of a coefficient lowers the error', () => {
    const fit = fitScaling();
    const error = (f: typeof fit): number => SCALING_ROWS.reduce((s, r) => s + (f.intercept + f.width * Math.log(r.width) + f.heads * Math.log(r.heads) - logit(r.top1)) ** 2, 0);
    for (const name of ['intercept', 'width', 'heads'] as const) {
      for (const step of [1e-4, -1e-4]) expect(error({ ...fit, [name]: fit[name] + step })).toBeGreaterThan(error(fit));
    }
  });

  it('grows with width and heads, and falls with the input side as MobileNetV2 does', () => {
    expect(fitScaling().width).toBeGreaterThan(0);
    expect(fitScaling().heads).toBeGreaterThan(0);
    const [c1, c2] = fitResolution();
    for (const w of ['0.35', '0.5'] as const) {
      RESOLUTION_SIDES.forEach((side, i) => {
        const u = Math.log(side / 224);
        expect(Math.abs(percentOf(logit(RESOLUTION_ROWS[w]![0]!) + c1 * u + c2 * u * u) - RESOLUTION_ROWS[w]![i]!), `${w} at ${side}`).toBeLessThan(1.2);
      });
    }
  });
});

describe('the accuracy of a FlyNet', () => {
  it('has every printed row in its interval', async () => {
    for (const r of [...SCALING_ROWS, ...ABLATIONS.flatMap((a) => [a.base, ...a.changed])]) {
      const { interval } = await askRow(r);
      expect(interval![0], JSON.stringify(r)).toBeLessThan(r.top1);
      expect(interval![1], JSON.stringify(r)).toBeGreaterThan(r.top1);
    }
  });

  it('differs between the rows of an ablation as printed', async () => {
    for (const { base, changed } of ABLATIONS) {
      const from = (await askRow(base)).value;
      for (const r of changed) expect((await askRow(r)).value - from, JSON.stringify(r)).toBeCloseTo(r.top1 - base.top1, 1);
    }
  });

  it('is an estimate with its source, without warnings where the tables cover it', async () => {
    const inside = await ask();
    expect(inside).toMatchObject({ unit: '%', provenance: 'estimated' });
    expect(inside.warnings).toBeUndefined();
    expect(inside.source).toMatch(/^flynet-surrogate-1: .*leave-one-out error 0\.\d points/);
    expect(inside.interval![1] - inside.interval![0]).toBeLessThan(4);
  });

  it.each([
    [{ resolution: 96 }, 'resolution 96'],
    [{ width: 0.3 }, 'width 0.3'],
    [{ heads2: 1 }, 'heads 3 1 3 3 3'],
    [{ depth3: 1 }, 'depths 1 2 1 2 3'],
    [{ kernel1: 7 }, 'kernels 7 3 5 5 5'],
    [{ attentionStatistics: 'mean' }, 'attentionStatistics mean'],
    [{ highResidual: 'none' }, 'highResidual none'],
    [{ lowResidual: 'none' }, 'lowResidual none at width 1'],
    [{ noise2: 8 }, 'noise of the stages'],
    [{ width: 0.5, noiseHead: 8 }, 'noiseHead 8 at width 0.5'],
  ])('widens its interval and names what the tables do not cover: %j', async (change, name) => {
    const [inside, outside] = [await ask(), await ask(change)];
    expect(outside.warnings!.some((w) => w.includes(name) && w.includes('the tables cover'))).toBe(true);
    const widthInLogits = (m: typeof inside): number => logit(m.interval![1]) - logit(m.interval![0]);
    expect(widthInLogits(outside)).toBeGreaterThan(widthInLogits(inside));
  });

  it('says so when the task is another than ImageNet', async () => {
    const other = await ask({}, { task: { numClasses: 100, inputChannels: 1 } });
    expect(other.warnings!.map((w) => w.split(':')[0])).toEqual(['numClasses 100', 'inputChannels 1']);
    expect(other.interval![1] - other.interval![0]).toBeGreaterThan(25);
  });

  it('gains from capacity: wider, deeper, more heads, larger kernels and inputs', async () => {
    const at = async (change: Record<string, number | string>) => (await ask({ width: 0.5, resolution: 128, ...change })).value;
    const base = await at({});
    for (const more of [{ width: 0.6 }, { depth5: 4 }, { heads4: 5 }, { kernel5: 7 }, { resolution: 160 }]) expect(await at(more), JSON.stringify(more)).toBeGreaterThan(base);
  });

  it('is a percentage with its interval round it, whatever the point', async () => {
    const stages = (name: string, values: readonly number[]) => fc.tuple(...[1, 2, 3, 4, 5].map(() => fc.constantFrom(...values))).map((v) => Object.fromEntries(v.map((x, i) => [`${name}${i + 1}`, x])));
    await fc.assert(fc.asyncProperty(
      fc.record({ width: fc.constantFrom(0.3, 0.35, 0.7, 1), resolution: fc.constantFrom(32, 48, 96, 160, 224), reduction: fc.constantFrom('maxout', 'sum-relu', 'funnel'), excitation: fc.constantFrom('sigmoid', 'softmax') }),
      stages('heads', [1, 3, 5]), stages('noise', [4, NO_NOISE]),
      async (point, h, n) => {
        const { value, interval } = await ask({ ...point, ...h, ...n });
        expect(0 < interval![0] && interval![0] < value && value < interval![1] && interval![1] < 100).toBe(true);
      },
    ), { numRuns: 50 });
  });

  it('and its error are 100 together, interval turned round', async () => {
    const metrics = await surrogate.evaluate({ space: { name: '', title: '', description: '', family: 'flynet', parameters: [], settings: {}, sources: [] }, point: pointOf(), graph: null, task: { numClasses: 1000, inputChannels: 3 }, signal: new AbortController().signal });
    const [a, e] = [metrics['accuracy']!, metrics['error']!];
    expect([a.value + e.value, a.interval![0] + e.interval![1], a.interval![1] + e.interval![0]].map((x) => x.toFixed(9))).toEqual(['100.000000000', '100.000000000', '100.000000000']);
  });

  it('is not known for another family or a point that lacks a parameter', async () => {
    await expect(ask({ width: 'wide' })).rejects.toThrow('parameter "width": expected a number above 0, got "wide"');
    await expect(ask({}, { space: { name: '', title: '', description: '', family: 'none', parameters: [], settings: {}, sources: [] } })).rejects.toThrow(EvaluatorError);
  });
});
