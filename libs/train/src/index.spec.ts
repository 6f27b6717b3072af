import { afterEach, describe, expect, it } from 'vitest';
import { studySpec } from '@app/contracts';
import type { AccuracyEvaluator, StudyDefinition } from '@app/study';
import { accuracyEvaluator, EvaluatorError } from './index.js';

const open: AccuracyEvaluator[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((e) => e.close()));
});

const definition = (family: string, accuracy: object): StudyDefinition => ({
  spec: studySpec.parse({ name: 's', searchSpace: 'any', accuracy, objectives: [{ metric: 'macs' }], budget: { maxTrials: 1 } }),
  space: { name: family, title: '', description: '', family, parameters: [], settings: {}, sources: [] },
  devices: [],
});
const evaluatorOf = (family: string, accuracy: object, allowCommands?: boolean): AccuracyEvaluator => {
  const evaluator = accuracyEvaluator(definition(family, accuracy), { allowCommands });
  open.push(evaluator);
  return evaluator;
};
const failure = (run: () => unknown): EvaluatorError => {
  try {
    run();
  } catch (error) {
    return error as EvaluatorError;
  }
  throw new Error('it did not throw');
};

/** Answers accuracy, whatever is asked. */
const PROGRAM = [process.execPath, '-e', "require('readline').createInterface({input: process.stdin}).on('line', (l) => { const q = JSON.parse(l); console.log(JSON.stringify({id: q.id, metrics: {accuracy: 71.5, knobs: Object.keys(q.parameters).length, fidelity: q.fidelity}})) })"];

describe('the evaluator of a study', () => {
  it('is chosen by accuracy.method', () => {
    expect(evaluatorOf('nas-bench-201', { method: 'table', dataset: 'cifar100' }).id).toBe('table/nas-bench-201/cifar100');
    expect(evaluatorOf('flynet', { method: 'surrogate' }).id).toBe('flynet-surrogate-1');
    expect(evaluatorOf('flynet', { method: 'none' }).id).toBe('none');
  });

  it('of a supernet is refused to other families', () => {
    const accuracy = { method: 'supernet', dataset: { format: 'synthetic' } };
    expect(failure(() => evaluatorOf('resnet-8', accuracy))).toMatchObject({ reason: 'unsupported', message: 'accuracy.method "supernet" knows the family flynet; this space is of family "resnet-8"' });
  });

  it('answers nothing by method none', async () => {
    const none = evaluatorOf('flynet', { method: 'none' });
    expect(none.metrics).toEqual([]);
    expect(await none.evaluate({ ...definition('flynet', { method: 'none' }), point: {}, graph: null, task: { numClasses: 10, inputChannels: 3 }, signal: new AbortController().signal })).toEqual({});
  });

  it.each(['resnet18-scaling', 'nas-bench-201', 'none'])('refuses a surrogate for %s, saying why and what else there is', (family) => {
    expect(failure(() => evaluatorOf(family, { method: 'surrogate' }))).toMatchObject({ reason: 'unsupported', message: expect.stringMatching(`no accuracy surrogate for family "${family}".*method .*"command"`) as string });
  });

  it('runs a command only where that is allowed, and says how to allow it', async () => {
    const accuracy = { method: 'command', command: PROGRAM, metrics: ['accuracy'] };
    for (const allowed of [undefined, false]) {
      expect(failure(() => evaluatorOf('flynet', accuracy, allowed))).toMatchObject({ reason: 'commands-not-allowed', message: expect.stringContaining('CADDIS_ALLOW_COMMANDS=1') as string });
    }
    const evaluator = evaluatorOf('flynet', accuracy, true);
    expect([evaluator.metrics, evaluator.secondsPerTrial > 1]).toEqual([['accuracy'], true]);
    const metrics = await evaluator.evaluate({ ...definition('flynet', accuracy), point: { a: 1, b: 'x' }, graph: null, task: { numClasses: 10, inputChannels: 3 }, signal: new AbortController().signal, fidelity: 0.5 });
    expect(metrics['accuracy']).toMatchObject({ value: 71.5, unit: '%', provenance: 'reported' });
    expect([metrics['knobs'], metrics['fidelity']].map((m) => [m!.value, m!.unit])).toEqual([[2, '1'], [0.5, '1']]);
  });
});
