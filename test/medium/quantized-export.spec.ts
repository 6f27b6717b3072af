import { describe, expect, it } from 'vitest';
import { graphBuilder, inferenceProgram, INT8, packingOf, packWeights, quantizationOf, rangesProgram, tensor, type Graph, type Quantization, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import { toOnnx, toQuantizedOnnx } from '@app/onnx';
import { openProgram } from '@app/train';
import ort from 'onnxruntime-node';
import { randomWeights } from '../support/example-graphs.js';

const IMAGES = 24;

/** Two readers of one tensor, heads, a shortcut, a convolution without a batch norm, a product over three axes. */
function classifier(width = 12): Graph {
  const g = graphBuilder('small');
  const stem = g.activation(g.batchNorm(g.conv2d(g.input([1, 3, 16, 16]), { outChannels: width, kernel: 3, stride: 2 })), 'relu');
  const left = g.batchNorm(g.conv2d(stem, { outChannels: width, kernel: 1 }));
  const right = g.headReduce(g.batchNorm(g.conv2d(stem, { outChannels: 2 * width, kernel: 3, groups: width })), 2, 'maxout');
  const joined = g.activation(g.add(left, right), 'hswish');
  const bare = g.activation(g.conv2d(joined, { outChannels: width, kernel: 3, stride: 2, bias: true }), 'relu');
  const rows = g.linear(g.reshape(bare, [1, width, 16]), 8);
  g.output(g.linear(g.flatten(rows), 5));
  return g.build();
}

function drawn(shape: readonly number[], seed: number): Tensor {
  const rng = Rng.of(seed, 'images');
  return tensor([...shape], Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()));
}

const shapeOf = (graph: Graph): readonly number[] => (graph.nodes.find((n) => n.kind === 'input')!.attrs as { shape: readonly number[] }).shape;

/** Weights with the ranges that some images show. */
async function ranged(graph: Graph, layers: Quantization, weights: ReadonlyMap<string, Weights>): Promise<ReadonlyMap<string, Weights>> {
  if ([...layers.values()].every((l) => l.input?.kind !== 'affine')) return weights;
  const ranges = rangesProgram(graph, 8, layers);
  const session = await openProgram(ranges.program);
  const { low, high } = await session.run({ ...packWeights(ranges.packing, weights), images: drawn(ranges.imageShape, 99).data });
  await session.close();
  const all = new Map(weights);
  ranges.layers.forEach((id, k) => all.set(id, { ...all.get(id), inputLow: tensor([1], Float32Array.of(low![k]!)), inputHigh: tensor([1], Float32Array.of(high![k]!)) }));
  return all;
}

const most = (values: Float32Array): number => values.reduce((best, v, i) => (v > values[best]! ? i : best), 0);

describe('a quantised network in ONNX', () => {
  const graph = classifier();

  it.each<[string, Parameters<typeof quantizationOf>[1], number]>([
    // biases are rounded too
    ['int8', { scheme: 'affine', ...INT8 }, 0.02],
    ['weights in 4 bits, activations in 6 levels, ends int8', { scheme: 'affine', weights: 15, activations: 6, ends: INT8 }, 2e-3],
    ['DoReFa, 2 bits', { scheme: 'dorefa', weights: 4, activations: 4, ends: INT8 }, 2e-3],
    // onnxruntime takes such weights to 8 bits of its own where it can
    ['DoReFa, 8 bits, whose weights no signed byte holds', { scheme: 'dorefa', weights: 256, activations: 256 }, 0.05],
    // onnxruntime takes the product over three axes to 8 bits of its own
    ['weights alone', { scheme: 'affine', weights: 255, activations: null }, 0.01],
  ])('answers in onnxruntime as training has it: %s', async (_what, settings, tolerance) => {
    const layers = quantizationOf(graph, settings);
    const weights = await ranged(graph, layers, randomWeights(graph, Rng.of(3, 'quantised')));
    const bytes = toQuantizedOnnx(graph, weights, layers);
    const { program, packing } = inferenceProgram(graph, 1, layers);
    const session = await openProgram(program);
    const packed = packWeights(packing, weights);
    // as it is written, and as onnxruntime makes it faster
    const exported = [await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' }), await ort.InferenceSession.create(bytes)];
    let [alike, worst, largest] = [0, 0, 0];
    for (let i = 0; i < IMAGES; i++) {
      const images = drawn(shapeOf(graph), i);
      const { logits } = await session.run({ ...packed, images: images.data });
      for (const model of exported) {
        const answer = Object.values(await model.run({ input: new ort.Tensor('float32', images.data, images.shape) }))[0]!.data as Float32Array;
        if (most(answer) === most(logits!)) alike++;
        logits!.forEach((v, k) => {
          worst = Math.max(worst, Math.abs(v - answer[k]!));
          largest = Math.max(largest, Math.abs(v));
        });
      }
    }
    await session.close();
    expect(packing).toEqual(packingOf(graph, layers));
    expect(worst / largest).toBeLessThan(tolerance);
    expect(alike).toBe(2 * IMAGES);
  });

  it('is a quarter as large, its weights being bytes', () => {
    const wide = classifier(64);
    const layers = quantizationOf(wide, { scheme: 'affine', weights: 255, activations: null });
    const weights = randomWeights(wide, Rng.of(3, 'quantised'));
    expect(toQuantizedOnnx(wide, weights, layers).length).toBeLessThan(0.35 * toOnnx(wide, weights).length);
  });

  it('is refused without ranges, and with more levels than ONNX has, by the layer', () => {
    const weights = randomWeights(graph, Rng.of(3, 'quantised'));
    expect(() => toQuantizedOnnx(graph, weights, quantizationOf(graph, { scheme: 'affine', ...INT8 }))).toThrow(/range of what enters "conv2d_1" \(inputLow, inputHigh\), got none/);
    expect(() => toQuantizedOnnx(graph, weights, quantizationOf(graph, { scheme: 'dorefa', weights: 4, activations: 1000 }))).toThrow(/at most 256 levels of what enters "conv2d_1".*got 1000/);
  });
});
