import { evaluate, foldBatchNorm, initialWeights, isKind, totals, OPS, type Graph, type OpKind, type Tensor } from '@app/graph';
import { Rng } from '@app/numeric';
import { fromOnnx, toOnnx } from '@app/onnx';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { EXAMPLES, flynet04, flynetBlock, randomTensor, randomWeights } from '../support/example-graphs.js';

const TOLERANCE = 1e-4;

async function runOnnx(bytes: Uint8Array, inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries([...inputs].map(([name, t]) => [name, new OrtTensor('float32', t.data, [...t.shape])]));
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, t]) => [name, { shape: [...t.dims], data: t.data as Float32Array }]));
  } finally {
    await session.release();
  }
}

function expectClose(actual: Tensor | undefined, expected: Tensor): void {
  expect(actual?.shape).toEqual([...expected.shape]);
  let worst = 0;
  expected.data.forEach((v, i) => (worst = Math.max(worst, Math.abs(v - actual!.data[i]!) / Math.max(1, Math.abs(v)))));
  expect(worst).toBeLessThan(TOLERANCE);
  expect(Number.isNaN(actual!.data.reduce((a, b) => a + b, 0))).toBe(false);
}

/** The exported model against the reference evaluation, on random weights and input; and the same after a round trip. */
async function expectAgreement(graph: Graph): Promise<void> {
  const rng = Rng.of(2026, 'onnx', graph.name);
  const weights = randomWeights(graph, rng);
  const inputs = new Map(graph.nodes.flatMap((n) => (isKind(n, 'input') ? [[n.id, randomTensor(n.attrs.shape, rng)] as const] : [])));
  const expected = evaluate(graph, weights, inputs);
  const bytes = toOnnx(graph, weights);
  const actual = await runOnnx(bytes, inputs);
  for (const id of graph.outputs) expectClose(actual.get(id), expected.get(id)!);

  const back = fromOnnx(bytes, { unknown: 'refuse' });
  const again = evaluate(back.graph, back.weights, inputs);
  graph.outputs.forEach((id, i) => expectClose(again.get(back.graph.outputs[i]!), expected.get(id)!));
}

describe('exported models in onnxruntime', () => {
  it.each(EXAMPLES.map((graph) => [graph.name, graph] as const))('compute what the reference evaluation does: %s', async (_name, graph) => {
    await expectAgreement(graph);
  });

  it('compute what the reference evaluation does: a FlyNet block with its head', async () => {
    await expectAgreement(flynetBlock());
  });

  it('compute what the reference evaluation does: the whole FlyNet 0.4 at 224×224, and price the same after a round trip', async () => {
    const graph = flynet04();
    const weights = initialWeights(graph, 1);
    const input = graph.nodes.find((n) => n.kind === 'input')!.id;
    const image = new Map([[input, randomTensor([1, 3, 224, 224], Rng.of(4))]]);
    const bytes = toOnnx(graph, weights);
    const output = graph.outputs[0]!;
    expectClose((await runOnnx(bytes, image)).get(output), evaluate(graph, weights, image).get(output)!);
    // flynet-spec § 9, width 0.4, 3 heads, mdw-concat
    expect(totals(fromOnnx(bytes, { unknown: 'refuse' }).graph)).toMatchObject({ params: 658_066, macs: 20_680_200, madds: 27_063_528 });
  });

  it('cover every kind of op that can be exported', () => {
    const covered = new Set(EXAMPLES.flatMap((graph) => graph.nodes.map((n) => n.kind)));
    expect((Object.keys(OPS) as OpKind[]).filter((kind) => !covered.has(kind))).toEqual(['opaque']);
  });

  it('compute the same after batch norms are folded into the convolutions', async () => {
    const graph = flynetBlock();
    const rng = Rng.of(2026, 'fold');
    const weights = randomWeights(graph, rng);
    const inputs = new Map([['input', randomTensor([1, 8, 14, 14], rng)]]);
    const folded = foldBatchNorm(graph, weights);
    const expected = evaluate(graph, weights, inputs).get(graph.outputs[0]!)!;
    expectClose((await runOnnx(toOnnx(folded.graph, folded.weights), inputs)).get(folded.graph.outputs[0]!), expected);
    expect(totals(folded.graph).macs).toBe(totals(graph).macs);
  });

  it.each([14, 15, 16, 17])('load at opset %i', async (opset) => {
    const graph = flynetBlock();
    const inputs = new Map([['input', randomTensor([1, 8, 14, 14], Rng.of(1))]]);
    const weights = initialWeights(graph, 3);
    const output = graph.outputs[0]!;
    expectClose((await runOnnx(toOnnx(graph, weights, { opset }), inputs)).get(output), evaluate(graph, weights, inputs).get(output)!);
  });
});
