import { expect, it } from 'vitest';
import { Rng } from '@app/numeric';
import { withBatchStatistics } from './batch-statistics.js';
import { graphBuilder } from './builder.js';
import { evaluate } from './evaluate.js';
import { initialWeights } from './initial-weights.js';
import { tensor } from './shape.js';

it('makes every batch norm\'s output zero in mean and one in variance on the batch it saw, however deep the network', () => {
  const b = graphBuilder('deep');
  let x = b.input([1, 3, 8, 8], 'x');
  for (let i = 0; i < 12; i++) {
    const y = b.batchNorm(b.conv2d(x, { outChannels: 8, kernel: 3 }), 1e-9);
    x = i === 0 ? y : b.add(b.add(x, y), y);
  }
  b.output(b.batchNorm(x, 1e-9));
  const graph = b.build();
  const rng = Rng.of(1);
  const inputs = new Map([['x', tensor([1, 3, 8, 8], Float32Array.from({ length: 192 }, () => rng.normal()))]]);
  const settled = withBatchStatistics(graph, initialWeights(graph, 2), inputs);
  const y = evaluate(graph, settled, inputs).get(graph.outputs[0]!)!;
  const mean = y.data.reduce((a, v) => a + v, 0) / y.data.length;
  expect(mean).toBeCloseTo(0, 4);
  expect(y.data.reduce((a, v) => a + (v - mean) ** 2, 0) / y.data.length).toBeCloseTo(1, 3);
});

it('keeps variance 1 where a layer is constant', () => {
  const b = graphBuilder('flat');
  b.output(b.batchNorm(b.zeros(b.input([1, 2, 4, 4], 'x'))));
  const flat = b.build();
  const settled = withBatchStatistics(flat, initialWeights(flat, 0), new Map([['x', tensor([1, 2, 4, 4], new Float32Array(32).fill(3))]]));
  expect([...settled.values()].flatMap((w) => [...w['variance']!.data])).toEqual([1, 1]);
});
