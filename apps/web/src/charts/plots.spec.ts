import { describe, expect, it } from 'vitest';
import { constraints, data, objectives, parameters, series } from './fixture.js';
import { frontScatter, type ScatterSettings } from './front-scatter.js';
import { bestSoFar, hypervolumeCurve } from './history.js';
import { heldOutChart, heldOutSummary, type HeldOut } from './held-out.js';
import { curveOrder, learningChart, learningSummary, type LearningCurves } from './learning-curves.js';
import { localFront } from './local-front.js';
import { DARK, LIGHT } from './palette.js';
import { brushWith, parallelPlot, wideColumns } from './parallel.js';
import { plotData, rowsWithin } from './plot-data.js';
import { axisRange, countOutside, quantile } from './range.js';
import { scatterMatrix } from './scatter-matrix.js';
import { curveSummary, scatterSummary } from './summary.js';

interface Series { id: string; step?: string; data: unknown[]; markLine?: { data: Record<string, unknown>[] }; markArea?: { data: unknown[][] } }
const settings: ScatterSettings = { x: 'latency@m7', y: 'accuracy', logX: false, logY: false, full: false, hidden: new Set(), selected: null, pinned: [], within: null, localFront: null };
const seriesOf = (plot: { option: Record<string, unknown> } | null): Series[] => plot!.option['series'] as Series[];
const byId = (plot: { option: Record<string, unknown> } | null, id: string): Series | undefined => seriesOf(plot).find((s) => s.id === id);
const xs = (s: Series | undefined): unknown[] => s!.data.map((d) => (d as number[])[0]);

describe('plotData', () => {
  it('sorts every trial into one class, so that the legend adds up to all trials', () => {
    const { counts } = data();
    expect(counts).toEqual({ front: 3, dominated: 2, infeasible: 1, open: 1, failed: 1 });
    expect(Object.values(counts).reduce((a, b) => a + b)).toBe(series.count);
  });
  it('takes the order of categories from the spec, not from the data', () => {
    expect(data().columns.get('kernel')!.categories).toEqual(['7', '3', '5']);
    expect(data().columns.get('kernel')!.values.slice(0, 4)).toEqual([1, 1, 2, 0]);
  });
  it('keeps booleans as words and inactive parameters as gaps', () => {
    expect(data().columns.get('gate')!.values.slice(0, 3)).toEqual([0, null, 1]);
    expect(data().columns.get('gate')!.categories).toEqual(['true', 'false']);
  });
  it('does not lose a value that the spec does not declare', () => {
    const odd = plotData({ ...series, columns: { kernel: { kind: 'parameter', unit: null, values: [3, 9, 5, 7, 3, 5, 7, 3] } } }, { objectives, constraints, parameters });
    expect(odd.columns.get('kernel')!.categories).toEqual(['7', '3', '5', '9']);
  });
  it('puts the objectives first and knows which way they are better', () => {
    expect([...data().columns.keys()].slice(0, 2)).toEqual(['accuracy', 'latency@m7']);
    expect([...data().columns.values()].map((c) => c.better)).toEqual(['higher', 'lower', null, null, null]);
  });
});

describe('ranges', () => {
  it('of quantiles interpolate between neighbours', () => {
    expect([quantile([1, 2, 3, 4], 0.5), quantile([5], 0.9), quantile([], 0.5)]).toEqual([2.5, 5, NaN]);
  });
  it('keep one absurd value from ruining the axis, and say how many are outside', () => {
    const values = [...Array.from({ length: 200 }, (_, i) => i), 1e9];
    const range = axisRange(values, [], false, false)!;
    expect(range.max).toBeLessThan(250);
    expect(countOutside(values, range)).toBe(1);
    expect(axisRange(values, [], true, false)!.max).toBeGreaterThan(1e9);
  });
  it('never leave a trial of the front outside', () => {
    const range = axisRange(Array.from({ length: 200 }, (_, i) => i), [5000], false, false)!;
    expect(range.max).toBeGreaterThan(5000);
  });
  it('stay finite for one value, equal values, none, and values a logarithm has no place for', () => {
    expect(axisRange([3], [], false, false)!.min).toBeLessThan(3);
    expect(axisRange([null, NaN, Infinity], [], false, false)).toBeNull();
    expect(axisRange([-1, 0], [], false, true)).toBeNull();
    expect(axisRange([0, 10, 100], [], true, true)!.min).toBeGreaterThan(0);
  });
  it('do not go below zero for quantities that do not', () => {
    expect(axisRange([0, 1, 2], [], true, false)!.min).toBe(0);
  });
});

describe('frontScatter', () => {
  it('draws each trial that has both values once, front last', () => {
    const plot = frontScatter(data(), settings, LIGHT)!;
    expect(plot.drawn).toBe(6);
    expect(plot.missing).toBe(2);
    expect(seriesOf(plot).map((s) => s.id).indexOf('front')).toBeGreaterThan(seriesOf(plot).map((s) => s.id).indexOf('dominated'));
  });
  it('joins the front by a staircase whose corners lie on the dominated side', () => {
    expect(byId(frontScatter(data(), settings, LIGHT), 'staircase')!.step).toBe('end');
    expect(byId(frontScatter(data(), { ...settings, x: 'accuracy', y: 'latency@m7' }, LIGHT), 'staircase')!.step).toBe('start');
    expect(xs(byId(frontScatter(data(), settings, LIGHT), 'staircase'))).toEqual([10, 20, 40]);
  });
  it('draws no staircase on axes that are not both objectives', () => {
    expect(byId(frontScatter(data(), { ...settings, x: 'kernel' }, LIGHT), 'staircase')).toBeUndefined();
  });
  it('draws a limit as a line and shades the side it forbids', () => {
    const limits = byId(frontScatter(data(), settings, LIGHT), 'limits')!;
    expect(limits.markLine!.data[0]!['xAxis']).toBe(45);
    expect((limits.markArea!.data[0] as Record<string, number>[]).map((e) => e['xAxis'])).toEqual([45, expect.any(Number)]);
  });
  it('names axes with unit and the way that is better', () => {
    const { option } = frontScatter(data(), settings, DARK)!;
    expect((option['xAxis'] as { name: string }).name).toBe('Latency on m7 (ms)   ← better');
    expect((option['yAxis'] as { name: string }).name).toBe('Accuracy (%)   ↑ better');
  });
  it('leaves out what the legend hides and walks the front along x', () => {
    const plot = frontScatter(data(), { ...settings, hidden: new Set(['infeasible']) }, LIGHT)!;
    expect(byId(plot, 'infeasible')).toBeUndefined();
    expect(plot.frontOrder).toEqual([1, 3, 5]);
  });
  it('is null for a column that is not there', () => {
    expect(frontScatter(data(), { ...settings, x: 'nothing' }, LIGHT)).toBeNull();
  });
});

describe('ranges set by the reader', () => {
  it('leave out rows without a value', () => {
    expect(rowsWithin(data(), { 'latency@m7': [0, 30] })).toEqual([true, true, true, false, false, false, false, false]);
    expect(rowsWithin(data(), {})).toBeNull();
  });
  it('have a front of their own, which may hold trials that were dominated', () => {
    const d = data();
    expect(localFront(d, rowsWithin(d, { 'latency@m7': [22, 50] }))!.map((i) => d.number[i])).toEqual([2, 5]);
    expect(localFront(d, null)).toBeNull();
  });
});

describe('parallelPlot', () => {
  const axes = ['accuracy', 'latency@m7', 'kernel', 'depth', 'ghost'];
  const plot = parallelPlot(data(), { axes, log: new Set(), brush: {}, selected: 3, sample: 1 }, LIGHT);
  it('says why an axis is not drawn instead of dropping it', () => {
    expect(plot.axes).toEqual(['accuracy', 'latency@m7', 'kernel']);
    expect(plot.collapsed).toEqual([{ key: 'depth', reason: 'the same in every trial: 2' }, { key: 'ghost', reason: 'no trial has reported it' }]);
  });
  it('draws the whole front and samples the rest', () => {
    expect([plot.frontDrawn, plot.sampled, plot.sampledFrom]).toEqual([3, 1, 2]);
  });
  it('turns every objective so that better is up', () => {
    expect((plot.option['parallelAxis'] as { inverse: boolean }[]).map((a) => a.inverse)).toEqual([false, true, false]);
  });
  it('takes a dragged interval into the brush and lets go of it', () => {
    expect(brushWith({ a: [1, 2] }, 'b', [[3, 4]])).toEqual({ a: [1, 2], b: [3, 4] });
    expect(brushWith({ a: [1, 2], b: [3, 4] }, 'b', [])).toEqual({ a: [1, 2] });
  });
  it('has wide columns on a logarithm by itself', () => {
    const wide = plotData({ ...series, columns: { ...series.columns, 'latency@m7': { kind: 'metric', unit: 'ms', values: [1, 100, 5, 6, 7, 8, null, null] } } }, { objectives, constraints, parameters });
    expect(wideColumns(wide)).toEqual(['latency@m7']);
    expect(wideColumns(data())).toEqual([]);
  });
});

describe('scatterMatrix', () => {
  it('has one panel for each pair and colours three columns by the one not shown', () => {
    const two = scatterMatrix(data(), { keys: ['accuracy', 'latency@m7'], within: null, selected: null, width: 1200, panelHeight: 300 }, LIGHT);
    const three = scatterMatrix(data(), { keys: ['accuracy', 'latency@m7', 'depth'], within: null, selected: null, width: 1200, panelHeight: 300 }, LIGHT);
    expect(two.panels).toEqual([{ x: 'latency@m7', y: 'accuracy', colour: null }]);
    expect(three.panels.map((p) => p.colour)).toEqual(['depth', 'latency@m7', 'accuracy']);
  });
});

describe('curves', () => {
  it('of the best so far only improve, and go on to the last trial', () => {
    const d = data();
    expect(bestSoFar(d, d.columns.get('accuracy')!).points).toEqual([[1, 60], [3, 70], [5, 80], [8, 80]]);
    expect(bestSoFar(d, d.columns.get('latency@m7')!).points).toEqual([[1, 10], [8, 10]]);
  });
  it('of the hypervolume start where it is first known', () => {
    const curve = hypervolumeCurve([{ trials: 1, hypervolume: null, frontSize: 0 }, { trials: 4, hypervolume: 2, frontSize: 1 }, { trials: 6, hypervolume: 3, frontSize: 2 }], 10);
    expect(curve.points).toEqual([[4, 2], [6, 3], [10, 3]]);
    expect(curveSummary(curve)).toBe('Hypervolume went from 2 after trial 4 to 3 after trial 10; last change at trial 6.');
  });
});

describe('learning curves', () => {
  const curves: LearningCurves = {
    label: 'Accuracy', unit: '%', better: 'higher', epochs: null,
    curves: [{ number: 4, kind: 'other', values: [30, 50] }, { number: 5, kind: 'front', values: [40, 60, 70] }, { number: 6, kind: 'other', values: [35, 55] }, { number: 7, kind: 'running', values: [45] }, { number: 8, kind: 'running', values: [] }],
  };
  it('are one series a kind, those that matter in front, with a gap after each trial', () => {
    const drawn = seriesOf({ option: learningChart(curves, LIGHT) });
    expect(drawn.map((s) => s.id)).toEqual(['other', 'running', 'front']);
    expect(drawn[0]!.data).toEqual([[1, 30, 4], [2, 50, 4], [null, null, 4], [1, 35, 6], [2, 55, 6], [null, null, 6]]);
  });
  it('leave room for the epochs that are to come', () => {
    expect((learningChart({ ...curves, epochs: 10 }, LIGHT)['xAxis'] as { max: number }).max).toBe(10);
    expect((learningChart(curves, LIGHT)['xAxis'] as { max: number }).max).toBe(3);
  });
  it('are walked from the best end to the worst; one without an epoch has none', () => {
    expect(curveOrder(curves)).toEqual([5, 6, 4, 7]);
    expect(curveOrder({ ...curves, better: 'lower' })).toEqual([7, 4, 6, 5]);
  });
  it('are said in a sentence, be there many, one or none', () => {
    const plain = (c: LearningCurves): string => learningSummary(c).replaceAll('\u00a0', ' ');
    expect(plain(curves)).toBe('Accuracy over the epochs of 4 trials, 1 of them running; the best ends at 70 % after 3 epochs, trial 5.');
    expect(plain({ ...curves, epochs: 10, curves: curves.curves.slice(1, 2) })).toBe('Accuracy went from 40 % after epoch 1 to 70 % after epoch 3 of 10.');
    expect(plain({ ...curves, epochs: 3, curves: curves.curves.slice(3, 4) })).toBe('Accuracy was 45 % after epoch 1 of 3.');
    expect(plain({ ...curves, curves: [] })).toBe('Accuracy: no epoch has ended yet.');
  });
});

describe('what trials foretell', () => {
  const of = { key: 'accuracy', unit: '%', error: 2, spread: 8, within: 0.5, number: [3, null], values: [60, 80], predicted: [62, 78], low: [61, 10], high: [63, 79], apart: [false, false], prior: null, proxy: null };
  it('is drawn against what came, each with its interval, which ends at the picture\'s edge', () => {
    const option = heldOutChart(of, LIGHT);
    const { min } = option['yAxis'] as { min: number };
    expect(byId({ option }, 'trials')!.data).toEqual([{ value: [60, 62, 3, 60] }, { value: [80, 78, null, 80] }]);
    expect(byId({ option }, 'intervals')!.data).toEqual([[60, 61, 3], [60, 63, 3], [null, null, null], [80, min, null], [80, 79, null], [null, null, null]]);
    expect(min).toBeLessThan(60);
  });
  it('has what fell apart at the edge, marked, so that it presses nothing together, and says so', () => {
    const option = heldOutChart({ ...of, number: [3, null, 9], values: [60, 80, 7], predicted: [62, 78, 70], low: [61, 10, 60], high: [63, 79, 80], apart: [false, false, true] }, LIGHT);
    const { min } = option['xAxis'] as { min: number };
    expect(min).toBeGreaterThan(55);
    expect((byId({ option }, 'trials')!.data as unknown[])[2]).toMatchObject({ value: [min, 70, 9, 7], symbol: 'triangle' });
    expect(heldOutSummary({ ...of, values: [60, 80, 7], apart: [false, false, true] })).toMatch(/^Accuracy of 2 trials.* 1 far worse than the others, such as a training that collapsed, is set apart \(triangle at the edge\)\.$/);
  });
  it('is said with its error beside that of knowing nothing', () => {
    expect(heldOutSummary(of).replaceAll('\u00a0', ' ')).toBe('Accuracy of 2 trials, each foretold from the others: off by 2 points (root mean square), where their mean alone is off by 8 points; 50 % lie in their 90 % intervals.');
  });
  it('is said with what other studies and the scores of untrained networks change, where there are some', () => {
    const prior = { hash: 'h', studies: [{ id: 'a', name: 'earlier', trials: 40 }], left: 0, weight: 0.8, without: { error: 3, within: 0.9 } };
    const plain = (o: HeldOut): string => heldOutSummary(o).replaceAll('\u00a0', ' ');
    expect(plain({ ...of, prior, proxy: { name: 'naswot', error: 1.5, within: 0.9 } })).toBe('Accuracy of 2 trials, each foretold from the others and from 40 trials of another study: off by 2 points (root mean square), without that study by 3 points, where their mean alone is off by 8 points; 50 % lie in their 90 % intervals. With the naswot scores of the untrained networks: off by 1.5 points.');
    expect(plain({ ...of, prior: { ...prior, studies: [...prior.studies, { id: 'b', name: 'second', trials: 2 }] }, proxy: null })).toContain('and from 42 trials of 2 other studies: off by 2 points (root mean square), without those studies by 3 points');
  });
});

describe('scatterSummary', () => {
  it('says in one sentence what the chart shows', () => {
    expect(scatterSummary(data(), 'latency@m7', 'accuracy', { drawn: 6, outside: 0 }).replaceAll('\u00a0', ' '))
      .toBe('Accuracy against Latency on m7 for 6 trials; the 3 on the front span 10 ms to 40 ms in Latency on m7 and 60 % to 80 % in Accuracy.');
  });
});
