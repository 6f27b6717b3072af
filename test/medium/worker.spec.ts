import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { studySpec, type StudySpecInput } from '@app/contracts';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import type { StudyDefinition, StudyRecord, TrialRecord } from '@app/study';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';

const blackbox = join(import.meta.dirname, '../support/moody-blackbox.mjs');

function definition(moods: readonly string[], change: Partial<StudySpecInput> = {}, delayMs = 20): StudyDefinition {
  const parameters = [{ name: 'x', type: 'float' as const, min: 0, max: 1, step: 0.001 }, { name: 'mood', type: 'categorical' as const, values: [...moods] }];
  const spec = studySpec.parse({
    name: 'moody', searchSpace: { parameters }, accuracy: { method: 'command', command: [process.execPath, blackbox, String(delayMs)], metrics: ['f'] },
    objectives: [{ metric: 'f' }], algorithm: { name: 'random' }, budget: { maxTrials: 24, maxParallelTrials: 4 }, seed: 2, ...change,
  });
  return { spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [] };
}

let store: MemoryStore;
let queue: MemoryQueue;
let worker: RunningWorker;
beforeEach(async () => {
  store = new MemoryStore();
  queue = new MemoryQueue();
  worker = await startWorker({ store, queue, version: 'test', allowCommands: true, sweepMs: 200, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
});
afterEach(async () => {
  await worker.close(500);
  await store.close();
});

const create = async (d: StudyDefinition): Promise<string> => (await store.create({ definition: d, state: 'queued' })).study.id;

async function until(id: string, holds: (s: StudyRecord) => boolean): Promise<StudyRecord> {
  for (let i = 0; i < 600; i++) {
    const study = await store.study(id);
    if (holds(study)) return study;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`still ${(await store.study(id)).state}`);
}
const ended = (id: string): Promise<StudyRecord> => until(id, (s) => ['completed', 'failed', 'cancelled'].includes(s.state));
const essence = (t: TrialRecord): unknown => [t.number, t.parameters, t.state, t.objectives, t.onFront];

describe('a worker', () => {
  it('evaluates round after round and ends with the budget', async () => {
    const id = await create(definition(['calm']));
    expect(await ended(id)).toMatchObject({ state: 'completed', reason: 'budget-trials' });
    const trials = await store.allTrials(id);
    expect(trials).toHaveLength(24);
    expect(trials.every((t) => t.state === 'completed' && t.attempts === 1)).toBe(true);
    expect(trials.map((t) => t.round)).toEqual(trials.map((t) => Math.ceil(t.number / 4)));
  });

  it('ends a study whose data are wrong before it trains anything, naming the file', async () => {
    const parameters = [{ name: 'width', type: 'float' as const, min: 0.25, max: 1, step: 0.05 }];
    const spec = studySpec.parse({
      name: 'no data', searchSpace: 'flynet', accuracy: { method: 'train', dataset: { format: 'idx', directory: '/nowhere' } }, objectives: [{ metric: 'accuracy', direction: 'maximize' }], budget: { maxTrials: 24, maxParallelTrials: 2 },
    });
    const id = await create({ spec, space: { name: 'flynet', title: '', description: '', family: 'flynet', parameters, settings: {}, sources: [] }, devices: [] });
    expect(await ended(id)).toMatchObject({ state: 'failed', reason: 'invalid-dataset', message: expect.stringContaining('/nowhere/train-images-idx3-ubyte') as string });
    expect((await store.allTrials(id)).map((t) => t.state)).toEqual(['pending', 'pending']);
  });

  it('pauses between rounds and goes on to the trials of a search that was never paused', async () => {
    const whole = await create(definition(['calm']));
    await ended(whole);
    const id = await create(definition(['calm']));
    await until(id, (s) => s.state === 'running');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await store.transition(id, ['running'], 'paused')).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const before = (await store.allTrials(id)).length;
    expect(before).toBeLessThan(24);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await store.allTrials(id)).length).toBe(before);
    await store.transition(id, ['paused'], 'queued');
    await queue.add([{ name: 'study.step', studyId: id }]);
    await ended(id);
    expect((await store.allTrials(id)).map(essence)).toEqual((await store.allTrials(whole)).map(essence));
  });

  it('lets running trials finish when the study is stopped', async () => {
    const id = await create(definition(['calm'], {}, 200));
    await until(id, (s) => s.state === 'running');
    await new Promise((resolve) => setTimeout(resolve, 250));
    await store.transition(id, ['running'], 'stopping');
    expect(await ended(id)).toMatchObject({ state: 'completed', reason: 'stopped' });
    const trials = await store.allTrials(id);
    expect(trials.length).toBeLessThan(24);
    expect(trials.every((t) => t.state === 'completed')).toBe(true);
  });

  it('takes another attempt when the evaluator dies and fails the trial that keeps killing it', async () => {
    const id = await create(definition(['calm', 'gone'], { budget: { maxTrials: 8, maxParallelTrials: 1, maxAttempts: 2 } }));
    await ended(id);
    const trials = await store.allTrials(id);
    for (const t of trials) {
      expect(t).toMatchObject(t.parameters['mood'] === 'gone' ? { state: 'failed', reason: 'evaluator-exited', attempts: 2 } : { state: 'completed' });
    }
    expect(new Set(trials.map((t) => t.parameters['mood'])).size).toBe(2);
  });

  it('fails a trial that takes longer than the limit, and goes on', async () => {
    const id = await create(definition(['calm', 'silent'], { budget: { maxTrials: 6, maxParallelTrials: 3, trialTimeout: 1 } }));
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    for (const t of await store.allTrials(id)) {
      expect(t).toMatchObject(t.parameters['mood'] === 'silent' ? { state: 'failed', reason: 'timeout' } : { state: 'completed' });
    }
  });

  it('fails the study when more trials fail than its budget allows', async () => {
    const id = await create(definition(['gone'], { budget: { maxTrials: 50, maxFailedTrials: 3, maxAttempts: 1 } }));
    expect(await ended(id)).toMatchObject({ state: 'failed', reason: 'too-many-failures' });
    expect(await store.allTrials(id)).toHaveLength(3);
  });
});
