import { studySpec, type StudySpecInput } from '@app/contracts';
import { describe, expect, it } from 'vitest';
import type { StudyDefinition, StudyRecord, TrialRecord } from './records.js';
import { warmStart } from './warm-start.js';

const parameters = [{ name: 'n', type: 'int' as const, min: 1, max: 20 }, { name: 'k', type: 'categorical' as const, values: ['a', 'b'] }];
const at = new Date(0);

function definition(change: Partial<StudySpecInput> = {}, own: StudyDefinition['space']['parameters'] = parameters): StudyDefinition {
  const spec = studySpec.parse({
    name: 'w', searchSpace: { parameters }, accuracy: { method: 'command', command: ['none'], metrics: ['f', 'g'] }, objectives: [{ metric: 'f' }], constraints: [{ metric: 'g', op: '<=', value: 10 }], budget: { maxTrials: 9 }, ...change,
  });
  return { spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters: own, settings: {}, sources: [] }, devices: [] };
}

const record = (d: StudyDefinition): StudyRecord => ({
  ...d, id: 'other', name: 'other', labels: {}, state: 'completed', reason: null, message: null, revision: 1, createdAt: at, startedAt: at, finishedAt: at, runningMs: 1, runningSince: null, referencePoint: null, hypervolume: null, frontSize: 0, screened: 0,
});

function trial(number: number, metrics: Record<string, number>, change: Partial<TrialRecord> = {}): TrialRecord {
  return {
    id: `t${number}`, studyId: 'other', number, round: number, key: `k${number}`, genes: [number, 0], parameters: { n: number, k: 'a' }, fidelity: 1, proposedBy: 'test', note: null, state: 'completed', reason: null, message: null,
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { value, unit: '1', provenance: 'reported' as const, source: 'test' }])),
    objectives: [], violations: [], feasible: null, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at, durationMs: 1, ...change,
  };
}

const issuesOf = (a: StudyDefinition, b: StudyDefinition, trials = [trial(1, { f: 1, g: 2 })]): string[] => {
  const warm = warmStart(a, [{ study: record(b), trials }]);
  return 'issues' in warm ? warm.issues.map((i) => `${i.path.join('.')}: ${i.message}`) : [];
};

describe('a warm start', () => {
  it('reckons objectives and violations by the directions and limits of the study that begins', () => {
    const warm = warmStart(definition({ objectives: [{ metric: 'g', direction: 'maximize' }, { metric: 'f' }], constraints: [{ metric: 'g', op: '<=', value: 4 }] }), [
      { study: record(definition()), trials: [trial(1, { f: 1, g: 2 }), trial(2, { f: 3, g: 8 })] },
    ]);
    expect(warm).toEqual({ imports: [
      { studyId: 'other', number: 1, key: 'k1', genes: [1, 0], state: 'completed', objectives: [-2, 1], violations: [-0.5] },
      { studyId: 'other', number: 2, key: 'k2', genes: [2, 0], state: 'infeasible', objectives: [-8, 3], violations: [1] },
    ] });
  });

  it('takes each point once, failures of the point too; nothing unsettled, partial, below full evaluation, or failed by accident', () => {
    const trials = [
      trial(1, { f: 1, g: 2 }), trial(9, { f: 7, g: 2 }, { key: 'k1' }), trial(2, {}, { state: 'failed', reason: 'evaluator-error' }), trial(3, {}, { state: 'failed', reason: 'timeout' }),
      trial(4, {}, { state: 'pending' }), trial(5, { f: 1, g: 2 }, { fidelity: 1 / 3 }), trial(6, { g: 9 }, { state: 'infeasible' }), trial(7, { g: 12 }, { state: 'infeasible' }),
    ];
    const warm = warmStart(definition(), [{ study: record(definition()), trials }]);
    expect('imports' in warm && warm.imports.map((i) => [i.number, i.state])).toEqual([[1, 'completed'], [2, 'failed'], [7, 'infeasible']]);
  });

  it('is refused where the studies mean other things by a point or a metric, and says by which', () => {
    const wider = [{ ...parameters[0]!, max: 30 }, parameters[1]!] as StudyDefinition['space']['parameters'];
    expect(issuesOf(definition(), definition())).toEqual([]);
    expect(issuesOf(definition({}, wider), definition())).toEqual([expect.stringMatching(/^warmStart\.studies\.0: study other differs in searchSpace\.parameters\.n: it has .*20.*, this study .*30/)]);
    expect(issuesOf(definition(), definition({}, [parameters[0]!]))).toEqual([expect.stringContaining('searchSpace.parameters: it has ["n"], this study ["n","k"]')]);
    expect(issuesOf(definition(), definition({ task: { numClasses: 3 } }))).toEqual([expect.stringContaining('differs in task')]);
    expect(issuesOf(definition(), definition({ accuracy: { method: 'command', command: ['other'], metrics: ['f', 'g'] } }))).toEqual([expect.stringContaining('differs in accuracy')]);
    expect(issuesOf(definition({ objectives: [{ metric: 'h' }] }), definition())).toEqual([expect.stringContaining('has no completed trial with "h"')]);
  });
});
