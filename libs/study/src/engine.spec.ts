import { describe, expect, it } from 'vitest';
import { studySpec, type StudySpecInput } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate, type EvaluationContext } from './evaluate.js';
import { StudyEngine, type EngineStudy } from './engine.js';
import type { FoldState, SettledTrial, StepCommit, TrialRecord } from './records.js';
import { runStep } from './step.js';

const STUDY = '7d444840-9dc0-11d1-b245-5ffdce74fad2';
const at = new Date(0);

function study(change: Partial<StudySpecInput> = {}): EngineStudy {
  const spec = studySpec.parse({
    name: 'two bowls',
    searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.01 }, { name: 'n', type: 'int', min: 1, max: 20 }, { name: 'k', type: 'categorical', values: ['a', 'b', 'c'] }] },
    accuracy: { method: 'command', command: ['none'], metrics: ['f', 'g', 'c'] },
    objectives: [{ metric: 'f' }, { metric: 'g', direction: 'maximize' }],
    constraints: [{ metric: 'c', op: '<=', value: 18 }],
    algorithm: { name: 'sobol' },
    budget: { maxTrials: 60 },
    seed: 3,
    ...change,
  });
  const parameters = (spec.searchSpace as { parameters: EngineStudy['space']['parameters'] }).parameters;
  return { id: STUDY, spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [], referencePoint: null, hypervolume: null };
}

const evaluator: AccuracyEvaluator = {
  id: 'bowls', secondsPerTrial: 0, metrics: ['f', 'g', 'c'], close: () => Promise.resolve(),
  evaluate: ({ point }) => {
    const { x, n, k } = point as { x: number; n: number; k: string };
    if (k === 'c' && n === 7) return Promise.reject(new EvaluatorError('evaluator-error', 'seven'));
    const value = (v: number) => ({ value: v, unit: '1', provenance: 'reported' as const, source: 'test' });
    return Promise.resolve({ f: value((x - 0.3) ** 2 + n / 20 + (k === 'b' ? 0 : 0.1)), g: value(1 - (x - 0.8) ** 2), c: value(n) });
  },
};

function contextOf(s: EngineStudy, engine: StudyEngine, e = evaluator): EvaluationContext {
  return { definition: s, terms: engine.problem.terms, evaluator: e, now: () => 0 };
}

const record = (t: SettledTrial): TrialRecord => ({ ...t, studyId: STUDY, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at });
const signal = new AbortController().signal;
const step = (engine: StudyEngine, s: EngineStudy, maxTrials: number): Promise<StepCommit> =>
  runStep(engine, contextOf(s, engine), [], { sliceMs: Infinity, maxTrials, elapsedSeconds: 0, signal }).then((r) => r.commit);

const EMPTY: FoldState = { snapshot: null, told: 0, trials: [], imports: [] };

/** A whole search; `stopAt` leaves the process at those trial counts and takes it up again from what was stored. */
async function search(s: EngineStudy, options: { stopAt?: number[]; forgetSnapshot?: boolean } = {}): Promise<{ trials: SettledTrial[]; last: StepCommit; front: string[] }> {
  let engine = StudyEngine.open(s, EMPTY, evaluator);
  const trials: SettledTrial[] = [];
  const front = new Set<string>();
  let last: StepCommit;
  const cuts = [...(options.stopAt ?? [])];
  for (;;) {
    last = await step(engine, s, cuts.length > 0 ? cuts[0]! - trials.length : 7);
    trials.push(...last.settled);
    last.frontRemoved.forEach((id) => front.delete(id));
    last.frontAdded.forEach((id) => front.add(id));
    if (last.finish) return { trials, last, front: [...front].sort() };
    if (cuts[0] === trials.length) {
      cuts.shift();
      const fold = JSON.parse(JSON.stringify({ snapshot: options.forgetSnapshot ? null : last.snapshot, told: last.told, trials: trials.map(record), imports: [] })) as FoldState;
      engine = StudyEngine.open({ ...s, referencePoint: last.referencePoint, hypervolume: last.hypervolume }, fold, evaluator);
    }
  }
}

const essence = (t: SettledTrial): unknown => [t.number, t.parameters, t.state, t.objectives, t.proposedBy, t.id];

describe('a search', () => {
  it('ends with its budget, never repeats a point, and keeps exactly the non-dominated feasible trials', async () => {
    const { trials, last, front } = await search(study());
    expect(last.finish?.reason).toBe('budget-trials');
    expect(trials.map((t) => t.number)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(new Set(trials.map((t) => t.key)).size).toBe(60);
    const feasible = trials.filter((t) => t.feasible === true);
    const expected = feasible.filter((a) => !feasible.some((b) => b.objectives.every((v, j) => v! <= a.objectives[j]!) && b.objectives.some((v, j) => v! < a.objectives[j]!)));
    expect(front).toEqual(expected.map((t) => t.id).sort());
    expect(last.frontSize).toBe(front.length);
    expect(last.hypervolume).toBeGreaterThan(0);
  });

  it.each([['sobol', [1]], ['sobol', [2, 3, 4, 5, 40, 59]], ['mads', [13, 29, 30]], ['bo', [7, 21]]] as const)('by %s, taken up again after %j trials, has the trials of an undisturbed one', async (name, stopAt) => {
    const s = study({ algorithm: { name }, budget: { maxTrials: name === 'bo' ? 24 : 60 } });
    const whole = await search(s);
    const cut = await search(s, { stopAt: [...stopAt] });
    expect(cut.trials.map(essence)).toEqual(whole.trials.map(essence));
    expect(cut.last.hypervolume).toBe(whole.last.hypervolume);
    expect(cut.last.referencePoint).toEqual(whole.last.referencePoint);
    expect(cut.front).toEqual(whole.front);
  });

  it('is rebuilt from its trials alone when the snapshot is of another version', async () => {
    const whole = await search(study());
    expect((await search(study(), { stopAt: [17, 33], forgetSnapshot: true })).trials.map(essence)).toEqual(whole.trials.map(essence));
  });

  it('gives the same trials whatever the order in which a round settles', async () => {
    const s = study({ budget: { maxTrials: 40, maxParallelTrials: 4 } });
    const run = async (shuffle: (t: SettledTrial[]) => SettledTrial[]): Promise<unknown[]> => {
      const engine = StudyEngine.open(s, EMPTY, evaluator);
      const all: SettledTrial[] = [];
      for (let round = engine.ask(0); round.length > 0; round = engine.ask(0)) {
        const settled = await Promise.all(round.map(async (t) => ({ ...t, ...(await evaluateCandidate(contextOf(s, engine), t.parameters, signal)) })));
        engine.tell(shuffle(settled), true);
        all.push(...settled);
      }
      return all.sort((a, b) => a.number - b.number).map(essence);
    };
    expect(await run((t) => t.reverse())).toEqual(await run((t) => t));
  });

  it('ends when every point has been tried', async () => {
    const s = study({ searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.5 }, { name: 'n', type: 'int', min: 1, max: 2 }, { name: 'k', type: 'categorical', values: ['a', 'b'] }] } });
    const { trials, last } = await search(s);
    expect(trials).toHaveLength(12);
    expect(last.finish?.reason).toBe('space-exhausted');
  });

  it('fails when more trials fail than the budget allows, and says how many', async () => {
    const s = study({ budget: { maxTrials: 60, maxFailedTrials: 3 } });
    const engine = StudyEngine.open(s, EMPTY, evaluator);
    const failing: AccuracyEvaluator = { ...evaluator, evaluate: () => Promise.reject(new EvaluatorError('evaluator-error', 'no')) };
    const { commit } = await runStep(engine, contextOf(s, engine, failing), [], { sliceMs: Infinity, maxTrials: 60, elapsedSeconds: 0, signal });
    expect(commit.finish).toMatchObject({ state: 'failed', reason: 'too-many-failures' });
    expect(commit.settled).toHaveLength(3);
  });

  it('refuses a round that is told in part', () => {
    const s = study({ budget: { maxTrials: 40, maxParallelTrials: 4 } });
    const engine = StudyEngine.open(s, EMPTY, evaluator);
    engine.ask(0);
    expect(() => engine.tell([], true)).toThrow(/told whole/);
  });
});

describe('an evaluation', () => {
  const s = study();
  const outcome = (e: Partial<AccuracyEvaluator>, point = { x: 0.5, n: 3, k: 'a' }) => {
    const engine = StudyEngine.open(s, EMPTY, evaluator);
    return evaluateCandidate(contextOf(s, engine, { ...evaluator, ...e }), point, signal);
  };

  it.each([NaN, Infinity, -Infinity])('settles a metric of %s as failed and keeps what was known', async (bad) => {
    const result = await outcome({
      evaluate: () => Promise.resolve({ f: { value: 1, unit: '1', provenance: 'reported', source: 't' }, g: { value: bad, unit: '1', provenance: 'reported', source: 't' } }),
    });
    expect(result).toMatchObject({ state: 'failed', reason: 'invalid-metric', objectives: [1, null], feasible: null });
    expect(result.message).toContain('"g"');
  });

  it('names the metric an evaluator did not answer', async () => {
    const result = await outcome({ evaluate: () => Promise.resolve({ f: { value: 1, unit: '1', provenance: 'reported', source: 't' } }) });
    expect(result).toMatchObject({ state: 'failed', reason: 'missing-metric' });
    expect(result.message).toContain('"g"');
  });

  it('turns maximised objectives round and says which limit a candidate breaks', async () => {
    const result = await outcome({}, { x: 0.5, n: 20, k: 'b' });
    expect(result).toMatchObject({ state: 'infeasible', reason: 'constraint', feasible: false });
    expect(result.objectives[1]).toBeCloseTo(-(1 - 0.09), 12);
    expect(result.violations[0]).toBeCloseTo(2 / 18, 12);
    expect(result.message).toBe('c is 20, the limit is <= 18');
  });
});
