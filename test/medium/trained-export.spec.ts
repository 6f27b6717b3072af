import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import ort from 'onnxruntime-node';
import { afterEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { datasetSchema, studySpec } from '@app/contracts';
import { decode } from '@app/decode';
import { buildBundle, type Bundle, type WeightsAbout } from '@app/export';
import { evaluate, initialWeights, tensor } from '@app/graph';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import type { StudyDefinition, StudyRecord, TrialRecord } from '@app/study';
import { decodeTrainedWeights, loadDataset } from '@app/train';
import { startWorker } from '../../apps/worker/src/worker.js';

const DATASET = { format: 'synthetic', classes: 4, images: 320, size: 32, channels: 1, validation: 0.25 } as const;
const data = await loadDataset(datasetSchema.parse(DATASET));

const SMALL = { resolution: { fixed: 32 }, width: { max: 0.3 }, ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((i) => [[`depth${i}`, { fixed: 1 }], [`heads${i}`, { max: 2 }], [`kernel${i}`, { values: [3, 5] }]])) };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Done {
  readonly store: MemoryStore;
  readonly study: StudyRecord;
  readonly trials: readonly TrialRecord[];
}

function definitionOf(accuracy: object, change: object = {}): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec({
    name: 'trained', searchSpace: { base: 'flynet', parameters: SMALL }, task: { numClasses: 4, inputChannels: 1 },
    accuracy: { method: 'train', epochs: 3, batch: 16, dataset: DATASET, recipe: { averageDecay: 0.8 }, ...accuracy },
    objectives: [{ metric: 'accuracy' }, { metric: 'macs' }], algorithm: { name: 'random' }, budget: { maxTrials: 3 }, seed: 1, ...change,
  });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

async function run(definition: StudyDefinition): Promise<Done> {
  const directory = mkdtempSync(join(tmpdir(), 'caddis-weights-'));
  closing.push(async () => rmSync(directory, { recursive: true }));
  const store = await MemoryStore.open(directory);
  const worker = await startWorker({ store, queue: new MemoryQueue(), version: 'test', allowCommands: true, sweepMs: 200, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
  closing.push(() => store.close(), () => worker.close(500));
  const { study: { id } } = await store.create({ definition, state: 'queued' });
  while (!['completed', 'failed'].includes((await store.study(id)).state)) await new Promise((resolve) => setTimeout(resolve, 50));
  const study = await store.study(id);
  expect(study).toMatchObject({ state: 'completed', reason: 'budget-trials' });
  return { store, study, trials: await store.allTrials(id) };
}

async function exported({ store, study }: Done, trial: TrialRecord, format: 'onnx' | 'onnx-int8' | 'state-dict' | 'pytorch'): Promise<Bundle> {
  const { spec, space, devices } = study;
  return buildBundle({ definition: { spec, space, devices }, point: trial.parameters, format, seed: 5, weights: await store.trialWeights(trial.id), version: 'test', trial });
}

type Trained = Extract<WeightsAbout, { kind: 'trained' }>;

/** Held-out images answered right, %, by a file alone and what its manifest says of its inputs. */
async function heldOut({ content, manifest }: Bundle): Promise<number> {
  const { mean, deviation } = (manifest.weights as Trained).input!;
  const session = await ort.InferenceSession.create(content);
  const { count, pixels, labels, height, width } = data.validation;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const image = Float32Array.from(pixels.subarray(i * height * width, (i + 1) * height * width), (v) => ((pixels instanceof Uint8Array ? v / 255 : v) - mean[0]!) / deviation[0]!);
    const logits = Object.values(await session.run({ input: new ort.Tensor('float32', image, manifest.network.inputShape) }))[0]!.data as Float32Array;
    if (logits.indexOf(Math.max(...logits)) === labels[i]) right++;
  }
  return (100 * right) / count;
}

/** One image of those held out, %. */
const IMAGE = 100 / data.validation.count;

describe('an export of a trained trial', { timeout: 300_000 }, () => {
  it('has the accuracy the trial reports, in float32 and, calibrated for it, in int8; weights of the front are kept, others forgotten', async () => {
    const done = await run(definitionOf({}));
    for (const trial of done.trials) {
      const kept = await done.store.trialWeights(trial.id);
      expect(kept !== null).toBe(trial.onFront);
      if (kept === null) continue;
      const bundle = await exported(done, trial, 'onnx');
      const reported = trial.metrics['accuracy']!.value;
      expect(bundle.manifest.weights).toMatchObject({ kind: 'trained', by: 'training', accuracy: reported, judgedOn: data.validation.count, note: null });
      expect(bundle.manifest.onnx!.verified.maxAbsoluteDifference).toBeLessThan(1e-3);
      expect(Math.abs((await heldOut(bundle)) - reported)).toBeLessThanOrEqual(IMAGE * 1.001);

      const quantized = await exported(done, trial, 'onnx-int8');
      const { accuracy, quantization } = quantized.manifest.weights as Trained;
      expect(quantization).toBe('quantised after training: weights 8 bits, activations 8 bits, ends int8');
      expect(Math.abs((await heldOut(quantized)) - accuracy!)).toBeLessThanOrEqual(IMAGE * 2.001);
      expect(quantized.content.length).toBeLessThan(0.7 * bundle.content.length);

      const state = unzipSync((await exported(done, trial, 'state-dict')).content);
      const { weights } = decodeTrainedWeights(kept);
      const sizes = [...weights.values()].flatMap((own) => Object.values(own).map((t) => 4 * t.data.length));
      expect(Object.entries(state).filter(([name]) => name.includes('/data/')).map(([, bytes]) => bytes.length).sort()).toEqual(sizes.sort());
    }
    expect(done.trials.some((t) => t.onFront)).toBe(true);
    const forgotten = await exported({ ...done, store: { trialWeights: async () => null } as unknown as MemoryStore }, done.trials[0]!, 'onnx');
    expect(forgotten.manifest.weights).toMatchObject({ kind: 'initial', seed: 5, note: expect.stringContaining('no trained weights of this trial are kept') as string });
    expect((await exported(done, done.trials[0]!, 'pytorch')).manifest.weights).toEqual({ kind: 'none' });
  });

  it.each<[string, object]>([
    ['8 bits after training', { when: 'after', weights: { bits: 8 }, activations: { bits: 8 } }],
    ['trained with 4-bit weights and activations of 12 levels', { when: 'aware', weights: { bits: 4 }, activations: { levels: 12 } }],
  ])('that was evaluated quantised has in onnx-int8 the accuracy reported: %s', async (_what, quantize) => {
    const done = await run(definitionOf({ quantize, epochs: 4, weights: { of: 'all' } }, { budget: { maxTrials: 2 } }));
    for (const trial of done.trials) {
      const reported = trial.metrics['accuracy']!.value;
      const bundle = await exported(done, trial, 'onnx-int8');
      expect(bundle.manifest.weights).toMatchObject({ kind: 'trained', accuracy: reported });
      expect(Math.abs((await heldOut(bundle)) - reported)).toBeLessThanOrEqual(IMAGE * 2.001);
      const plain = (await exported(done, trial, 'onnx')).manifest.weights as Trained;
      if ('when' in quantize && quantize.when === 'aware') expect(plain).toMatchObject({ accuracy: null, note: expect.stringContaining('take format onnx-int8') as string });
      else expect(Math.abs((await heldOut(await exported(done, trial, 'onnx'))) - plain.accuracy!)).toBeLessThanOrEqual(IMAGE * 1.001);
    }
  });

  it('whose weights are inherited from a supernet has the inherited accuracy', async () => {
    const checkpoints = mkdtempSync(join(tmpdir(), 'caddis-supernet-'));
    closing.push(async () => rmSync(checkpoints, { recursive: true }));
    const definition = definitionOf({ method: 'supernet', epochs: 2, batch: 20, switches: 1, calibration: 4, checkpoints, weights: { of: 'all' } }, { budget: { maxTrials: 2 } });
    const done = await run(definition);
    for (const trial of done.trials) {
      const bundle = await exported(done, trial, 'onnx');
      const reported = trial.metrics['accuracy']!.value;
      expect(bundle.manifest.weights).toMatchObject({ kind: 'trained', by: 'supernet', accuracy: reported });
      expect(Math.abs((await heldOut(bundle)) - reported)).toBeLessThanOrEqual(IMAGE * 1.001);
    }
  });

  const handing = (more: readonly string[] = []): object => ({
    ...definitionOf({}), spec: studySpec.parse({ ...definitionOf({}).spec, accuracy: { method: 'command', command: [process.execPath, join(import.meta.dirname, '../support/handing-trainer.mjs'), ...more], metrics: ['accuracy'], send: ['graph'] } }),
  });

  it('by a trainer of the user\'s has the weights it handed back, kept for the front, and in int8 ranges of the inputs it gave', async () => {
    const done = await run(handing() as StudyDefinition);
    for (const trial of done.trials) {
      const kept = await done.store.trialWeights(trial.id);
      expect(kept !== null).toBe(trial.onFront);
      if (kept === null) continue;
      const graph = decode(done.study.space, trial.parameters, done.study.spec.task);
      const trained = initialWeights(graph, 99);
      expect(decodeTrainedWeights(kept).weights).toEqual(new Map([...trained].filter(([, own]) => Object.keys(own).length > 0)));
      const bundle = await exported(done, trial, 'onnx');
      expect(bundle.manifest.weights).toEqual({ kind: 'trained', by: 'trainer', accuracy: trial.metrics['accuracy']!.value, judgedOn: null, input: null, quantization: null, note: null });
      const image = tensor([1, 1, 32, 32], Float32Array.from({ length: 1024 }, (_, i) => Math.cos(i)));
      const due = evaluate(graph, trained, new Map([['input', image]])).get(graph.outputs[0]!)!.data;
      const session = await ort.InferenceSession.create(bundle.content);
      const got = Object.values(await session.run({ input: new ort.Tensor('float32', image.data, [1, 1, 32, 32]) }))[0]!.data as Float32Array;
      const largest = Math.max(...due.map(Math.abs));
      due.forEach((v, i) => expect(Math.abs(got[i]! - v)).toBeLessThan(1e-4 * Math.max(1, largest)));
      const quantized = (await exported(done, trial, 'onnx-int8')).manifest.weights;
      expect(quantized).toMatchObject({ kind: 'trained', by: 'trainer', accuracy: null, quantization: expect.stringMatching(/ranges from 20 inputs of the trainer$/) as string, note: expect.stringMatching(/int8 was not measured; before, the trainer reported/) as string });
    }
    expect(done.trials.some((t) => t.onFront)).toBe(true);
  });

  it('by a trainer of the user\'s that hands back half a file fails, and says where the file ends', async () => {
    const { trials } = await run(handing(['--truncated']) as StudyDefinition);
    for (const t of trials) expect(t).toMatchObject({ state: 'failed', reason: 'invalid-weights', message: expect.stringMatching(/^weights of the trainer: expected a safetensors file .* that end within "/) as string, metrics: { accuracy: { provenance: 'reported' } } });
  });
});
