import { studySpec, type StudySpecInput } from '@app/contracts';
import { describe, expect, it } from 'vitest';
import type { AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate } from './evaluate.js';
import { StudyEngine, type EngineStudy } from './engine.js';
import { foresightView } from './foresight-view.js';
import { PREDICTED_DOMINATED } from './foresight.js';
import { priorOf } from './prior.js';
import type { FoldState, Prior, SettledTrial, StepCommit, StudyRecord, TrialRecord } from './records.js';
import { runStep } from './step.js';
import { warmStart } from './warm-start.js';

const STUDY = '7d444840-9dc0-11d1-b245-5ffdce74fad2';
const at = new Date(0);

function study(skip: object | undefined, change: Partial<StudySpecInput> = {}): EngineStudy {
  const spec = studySpec.parse({
    name: 'bowl', searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.01 }, { name: 'n', type: 'int', min: 1, max: 20 }, { name: 'k', type: 'categorical', values: ['a', 'b', 'c'] }] },
    accuracy: { method: 'command', command: ['none'], metrics: ['f', 'g'], ...(skip && { skip }) }, objectives: [{ metric: 'f' }, { metric: 'g', direction: 'maximize' }],
    algorithm: { name: 'random' }, budget: { maxTrials: 80, maxParallelTrials: 4 }, seed: 3, ...change,
  });
  const { parameters } = spec.searchSpace as { parameters: EngineStudy['space']['parameters'] };
  return { id: STUDY, spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [], referencePoint: null, hypervolume: null };
}

/** Slow, so that its evaluations are jobs. */
const evaluator: AccuracyEvaluator = {
  id: 'bowl', secondsPerTrial: 60, metrics: ['f', 'g'], close: () => Promise.resolve(),
  evaluate: ({ point }) => {
    const { x, n, k } = point as { x: number; n: number; k: string };
    const value = (v: number) => ({ value: v, unit: '1', provenance: 'reported' as const, source: 'test' });
    return Promise.resolve({ f: value((x - 0.3) ** 2 + n / 20 + (k === 'b' ? 0 : 0.1)), g: value(1 - (x - 0.8) ** 2 - n / 40) });
  },
};

const completed = (s: EngineStudy): StudyRecord => ({ ...s, name: '', labels: {}, state: 'completed', reason: null, message: null, revision: 9, createdAt: at, startedAt: at, finishedAt: at, runningMs: 1, runningSince: null, frontSize: 1, screened: 0 });
const record = (t: SettledTrial): TrialRecord => ({ ...t, studyId: STUDY, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at });

/** A search whose evaluations are jobs. `restart`: every round begins in a new process, from what is stored. */
async function search(s: EngineStudy, restart = false, prior: Prior | null = null): Promise<{ trials: TrialRecord[]; front: Set<string>; evaluated: number }> {
  const stored = new Map<number, TrialRecord>();
  const front = new Set<string>();
  let evaluated = 0;
  let commit: StepCommit | null = null;
  let engine = StudyEngine.open(s, { snapshot: null, told: 0, trials: [], imports: [], prior }, evaluator);
  let current: SettledTrial[] = [];
  const ordered = (): TrialRecord[] => [...stored.values()].sort((a, b) => a.number - b.number);
  for (;;) {
    const context = { definition: s, terms: engine.problem.terms, evaluator, now: () => 0 };
    const step = await runStep(engine, context, current, { sliceMs: Infinity, maxTrials: 500, elapsedSeconds: 0, signal: new AbortController().signal });
    ({ commit } = step);
    for (const t of commit.proposed) stored.set(t.number, { ...record({ ...t, state: 'failed', reason: null, message: null, metrics: {}, objectives: [], violations: [], feasible: null, durationMs: 0 }), state: 'pending' });
    for (const t of commit.settled) stored.set(t.number, record(t));
    commit.frontRemoved.forEach((id) => front.delete(id));
    commit.frontAdded.forEach((id) => front.add(id));
    if (commit.finish) return { trials: ordered(), front, evaluated };
    current = [];
    for (const t of ordered().filter((o) => step.waiting.includes(o.id))) {
      const settled = { ...t, ...(await evaluateCandidate(context, t.parameters, new AbortController().signal)) };
      stored.set(t.number, record(settled));
      current.push(settled);
      evaluated++;
    }
    if (restart) {
      const fold = JSON.parse(JSON.stringify({ snapshot: commit.snapshot, told: commit.told, trials: ordered(), imports: [], prior })) as FoldState;
      engine = StudyEngine.open({ ...s, referencePoint: commit.referencePoint, hypervolume: commit.hypervolume }, fold, evaluator);
    }
  }
}

const essence = (t: TrialRecord): unknown => [t.number, t.parameters, t.state, t.reason, t.objectives, t.metrics];
const skip = { after: 20, confidence: 0.95 };

describe('a search that passes over what it foretells to be dominated', () => {
  it('evaluates fewer trials and keeps the front of those it evaluated', async () => {
    const [without, passing] = [await search(study(undefined)), await search(study(skip))];
    expect(without.evaluated).toBe(80);
    const passed = passing.trials.filter((t) => t.reason === PREDICTED_DOMINATED);
    expect(passed.length).toBeGreaterThan(10);
    expect(passing.evaluated + passed.length).toBe(80);
    expect(passed[0]!.number).toBeGreaterThan(20);
    const known = passing.trials.filter((t) => t.feasible === true);
    const best = known.filter((a) => !known.some((b) => b.objectives.every((v, j) => v! <= a.objectives[j]!) && b.objectives.some((v, j) => v! < a.objectives[j]!)));
    expect([...passing.front].sort()).toEqual(best.map((t) => t.id).sort());
  });

  it('marks what it foretells as estimated, tells it to no one, and keeps it off the front', async () => {
    const { trials, front } = await search(study(skip));
    for (const t of trials.filter((p) => p.reason === PREDICTED_DOMINATED)) {
      expect(t).toMatchObject({ state: 'infeasible', feasible: null, objectives: [null, null], metrics: { f: { provenance: 'estimated' }, g: { provenance: 'estimated' } } });
      expect(t.metrics['g']!.interval![0]).toBeLessThan(t.metrics['g']!.value);
      expect(front.has(t.id)).toBe(false);
    }
  });

  it('foretells rightly: hardly one of those passed over would have been on the front', async () => {
    const { trials } = await search(study(skip));
    const evaluated = trials.filter((t) => t.reason !== PREDICTED_DOMINATED).map((t) => t.objectives as number[]);
    const passed = trials.filter((t) => t.reason === PREDICTED_DOMINATED);
    let wrong = 0;
    for (const t of passed) {
      const m = await evaluator.evaluate({ point: t.parameters } as Parameters<AccuracyEvaluator['evaluate']>[0]);
      const due = [m['f']!.value, -m['g']!.value];
      if (!evaluated.some((p) => p.every((v, j) => v <= due[j]!))) wrong++;
    }
    expect(wrong / passed.length).toBeLessThan(0.1);
  });

  it('has the same trials when every round begins in a new process', async () => {
    expect((await search(study(skip), true)).trials.map(essence)).toEqual((await search(study(skip))).trials.map(essence));
  });

  it('passes over more with what an earlier study of the task has, has the same trials in new processes, and says what it knows them from', async () => {
    const early = study({ after: 5, confidence: 0.95 });
    const earlier = (await search(study(undefined, { seed: 8, budget: { maxTrials: 40, maxParallelTrials: 4 } }))).trials;
    const prior = priorOf(early, [{ study: { ...completed(study(undefined)), id: '7d444840-9dc0-11d1-b245-5ffdce74fad3' }, trials: earlier }])!;
    const [alone, learning] = [await search(early), await search(early, false, prior)];
    const passed = learning.trials.filter((t) => t.reason === PREDICTED_DOMINATED);
    expect(passed.length).toBeGreaterThan(alone.trials.filter((t) => t.reason === PREDICTED_DOMINATED).length);
    expect(passed[0]!.message).toMatch(/^foreseen from \d+ trials and 40 of other studies: /);
    expect(passed[0]!.metrics['f']).toMatchObject({ provenance: 'estimated', interval: [expect.any(Number) as number, expect.any(Number) as number], source: expect.stringContaining('40 of other studies; not evaluated') as string });
    expect((await search(early, true, prior)).trials.map(essence)).toEqual(learning.trials.map(essence));
  });

  it('never passes over a point the user named', async () => {
    // late start points of an import-free search come first; the worst corner is among them
    const start = Array.from({ length: 25 }, (_, i) => ({ x: i / 25, n: 20, k: 'a' }));
    const { trials } = await search(study({ after: 5, confidence: 0.5 }, { start }));
    expect(trials.slice(0, 25).some((t) => t.reason === PREDICTED_DOMINATED)).toBe(false);
  });

  it('gives none of it away to a study that begins with its trials', async () => {
    const s = study(skip);
    const { trials } = await search(s);
    const result = warmStart(s, [{ study: completed(s), trials }]);
    expect('imports' in result && result.imports.length).toBe(trials.filter((t) => t.reason !== PREDICTED_DOMINATED).length);
  });
});

describe('the view of what trials foretell', () => {
  it('has each evaluated trial against the others, in the study\'s own direction and unit, and how far they err', async () => {
    const s = study(skip);
    const { trials } = await search(s);
    const view = foresightView(completed(s), { trials, imports: [] });
    const evaluated = trials.filter((t) => t.reason !== PREDICTED_DOMINATED);
    expect([view.revision, view.skipped, view.objectives.map((o) => o.key)]).toEqual([9, trials.length - evaluated.length, ['f', 'g']]);
    const g = view.objectives[1]!;
    expect(g.number).toEqual(evaluated.map((t) => t.number));
    expect(g.values).toEqual(evaluated.map((t) => t.metrics['g']!.value));
    expect(g.error).toBeLessThan(g.spread / 4);
    expect(g.within).toBeGreaterThan(0.7);
    g.low.forEach((low, i) => expect(low).toBeLessThan(g.high[i]!));
  });

  it('sets a trial apart that fell apart: it is shown, and neither error, spread nor share of intervals are of it', async () => {
    const s = study(undefined, { budget: { maxTrials: 40, maxParallelTrials: 4 } });
    const { trials } = await search(s);
    const [f] = foresightView(completed(s), { trials, imports: [] }).objectives;
    const [spoilt] = foresightView(completed(s), { trials: trials.map((t) => (t.number === 9 ? { ...t, objectives: [500, t.objectives[1]!] } : t)), imports: [] }).objectives;
    expect(spoilt!.values[8]).toBe(500);
    expect(spoilt!.apart.flatMap((a, i) => (a ? [i] : []))).toEqual([8]);
    expect(Math.abs(spoilt!.spread / f!.spread - 1)).toBeLessThan(0.2);
    expect(spoilt!.error).toBeLessThan(f!.spread / 4);
    expect(spoilt!.within).toBeGreaterThan(0.8);
  });

  it('is empty where all is computed or trials are few', async () => {
    const s = study(skip, { budget: { maxTrials: 4 } });
    const { trials } = await search(s);
    expect(foresightView(completed(s), { trials, imports: [] }).objectives).toEqual([]);
  });
});
