import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../builder.js';
import { evaluate } from '../evaluate.js';
import { initialWeights } from '../initial-weights.js';
import { elements } from '../shape.js';
import { evaluateProgram, type Wide } from '../tape/evaluate-program.js';
import type { Graph } from '../types.js';
import { packingOf, packWeights, unpackWeights } from './packing.js';
import { withBatch } from './rebatch.js';
import { inferenceProgram, statisticsProgram, trainingGraph, type StepRecipe, type TrainingGraph } from './training-graph.js';

function network(): Graph {
  const g = graphBuilder('tiny');
  const conv = g.activation(g.batchNorm(g.conv2d(g.input([1, 2, 3, 3]), { outChannels: 3, kernel: 3 })), 'hswish');
  const gated = g.channelAttention(conv, { kernel: 3, statistics: 'mean-variance', excitation: 'sigmoid' });
  g.output(g.linear(g.reshape(g.globalAvgPool(gated), [1, 3]), 3));
  return g.build();
}

const SGD: StepRecipe = { batch: 4, optimizer: { kind: 'sgd', momentum: 0.9, nesterov: false }, labelSmoothing: 0, clipNorm: null, statisticsRate: 0.1, averageDecay: null, noise: false };
const ADAMW: StepRecipe = { ...SGD, optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8 } };
const graph = network();

type State = Map<string, Wide>;
const vectorOf = (values: ArrayLike<number>): Wide => ({ shape: [values.length], data: Float64Array.from(values) });
const scalar = (v: number): Wide => ({ shape: [], data: Float64Array.of(v) });

function start(step: TrainingGraph, rates: Readonly<Record<string, number>> = {}): State {
  const rng = Rng.of(2, 'training step');
  const packed = packWeights(step.packing, initialWeights(graph, 1));
  const state: State = new Map(step.state.map(({ name, length }) => [name, name === 'parameters' || name === 'averageParameters' ? vectorOf(packed.parameters) : name === 'statistics' || name === 'averageStatistics' ? vectorOf(packed.statistics) : vectorOf(new Float64Array(length))]));
  state.set('images', { shape: step.imageShape, data: Float64Array.from({ length: elements(step.imageShape) }, () => rng.normal()) });
  state.set('targets', { shape: [4, 3], data: Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0]) });
  for (const [name, v] of Object.entries({ learningRate: 0.1, weightDecay: 0, correction1: 0.1, correction2: 0.01, ...rates })) state.set(name, scalar(v));
  return state;
}

const take = (step: TrainingGraph, state: State): ReadonlyMap<string, Wide> => evaluateProgram(step.program, state);
function lossAt(step: TrainingGraph, state: State, parameters: Float64Array): number {
  const program = { ...step.program, outputs: { loss: step.program.outputs['loss']! } };
  return evaluateProgram(program, new Map(state).set('parameters', vectorOf(parameters))).get('loss')!.data[0]!;
}

/** Gradient of the loss by the parameters, by fourth-order differences. */
function numericGradient(step: TrainingGraph, state: State): Float64Array {
  const at = state.get('parameters')!.data;
  const h = 1e-4;
  return at.map((v, i) => {
    const f = (by: number): number => lossAt(step, state, at.with(i, v + by));
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
  });
}

const expectClose = (got: ArrayLike<number>, due: ArrayLike<number>, tolerance = 1e-6): void => {
  expect(got.length).toBe(due.length);
  expect(Math.max(...Array.from(due, (v, i) => Math.abs(v - got[i]!)))).toBeLessThan(tolerance);
};

describe('a training step', () => {
  it.each([0, 0.1])('moves the weights down the numeric gradient of its own loss, label smoothing %f', (labelSmoothing) => {
    const step = trainingGraph(graph, { ...SGD, labelSmoothing });
    const state = start(step);
    const g = numericGradient(step, state);
    const result = take(step, state);
    expectClose(result.get('parameters')!.data, state.get('parameters')!.data.map((w, i) => w - 0.1 * g[i]!));
    expectClose(result.get('velocity')!.data, g);
    expect(result.get('gradientNorm')!.data[0]).toBeCloseTo(Math.hypot(...g), 6);
    expect(lossAt(step, state, result.get('parameters')!.data)).toBeLessThan(result.get('loss')!.data[0]!);
  });

  it('states the cross-entropy of its logits', () => {
    const step = trainingGraph(graph, { ...SGD, labelSmoothing: 0.3 });
    const state = start(step);
    const result = take(step, state);
    let due = 0;
    for (let n = 0; n < 4; n++) {
      const row = result.get('logits')!.data.subarray(3 * n, 3 * n + 3);
      const total = row.reduce((s, v) => s + Math.exp(v), 0);
      row.forEach((v, k) => (due -= (0.7 * state.get('targets')!.data[3 * n + k]! + 0.1) * Math.log(Math.exp(v) / total) / 4));
    }
    expect(result.get('loss')!.data[0]).toBeCloseTo(due, 6);
  });

  it('with momentum, Nesterov and decay follows the rules of its optimizer over two steps', () => {
    const step = trainingGraph(graph, { ...SGD, optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true } });
    const state = start(step, { weightDecay: 0.01 });
    const decayed = new Float64Array(step.packing.parameterCount);
    for (const s of step.packing.parameters) if (s.decayed) decayed.fill(1, s.offset, s.offset + elements(s.shape));
    let [w, v] = [state.get('parameters')!.data, state.get('velocity')!.data];
    for (let n = 0; n < 2; n++) {
      const g = numericGradient(step, state).map((x, i) => x + 0.01 * decayed[i]! * w[i]!);
      const result = take(step, state);
      v = v.map((x, i) => 0.9 * x + g[i]!);
      w = w.map((x, i) => x - 0.1 * (g[i]! + 0.9 * v[i]!));
      expectClose(result.get('parameters')!.data, w);
      for (const { name } of step.state) state.set(name, result.get(name)!);
    }
  });

  it('of AdamW divides by the root of the second moment and decays apart', () => {
    const step = trainingGraph(graph, ADAMW);
    const state = start(step, { weightDecay: 0.1 });
    const g = numericGradient(step, state);
    const result = take(step, state);
    const due = Float64Array.from(state.get('parameters')!.data);
    for (const { offset, shape, decayed } of step.packing.parameters) {
      for (let i = offset; i < offset + elements(shape); i++) due[i]! -= 0.1 * (g[i]! / (Math.abs(g[i]!) + 1e-8) + (decayed ? 0.1 * due[i]! : 0));
    }
    // a gradient near 0 has no sign to speak of
    g.forEach((v, i) => Math.abs(v) < 1e-4 || expect(result.get('parameters')!.data[i]).toBeCloseTo(due[i]!, 4));
  });

  it('clips the whole gradient to its norm and leaves a shorter one alone', () => {
    const free = trainingGraph(graph, SGD);
    const norm = take(free, start(free)).get('gradientNorm')!.data[0]!;
    const clipped = trainingGraph(graph, { ...SGD, clipNorm: norm / 2 });
    const longer = trainingGraph(graph, { ...SGD, clipNorm: norm * 2 });
    const velocity = (step: TrainingGraph): Float64Array => take(step, start(step)).get('velocity')!.data;
    expect(Math.hypot(...velocity(clipped))).toBeCloseTo(norm / 2, 5);
    expectClose(velocity(longer), velocity(free), 1e-9);
  });

  it('mixes mean and unbiased variance of the batch into the running statistics', () => {
    const step = trainingGraph(graph, SGD);
    const state = start(step);
    const norm = graph.nodes.find((n) => n.kind === 'batchNorm')!;
    const conv = evaluate(withBatch({ ...graph, outputs: [norm.inputs[0]!] }, 4), initialWeights(graph, 1), new Map([['input', { shape: step.imageShape, data: Float32Array.from(state.get('images')!.data) }]])).get(norm.inputs[0]!)!;
    const result = take(step, state);
    for (const slot of step.packing.statistics) {
      for (let c = 0; c < 3; c++) {
        const values = [...conv.data].filter((_, i) => Math.floor(i / 9) % 3 === c);
        const mean = values.reduce((s, v) => s + v, 0) / 36;
        const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / 35;
        expect(result.get('statistics')!.data[slot.offset + c]).toBeCloseTo(slot.name === 'mean' ? 0.1 * mean : 0.9 + 0.1 * variance, 5);
      }
    }
  });

  it('sees in a batch what the program that only looks at statistics sees, quantisation noise left out', () => {
    const g = graphBuilder('noisy');
    const x = g.batchNorm(g.conv2d(g.quantizationNoise(g.input([1, 2, 3, 3]), 3), { outChannels: 3, kernel: 3 }));
    g.output(g.linear(g.reshape(g.globalAvgPool(g.batchNorm(g.activation(x, 'relu'))), [1, 3]), 3));
    const noisy = g.build();
    const step = trainingGraph(noisy, { ...SGD, statisticsRate: 1 });
    const { program, packing } = statisticsProgram(noisy, 4);
    expect(packing).toEqual(step.packing);
    const packed = packWeights(packing, initialWeights(noisy, 1));
    const state = start(trainingGraph(graph, SGD)).set('parameters', vectorOf(packed.parameters)).set('statistics', vectorOf(packed.statistics)).set('velocity', vectorOf(new Float64Array(packing.parameterCount)));
    const looked = evaluateProgram(program, new Map(['parameters', 'statistics', 'images'].map((name) => [name, state.get(name)!])));
    expectClose(looked.get('statistics')!.data, take(step, state).get('statistics')!.data, 1e-9);
    const other = trainingGraph(noisy, { ...SGD, statisticsRate: 1, noise: true });
    expect(take(other, state).get('statistics')!.data).not.toEqual(looked.get('statistics')!.data);
  });

  it('keeps an average of weights and statistics if asked to', () => {
    const step = trainingGraph(graph, { ...SGD, averageDecay: 0.9 });
    const state = start(step);
    const result = take(step, state);
    const before = state.get('parameters')!.data;
    expectClose(result.get('averageParameters')!.data, before.map((w, i) => 0.9 * w + 0.1 * result.get('parameters')!.data[i]!));
  });

  it('refuses networks without a class axis or without weights', () => {
    const g = graphBuilder('image to image');
    g.output(g.conv2d(g.input([1, 1, 4, 4]), { outChannels: 1, kernel: 3 }));
    expect(() => trainingGraph(g.build(), SGD)).toThrow(/expected an output \[1, classes\] of at least 2 classes to train, got \[1, 1, 4, 4\]/);
    const h = graphBuilder('no weights');
    h.output(h.flatten(h.input([1, 2, 1, 1])));
    expect(() => trainingGraph(h.build(), SGD)).toThrow(/expected weights that can be trained, got none/);
  });
});

describe('a softmax over heads that anneals', () => {
  function tempered(temperature: number, heads = 2): Graph {
    const g = graphBuilder('tempered');
    const x = g.channelAttention(g.batchNorm(g.conv2d(g.input([1, 2, 3, 3]), { outChannels: 6, kernel: 3 })), { kernel: 3, statistics: 'mean-variance', excitation: 'softmax', heads, temperature });
    g.output(g.linear(g.flatten(g.globalAvgPool(g.headReduce(x, heads, 'maxout'))), 3));
    return g.build();
  }
  const faceNames = (net: Graph, annealFrom: number): string[] => trainingGraph(net, { ...SGD, annealFrom }).program.inputs.map((v) => v.name);

  function stepOf(net: Graph, annealFrom: number | null, annealing: number): ReadonlyMap<string, Wide> {
    const step = trainingGraph(net, { ...SGD, annealFrom });
    const packed = packWeights(step.packing, initialWeights(net, 1));
    const state = start(step, { annealing });
    for (const name of ['parameters', 'statistics'] as const) state.set(name, vectorOf(packed[name]));
    return take(step, state);
  }

  it.each([[1, 10], [0.5, 5.5], [0, 1]])('takes the step of a network that has its temperature: %f of the way above 1 is %f', (annealing, temperature) => {
    const [got, due] = [stepOf(tempered(1), 10, annealing), stepOf(tempered(temperature), null, 0)];
    for (const role of ['loss', 'velocity', 'parameters', 'statistics']) expectClose(got.get(role)!.data, due.get(role)!.data, 1e-8);
    if (annealing > 0) expect(got.get('velocity')!.data).not.toEqual(stepOf(tempered(1), null, 0).get('velocity')!.data);
  });

  it('answers at inference at the temperature it is told', () => {
    const logits = (net: Graph, annealFrom: number | null): Float64Array => {
      const { program, packing, imageShape } = inferenceProgram(net, 4, undefined, annealFrom);
      const packed = packWeights(packing, initialWeights(net, 1));
      const rng = Rng.of(5);
      const images = { shape: imageShape, data: Float64Array.from({ length: elements(imageShape) }, () => rng.normal()) };
      return evaluateProgram(program, new Map([['parameters', vectorOf(packed.parameters)], ['statistics', vectorOf(packed.statistics)], ['images', images], ['annealing', scalar(0.5)]])).get('logits')!.data;
    };
    expectClose(logits(tempered(1), 10), logits(tempered(5.5), null), 1e-8);
  });

  it('asks for nothing where there is nothing to anneal: no softmax, one head, a temperature as high already', () => {
    expect(faceNames(tempered(1), 10)).toContain('annealing');
    for (const [net, from] of [[graph, 10], [tempered(1, 1), 10], [tempered(10), 10], [tempered(1), 1]] as const) expect(faceNames(net, from)).not.toContain('annealing');
  });
});

describe('packing and batches', () => {
  it('brings every weight back where it was', () => {
    const weights = initialWeights(graph, 4);
    const packing = packingOf(graph);
    expect(unpackWeights(packing, packWeights(packing, weights))).toEqual(weights);
    expect(packing).toEqual(packingOf(withBatch(graph, 7)));
  });

  it('decays weights of layers and nothing of batch norms and biases', () => {
    expect(packingOf(graph).parameters.map((s) => [s.name, s.decayed])).toEqual([['weight', true], ['scale', false], ['shift', false], ['kernel', true], ['weight', true], ['bias', false]]);
  });

  it('a batched inference gives each image what it gets alone', () => {
    const { program, packing, imageShape } = inferenceProgram(graph, 3);
    const rng = Rng.of(8);
    const images = Float32Array.from({ length: elements(imageShape) }, () => rng.normal());
    const weights = initialWeights(graph, 5);
    const packed = packWeights(packing, weights);
    const logits = evaluateProgram(program, new Map([['parameters', vectorOf(packed.parameters)], ['statistics', vectorOf(packed.statistics)], ['images', { shape: imageShape, data: Float64Array.from(images) }]])).get('logits')!;
    for (let n = 0; n < 3; n++) {
      const alone = evaluate(graph, weights, new Map([['input', { shape: [1, 2, 3, 3], data: images.slice(18 * n, 18 * n + 18) }]])).get(graph.outputs[0]!)!;
      alone.data.forEach((v, k) => expect(logits.data[3 * n + k]).toBeCloseTo(v, 5));
    }
  });

  it('refuses a network whose images get mixed, and a batch that is none', () => {
    const g = graphBuilder('mixed');
    g.output(g.transpose(g.input([1, 3]), [1, 0]));
    expect(() => withBatch(g.build(), 2)).toThrow(/expected output .* to grow/);
    expect(() => withBatch(graph, 0)).toThrow(/expected a batch of at least 1, got 0/);
  });
});
