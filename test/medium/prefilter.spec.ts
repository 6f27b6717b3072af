import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import { OUTSCORED, type StudyDefinition, type TrialRecord } from '@app/study';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function definition(change: object = {}): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec({
    name: 'prefiltered', searchSpace: { base: 'flynet', parameters: { resolution: { fixed: 32 }, width: { max: 0.3 } } }, task: { numClasses: 4, inputChannels: 1 },
    accuracy: { method: 'train', epochs: 1, batch: 16, dataset: { format: 'synthetic', classes: 4, images: 96, size: 32, channels: 1 }, prefilter: { proxy: 'naswot', keep: 0.5, after: 4, batch: 16 } },
    objectives: [{ metric: 'accuracy' }, { metric: 'macs' }], algorithm: { name: 'random' }, budget: { maxTrials: 14, maxParallelTrials: 2 }, seed: 3, ...change,
  });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

const start = (store: MemoryStore): Promise<RunningWorker> =>
  startWorker({ store, queue: new MemoryQueue(), version: 'test', sweepMs: 100, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
const essence = (t: TrialRecord): unknown => [t.number, t.key, t.state, t.reason, t.message, t.metrics['proxy']?.value, t.objectives];

async function until(store: MemoryStore, holds: (trials: readonly TrialRecord[], state: string) => boolean): Promise<readonly TrialRecord[]> {
  for (;;) {
    const [study] = (await store.studies({ limit: 1 })).items;
    const trials = await store.allTrials(study!.id);
    if (holds(trials, study!.state)) return trials;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const settled = (t: TrialRecord): boolean => t.state !== 'pending' && t.state !== 'running';

describe('a study that scores before it trains', { timeout: 400_000 }, () => {
  it('trains the better part, marks the others with their score and reason, and goes on after a break to the trials it would have had', async () => {
    const whole = new MemoryStore();
    closing.push(() => whole.close());
    await whole.create({ definition: definition(), state: 'queued' });
    const worker = await start(whole);
    closing.push(() => worker.close(500));
    const trials = await until(whole, (_, state) => state === 'completed');
    const passed = trials.filter((t) => t.reason === OUTSCORED);
    const trained = trials.filter((t) => t.reason !== OUTSCORED);
    expect(trials).toHaveLength(14);
    // a training may diverge, which is no matter of scores
    for (const t of trained) expect(t.state === 'completed' || t.reason === 'diverged').toBe(true);
    expect(trained.some((t) => t.state === 'completed')).toBe(true);
    expect(passed.length).toBeGreaterThanOrEqual(2);
    // no one is passed over before four are told
    expect(trials.slice(0, 4).every((t) => trained.includes(t))).toBe(true);
    for (const t of trials) expect(t.metrics['proxy']).toMatchObject({ unit: '1', provenance: 'computed', source: expect.stringContaining('NASWOT') as string });
    for (const t of passed) {
      expect(t).toMatchObject({ state: 'infeasible', feasible: null, onFront: false, message: expect.stringMatching(/^proxy score .*: place \d+ of \d+ scored candidates, macs counting too; the first \d+ are trained$/) as string });
      expect(t.metrics['accuracy']).toBeUndefined();
      expect(t.objectives[0]).toBeNull();
      expect(await whole.trialWeights(t.id)).toBeNull();
    }
    for (const t of trained) if (t.state === 'completed') expect(t.metrics['accuracy']!.provenance).toBe('trained');

    const directory = mkdtempSync(join(tmpdir(), 'caddis-prefilter-'));
    closing.push(async () => rmSync(directory, { recursive: true }));
    const first = await MemoryStore.open(directory);
    await first.create({ definition: definition(), state: 'queued' });
    const before = await start(first);
    await until(first, (all) => all.filter(settled).length >= 5);
    await before.close(0);
    await first.close();
    const second = await MemoryStore.open(directory);
    closing.push(() => second.close());
    const after = await start(second);
    closing.push(() => after.close(500));
    expect((await until(second, (_, state) => state === 'completed')).map(essence)).toEqual(trials.map(essence));
  });

  it('passes over by what scores foretell, once they are seen to, where the study skips the hopeless too', async () => {
    const { spec, ...rest } = definition();
    if (spec.accuracy.method !== 'train') throw new Error('trained');
    const accuracy = { ...spec.accuracy, prefilter: { ...spec.accuracy.prefilter!, keep: 0.99 }, skip: { after: 6, confidence: 0.9 } };
    const store = new MemoryStore();
    closing.push(() => store.close());
    // a world in which accuracy is what the score says
    const told = store.settleTrial.bind(store);
    store.settleTrial = (lease, outcome, weights) => {
      const { proxy, accuracy: trained } = outcome.metrics;
      if (proxy === undefined || trained?.provenance !== 'trained') return told(lease, outcome, weights);
      return told(lease, { ...outcome, state: 'completed', objectives: [-proxy.value / 2], metrics: { ...outcome.metrics, accuracy: { ...trained, value: proxy.value / 2 } } }, weights);
    };
    await store.create({ definition: { ...rest, spec: { ...spec, accuracy, objectives: spec.objectives.slice(0, 1) } }, state: 'queued' });
    const worker = await start(store);
    closing.push(() => worker.close(500));
    const trials = await until(store, (_, state) => state === 'completed');
    const passed = trials.filter((t) => t.reason === 'predicted-dominated');
    const looked = passed.filter((t) => t.metrics['proxy'] !== undefined);
    expect(looked.length).toBeGreaterThan(2);
    const best = Math.max(...trials.filter((t) => t.state === 'completed').map((t) => t.metrics['accuracy']!.value));
    for (const t of looked) {
      expect(t).toMatchObject({ state: 'infeasible', feasible: null, objectives: [null], onFront: false, message: expect.stringMatching(/^foreseen from \d+ trials, its naswot score counting: accuracy/) as string });
      expect(t.metrics['proxy']!.value / 2).toBeLessThan(best);
      expect(t.metrics['accuracy']!.provenance).toBe('estimated');
      expect(t.metrics['macs']!.provenance).toBe('computed');
    }
  });

  it('is refused together with fidelities', () => {
    expect(() => definition({ fidelity: { lowest: 0.3 } })).toThrow(/either prefilter or fidelity/);
  });
});
