import { studySpec, type MetricValue, type StudySpecInput } from '@app/contracts';
import { Rng } from '@app/numeric';
import type { Genes } from '@app/space';
import { describe, expect, it } from 'vitest';
import { StudyEngine, type EngineStudy } from './engine.js';
import { Foresight } from './foresight.js';
import { foresightView } from './foresight-view.js';
import { NotFound } from './ports.js';
import { priorFrom } from './prior-sources.js';
import { MOST_PRIOR_TRIALS, otherTask, priorOf, priorStudies } from './prior.js';
import { studyProblem } from './problem.js';
import type { PriorTrial, StudyDefinition, StudyRecord, TrialRecord } from './records.js';

const parameters = [{ name: 'x', type: 'float' as const, min: 0, max: 1, step: 0.01 }, { name: 'n', type: 'int' as const, min: 1, max: 20 }, { name: 'k', type: 'categorical' as const, values: ['a', 'b', 'c'] }];
const at = new Date(0);
const OWN = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';

function definition(change: Partial<StudySpecInput> = {}, space: StudyDefinition['space']['parameters'] = parameters): StudyDefinition {
  const spec = studySpec.parse({
    name: 'p', searchSpace: { parameters }, task: { numClasses: 10, inputChannels: 1 }, accuracy: { method: 'command', command: ['train'], metrics: ['f'] }, objectives: [{ metric: 'f', direction: 'maximize' }], budget: { maxTrials: 60 }, ...change,
  });
  return { spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters: space, settings: {}, sources: [] }, devices: [] };
}

const record = (d: StudyDefinition, id = OTHER): StudyRecord => ({
  ...d, id, name: id, labels: {}, state: 'completed', reason: null, message: null, revision: 1, createdAt: at, startedAt: at, finishedAt: at, runningMs: 1, runningSince: null, referencePoint: null, hypervolume: null, frontSize: 0, screened: 0,
});

const value = (v: number, change: Partial<MetricValue> = {}): MetricValue => ({ value: v, unit: '1', provenance: 'reported', source: 'test', ...change });

function trial(number: number, f: number | null, change: Partial<TrialRecord> = {}): TrialRecord {
  return {
    id: `t${number}`, studyId: OTHER, number, round: number, key: `k${number}`, genes: [0, 0, 0], parameters: { x: (number % 50) / 100, n: 1 + (number % 20), k: 'a' }, fidelity: 1, proposedBy: 'test', note: null, state: 'completed', reason: null, message: null,
    metrics: f === null ? {} : { f: value(f) }, objectives: [], violations: [], feasible: null, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at, durationMs: 1, ...change,
  };
}

const train = (change: object = {}, dataset: object = {}): Partial<StudySpecInput> => ({ accuracy: { method: 'train', dataset: { format: 'idx', directory: 'mnist', ...dataset }, ...change } as StudySpecInput['accuracy'], objectives: [{ metric: 'accuracy' }] });

describe('the task of two studies', () => {
  it('is the same whatever their recipe, epochs, share of data, precision, limits or algorithm', () => {
    expect(otherTask(definition(train()), definition({ ...train({ epochs: 3, quantize: 'none', recipe: { optimizer: 'adamw' } }, { share: 0.1, splitSeed: 4 }), constraints: [{ metric: 'macs', op: '<=', value: 1 }], algorithm: { name: 'random' } }), false)).toBeNull();
    expect(otherTask(definition(), definition({ seed: 4 }), false)).toBeNull();
  });

  it('is another with other classes, channels, points, ways to accuracy, or another command unless it is named', () => {
    expect(otherTask(definition(), definition({ task: { numClasses: 12, inputChannels: 1 } }), true)).toBe('differs in task.numClasses: it has 12, this study 10');
    expect(otherTask(definition(), definition({ task: { numClasses: 10, inputChannels: 3 } }), true)).toBe('differs in task.inputChannels: it has 3, this study 1');
    expect(otherTask(definition(), definition({}, parameters.slice(0, 2)), true)).toContain('differs in searchSpace');
    expect(otherTask(definition(), definition({ accuracy: { method: 'none' }, objectives: [{ metric: 'macs' }] }), true)).toContain('differs in accuracy.method: it has "none"');
    expect(otherTask(definition(), definition(train()), false)).toContain('differs in accuracy.method: it has "train", this study "command"');
    const command = definition({ accuracy: { method: 'command', command: ['other'], metrics: ['f'] } });
    expect(otherTask(definition(), command, false)).toBe('differs in accuracy.command: it has ["other"], this study ["train"]');
    expect(otherTask(definition(), command, true)).toBeNull();
  });

  it('matters to studies whose values are dear, which learn from all of it unless they say otherwise', () => {
    expect(priorStudies(definition())).toBe('all');
    expect(priorStudies(definition({ accuracy: { method: 'command', command: ['train'], metrics: ['f'], prior: { studies: 'none' } } }))).toBe('none');
    expect(priorStudies(definition({ accuracy: { method: 'none' }, objectives: [{ metric: 'macs' }] }))).toBe('none');
    expect(() => definition({ accuracy: { method: 'command', command: ['train'], metrics: ['f'], prior: { studies: [OTHER, OTHER] } } })).toThrow(/each study once/);
  });
});

describe('what a study takes from others', () => {
  it('is evaluated values alone: none that failed, diverged, are estimates or no numbers, or of trials it is told anyway', () => {
    const trials = [
      trial(1, 5), trial(2, null, { state: 'failed', reason: 'diverged' }), trial(3, 4, { state: 'infeasible', reason: 'predicted-dominated', metrics: { f: value(4, { provenance: 'estimated' }) } }),
      trial(4, 3, { state: 'infeasible', reason: 'stopped-early' }), trial(5, 3, { state: 'infeasible', reason: 'outscored' }), trial(6, NaN), trial(7, Infinity), trial(8, 6, { state: 'infeasible', reason: 'constraint' }),
      trial(9, 7, { state: 'running' }), trial(10, 8, { fidelity: 1 / 3 }), trial(11, 9, { metrics: { f: value(9, { provenance: 'estimated' }) } }), trial(12, 2), trial(13, 1, { state: 'failed', reason: 'timeout' }),
    ];
    const before = JSON.stringify(trials);
    const prior = priorOf(definition(), [{ study: record(definition()), trials }], [{ studyId: OTHER, number: 12 }])!;
    expect(prior.trials.map((t) => [t.number, t.fidelity, t.objectives])).toEqual([[1, 1, [-5]], [8, 1, [-6]], [10, 1 / 3, [-8]]]);
    expect(JSON.stringify(trials)).toBe(before);
    expect(prior.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(priorOf(definition(), [{ study: record(definition()), trials: trials.slice(0, 1) }])!.hash).not.toBe(prior.hash);
    expect(priorOf(definition(), [{ study: record(definition()), trials: trials.slice(1, 7) }])).toBeNull();
  });

  it('brings points of a wider or narrower space to the nearest of its own, and leaves out choices it does not offer', () => {
    const own = [{ name: 'x', type: 'float' as const, min: 0, max: 0.2, step: 0.1 }, { name: 'n', type: 'int' as const, min: 5, max: 9, step: 2 }, { name: 'k', type: 'categorical' as const, values: ['a', 'c'] }];
    const of = (point: TrialRecord['parameters']): unknown => {
      const prior = priorOf({ ...definition({}, own) }, [{ study: record(definition()), trials: [trial(1, 5, { parameters: point })] }]);
      return prior === null ? null : prior.trials[0]!.genes;
    };
    expect(of({ x: 0.1, n: 7, k: 'c' })).toEqual([1, 1, 1]);
    expect(of({ x: 0.97, n: 20, k: 'a' })).toEqual([2, 2, 0]);
    expect(of({ x: 0.16, n: 1, k: 'a' })).toEqual([2, 0, 0]);
    expect(of({ x: 0.16, k: 'a' })).toEqual([2, 0, 0]);
    expect(of({ x: 0.16, n: 6, k: 'b' })).toBeNull();
  });

  it('is of data described alike, or whose content is known', () => {
    const own = definition(train());
    const of = (other: StudyDefinition, data?: string): unknown => {
      const prior = priorOf(own, [{ study: record(other), trials: [trial(1, null, { metrics: { accuracy: value(80, { unit: '%', provenance: 'trained', ...(data === undefined ? {} : { data }) }) } })] }]);
      return prior && [prior.trials[0]!.described, prior.trials[0]!.data];
    };
    expect(of(definition(train({ epochs: 3 }, { share: 0.1 })))).toEqual([true, null]);
    expect(of(definition(train({}, { directory: 'elsewhere' })), 'aaaa')).toEqual([false, 'aaaa']);
    expect(of(definition(train({}, { directory: 'elsewhere' })))).toBeNull();
  });

  it('is bounded', () => {
    const many = Array.from({ length: MOST_PRIOR_TRIALS + 50 }, (_, i) => trial(i + 1, i));
    expect(priorOf(definition(), [{ study: record(definition()), trials: many }])!.trials).toHaveLength(MOST_PRIOR_TRIALS);
  });
});

describe('looking for studies to learn from', () => {
  const studies = [record(definition({ task: { numClasses: 3, inputChannels: 1 } }), OWN), record(definition(), OTHER)];
  const store = {
    study: (id: string) => { const s = studies.find((o) => o.id === id); return s ? Promise.resolve(s) : Promise.reject(new NotFound('study', id)); },
    studies: () => Promise.resolve({ items: studies, nextCursor: '' }),
    allTrials: (id: string) => Promise.resolve(id === OTHER ? [trial(1, 5)] : [trial(2, 7)]),
  };
  const asking = (ids: string[] | 'all' | 'none'): StudyDefinition => definition({ accuracy: { method: 'command', command: ['train'], metrics: ['f'], prior: { studies: ids } } });

  it('takes those of the same task', async () => {
    const found = await priorFrom(store, asking('all'));
    expect('prior' in found && found.prior!.trials.map((t) => [t.studyId, t.number])).toEqual([[OTHER, 1]]);
    expect(await priorFrom(store, asking('none'))).toEqual({ prior: null });
  });

  it('says which of those named is not there, has another task or nothing to tell', async () => {
    const missing = '00000000-0000-4000-8000-000000000009';
    expect(await priorFrom(store, asking([OTHER, missing, OWN]))).toEqual({ issues: [
      { path: ['accuracy', 'prior', 'studies', 1], code: 'not-found', message: `no study "${missing}"` },
      { path: ['accuracy', 'prior', 'studies', 2], code: 'prior-differs', message: `study ${OWN} differs in task.numClasses: it has 3, this study 10` },
    ] });
    const silent = { ...store, allTrials: () => Promise.resolve([trial(1, null)]) };
    expect(await priorFrom(silent, asking([OTHER]))).toEqual({ issues: [{ path: ['accuracy', 'prior', 'studies', 0], code: 'prior-differs', message: `study ${OTHER} has no evaluated trial of this study's objectives on the same data` }] });
  });
});

describe('a study that learns from others', () => {
  const f = ({ x, n, k }: { x: number; n: number; k: string }): number => 60 - 40 * (x - 0.3) ** 2 - n + (k === 'b' ? 6 : 0);
  const pointOf = (i: number): { x: number; n: number; k: string } => ({ x: Math.round(((i * 0.618) % 1) * 100) / 100, n: 1 + ((i * 7) % 20), k: 'abc'[i % 3]! });
  const others = (change: (v: number) => number, metric: Partial<MetricValue> = {}): TrialRecord[] => Array.from({ length: 40 }, (_, i) => trial(i + 1, null, { parameters: pointOf(i), metrics: { f: value(change(f(pointOf(i))), metric) } }));
  const d = definition({ accuracy: { method: 'command', command: ['train'], metrics: ['f'], skip: { after: 8 } } });
  const engine = (): EngineStudy => ({ ...d, id: OWN, referencePoint: null, hypervolume: null });
  const own = (n: number, metric: Partial<MetricValue> = {}): TrialRecord[] => {
    const { problem } = StudyEngine.open(engine(), { snapshot: null, told: 0, trials: [], imports: [] }, { metrics: ['f'], secondsPerTrial: 60 });
    return Array.from({ length: n }, (_, i) => {
      const point = pointOf(100 + i);
      return trial(i + 1, null, { studyId: OWN, parameters: point, genes: problem.space.encode(point), key: `o${i}`, objectives: [-f(point)], metrics: { f: value(f(point), metric) } });
    });
  };

  it('foretells its own trials better, and says by how much, from whom and how far they are believed', () => {
    const prior = priorOf(d, [{ study: record(definition()), trials: others((v) => 0.6 * v - 30) }]);
    const [with_] = foresightView(record(d, OWN), { trials: own(10), imports: [], prior }).objectives;
    const [alone] = foresightView(record(d, OWN), { trials: own(10), imports: [] }).objectives;
    expect(alone!.prior).toBeNull();
    expect(with_!.prior).toMatchObject({ hash: prior!.hash, studies: [{ id: OTHER, name: OTHER, trials: 40 }], left: 0, without: { error: alone!.error, within: alone!.within } });
    expect(with_!.error).toBeLessThan(0.5 * alone!.error);
    expect(with_!.prior!.weight).toBeGreaterThan(0.3);
  });

  it('leaves aside values of other data once its own are known, however the two are described', () => {
    const prior = priorOf(d, [{ study: record(definition()), trials: others((v) => v, { data: 'bbbb' }) }]);
    const [other] = foresightView(record(d, OWN), { trials: own(10, { data: 'aaaa' }), imports: [], prior }).objectives;
    const [alone] = foresightView(record(d, OWN), { trials: own(10, { data: 'aaaa' }), imports: [] }).objectives;
    expect(other).toEqual(alone);
    const [same] = foresightView(record(d, OWN), { trials: own(10, { data: 'bbbb' }), imports: [], prior }).objectives;
    expect(same!.prior!.studies).toEqual([{ id: OTHER, name: OTHER, trials: 40 }]);
  });

  it('has no use for fewer than five values', () => {
    const prior = priorOf(d, [{ study: record(definition()), trials: others((v) => v).slice(0, 4) }]);
    expect(foresightView(record(d, OWN), { trials: own(10), imports: [], prior }).objectives[0]!.prior).toBeNull();
  });
});

describe('data known by content', () => {
  it('counts from the trial on that tells it, as in a search that has it from the start', () => {
    const d = definition();
    const { terms, space } = studyProblem(d);
    const rng = Rng.of(4);
    const drawn = (n: number): { genes: Genes; objectives: number[] }[] => Array.from({ length: n }, () => {
      const genes = space.fromUnit([rng.next(), rng.next(), rng.next()]);
      return { genes, objectives: [(genes[0]! / 100 - 0.4) ** 2 + genes[1]! / 20] };
    });
    const trials: PriorTrial[] = drawn(30).map((t, number) => ({ ...t, studyId: OTHER, number, fidelity: 1, described: false, data: 'abc', analytic: [], score: null }));
    const prior = { hash: 'known by content', studies: [{ id: OTHER, name: 'other' }], trials };
    const given = { metrics: ['f'] };
    const [imports, own] = [drawn(5), drawn(1)[0]!];
    const make = (): Foresight => new Foresight(d, terms, space, given, { prior });
    const [asked, fresh] = [make(), make()];
    for (const lesson of imports) for (const f of [asked, fresh]) f.learn(lesson);
    expect(asked.weight(0)).toBe(0);
    for (const f of [asked, fresh]) f.learn({ ...own, data: 'abc' });
    expect(asked.weight(0)).toBeGreaterThan(0);
    expect(asked.heldOut(0).every((h) => Number.isFinite(h.mean) && Number.isFinite(h.reach))).toBe(true);
    expect(asked.heldOut(0)).toEqual(fresh.heldOut(0));
  });
});
