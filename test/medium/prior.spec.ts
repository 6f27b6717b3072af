import { afterEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import { foresightView, priorFrom, type StudyDefinition, type StudyRecord } from '@app/study';
import { startWorker } from '../../apps/worker/src/worker.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function definition(dataset: object, change: object = {}): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec({
    name: 'trained', searchSpace: { base: 'flynet', parameters: { resolution: { fixed: 32 }, width: { max: 0.3 } } }, task: { numClasses: 4, inputChannels: 1 },
    accuracy: { method: 'train', epochs: 1, batch: 16, dataset: { format: 'synthetic', classes: 4, images: 96, size: 32, channels: 1, ...dataset }, ...change },
    objectives: [{ metric: 'accuracy' }, { metric: 'macs' }], algorithm: { name: 'random' }, budget: { maxTrials: 8, maxParallelTrials: 2 }, seed: 3,
  });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

describe('trained studies of one task', { timeout: 400_000 }, () => {
  it('learn from each other over recipes and shares of the data, which are known by their content, and not from other data', async () => {
    const store = new MemoryStore();
    const worker = await startWorker({ store, queue: new MemoryQueue(), version: 'test', sweepMs: 100, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
    closing.push(() => store.close(), () => worker.close(500));
    const run = async (d: StudyDefinition): Promise<StudyRecord> => {
      const found = await priorFrom(store, d);
      if ('issues' in found) throw new Error(JSON.stringify(found.issues));
      const { study } = await store.create({ definition: d, state: 'queued', prior: found.prior });
      for (;;) {
        const now = await store.study(study.id);
        if (now.state === 'completed' || now.state === 'failed') return now;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const first = await run(definition({}));
    const trained = (await store.allTrials(first.id)).filter((t) => t.state === 'completed');
    expect(trained.length).toBeGreaterThanOrEqual(5);
    const hashes = new Set(trained.map((t) => t.metrics['accuracy']!.data));
    expect([...hashes]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect((await store.fold(first.id)).prior).toBeNull();

    const second = await run(definition({ share: 0.7 }, { epochs: 2, recipe: { learningRate: 0.02 } }));
    const fold = await store.fold(second.id);
    expect(fold.prior!.trials.map((t) => [t.studyId, t.number, t.data])).toEqual(trained.map((t) => [first.id, t.number, [...hashes][0]]));
    expect(foresightView(second, fold).objectives[0]!.prior).toMatchObject({ studies: [{ id: first.id, name: 'trained', trials: trained.length }], left: 0 });

    // as many classes and channels, other images: taken, as nobody has read them yet, and left out once they are
    const third = await run(definition({ images: 100 }));
    const other = await store.fold(third.id);
    expect(other.prior!.trials.every((t) => !t.described)).toBe(true);
    expect(foresightView(third, other).objectives[0]!.prior).toBeNull();
  });
});
