import { datasetSchema, quantizeSchema, trainAccuracySchema, trainingRecipeSchema, type TrainingRecipe } from '@app/contracts';
import { graphBuilder, INT8, packingOf, packWeights, quantizationOf, type Graph } from '@app/graph';
import type { AccuracyRequest } from '@app/study';
import { decodeCheckpoint, encodeCheckpoint, loadDataset, openJudge, trainEvaluator, trainNetwork, type Checkpoint, type TrainOutcome } from '@app/train';
import { afterEach, describe, expect, it } from 'vitest';

const TASK = { numClasses: 4, inputChannels: 1 };

function network(classes = 4, size = 12): Graph {
  const g = graphBuilder('small');
  let x = g.activation(g.batchNorm(g.conv2d(g.input([1, 1, size, size]), { outChannels: 8, kernel: 5, stride: 2 })), 'relu');
  x = g.headReduce(g.batchNorm(g.conv2d(x, { outChannels: 16, kernel: 3, groups: 8 })), 2, 'maxout');
  g.output(g.linear(g.flatten(g.globalAvgPool(x)), classes));
  return g.build();
}

const dataset = datasetSchema.parse({ format: 'synthetic', size: 12, images: 480, validation: 0.2 });
const data = await loadDataset(dataset);
const recipe = (given: object = {}): TrainingRecipe => trainingRecipeSchema.parse({ learningRate: 0.05, ...given });

async function trained(given: Partial<Parameters<typeof trainNetwork>[0]> = {}): Promise<Extract<TrainOutcome, { kind: 'trained' }>> {
  const outcome = await trainNetwork({ graph: network(), data, recipe: recipe(), batch: 32, epochs: 4, seed: 1, ...given });
  if (outcome.kind !== 'trained') throw new Error('diverged');
  return outcome;
}

describe('a training', () => {
  it.each<[string, object]>([
    ['Nesterov', {}], ['SGD in steps with warm-up', { optimizer: 'sgd', schedule: 'step', warmupEpochs: 0.5 }],
    ['AdamW, clipped, averaged', { optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.01, clipNorm: 1, averageDecay: 0.9 }],
    ['smoothed labels and every augmentation that keeps the classes', { labelSmoothing: 0.1, shift: 2, cutout: 2, mixup: 0.2, noiseAbove: 0 }],
  ])('learns four directions of waves: %s', async (_name, given) => {
    const { accuracy, checkpoint } = await trained({ recipe: recipe(given), epochs: 8 });
    // chance is 25 %
    expect(accuracy).toBeGreaterThan(80);
    expect(checkpoint.losses.at(-1)).toBeLessThan(checkpoint.losses[0]!);
    expect([checkpoint.epoch, checkpoint.curve.length]).toEqual([8, 8]);
  });

  it('is the same for the same seed and another for another', async () => {
    const [a, b, c] = [await trained({ recipe: recipe({ shift: 1 }) }), await trained({ recipe: recipe({ shift: 1 }) }), await trained({ recipe: recipe({ shift: 1 }), seed: 2 })];
    expect(b.checkpoint).toEqual(a.checkpoint);
    expect(c.checkpoint.state.parameters).not.toEqual(a.checkpoint.state.parameters);
  });

  it('that stops and goes on from its checkpoint ends where it would have', async () => {
    const given = { recipe: recipe({ shift: 1, averageDecay: 0.9 }) };
    const whole = await trained(given);
    const half = await trained({ ...given, until: 2 });
    expect(half.checkpoint.epoch).toBe(2);
    const rest = await trained({ ...given, from: decodeCheckpoint(encodeCheckpoint(half.checkpoint)) });
    expect(rest.checkpoint).toEqual(whole.checkpoint);
    expect(rest.weights).toEqual(whole.weights);
  });

  it('anneals softmaxes over heads: at the end it is judged at their own temperature, on the way at the one they have', async () => {
    const g = graphBuilder('tempered');
    const x = g.batchNorm(g.conv2d(g.input([1, 1, 12, 12]), { outChannels: 16, kernel: 5, stride: 2 }));
    const heads = g.headReduce(g.channelAttention(x, { kernel: 3, statistics: 'mean-variance', excitation: 'softmax', heads: 2 }), 2, 'maxout');
    g.output(g.linear(g.flatten(g.globalAvgPool(g.batchNorm(heads))), 4));
    const graph = g.build();
    const [whole, half] = [await trained({ graph }), await trained({ graph, until: 1 })];
    const judge = await openJudge(graph, data, 32);
    const atOwn = ({ weights }: typeof whole): Promise<number> => judge.accuracy(packWeights(packingOf(graph), weights), data.validation);
    expect(await atOwn(whole)).toBe(whole.accuracy);
    expect(half.accuracy).toBe(whole.checkpoint.curve[0]);
    expect(await atOwn(half)).not.toBe(half.accuracy);
    await judge.close();
    const fixed = await trained({ graph, recipe: recipe({ annealFrom: 1 }) });
    expect(fixed.checkpoint.state.parameters).not.toEqual(whole.checkpoint.state.parameters);
  });

  it('that diverges says so, with the step', async () => {
    const outcome = await trainNetwork({ graph: network(), data, recipe: recipe({ learningRate: 10, momentum: 0.99, weightDecay: 1, schedule: 'constant' }), batch: 32, epochs: 40, seed: 1 });
    expect(outcome.kind).toBe('diverged');
    expect(outcome.kind === 'diverged' && outcome.step > 0 && outcome.step <= 12 * outcome.epoch).toBe(true);
  });

  const LEVELS = { layers: quantizationOf(network(), { scheme: 'affine', weights: 255, activations: 256 }), batches: 4 };

  it('is quantised to 8 bits afterwards at hardly a loss, with ranges from training images', async () => {
    const { accuracy, floatAccuracy, weights, checkpoint } = await trained({ epochs: 8, quantize: { ...LEVELS, when: 'after' } });
    expect(floatAccuracy).toBe(checkpoint.curve.at(-1));
    expect(Math.abs(accuracy - floatAccuracy!)).toBeLessThanOrEqual(3);
    const [first] = LEVELS.layers.keys();
    expect(weights.get(first!)!['inputHigh']!.data[0]).toBeGreaterThan(0);
  });

  it.each([
    ['4 and 6 levels, DoReFa', quantizationOf(network(), { scheme: 'dorefa', weights: 4, activations: 6, ends: INT8 })],
    ['one bit, DoReFa', quantizationOf(network(), { scheme: 'dorefa', weights: 2, activations: 2, ends: INT8 })],
    ['ternary weights and 4-bit activations', quantizationOf(network(), { scheme: 'affine', weights: 3, activations: 16 })],
  ])('that knows of its quantisation learns at %s', async (_what, layers) => {
    const { accuracy, floatAccuracy } = await trained({ epochs: 10, recipe: recipe({ learningRate: 0.03 }), quantize: { layers, when: 'aware', batches: 1 } });
    // chance is 25 %
    expect(accuracy).toBeGreaterThan(60);
    expect(floatAccuracy).toBeNull();
  });

  it('stops at its signal', async () => {
    const controller = new AbortController();
    const epochs: Checkpoint[] = [];
    const running = trained({ epochs: 1000, signal: controller.signal, onEpoch: (c) => (epochs.push(c), controller.abort(new Error('enough'))) });
    await expect(running).rejects.toThrow('enough');
    expect(epochs).toHaveLength(1);
  });

  it('is refused where network and data do not fit', async () => {
    await expect(trained({ graph: network(5) })).rejects.toThrow(/expected as many classes as the network has, 5, got 4/);
    await expect(trained({ batch: 2048 })).rejects.toThrow(/expected at least one batch of 2048 training images, got 384/);
  });
});

describe('the training evaluator', () => {
  const accuracy = trainAccuracySchema.parse({ method: 'train', dataset, epochs: 4, batch: 32, recipe: { learningRate: 0.05 } });
  const request = (given: Partial<AccuracyRequest> = {}): AccuracyRequest => ({
    space: { name: 's', title: '', description: '', family: 'flynet', parameters: [], settings: {}, sources: [] },
    point: { width: 1 }, graph: network(), task: TASK, signal: new AbortController().signal, ...given,
  });
  let open: ReturnType<typeof trainEvaluator> | null = null;
  const evaluator = (given: object = {}): ReturnType<typeof trainEvaluator> => (open = trainEvaluator({ ...accuracy, ...given }, 1, TASK));
  afterEach(() => open?.close());

  it('trains in a process of its own and answers accuracy with interval, learning curve and how it was had', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const { accuracy: a, error } = await evaluator().evaluate(request());
    clearInterval(timer);
    // this one went on ticking
    expect(ticks).toBeGreaterThan(5);
    const alone = await trained();
    expect([a!.value, a!.curve]).toEqual([alone.accuracy, alone.checkpoint.curve]);
    expect(a).toMatchObject({ unit: '%', provenance: 'trained', source: expect.stringMatching(/^trained for 4 epochs on synthetic, \d+ images, \d+( to \d+)? a class \(nesterov, batch 32, seed 1\), accuracy on 96 held-out images$/) });
    expect(a!.interval![0]).toBeLessThan(a!.value);
    expect(a!.value + error!.value).toBeCloseTo(100, 9);
    expect(open!.secondsPerTrial).toBeGreaterThan(1);
  });

  it('tells of each epoch, and ends where it is told to, with what it had come to', async () => {
    const seen: number[][] = [];
    const stopped = evaluator().evaluate(request({ onProgress: ({ curves }) => seen.push(curves['accuracy']!.values), stopWhen: ({ epochs, curves }) => (epochs === 4 && curves['accuracy']!.values.length === 2 ? 'enough' : null) }));
    await expect(stopped).rejects.toMatchObject({ name: 'StoppedEarly', message: 'enough', reached: 0.5, metrics: { accuracy: { provenance: 'trained', source: expect.stringMatching(/^trained for 2 of 4 epochs on synthetic, then ended$/) } } });
    const { accuracy: whole } = await open!.evaluate(request());
    expect(seen).toEqual([whole!.curve!.slice(0, 1), whole!.curve!.slice(0, 2)]);
  });

  it('reports the accuracy of the network as an int8 device runs it, and says so', async () => {
    const { accuracy: a } = await (open = trainEvaluator(accuracy, 1, TASK, true)).evaluate(request());
    expect(a!.source).toMatch(/quantised after training: weights 8 bits, activations 8 bits, ends int8 \(\d+\.\d\d % before\)$/);
    await open.close();
    const { accuracy: plain } = await (open = trainEvaluator({ ...accuracy, quantize: 'none' }, 1, TASK, true)).evaluate(request());
    expect(plain!.source).not.toContain('quantised');
    await open.close();
    await expect(evaluator({ quantize: { ...quantizeSchema.parse({ weights: { bits: 4 } }), blocks: { nowhere: {} } } }).evaluate(request())).rejects.toMatchObject({ reason: 'unsupported', message: expect.stringContaining('got "nowhere"') });
  });

  it('goes on where it stopped when the same point comes back at a higher fidelity', async () => {
    const e = evaluator();
    const half = await e.evaluate(request({ fidelity: 0.5 }));
    const full = await e.evaluate(request({ fidelity: 1 }));
    expect([half['accuracy']!.curve!.length, full['accuracy']!.curve]).toEqual([2, (await trained()).checkpoint.curve]);
  });

  it('ends the process when told to, at once', async () => {
    const controller = new AbortController();
    const e = evaluator({ epochs: 10_000 });
    const running = e.evaluate(request({ signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('the lease was lost')), 300);
    await expect(running).rejects.toThrow('the lease was lost');
  });

  it('finds out before the first training whether the data are there and fit the task', async () => {
    const { signal } = new AbortController();
    await expect(evaluator().prepare!(signal)).resolves.toBeUndefined();
    await open!.close();
    await expect(evaluator({ dataset: datasetSchema.parse({ format: 'image-folder', directory: '/nowhere', height: 8, width: 8 }) }).prepare!(signal)).rejects.toMatchObject({ reason: 'invalid-dataset', message: expect.stringContaining('/nowhere') });
    await open!.close();
    await expect((open = trainEvaluator(accuracy, 1, { numClasses: 5, inputChannels: 1 })).prepare!(signal)).rejects.toMatchObject({ reason: 'unsupported', message: expect.stringContaining('have 4 classes; task.numClasses is 5') });
  });

  it('gives reasons for what it cannot train', async () => {
    await expect(evaluator({ recipe: recipe({ learningRate: 10, momentum: 0.99, weightDecay: 1, schedule: 'constant' }), epochs: 40 }).evaluate(request())).rejects.toMatchObject({ reason: 'diverged', message: expect.stringMatching(/no number any more at step \d+, in epoch \d+/) });
    await expect(evaluator({ dataset: datasetSchema.parse({ format: 'idx', directory: '/nowhere' }) }).evaluate(request())).rejects.toMatchObject({ reason: 'invalid-dataset', message: expect.stringContaining('/nowhere/train-images-idx3-ubyte') });
    await expect(evaluator().evaluate(request({ graph: network(3) }))).rejects.toMatchObject({ reason: 'unsupported' });
    await expect(evaluator().evaluate(request({ graph: null }))).rejects.toMatchObject({ reason: 'unsupported' });
  });
});
