import { expect, it } from 'vitest';
import { studySpec } from '@app/contracts';
import type { AccuracyEvaluator } from './accuracy.js';
import { dryRun } from './dry-run.js';
import type { StudyDefinition } from './records.js';

const value = (v: number, warnings?: string[]) => ({ value: v, unit: '1', provenance: 'reported' as const, source: 'test', ...(warnings ? { warnings } : {}) });
const evaluator: AccuracyEvaluator = {
  id: 'grid', secondsPerTrial: 0, metrics: ['f', 'c', 'aside'], close: () => Promise.resolve(),
  evaluate: ({ point }) => {
    const n = point['n'] as number;
    return Promise.resolve({ f: value(n, n > 90 ? ['beyond the range'] : undefined), c: value(n), aside: value(n, ['not asked for']) });
  },
};

function definition(limit: number, maxTrials = 1000): StudyDefinition {
  const parameters = [{ name: 'n', type: 'int' as const, min: 1, max: 100 }];
  const spec = studySpec.parse({
    name: 'x', searchSpace: { parameters }, accuracy: { method: 'command', command: ['none'], metrics: ['f', 'c', 'aside'] },
    objectives: [{ metric: 'f' }], constraints: [{ metric: 'c', op: '<=', value: limit }, { metric: 'f', op: '>=', value: 11 }], budget: { maxTrials },
  });
  return { spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [] };
}

it('counts exactly which share of a small space meets each limit and all of them, and names the hardest', async () => {
  const report = await dryRun(definition(20), evaluator, { now: () => 0 });
  expect(report).toMatchObject({ valid: true, sampled: 100, cardinality: 100, trials: 100, feasibleShare: 0.1, hardest: 'c', constraints: [{ key: 'c', share: 0.2, best: 1, median: 51 }, { key: 'f', share: 0.9, best: 100 }] });
  expect(report.warnings).toContain('10 of 100 sampled points: f: beyond the range');
  expect(report.warnings.join()).not.toContain('not asked for');
});

it('says what an impossible limit would have to be', async () => {
  const report = await dryRun(definition(0.5), evaluator, { now: () => 0 });
  expect(report).toMatchObject({ feasibleShare: 0, hardest: 'c' });
  expect(report.warnings).toContain('no sampled point meets c <= 0.5 1; the best seen is 1 1');
});

it('looks only at what can be computed if an evaluation is slow', async () => {
  const slow = { ...evaluator, secondsPerTrial: 60, evaluate: () => Promise.reject(new Error('must not be asked')) };
  expect(await dryRun(definition(20, 10), slow, { now: () => 0 })).toMatchObject({ valid: true, constraints: [{ share: null }, { share: null }], feasibleShare: null, estimatedSeconds: 600 });
});
