import { studySpec } from '@app/contracts';
import { describe, expect, it } from 'vitest';
import { barOf, bestEnd, stopWhen, type EarlyStopping } from './early-stopping.js';
import { StoppedEarly, type AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate } from './evaluate.js';
import { studyTerms } from './problem.js';

const terms = studyTerms(studySpec.parse({
  name: 's', searchSpace: 'flynet', accuracy: { method: 'train', dataset: { format: 'synthetic' } }, objectives: [{ metric: 'accuracy' }, { metric: 'latency', target: 'board' }], budget: { maxTrials: 1 },
}));
/** 3 curves of 4 epochs, in %; from epoch 2 on they gain 10, 20 and 5 */
const curves = [[50, 60, 68, 70], [40, 50, 60, 70], [70, 80, 84, 85]];
const stopping = (change: Partial<EarlyStopping> = {}): EarlyStopping => ({ after: 3, from: 0.5, front: [[-85, 2], [-70, 1]], curves: (key) => (key === 'accuracy' ? curves : []), ...change });
const report = (...values: number[]) => ({ epochs: 4, curves: { accuracy: { unit: '%', values } } });

describe('the bar a trial must pass', () => {
  it('is the best of the front at no cost more', () => {
    const front = [[-85, 2], [-70, 1], [-90, 9]];
    expect([barOf([null, 3], 0, front), barOf([null, 2], 0, front), barOf([null, 1.5], 0, front), barOf([null, 0.5], 0, front)]).toEqual([-85, -85, -70, Infinity]);
  });
});

describe('the best a curve may come to', () => {
  it('is a quarter beyond the largest gain any earlier one has made from there', () => {
    const minimised = curves.map((c) => c.map((v) => -v));
    expect(bestEnd([-30, -40], 4, minimised, 3)).toBe(-40 - 1.25 * 20);
    expect(bestEnd([-30], 4, minimised, 3)).toBe(-30 - 1.25 * 30);
    // a step back is not held against it
    expect(bestEnd([-30, -50, -45], 4, minimised, 3)).toBe(-50 - 1.25 * 10);
  });

  it('is not known from few curves, or from those of other lengths', () => {
    expect(bestEnd([-30], 4, [[-1, -2, -3, -4]], 2)).toBeNull();
    expect(bestEnd([-30], 5, [[-1, -2, -3, -4], [-1, -2, -3, -4]], 2)).toBeNull();
  });
});

describe('a trial', () => {
  it('is ended once it can only be dominated, and the reason is said', () => {
    const decide = stopWhen(stopping(), terms, [null, 3])!;
    expect(decide(report(30))).toBeNull();
    expect(decide(report(40, 55))).toBe('stopped after epoch 2 of 4: accuracy 55 % may come to 80 %, the front has 85 % at no cost more');
    expect(decide(report(40, 61))).toBeNull();
    // its last epoch is over: nothing is left to save
    expect(decide(report(1, 1, 1, 1))).toBeNull();
  });

  it('is never ended where nothing on the front is as cheap, or more than one objective is open', () => {
    expect(stopWhen(stopping(), terms, [null, 0.5])).toBeUndefined();
    expect(stopWhen(stopping(), terms, [null, null])).toBeUndefined();
    expect(stopWhen(stopping({ curves: () => [] }), terms, [null, 3])!(report(1, 1))).toBeNull();
  });
});

describe('an evaluation that was ended', () => {
  it('leaves the share it reached, what it had come to for all to see, and no result', async () => {
    const spec = studySpec.parse({
      name: 's', searchSpace: { parameters: [{ name: 'x', type: 'int', min: 1, max: 9 }] }, accuracy: { method: 'command', command: ['none'], metrics: ['accuracy', 'size'] },
      objectives: [{ metric: 'accuracy' }, { metric: 'size' }], budget: { maxTrials: 1 },
    });
    const value = (v: number, unit: string) => ({ value: v, unit, provenance: 'reported' as const, source: 'test' });
    const sizes: AccuracyEvaluator = { id: 'sizes', secondsPerTrial: 0, metrics: ['size'], evaluate: async () => ({ size: value(3, '1') }), close: async () => undefined };
    const trains: AccuracyEvaluator = {
      id: 'trains', secondsPerTrial: 9, metrics: ['accuracy'], close: async () => undefined,
      evaluate: async ({ stopWhen: decide }) => {
        for (const values of [[30], [40, 55], [40, 55, 60], [40, 55, 60, 61]]) {
          const why = decide!({ epochs: 4, curves: { accuracy: { unit: '%', values } } });
          if (why !== null) throw new StoppedEarly(why, values.length / 4, { accuracy: { ...value(values.at(-1)!, '%'), curve: values } });
        }
        return { accuracy: value(61, '%') };
      },
    };
    const context = {
      definition: { spec, space: { name: '', title: '', description: '', family: 'none', parameters: [], settings: {}, sources: [] }, devices: [] }, terms: studyTerms(spec), now: () => 0,
      evaluator: { ...trains, parts: [sizes, trains] },
    };
    const signal = new AbortController().signal;
    expect(await evaluateCandidate({ ...context, stopping: stopping() }, { x: 1 }, signal)).toMatchObject({
      state: 'infeasible', reason: 'stopped-early', reached: 0.5, objectives: [null, 3], feasible: null, metrics: { accuracy: { value: 55, curve: [40, 55] }, size: { value: 3 } },
    });
  });
});
