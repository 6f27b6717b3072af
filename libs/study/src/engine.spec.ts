import { describe, expect, it } from 'vitest';
import { studySpec, type StudySpecInput } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate, type EvaluationContext } from './evaluate.js';
import { StudyEngine, type EngineStudy } from './engine.js';
import type { FoldState, ImportedTrial, SettledTrial, StepCommit, TrialRecord } from './records.js';
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
const step = (engine: StudyEngine, s: EngineStudy, maxTrials: number, by = evaluator): Promise<StepCommit> =>
  runStep(engine, contextOf(s, engine, by), [], { sliceMs: Infinity, maxTrials, elapsedSeconds: 0, signal }).then((r) => r.commit);

const EMPTY: FoldState = { snapshot: null, told: 0, trials: [], imports: [] };

/** A whole search; `stopAt` leaves the process at those trial counts and takes it up again from what was stored. */
async function search(s: EngineStudy, options: { stopAt?: number[]; forgetSnapshot?: boolean; imports?: ImportedTrial[]; by?: AccuracyEvaluator } = {}): Promise<{ trials: SettledTrial[]; last: StepCommit; front: string[] }> {
  const { imports = [], by = evaluator } = options;
  let engine = StudyEngine.open(s, { ...EMPTY, imports }, by);
  const trials: SettledTrial[] = [];
  const front = new Set<string>();
  let last: StepCommit;
  const cuts = [...(options.stopAt ?? [])];
  for (;;) {
    last = await step(engine, s, cuts.length > 0 ? cuts[0]! - trials.length : 7, by);
    trials.push(...last.settled);
    last.frontRemoved.forEach((id) => front.delete(id));
    last.frontAdded.forEach((id) => front.add(id));
    if (last.finish) return { trials, last, front: [...front].sort() };
    if (cuts[0] === trials.length) {
      cuts.shift();
      const fold = JSON.parse(JSON.stringify({ snapshot: options.forgetSnapshot ? null : last.snapshot, told: last.told, trials: trials.map(record), imports })) as FoldState;
      engine = StudyEngine.open({ ...s, referencePoint: last.referencePoint, hypervolume: last.hypervolume }, fold, by);
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

describe('a search by fidelities', () => {
  const curves: AccuracyEvaluator = {
    ...evaluator,
    evaluate: async (request) => {
      const full = await evaluator.evaluate(request);
      return { ...full, f: { ...full['f']!, value: full['f']!.value + 0.5 * (1 - (request.fidelity ?? 1)) } };
    },
  };
  const s = study({ algorithm: { name: 'nsga2' }, fidelity: { lowest: 0.1, eta: 3 }, budget: { maxTrials: 60, maxParallelTrials: 2 } });

  it('keeps what was not evaluated in full off the front, and lets a point rise under a key of its own', async () => {
    const { trials, front } = await search(s, { by: curves });
    expect(new Set(trials.map((t) => t.fidelity))).toEqual(new Set([1 / 9, 1 / 3, 1]));
    const full = trials.filter((t) => t.fidelity === 1);
    expect(full.length).toBeGreaterThan(3);
    expect(front.filter((id) => !full.some((t) => t.id === id))).toEqual([]);
    // what the budget's end leaves over is evaluated in full at once
    const risen = full.filter((t) => t.proposedBy === 'halving:promoted');
    expect(risen.length).toBeGreaterThan(3);
    for (const t of risen) expect(trials.filter((low) => low.key.startsWith(`${t.key}@`)).map((low) => low.fidelity)).toEqual([1 / 9, 1 / 3]);
    expect(new Set(trials.map((t) => t.key)).size).toBe(trials.length);
  });

  it.each([[[4, 22, 41], false], [[4, 22, 41], true]] as const)('taken up again after %j trials, snapshot forgotten: %s, has the trials of an undisturbed one', async (stopAt, forgetSnapshot) => {
    const whole = await search(s, { by: curves });
    const cut = await search(s, { by: curves, stopAt: [...stopAt], forgetSnapshot });
    expect(cut.trials.map(essence)).toEqual(whole.trials.map(essence));
    expect(cut.front).toEqual(whole.front);
  });
});

describe('a search that begins with trials of another', () => {
  const source = study({ budget: { maxTrials: 30 } });
  const fields = (t: SettledTrial): ImportedTrial => ({ studyId: 'other', number: t.number, key: t.key, genes: t.genes, state: t.state, objectives: t.objectives, violations: t.violations });

  it.each(['random', 'tpe', 'mads', 'nsga2'] as const)('by %s, asks none of them again, counts none, and carries on with them after a stop', async (name) => {
    const imports = (await search(source)).trials.map(fields);
    const s = study({ algorithm: { name }, budget: { maxTrials: 20 } });
    const whole = await search(s, { imports });
    expect(whole.trials).toHaveLength(20);
    expect(whole.trials.filter((t) => imports.some((i) => i.key === t.key))).toEqual([]);
    expect(whole.front.every((id) => whole.trials.some((t) => t.id === id))).toBe(true);
    for (const forgetSnapshot of [false, true]) expect((await search(s, { imports, stopAt: [4, 13], forgetSnapshot })).trials.map(essence)).toEqual(whole.trials.map(essence));
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
