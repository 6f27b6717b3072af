import { describe, expect, it } from 'vitest';
import { studySpec } from '@app/contracts';
import type { StudyRecord, TrialRecord } from './records.js';
import { curvesView, frontView, seriesView, shownEvents, studySummaryView, trialView } from './views.js';

const at = new Date('2026-11-24T12:00:00Z');
const parameters = [{ name: 'n', type: 'int' as const, min: 1, max: 9 }];
const spec = studySpec.parse({
  name: 'units', searchSpace: { parameters }, accuracy: { method: 'command', command: ['none'], metrics: ['accuracy'] },
  objectives: [{ metric: 'accuracy' }, { metric: 'latency', target: 'board', unit: 'ms' }], constraints: [{ metric: 'peakRam', target: 'board', op: '<=', value: 128, unit: 'KiB' }],
  referencePoint: { accuracy: 10, 'latency@board': 50 }, budget: { maxTrials: 10 },
});
const study: StudyRecord = {
  id: '7d444840-9dc0-11d1-b245-5ffdce74fad2', name: 'units', labels: {}, spec, devices: [], space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] },
  state: 'running', reason: null, message: null, revision: 5, createdAt: at, startedAt: at, finishedAt: null, runningMs: 4000, runningSince: null, referencePoint: null, hypervolume: 0.6, frontSize: 1, screened: 7,
};
const estimate = (value: number, unit: string) => ({ value, unit, provenance: 'estimated' as const, source: 'test', interval: [value * 0.9, value * 1.1] as [number, number] });
const trial: TrialRecord = {
  id: 'a', studyId: study.id, number: 1, round: 1, key: '1', genes: [1], parameters: { n: 2 }, fidelity: 1, proposedBy: 'test', note: null, state: 'completed', reason: null, message: null,
  metrics: { accuracy: estimate(70, '%'), 'latency@board': estimate(0.04, 's'), 'peakRam@board': estimate(65_536, 'B'), 'energy@board': estimate(0.001, 'J') },
  objectives: [-70, 0.04], violations: [-0.5], feasible: true, onFront: true, rank: 0, attempts: 1, createdAt: at, settledAt: at, durationMs: 12,
};
const counts = { pending: 0, running: 0, completed: 1, infeasible: 0, failed: 0, cancelled: 0, total: 1 };

describe('what leaves the service', () => {
  it('is in the unit the study chose, interval included; what it did not name is in SI', () => {
    const { metrics } = trialView(trial, study);
    expect(metrics['latency@board']).toMatchObject({ value: 40, unit: 'ms', interval: [36, 44] });
    expect(metrics['peakRam@board']).toMatchObject({ value: 64, unit: 'KiB' });
    expect(metrics['energy@board']).toMatchObject({ value: 0.001, unit: 'J' });
    expect(seriesView(study, [trial]).columns['latency@board']).toEqual({ kind: 'metric', unit: 'ms', values: [40] });
  });

  it('turns maximised objectives back and shows the reference point and limits as they were written', () => {
    const view = studySummaryView(study, counts, at);
    expect(view.objectives.map((o) => [o.key, o.direction, o.unit, o.reference])).toEqual([['accuracy', 'maximize', '%', 10], ['latency@board', 'minimize', 'ms', 50]]);
    expect(view.constraints).toMatchObject([{ key: 'peakRam@board', value: 128, unit: 'KiB' }]);
  });

  it('has one hypervolume, in the study, its front and its events', () => {
    expect(studySummaryView(study, counts, at).hypervolume).toBeCloseTo(600, 9);
    expect(frontView(study, [trial], [{ number: 1, hypervolume: 0.6, frontSize: 1 }], []).history[0]!.hypervolume).toBeCloseTo(600, 9);
    const [event] = shownEvents([{ revision: 5, type: 'front.changed', at, data: { added: ['a'], removed: [], size: 1, hypervolume: 0.6 } }], study);
    expect((event!.data as { hypervolume: number }).hypervolume).toBeCloseTo(600, 9);
  });

  it('has learning curves of settled and of running trials, in the unit the study chose', () => {
    const settled = { ...trial, metrics: { ...trial.metrics, 'latency@board': { ...estimate(0.04, 's'), curve: [0.08, 0.04] } } };
    const running: TrialRecord = { ...trial, number: 2, state: 'running', metrics: {}, fidelity: 0.5, onFront: false, progress: { epochs: 3, curves: { 'latency@board': { unit: 's', values: [0.06] } } } };
    expect(curvesView(study, [settled, trial, running])).toEqual({ revision: 5, metric: 'latency@board', unit: 'ms', number: [1, 2], state: ['completed', 'running'], fidelity: [1, 0.5], values: [[80, 40], [60]] });
    expect(trialView(running, study).progress).toEqual({ epochs: 3, curves: { 'latency@board': { unit: 'ms', values: [60] } } });
    expect(curvesView(study, [settled], 'accuracy')).toMatchObject({ metric: 'accuracy', unit: null, number: [] });
  });

  it('says of an empty front which limit was met how often, and the nearest miss', () => {
    const big = { ...trial, metrics: { ...trial.metrics, 'peakRam@board': estimate(262_144, 'B') }, violations: [1], feasible: false, onFront: false, state: 'infeasible' as const };
    expect(frontView(study, [], [], [big]).empty).toEqual({ message: 'none of 1 trials meets every limit', constraints: [{ key: 'peakRam@board', passed: 0, of: 1, nearest: 256, limit: 128, unit: 'KiB' }] });
  });
});
