import { studySpec } from '@app/contracts';
import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { inTurn, type AccuracyEvaluator } from './accuracy.js';
import { evaluateCandidate, type EvaluationContext } from './evaluate.js';
import { StudyEngine, type EngineStudy } from './engine.js';
import { PREDICTED_DOMINATED } from './foresight.js';
import { OUTSCORED, SCORE, type Prefilter } from './prefilter.js';
import type { SettledTrial, TrialRecord } from './records.js';
import { foreseeScored } from './skipping.js';
import { runStep } from './step.js';

const STUDY = '7d444840-9dc0-11d1-b245-5ffdce74fad2';
const at = new Date(0);

function study(prefilter: boolean, confidence = 0.99): EngineStudy {
  const spec = studySpec.parse({
    name: 'hidden', searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.001 }] },
    accuracy: { method: 'train', dataset: { format: 'synthetic' }, skip: { after: 12, confidence }, ...(prefilter && { prefilter: { keep: 0.999 } }) },
    objectives: [{ metric: 'accuracy' }], algorithm: { name: 'random' }, budget: { maxTrials: 50, maxParallelTrials: 4 }, seed: 5,
  });
  const { parameters } = spec.searchSpace as { parameters: EngineStudy['space']['parameters'] };
  return { id: STUDY, spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [], referencePoint: null, hypervolume: null };
}

/** Nothing of where x lies tells it. */
const hidden = (x: number, what: string): number => Rng.of(1, what, Math.round(1000 * x)).next();
const trainer: AccuracyEvaluator = {
  id: 'trainer', secondsPerTrial: 60, metrics: ['accuracy'], close: () => Promise.resolve(),
  evaluate: ({ point }) => Promise.resolve({ accuracy: { value: 60 + 20 * hidden(point['x'] as number, 'accuracy'), unit: '%', provenance: 'trained', source: 'test' } }),
};

interface Search {
  readonly trials: readonly TrialRecord[];
  readonly scored: number;
}

/** A search whose evaluations are jobs. `restart`: every round begins in a new process, from what is stored. */
async function search(s: EngineStudy, scoreOf: ((x: number) => number | null) | null, restart = false): Promise<Search> {
  let scored = 0;
  const scorer: AccuracyEvaluator = {
    id: 'scorer', secondsPerTrial: 2, metrics: [SCORE], close: () => Promise.resolve(),
    evaluate: ({ point }) => {
      scored++;
      const value = scoreOf!(point['x'] as number);
      return Promise.resolve(value === null ? {} : { [SCORE]: { value, unit: '1', provenance: 'computed' as const, source: 'test' } });
    },
  };
  const evaluator = scoreOf === null ? trainer : inTurn([scorer, trainer]);
  const stored = new Map<number, TrialRecord>();
  const front = new Map<string, readonly number[]>();
  const ordered = (): TrialRecord[] => [...stored.values()].sort((a, b) => a.number - b.number);
  const record = (t: SettledTrial): TrialRecord => ({ ...t, studyId: STUDY, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at });
  let engine = StudyEngine.open(s, { snapshot: null, told: 0, trials: [], imports: [] }, evaluator);
  let current: SettledTrial[] = [];
  for (;;) {
    const { definition, terms } = { definition: s, terms: engine.problem.terms };
    const step = await runStep(engine, { definition, terms, evaluator, now: () => 0 }, current, { sliceMs: Infinity, maxTrials: 500, elapsedSeconds: 0, signal: new AbortController().signal });
    for (const t of step.commit.proposed) stored.set(t.number, { ...record({ ...t, state: 'failed', reason: null, message: null, metrics: {}, objectives: [], violations: [], feasible: null, durationMs: 0 }), state: 'pending' });
    for (const t of step.commit.settled) stored.set(t.number, record(t));
    step.commit.frontRemoved.forEach((id) => front.delete(id));
    for (const id of step.commit.frontAdded) front.set(id, ordered().find((t) => t.id === id)!.objectives as number[]);
    if (step.commit.finish) return { trials: ordered(), scored };
    current = [];
    for (const t of ordered().filter((o) => step.waiting.includes(o.id))) {
      const before = ordered().filter((o) => o.round < t.round);
      const prefilter: Prefilter = { keep: 0.999, after: 10, among: 40, scored: [] };
      const foresee: EvaluationContext['foresee'] = (score, known) => Promise.resolve(foreseeScored({ definition: s, fold: { imports: [], trials: before }, answered: evaluator.metrics, genes: t.genes, known, front: [...front.values()], score }));
      const settled = { ...t, ...(await evaluateCandidate({ definition, terms, evaluator, now: () => 0, prefilter, foresee: scoreOf === null ? null : foresee }, t.parameters, new AbortController().signal)) };
      stored.set(t.number, record(settled));
      current.push(settled);
    }
    if (restart) engine = StudyEngine.open({ ...s, referencePoint: step.commit.referencePoint, hypervolume: step.commit.hypervolume }, { snapshot: step.commit.snapshot, told: step.commit.told, trials: ordered(), imports: [] }, evaluator);
  }
}

const passed = ({ trials }: Search): TrialRecord[] => trials.filter((t) => t.reason === PREDICTED_DOMINATED);
/** Best accuracy that was trained. */
const best = ({ trials }: Search): number => Math.max(...trials.filter((t) => t.state === 'completed').map((t) => t.metrics['accuracy']!.value));
const telling = (x: number): number => 5 * hidden(x, 'accuracy') + 0.2 * hidden(x, 'noise');

describe('passing over in a study that scores its candidates', () => {
  it('looks at the score where it tells: candidates are passed over once they are scored, and without a score there is nothing to tell', async () => {
    const with_ = await search(study(true), telling);
    const without = await search(study(false), null);
    expect(passed(with_).length).toBeGreaterThan(25);
    expect(passed(without).length).toBeLessThan(5);
    expect(best(with_)).toBeGreaterThanOrEqual(best(without) - 1e-9);
    for (const t of passed(with_)) {
      expect(t).toMatchObject({ state: 'infeasible', feasible: null, objectives: [null], message: expect.stringMatching(/^foreseen from \d+ trials, its naswot score counting: accuracy .* at best/) as string });
      expect(t.metrics[SCORE]!.value).toBe(telling(t.parameters['x'] as number));
      expect(t.metrics['accuracy']).toMatchObject({ provenance: 'estimated', source: expect.stringMatching(/naswot score counting; not evaluated$/) as string });
    }
    expect(with_.scored).toBe(50);
    expect(with_.trials.some((t) => t.reason === OUTSCORED)).toBe(false);
  });

  it('rightly: none passed over has the best value', async () => {
    const result = await search(study(true), telling);
    for (const t of passed(result)) expect(60 + 20 * hidden(t.parameters['x'] as number, 'accuracy')).toBeLessThan(best(result));
  });

  it('has the same trials when every round begins in a new process', async () => {
    const essence = ({ trials }: Search): unknown => trials.map((t) => [t.number, t.key, t.state, t.reason, t.message, t.metrics]);
    expect(essence(await search(study(true), telling, true))).toEqual(essence(await search(study(true), telling)));
  });

  it('leaves scores alone that tell nothing, and does not score what it passes over without them', async () => {
    const smooth: AccuracyEvaluator['evaluate'] = ({ point }) => Promise.resolve({ accuracy: { value: 90 - 40 * Math.abs((point['x'] as number) - 0.3), unit: '%', provenance: 'trained', source: 'test' } });
    const { evaluate } = trainer;
    Object.assign(trainer, { evaluate: smooth });
    try {
      const result = await search(study(true), (x) => hidden(x, 'nothing'));
      const over = passed(result);
      expect(over.length).toBeGreaterThan(10);
      expect(over.filter((t) => t.metrics[SCORE] === undefined).length).toBeGreaterThan(0.8 * over.length);
      expect(result.scored).toBe(result.trials.filter((t) => t.metrics[SCORE] !== undefined).length);
    } finally {
      Object.assign(trainer, { evaluate });
    }
  });

  it('trains what could not be scored', async () => {
    const some = await search(study(true), (x) => (Math.round(1000 * x) % 3 === 0 ? null : telling(x)));
    const unscored = some.trials.filter((t) => t.metrics[SCORE] === undefined);
    expect(unscored.length).toBeGreaterThan(5);
    expect(unscored.map((t) => t.state)).toEqual(unscored.map(() => 'completed'));
    expect(passed(some).length).toBeGreaterThan(5);
  });
});
