import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { graphBuilder, type GraphBuilder } from '../builder.js';
import { evaluate } from '../evaluate.js';
import { weightsOf } from '../initial-weights.js';
import { elements } from '../shape.js';
import { mul, sum } from '../tape/arithmetic.js';
import { evaluateProgram, type Wide } from '../tape/evaluate-program.js';
import { lower } from '../tape/lower.js';
import { Tape, type Program, type Value } from '../tape/tape.js';
import type { ActivationFn, Graph, OpKind, Shape } from '../types.js';
import { inferShapes } from '../verify.js';
import { OPS } from './index.js';

interface Examined {
  readonly graph: Graph;
  readonly program: Program;
  readonly point: ReadonlyMap<string, Wide>;
  /** inputs of the program that have a gradient output of the same name */
  readonly free: readonly string[];
}

/** The graph on a tape, with a random weighting of all outputs as the scalar and its gradient by every input and trained weight. */
function examine(graph: Graph, training: boolean): Examined {
  const shapes = inferShapes(graph);
  const rng = Rng.of(11, graph.name);
  const tape = new Tape();
  const point = new Map<string, Wide>();
  const place = (name: string, shape: Shape, draw: () => number): Value => {
    point.set(name, { shape, data: Float64Array.from({ length: elements(shape) }, draw) });
    return tape.input(name, shape);
  };
  const inputs = new Map(graph.nodes.filter((n) => n.kind === 'input').map((n) => [n.id, place(n.id, shapes.get(n.id)!, () => rng.normal())]));
  const weights = new Map(graph.nodes.map((n) => [n.id, Object.fromEntries(weightsOf(n, shapes).map((w) =>
    [w.name, place(`${n.id}.${w.name}`, w.shape, () => (w.init === 'running-variance' ? 0.5 + rng.next() : 0.7 * rng.normal()))]))]));
  const lowered = lower(tape, graph, inputs, weights, { training });
  const outputs: Record<string, Value> = {};
  const seeds = new Map<string, Value>();
  let loss: Value | null = null;
  for (const id of graph.outputs) {
    const shape = shapes.get(id)!;
    const seed = tape.constant(shape, Float32Array.from({ length: elements(shape) }, () => rng.normal()));
    seeds.set(id, seed);
    const part = sum(tape, mul(tape, lowered.values.get(id)!, seed), shape.map((_, i) => i));
    outputs[`value ${id}`] = lowered.values.get(id)!;
    loss = part;
  }
  outputs['loss'] = loss!;
  const gradients = lowered.backward(seeds);
  for (const [id, g] of gradients.inputs) outputs[id] = g;
  for (const [id, byName] of gradients.weights) for (const [name, g] of Object.entries(byName)) outputs[`${id}.${name}`] = g;
  const free = Object.keys(outputs).filter((name) => point.has(name));
  return { graph, program: tape.program(graph.name, outputs), point, free };
}

const lossAt = (program: Program, point: ReadonlyMap<string, Wide>): number => evaluateProgram(program, point).get('loss')!.data[0]!;

/** Largest |analytic − central difference| over all free elements, relative to the largest gradient. Fourth-order differences. */
function worstError({ program, point, free }: Examined): number {
  const analytic = evaluateProgram(program, point);
  const lossOnly: Program = { ...program, outputs: { loss: program.outputs['loss']! } };
  let worst = 0;
  let largest = 0;
  for (const name of free) {
    const { shape, data } = point.get(name)!;
    for (let i = 0; i < data.length; i++) {
      const moved = (by: number): number => lossAt(lossOnly, new Map(point).set(name, { shape, data: data.with(i, data[i]! + by) }));
      const h = 1e-4;
      const numeric = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
      worst = Math.max(worst, Math.abs(numeric - analytic.get(name)!.data[i]!));
      largest = Math.max(largest, Math.abs(numeric));
    }
  }
  expect(largest).toBeGreaterThan(0);
  return worst / largest;
}

function network(name: string, shapes: readonly Shape[], write: (g: GraphBuilder, ...xs: string[]) => string): Graph {
  const g = graphBuilder(name);
  g.output(write(g, ...shapes.map((shape, i) => g.input(shape, `x${i}`))));
  return g.build();
}

const image: Shape = [2, 4, 3, 4];
const ACTIVATIONS: readonly ActivationFn[] = ['relu', 'relu6', 'hswish', 'hsigmoid', 'sigmoid', 'tanh', 'silu', 'gelu', 'leaky-relu', 'elu', 'prelu-shared', 'exp', 'neg', 'abs'];

/** One network per rule, and more where a rule has cases. Typed so that a new op without an example does not compile. */
const EXAMPLES: { readonly [K in Exclude<OpKind, 'opaque' | 'input' | 'quantizationNoise' | 'zeros'>]: readonly Graph[] } = {
  conv2d: [
    network('dense', [[2, 2, 4, 3]], (g, x) => g.conv2d(x, { outChannels: 3, kernel: 3, bias: true })),
    network('pointwise', [image], (g, x) => g.conv2d(x, { outChannels: 3, kernel: 1 })),
    network('pointwise of one cell', [[3, 4, 1, 1]], (g, x) => g.conv2d(x, { outChannels: 3, kernel: 1 })),
    network('pointwise of a large plane', [[2, 2, 4, 5]], (g, x) => g.conv2d(x, { outChannels: 3, kernel: 1 })),
    network('pointwise in steps', [image], (g, x) => g.conv2d(x, { outChannels: 3, kernel: 1, stride: 2, padding: 0 })),
    network('multihead depthwise', [image], (g, x) => g.conv2d(x, { outChannels: 12, kernel: 3, groups: 4, stride: 2 })),
    network('grouped, odd geometry', [[2, 4, 6, 5]], (g, x) => g.conv2d(x, { outChannels: 6, kernel: [2, 3], groups: 2, stride: [3, 2], dilation: [2, 1], padding: [1, 0, 0, 2] })),
  ],
  batchNorm: [network('batch norm', [[3, 2, 2, 3]], (g, x) => g.batchNorm(x, 0.1)), network('batch norm of one cell', [[5, 3, 1, 1]], (g, x) => g.batchNorm(x)), network('batch norm of vectors', [[5, 3]], (g, x) => g.batchNorm(x))],
  linear: [network('linear', [[3, 4]], (g, x) => g.linear(x, 5)), network('linear over the last axis', [[2, 3, 4]], (g, x) => g.linear(x, 5, false))],
  activation: [...ACTIVATIONS.map((fn) => network(`activation ${fn}`, [[4, 9]], (g, x) => g.activation(g.mul(x, x), fn === 'neg' ? 'neg' : fn))),
    ...ACTIVATIONS.map((fn) => network(`activation ${fn} of both signs`, [[4, 9]], (g, x) => g.activation(g.add(x, g.add(x, x)), fn))),
    network('square root', [[3, 4]], (g, x) => g.activation(g.activation(x, 'exp'), 'sqrt')), network('sloped', [[3, 4]], (g, x) => g.activation(x, 'leaky-relu', 0.3))],
  add: [network('add', [[2, 3, 4], [3, 1]], (g, a, b) => g.add(a!, b!))],
  sub: [network('sub', [[3, 1], [2, 3, 4]], (g, a, b) => g.sub(a!, b!))],
  mul: [network('mul', [[2, 3, 4], [1, 4]], (g, a, b) => g.mul(a!, b!)), network('square', [[2, 3]], (g, a) => g.mul(a!, a!))],
  maximum: [network('maximum', [[2, 3, 4], [3, 1]], (g, a, b) => g.maximum(a!, b!))],
  concat: [network('concat', [[2, 3, 2], [2, 1, 2]], (g, a, b) => g.concat([a!, b!, a!]))],
  slice: [network('slice', [[2, 5, 3]], (g, x) => g.slice(x, 1, 4)), network('slice of the last axis', [[2, 5, 3]], (g, x) => g.slice(x, 0, 2, -1))],
  padChannels: [network('pad', [[2, 3, 2]], (g, x) => g.mul(g.padChannels(x, 1, 2), g.padChannels(x, 1, 2)))],
  maxPool: [network('max pool, overlapping', [[2, 2, 6, 5]], (g, x) => g.maxPool(x, { kernel: 3, stride: 2, padding: 1 }))],
  avgPool: [
    network('avg pool', [[2, 2, 6, 5]], (g, x) => g.avgPool(x, { kernel: 3, stride: 2, padding: 1 })),
    network('avg pool, padding counted', [[2, 2, 6, 5]], (g, x) => g.avgPool(x, { kernel: [3, 2], stride: 1, padding: 1, countIncludePad: true })),
  ],
  globalAvgPool: [network('global avg pool', [image], (g, x) => g.globalAvgPool(x))],
  flatten: [network('flatten', [image], (g, x) => g.flatten(x))],
  reshape: [network('reshape', [[2, 6]], (g, x) => g.reshape(x, [2, 3, 2]))],
  transpose: [network('transpose', [[2, 3, 4]], (g, x) => g.transpose(x, [2, 0, 1])), network('transpose of a vector', [[1, 3, 1]], (g, x) => g.transpose(x, [2, 1, 0]))],
  softmax: [network('softmax', [[2, 3, 4]], (g, x) => g.softmax(x, 1))],
  headReduce: [
    ...([1, 3] as const).flatMap((heads) => (['maxout', 'sum-relu'] as const).map((reduction) => network(`${reduction} of ${heads}`, [[2, 6, 2, 3]], (g, x) => g.headReduce(x, heads, reduction)))),
    network('maxout of large planes', [[1, 4, 3, 6]], (g, x) => g.headReduce(x, 2, 'maxout')),
    ...([1, 3] as const).map((heads) => network(`funnel of ${heads}`, [[2, 2 * heads, 2, 3], [2, 2, 2, 3]], (g, x, bare) => g.headReduce(x!, heads, 'funnel', bare!))),
  ],
  channelAttention: (['mean', 'mean-variance'] as const).flatMap((statistics) => (['sigmoid', 'softmax'] as const).map((excitation) =>
    network(`attention ${statistics} ${excitation}`, [[2, 6, 2, 3]], (g, x) => g.channelAttention(x, { kernel: 3, statistics, excitation, heads: 3, temperature: 1.5 })))),
  identity: [network('identity', [[2, 3]], (g, x) => g.identity(x))],
  resize: [network('nearest', [[1, 2, 3, 4]], (g, x) => g.resize(x, 2, 'nearest')), network('linear resize', [[1, 2, 3, 4]], (g, x) => g.resize(x, [1.7, 0.6], 'linear'))],
  constant: [network('constant', [[2, 3]], (g, x) => g.mul(x, g.constant([3])))],
};

describe('the gradient of every operator', () => {
  for (const [kind, graphs] of Object.entries(EXAMPLES)) {
    it.each(graphs.map((graph) => [graph.name, graph] as const))(`${kind} agrees with finite differences in double precision: %s`, (_name, graph) => {
      const examined = examine(graph, true);
      const trained = graph.nodes.flatMap((n) => weightsOf(n, inferShapes(graph)).filter((w) => w.trainable).map((w) => `${n.id}.${w.name}`));
      expect(examined.free.slice().sort()).toEqual([...graph.nodes.filter((n) => n.kind === 'input').map((n) => n.id), ...trained].sort());
      expect(worstError(examined)).toBeLessThan(1e-6);
    });
  }

  it('flows through batch norm at inference too, where statistics are constants', () => {
    const graph = network('frozen norm', [[2, 3, 2, 2]], (g, x) => g.batchNorm(x));
    const { free, ...rest } = examine(graph, false);
    expect(worstError({ ...rest, free: free.filter((name) => name === 'x0') })).toBeLessThan(1e-6);
  });

  it('sums over all readers of a value', () => {
    const graph = network('diamond', [[2, 4]], (g, x) => {
      const a = g.activation(g.linear(x, 4), 'tanh');
      return g.add(g.mul(a, x), g.concat([g.slice(a, 2, 4), g.slice(x, 0, 2)]));
    });
    expect(worstError(examine(graph, true))).toBeLessThan(1e-6);
  });

  it('passes the rounding of quantisation noise straight, and stops at zeros', () => {
    const noisy = examine(network('noise', [[2, 5]], (g, x) => g.quantizationNoise(x, 4)), true);
    const result = evaluateProgram(noisy.program, noisy.point);
    const values = [...result.get(`value ${noisy.graph.outputs[0]}`)!.data];
    expect(new Set(values.map((v) => v.toFixed(9))).size).toBeLessThanOrEqual(4);
    expect([Math.min(...values), Math.max(...values)]).toEqual([Math.min(...noisy.point.get('x0')!.data), expect.closeTo(Math.max(...noisy.point.get('x0')!.data), 6)]);
    // the seed itself comes back
    expect(Math.abs(lossAt(noisy.program, noisy.point) - values.reduce((s, v, i) => s + v * result.get('x0')!.data[i]!, 0))).toBeLessThan(1e-9);
    const stopped = examine(network('zeros', [[2, 2]], (g, x) => g.add(g.zeros(x), x)), true);
    expect(worstError(stopped)).toBeLessThan(1e-6);
  });

  it('keeps a constant tensor as it is under quantisation noise', () => {
    const { program, graph } = examine(network('constant noise', [[1, 3]], (g, x) => g.quantizationNoise(x, 4)), true);
    const same = new Map([['x0', { shape: [1, 3], data: new Float64Array(3).fill(0.3) }]]);
    expect([...evaluateProgram(program, same).get(`value ${graph.outputs[0]}`)!.data]).toEqual([0.3, 0.3, 0.3]);
  });

  it('can not be had of an unknown operator, which is named', () => {
    const graph = network('opaque', [[1, 3]], (g, x) => g.node('opaque', [x], { opType: 'Warp', shape: [1, 3] }, 'strange'));
    expect(() => examine(graph, true)).toThrow(/node "strange" \(opaque\): cannot train through the unknown operator Warp/);
  });
});

describe('an operator on a tape at inference', () => {
  const all = Object.values(EXAMPLES).flat();

  it.each(all.map((graph) => [graph.name, graph] as const))('computes what the reference interpreter does: %s', (_name, graph) => {
    const { program, point } = examine(graph, false);
    const single = (name: string): { shape: Shape; data: Float32Array } => ({ shape: point.get(name)!.shape, data: Float32Array.from(point.get(name)!.data) });
    const shapes = inferShapes(graph);
    const weights = new Map(graph.nodes.map((n) => [n.id, Object.fromEntries(weightsOf(n, shapes).map((w) => [w.name, single(`${n.id}.${w.name}`)]))]));
    const due = evaluate(graph, weights, new Map(graph.nodes.filter((n) => n.kind === 'input').map((n) => [n.id, single(n.id)]))).get(graph.outputs[0]!)!;
    const got = evaluateProgram(program, point).get(`value ${graph.outputs[0]}`)!;
    expect(got.shape).toEqual(due.shape);
    const size = Math.max(1, ...due.data.map(Math.abs));
    due.data.forEach((v, i) => expect(Math.abs(v - got.data[i]!)).toBeLessThan(1e-5 * size));
  });

  it('has an example for every kind', () => {
    expect(Object.keys(OPS).filter((kind) => !(kind in EXAMPLES)).sort()).toEqual(['input', 'opaque', 'quantizationNoise', 'zeros']);
  });
});
