import { describe, expect, it } from 'vitest';
import { studySpec } from '@app/contracts';
import { EvaluatorError, inTurn, type AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate } from './evaluate.js';
import { studyTerms } from './problem.js';
import type { StudyDefinition } from './records.js';

const value = (v: number) => ({ value: v, unit: '1', provenance: 'reported' as const, source: 'test' });

/** Answers what it is told to and keeps count. */
function source(id: string, seconds: number, answers: Readonly<Record<string, number>>, log: string[]): AccuracyEvaluator {
  return {
    id, secondsPerTrial: seconds, metrics: Object.keys(answers),
    evaluate: () => {
      log.push(id);
      return Promise.resolve(Object.fromEntries(Object.entries(answers).map(([k, v]) => [k, value(v)])));
    },
    close: () => {
      log.push(`close ${id}`);
      return Promise.resolve();
    },
  };
}

const parameters = [{ name: 'x', type: 'float' as const, min: 0, max: 1 }];
const definition: StudyDefinition = {
  spec: studySpec.parse({
    name: 'two sources', searchSpace: { parameters }, accuracy: { method: 'command', command: ['none'], metrics: ['f', 'g'] },
    objectives: [{ metric: 'f' }], constraints: [{ metric: 'g', op: '<=', value: 1 }], budget: { maxTrials: 1 },
  }),
  space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [],
};
const evaluate = (evaluator: AccuracyEvaluator) => evaluateCandidate({ definition, terms: studyTerms(definition.spec), evaluator, now: () => 0 }, { x: 0.5 }, new AbortController().signal);

describe('sources of metrics in turn', () => {
  it('are asked the quicker first, and the later one counts', async () => {
    const log: string[] = [];
    const both = inTurn([source('slow', 60, { f: 2 }, log), source('quick', 0, { f: 1, g: 0 }, log)]);
    expect(both).toMatchObject({ id: 'quick + slow', secondsPerTrial: 60, metrics: ['f', 'g'] });
    expect(await evaluate(both)).toMatchObject({ state: 'completed', objectives: [2], violations: [-1] });
    await both.close();
    expect(log).toEqual(['quick', 'slow', 'close quick', 'close slow']);
  });

  it('leave the slow one unasked where a quick one shows a broken limit, and the message says what was not sought', async () => {
    const log: string[] = [];
    const outcome = await evaluate(inTurn([source('slow', 60, { f: 2 }, log), source('quick', 0, { g: 3 }, log)]));
    expect(log).toEqual(['quick']);
    expect(outcome).toMatchObject({ state: 'infeasible', reason: 'constraint', message: 'g is 3, the limit is <= 1; f was not sought', objectives: [null], violations: [2], feasible: false });
  });

  it('keep what the first found when the second fails', async () => {
    const failing: AccuracyEvaluator = { ...source('slow', 60, { f: 2 }, []), evaluate: () => Promise.reject(new EvaluatorError('agent-silent', 'no answer')) };
    expect(await evaluate(inTurn([failing, source('quick', 0, { g: 0 }, [])]))).toMatchObject({ state: 'failed', reason: 'agent-silent', metrics: { g: { value: 0 } }, violations: [-1] });
  });
});
