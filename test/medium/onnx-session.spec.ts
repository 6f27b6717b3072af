import { describe, expect, it } from 'vitest';
import { graphBuilder, initialWeights, tensor, type Graph } from '@app/graph';
import { toOnnx } from '@app/onnx';
import { runOnnx, verifyExport } from '@app/train';

function network(): Graph {
  const b = graphBuilder('small');
  const x = b.activation(b.batchNorm(b.conv2d(b.input([1, 3, 8, 8]), { outChannels: 6, kernel: 3, stride: 2 })), 'hswish');
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 5));
  return b.build();
}

describe('an exported network in onnxruntime', () => {
  const graph = network();
  const weights = initialWeights(graph, 7);
  const bytes = toOnnx(graph, weights);

  it('computes what the reference interpreter does, and is told apart from another network', async () => {
    const check = await verifyExport(bytes, graph, weights, 1);
    expect(check.maxAbsoluteReference).toBeGreaterThan(0.01);
    expect(check.maxAbsoluteDifference).toBeLessThan(1e-5);
    expect(check.runtime).toMatch(/^onnxruntime-node \d+\.\d+/);
    const other = await verifyExport(bytes, graph, initialWeights(graph, 8), 1);
    expect(other.maxAbsoluteDifference).toBeGreaterThan(0.01);
  });

  it('gets the same random input for the same seed', async () => {
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => verifyExport(bytes, graph, weights, seed)));
    expect(a!.inputs).toEqual(b!.inputs);
    expect(a!.inputs).not.toEqual(c!.inputs);
  });

  it('answers outputs by name with their shapes, and refuses what is no model', async () => {
    const out = await runOnnx(bytes, new Map([['input', tensor([1, 3, 8, 8])]]));
    expect([...out].map(([name, t]) => [name, t.shape])).toEqual([[graph.outputs[0], [1, 5]]]);
    await expect(runOnnx(new Uint8Array([1, 2, 3]), new Map())).rejects.toThrow();
  });
});
