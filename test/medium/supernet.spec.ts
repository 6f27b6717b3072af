import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completePoint, loadCatalog } from '@app/catalog';
import { datasetSchema, supernetAccuracySchema, type SupernetAccuracy } from '@app/contracts';
import type { Parameter, Point } from '@app/space';
import type { SpaceDefinition } from '@app/study';
import { decodeCheckpoint, encodeCheckpoint, inheritable, inheritedAccuracy, loadDataset, supernetEvaluator, supernetOf, supernetPath, trainSupernet, type Checkpoint, type Inheritance } from '@app/train';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TASK = { numClasses: 4, inputChannels: 1 };
const VALUES: Record<string, readonly (number | string)[]> = { width: [0.3, 0.4], resolution: [32], depth2: [1, 2], depth3: [1, 2], heads3: [1, 2], heads4: [1, 3], kernel3: [3, 5] };

/** FlyNet at 32 pixels, a few genes free, the others small. */
const flynet = loadCatalog().space('flynet');
const small: SpaceDefinition = {
  ...flynet,
  parameters: flynet.parameters.map((p): Parameter => ({ name: p.name, type: 'ordinal', values: VALUES[p.name] ?? [/^(depth|heads)/.test(p.name) ? 1 : p.name.startsWith('kernel') ? 3 : (p.default as number | string)] })),
};
const point = (given: Point): Point => completePoint(small.parameters, { ...Object.fromEntries(small.parameters.map((p) => [p.name, (p as { values: readonly (number | string)[] }).values[0]!])), ...given });

const dataset = datasetSchema.parse({ format: 'synthetic', size: 16, images: 400, validation: 0.25 });
const data = await loadDataset(dataset);
const settings = (given: object = {}): SupernetAccuracy => supernetAccuracySchema.parse({ method: 'supernet', dataset, epochs: 6, batch: 25, switches: 1, calibration: 6, recipe: { learningRate: 0.03, warmupEpochs: 0.5 }, quantize: 'none', ...given });
const quantizeOf = ({ quantize }: SupernetAccuracy) => (quantize === 'auto' || quantize === 'none' ? null : quantize);

async function trained(accuracy: SupernetAccuracy, given: { until?: number; from?: Checkpoint } = {}): Promise<{ checkpoint: Checkpoint; inheritance: Inheritance }> {
  const supernet = supernetOf(small, TASK, quantizeOf(accuracy));
  const outcome = await trainSupernet({ supernet, accuracy, data, seed: 1, ...given });
  if (outcome.kind !== 'trained') throw new Error('diverged');
  return { checkpoint: outcome.checkpoint, inheritance: { supernet, parameters: inheritable(outcome.checkpoint.state), accuracy, data, seed: 1 } };
}

const accuracies = async (inheritance: Inheritance, points: readonly Point[]): Promise<number[]> => {
  const all: number[] = [];
  for (const p of points) all.push((await inheritedAccuracy(inheritance, inheritance.supernet.space.graph(p), p)).accuracy);
  return all;
};

// sessions take processor time to open, and a busy machine has little to give
describe('a supernet', { timeout: 240_000 }, () => {
  it('hands weights down with which networks large, small and never trained tell four directions apart', async () => {
    const { checkpoint, inheritance } = await trained(settings());
    expect(checkpoint.losses.at(-1)).toBeLessThan(checkpoint.losses[0]! / 2);
    const { largest, smallest } = inheritance.supernet.space;
    const found = await accuracies(inheritance, [largest, smallest, point({ width: 0.4, heads4: 3, depth2: 2 }), point({ width: 0.3, kernel3: 5, depth3: 2, heads3: 2 })]);
    // chance is 25 %
    expect(Math.min(...found)).toBeGreaterThan(60);
    // weights that are no one's tell nothing apart
    const without = await accuracies({ ...inheritance, parameters: Float32Array.from(inheritance.parameters).reverse() }, [largest]);
    expect(without[0]).toBeLessThan(50);
  });

  it('that stops and goes on from its file ends where it would have', async () => {
    const accuracy = settings({ epochs: 2, recipe: { learningRate: 0.03, shift: 1, averageDecay: 0.9, optimizer: 'adamw', clipNorm: 1 } });
    const whole = await trained(accuracy);
    const part = await trained(accuracy, { until: 1 });
    expect(part.checkpoint.epoch).toBe(1);
    const rest = await trained(accuracy, { from: decodeCheckpoint(encodeCheckpoint(part.checkpoint)) });
    expect(rest.checkpoint).toEqual(whole.checkpoint);
  });

  it('that learns quantised has batch norms of its own for that, and networks that work at those levels', async () => {
    const accuracy = settings({ quantize: { when: 'aware', scheme: 'affine', weights: { bits: 4 }, activations: { bits: 4 } } });
    const { inheritance } = await trained(accuracy);
    const { largest, smallest } = inheritance.supernet.space;
    expect(inheritance.supernet.shared.switches).toBe(4);
    expect(Math.min(...(await accuracies(inheritance, [largest, smallest])))).toBeGreaterThan(50);
  });

  it('whose loss is no number says so', async () => {
    const accuracy = settings({ epochs: 20, recipe: { learningRate: 10, momentum: 0.99, weightDecay: 1, schedule: 'constant' } });
    const outcome = await trainSupernet({ supernet: supernetOf(small, TASK, null), accuracy, data, seed: 1 });
    expect(outcome.kind).toBe('diverged');
  });
});

describe('the evaluator of a study with a supernet', { timeout: 240_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'caddis-supernet-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const signal = new AbortController().signal;

  it('trains it once, however many ask, keeps it in its folder, and says what it answers', async () => {
    const accuracy = settings({ epochs: 2, standAlone: 3, checkpoints: folder, quantize: 'auto' });
    const workers = [supernetEvaluator(accuracy, small, 1, TASK, true), supernetEvaluator(accuracy, small, 1, TASK, true)];
    await Promise.all(workers.map((w) => w.prepare!(signal)));
    const candidate = point({ width: 0.4 });
    const space = supernetOf(small, TASK, null).space;
    const [a, b] = await Promise.all(workers.map((w) => w.evaluate({ space: small, point: candidate, graph: space.graph(candidate), task: TASK, signal })));
    expect(b).toEqual(a);
    const { value, provenance, source, interval } = a!['accuracy']!;
    expect(provenance).toBe('estimated');
    expect(source).toMatch(/^inherited from a supernet trained for 2 epochs on synthetic \(nesterov, batch 25, switches an epoch: 1, seed 1\), accuracy on 100 held-out images, quantised after training: weights 8 bits, activations 8 bits, ends int8 \(\d+\.\d\d % before\); networks trained alone were -?\d+\.\d to -?\d+\.\d points above \(90 %, 3 compared\)$/);
    expect(interval![0] <= value && value <= interval![1]).toBe(true);
    expect(a!['error']!.value).toBe(100 - value);
    expect(readdirSync(folder).map((name) => name.replace(/^[0-9a-f]{32}/, 'H').replace(/\.[0-9a-f]{8}\./, '.h.')).sort()).toEqual(['H.supernet', 'H.supernet.h.json']);
    await Promise.all(workers.map((w) => w.close()));
  });

  it('goes on where one that was killed in its training had come to', async () => {
    const accuracy = settings({ epochs: 3, checkpoints: folder });
    const killed = supernetEvaluator(accuracy, small, 1, TASK);
    const started = killed.prepare!(signal).then(() => 'done', (error: { reason?: string }) => error.reason);
    const path = supernetPath({ accuracy, space: small, task: TASK, seed: 1, quantize: null });
    while (!readdirSync(folder).some((name) => name.endsWith('.supernet'))) await new Promise((r) => setTimeout(r, 50));
    await killed.close();
    expect(await started).toBe('evaluator-closed');
    // its lock is there still, as old as if it had been given up
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, 0, 0);
    const before = decodeCheckpoint(readFileSync(path));
    expect(before.epoch).toBeLessThan(3);
    const next = supernetEvaluator(accuracy, small, 1, TASK);
    await next.prepare!(signal);
    await next.close();
    expect(decodeCheckpoint(readFileSync(path))).toEqual((await trained(accuracy)).checkpoint);
  });
});
