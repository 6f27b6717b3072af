import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { studySpec, type StudySpecInput } from '@app/contracts';
import { decode } from '@app/decode';
import { loadCatalog } from '@app/catalog';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import { STOPPED_EARLY, type StudyDefinition, type TrialRecord } from '@app/study';
import { trainEvaluator } from '@app/train';
import { startWorker } from '../../apps/worker/src/worker.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function run(definition: StudyDefinition): Promise<{ trials: readonly TrialRecord[]; front: readonly TrialRecord[] }> {
  const store = new MemoryStore();
  const worker = await startWorker({ store, queue: new MemoryQueue(), version: 'test', allowCommands: true, sweepMs: 200, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
  closing.push(() => worker.close(500), () => store.close());
  const { study } = await store.create({ definition, state: 'queued' });
  while (!['completed', 'failed'].includes((await store.study(study.id)).state)) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await store.study(study.id)).toMatchObject({ state: 'completed', reason: 'budget-trials' });
  return { trials: await store.allTrials(study.id), front: await store.front(study.id) };
}

const parameters = [{ name: 'x', type: 'float' as const, min: 0, max: 1, step: 0.001 }, { name: 'k', type: 'categorical' as const, values: ['a', 'b'] }];

function command(change: Partial<StudySpecInput> = {}): StudyDefinition {
  const spec = studySpec.parse({
    name: 'curves', searchSpace: { parameters }, accuracy: { method: 'command', command: [process.execPath, join(import.meta.dirname, '../support/learning-curves.mjs')], metrics: ['error', 'size', 'before'] },
    objectives: [{ metric: 'error' }, { metric: 'size' }], algorithm: { name: 'tpe' }, fidelity: { lowest: 0.11 }, budget: { maxTrials: 52, maxParallelTrials: 4 }, seed: 4, ...change,
  });
  return { spec, space: { name: 'inline', title: '', description: '', family: 'none', parameters, settings: {}, sources: [] }, devices: [] };
}

describe('a study by fidelities', () => {
  it('asks a command at a ninth, a third and the whole, the whole only of what stood out before, and shows the whole alone on the front', async () => {
    const { trials, front } = await run(command());
    const at = (fidelity: number): TrialRecord[] => trials.filter((t) => Math.abs(t.fidelity - fidelity) < 1e-12);
    // two brackets of 18, 6 and 2
    expect([1 / 9, 1 / 3, 1].map((f) => at(f).length)).toEqual([36, 12, 4]);
    expect(at(1 / 3).map((t) => t.metrics['before']!.value)).toEqual(at(1 / 3).map(() => 1 / 9));
    expect(at(1).map((t) => t.metrics['before']!.value)).toEqual(at(1).map(() => 1 / 3));
    expect(front.length).toBeGreaterThan(0);
    expect(front.every((t) => t.fidelity === 1)).toBe(true);
    expect(new Set(at(1).map((t) => t.proposedBy))).toEqual(new Set(['halving:promoted']));
  });

  it('has the same trials when run again', async () => {
    const essence = (t: TrialRecord): unknown => [t.number, t.key, t.fidelity, t.objectives];
    expect((await run(command())).trials.map(essence)).toEqual((await run(command())).trials.map(essence));
  });

  it('trains on from where a network was left: a full training by rungs is the training in one go', { timeout: 600_000 }, async () => {
    const parsed = loadCatalog().parseStudySpec({
      name: 'trained', searchSpace: { base: 'flynet', parameters: { resolution: { fixed: 32 }, width: { max: 0.3 } } }, task: { numClasses: 4, inputChannels: 1 },
      accuracy: { method: 'train', epochs: 4, batch: 16, dataset: { format: 'synthetic', classes: 4, images: 96, size: 32, channels: 1 } },
      objectives: [{ metric: 'accuracy' }], algorithm: { name: 'random' }, fidelity: { lowest: 0.25, eta: 2 }, budget: { maxTrials: 7 }, seed: 1,
    });
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
    const { trials, front } = await run(parsed.definition);
    expect(trials.map((t) => [t.fidelity, t.metrics['accuracy']!.curve!.length])).toEqual([[0.25, 1], [0.25, 1], [0.25, 1], [0.25, 1], [0.5, 2], [0.5, 2], [1, 4]]);
    const best = front[0]!;
    const earlier = trials.filter((t) => t.key.startsWith(`${best.key}@`)).map((t) => t.metrics['accuracy']!.curve!);
    for (const curve of earlier) expect(best.metrics['accuracy']!.curve!.slice(0, curve.length)).toEqual(curve);
    const { accuracy } = parsed.definition.spec;
    if (accuracy.method !== 'train') throw new Error('trained');
    const once = trainEvaluator(accuracy, 1, parsed.definition.spec.task);
    closing.push(() => once.close());
    const graph = decode(parsed.definition.space, best.parameters, parsed.definition.spec.task);
    const whole = await once.evaluate({ space: parsed.definition.space, point: best.parameters, graph, task: parsed.definition.spec.task, signal: new AbortController().signal });
    expect(whole['accuracy']!.curve).toEqual(best.metrics['accuracy']!.curve);
  });

  it.each([['data', [/24 images, 6 a class, 25 % of all/, /44 images, 11 a class, 50 % of all/]], ['resolution', [/25 % of their pixels/, /50 % of their pixels/]]] as const)(
    'by %s trains all epochs of each, on a part', { timeout: 600_000 }, async (by, parts) => {
      const parsed = loadCatalog().parseStudySpec({
        name: 'trained', searchSpace: { base: 'flynet', parameters: { resolution: { fixed: 32 }, width: { max: 0.3 } } }, task: { numClasses: 4, inputChannels: 1 },
        accuracy: { method: 'train', epochs: 2, batch: 4, dataset: { format: 'synthetic', classes: 4, images: 96, size: 32, channels: 1 } },
        objectives: [{ metric: 'accuracy' }], algorithm: { name: 'random' }, fidelity: { lowest: 0.25, eta: 2, by }, budget: { maxTrials: 7 }, seed: 1,
      });
      if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
      const { trials, front } = await run(parsed.definition);
      expect(trials.map((t) => [t.fidelity, t.state, t.metrics['accuracy']?.curve?.length])).toEqual([...Array<unknown>(4).fill([0.25, 'completed', 2]), [0.5, 'completed', 2], [0.5, 'completed', 2], [1, 'completed', 2]]);
      const sources = [0, 4].map((i) => trials[i]!.metrics['accuracy']!.source);
      sources.forEach((source, i) => expect(source).toMatch(parts[i]!));
      expect(front.map((t) => t.metrics['accuracy']!.source)).toEqual([expect.not.stringMatching(/ % of /)]);
    });
});

describe('a study of a command that tells of its epochs', () => {
  it('ends what can only be dominated: with its curve, at the share it reached, told to no one', async () => {
    const { fidelity: _, ...plain } = command().spec;
    const spec = studySpec.parse({
      ...plain, objectives: [{ metric: 'accuracy' }], algorithm: { name: 'random' }, budget: { maxTrials: 24 },
      accuracy: { method: 'command', command: [process.execPath, join(import.meta.dirname, '../support/telling-trainer.mjs')], metrics: ['accuracy'], stop: { after: 3, from: 0.5 } },
    });
    const { trials, front } = await run({ ...command(), spec });
    const stopped = trials.filter((t) => t.reason === STOPPED_EARLY);
    expect(stopped.length).toBeGreaterThan(3);
    for (const t of stopped) {
      const { curve, provenance } = t.metrics['accuracy']!;
      expect(t).toMatchObject({ state: 'infeasible', objectives: [null], feasible: null, fidelity: curve!.length / 6 });
      expect([provenance, curve!.length >= 3 && curve!.length < 6]).toEqual(['reported', true]);
    }
    const best = Math.max(...trials.map((t) => t.parameters['x'] as number));
    expect(front.map((t) => t.parameters['x'])).toEqual([best]);
  });
});
