import { countOps, elements, evaluate, foldBatchNorm, graphBuilder, initialWeights, totals, verifyGraph, type Graph, type GraphBuilder, type OpCounts } from '@app/graph';
import { Rng } from '@app/numeric';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OnnxError } from './errors.js';
import { toOnnx } from './export.js';
import { handMadeModel, type HandMadeModel } from './fixtures/hand-made-model.js';
import { fromOnnx, type ImportedModel } from './import/from-onnx.js';
import { decodeModel } from './proto.js';

/** A random network out of the steps that FlyNet and its relatives take. */
const STEPS: Readonly<Record<string, (g: GraphBuilder, x: string) => string>> = {
  convBnAct: (g, x) => g.activation(g.batchNorm(g.conv2d(x, { outChannels: 12, kernel: 3 })), 'hswish'),
  depthwise: (g, x) => g.conv2d(x, { outChannels: g.shape(x)[1]!, kernel: 5, groups: g.shape(x)[1]! }),
  maxout: (g, x) => g.headReduce(g.conv2d(x, { outChannels: 3 * g.shape(x)[1]!, kernel: 3, groups: g.shape(x)[1]! }), 3, 'maxout'),
  sumRelu: (g, x) => g.headReduce(g.conv2d(x, { outChannels: 2 * g.shape(x)[1]!, kernel: 3, groups: g.shape(x)[1]! }), 2, 'sum-relu'),
  funnel: (g, x) => g.headReduce(g.conv2d(x, { outChannels: 2 * g.shape(x)[1]!, kernel: 3, groups: g.shape(x)[1]! }), 2, 'funnel', x),
  ecaSigmoid: (g, x) => g.channelAttention(x, { statistics: 'mean-variance', excitation: 'sigmoid' }),
  ecaMean: (g, x) => g.channelAttention(x, { kernel: 3, statistics: 'mean', excitation: 'sigmoid' }),
  ecaSoftmax: (g, x) => g.channelAttention(x, { statistics: 'mean-variance', excitation: 'softmax', heads: g.shape(x)[1]! % 3 === 0 ? 3 : 2, temperature: 4 }),
  silu: (g, x) => g.activation(x, 'silu'),
  gelu: (g, x) => g.activation(x, 'gelu'),
  prelu: (g, x) => g.activation(x, 'prelu-shared'),
  leaky: (g, x) => g.activation(x, 'leaky-relu', 0.1),
  residual: (g, x) => g.add(x, g.batchNorm(x)),
  difference: (g, x) => g.maximum(g.sub(x, g.activation(x, 'relu')), x),
  gate: (g, x) => g.mul(x, g.activation(g.conv2d(g.globalAvgPool(x), { outChannels: g.shape(x)[1]!, kernel: 1, bias: true }), 'hsigmoid')),
  concat: (g, x) => g.slice(g.concat([x, x]), 2, 14),
  channels: (g, x) => g.padChannels(g.slice(x, 0, 6), 1, 5),
  pools: (g, x) => g.add(g.maxPool(x, { kernel: 3, stride: 1, padding: 1 }), g.avgPool(x, { kernel: 3, stride: 1, padding: 1, countIncludePad: true })),
  none: (g, x) => g.add(g.zeros(x), g.identity(x)),
  resize: (g, x) => g.avgPool(g.resize(x, 2, 'nearest'), { kernel: 2 }),
};

function networkOf(steps: readonly string[]): Graph {
  const g = graphBuilder('random network');
  let x = g.input([1, 12, 6, 6], 'image');
  steps.forEach((name, i) => (x = STEPS[name]!(g.block(`step ${i}`), x)));
  g.output(g.softmax(g.linear(g.flatten(g.globalAvgPool(x)), 5)));
  return g.build();
}

/** The counts of a node without its id, sorted: what a price is made of. */
function priced(graph: Graph): (OpCounts & { kind: string })[] {
  const counts = countOps(graph);
  return graph.nodes
    .map((n) => ({ kind: n.kind, ...counts.get(n.id)! }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

describe('the round trip through ONNX', () => {
  it('prices every network the same, node by node, and computes the same', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 6 }), fc.nat(99), (steps, seed) => {
      const graph = networkOf(steps);
      const weights = initialWeights(graph, seed);
      const back = fromOnnx(toOnnx(graph, weights), { unknown: 'refuse' });
      expect(priced(back.graph)).toEqual(priced(graph));
      const rng = Rng.of(seed);
      const image = { shape: [1, 12, 6, 6], data: Float32Array.from({ length: 432 }, () => rng.normal()) };
      const before = evaluate(graph, weights, new Map([['image', image]])).get(graph.outputs[0]!)!;
      const after = evaluate(back.graph, back.weights, new Map([['image', image]])).get(back.graph.outputs[0]!)!;
      expect(Math.max(...before.data.map((v, i) => Math.abs(v - after.data[i]!)))).toBeLessThan(1e-6);
    }), { numRuns: 40 });
  });

  it('covers every step on its own', () => {
    for (const step of Object.keys(STEPS)) {
      const graph = networkOf([step]);
      expect(priced(fromOnnx(toOnnx(graph, initialWeights(graph, 1)), { unknown: 'refuse' }).graph), step).toEqual(priced(graph));
    }
  });

  it('says the inputs and the opset', () => {
    const graph = networkOf(['silu']);
    const { inputs, opset } = fromOnnx(toOnnx(graph, initialWeights(graph, 1), { opset: 15 }), { unknown: 'refuse' });
    expect(inputs).toEqual([{ name: 'image', shape: [1, 12, 6, 6] }]);
    expect(opset).toBe(15);
  });
});

describe('the exported file', () => {
  const graph = networkOf(['convBnAct', 'ecaSoftmax']);
  const bytes = toOnnx(graph, initialWeights(graph, 1), { producer: 'tester', producerVersion: '2', metadata: { trial: '17' } });
  const model = decodeModel(bytes);

  it('states IR version, opset, producer and metadata', () => {
    expect(model).toMatchObject({ irVersion: 8, opsetImport: [{ version: 17 }], producerName: 'tester', producerVersion: '2', metadataProps: [{ key: 'trial', value: '17' }] });
  });

  it('has one output a node, in an order in which every input is there before it is read', () => {
    const known = new Set([...model.graph!.input, ...model.graph!.initializer].map((v) => v.name!));
    for (const node of model.graph!.node) {
      expect(node.input.filter((name) => name !== '' && !known.has(name))).toEqual([]);
      node.output.forEach((name) => known.add(name));
    }
    expect(model.graph!.output.every((o) => known.has(o.name!))).toBe(true);
  });

  it('names nodes by their blocks', () => expect(model.graph!.node[0]!.name).toMatch(/^step 0\/conv2d_/));

  it('is the same, byte for byte, every time', () => {
    expect(toOnnx(graph, initialWeights(graph, 1), { producer: 'tester', producerVersion: '2', metadata: { trial: '17' } })).toEqual(bytes);
  });

  it('holds each stored element once: its size is that of the weights and little more', () => {
    const stored = 4 * [...initialWeights(graph, 1).values()].flatMap((w) => Object.values(w)).reduce((sum, t) => sum + elements(t.shape), 0);
    expect(bytes.length).toBeGreaterThan(stored);
    expect(bytes.length).toBeLessThan(stored + 4000);
  });

  it('leaves dead nodes out', () => {
    const g = graphBuilder('dead');
    const x = g.input([1, 4]);
    g.linear(x, 3);
    g.output(g.activation(x, 'relu'));
    expect(decodeModel(toOnnx(g.build(), new Map())).graph!.node.map((n) => n.opType)).toEqual(['Relu']);
  });

  it.each([13, 18, 17.5, NaN])('refuses opset %d', (opset) => {
    expect(() => toOnnx(graph, initialWeights(graph, 1), { opset })).toThrow(/expected an opset from 14 to 17, got/);
  });

  it('refuses missing and misshapen weights by name', () => {
    const weights = new Map(initialWeights(graph, 1));
    const conv = graph.nodes.find((n) => n.kind === 'conv2d')!.id;
    weights.set(conv, { weight: { shape: [1], data: new Float32Array(1) } });
    expect(() => toOnnx(graph, weights)).toThrow(`expected weight "weight" of node "${conv}" with shape [12, 12, 3, 3], got [1]`);
    weights.delete(conv);
    expect(() => toOnnx(graph, weights)).toThrow(/got none/);
  });

  it('refuses an output that is an input, and ids that collide with the names of inner tensors', () => {
    const g = graphBuilder('short');
    g.output(g.input([1, 4], 'x'));
    expect(() => toOnnx(g.build(), new Map())).toThrow(/expected outputs other than the inputs, got "x"/);

    const h = graphBuilder('collision');
    h.output(h.node('linear', [h.input([1, 2], 'a.weight')], { outFeatures: 2, bias: false }, 'a'));
    expect(() => toOnnx(h.build(), initialWeights(h.build(), 1))).toThrow(/expected tensor names that differ, got "a.weight" twice/);
  });
});

const relu: HandMadeModel = { inputs: { x: ['batch', 3, 8, 8] }, nodes: [{ op: 'Relu', in: ['x'], out: ['y'] }], outputs: ['y'] };

function imported(change: Partial<HandMadeModel>, unknown: 'refuse' | 'fallback' = 'refuse'): ImportedModel {
  return fromOnnx(handMadeModel({ ...relu, ...change }), { unknown });
}

describe('dimensions', () => {
  it('take a dynamic batch as 1 and keep a fixed one', () => {
    expect(imported({}).inputs[0]!.shape).toEqual([1, 3, 8, 8]);
    expect(imported({ inputs: { x: [0, 3, 8, 8] } }).inputs[0]!.shape).toEqual([1, 3, 8, 8]);
    expect(imported({ inputs: { x: [4, 3, 8, 8] } }).inputs[0]!.shape).toEqual([4, 3, 8, 8]);
  });

  it('ask for other dynamic ones, and take them from the caller', () => {
    expect(() => imported({ inputs: { x: ['n', 3, 'height', 8] } })).toThrow('expected input "x" with a fixed size on axis 2, got "height"; hand its shape in');
    const bytes = handMadeModel({ ...relu, inputs: { x: ['n', 3, 'height', 8] } });
    expect(fromOnnx(bytes, { unknown: 'refuse', inputShapes: { x: [2, 3, 6, 8] } }).inputs[0]!.shape).toEqual([2, 3, 6, 8]);
    expect(() => fromOnnx(bytes, { unknown: 'refuse', inputShapes: { z: [1] } })).toThrow('expected shapes for the inputs "x", got one for "z"');
  });
});

describe('operators without a counterpart', () => {
  const nodes = [
    { op: 'Relu', in: ['x'], out: ['a'] },
    { op: 'Mish', in: ['a'], out: ['b'] },
    { op: 'Warp', in: ['b'], out: ['c'], domain: 'org.example' },
    { op: 'Silu', in: ['c'], out: ['y'] },
  ];

  it('are refused all together, by name, domain and reason', () => {
    expect(() => imported({ nodes })).toThrow(/got Mish \("b": not an operator that we know\), org\.example\.Warp \("c": .*\), Silu \("y"/);
  });

  it('keep their place and shape in the fallback, priced as one operation an element', () => {
    const { graph, unknown } = imported({ nodes }, 'fallback');
    expect(unknown.map(({ name, opType, domain }) => ({ name, opType, domain }))).toEqual([{ name: 'b', opType: 'Mish', domain: '' }, { name: 'c', opType: 'Warp', domain: 'org.example' }, { name: 'y', opType: 'Silu', domain: '' }]);
    expect(graph.nodes.map((n) => n.kind)).toEqual(['input', 'activation', 'opaque', 'opaque', 'opaque']);
    expect(totals(graph).elementOps).toBe(4 * 3 * 8 * 8);
    verifyGraph(graph);
  });

  it('have the shape of their rule where it is known: a product of activations, a reduction over the channels', () => {
    const { graph, unknown } = imported({
      inputs: { x: [1, 5, 8] },
      nodes: [{ op: 'Transpose', in: ['x'], out: ['t'], attributes: { perm: { ints: [0, 2, 1] } } }, { op: 'MatMul', in: ['x', 't'], out: ['m'] }, { op: 'ReduceMean', in: ['m'], out: ['y'], attributes: { axes: { ints: [1] } } }],
    }, 'fallback');
    expect(unknown.map((u) => u.opType)).toEqual(['MatMul', 'ReduceMean']);
    expect(graph.nodes.flatMap((n) => (n.kind === 'opaque' ? [(n.attrs as { shape: readonly number[] }).shape] : []))).toEqual([[1, 5, 5], [1, 1, 5]]);
  });

  it.each<[string, HandMadeModel['nodes'][number], RegExp]>([
    ['a convolution whose weight is computed', { op: 'Conv', in: ['x', 'x'], out: ['y'] }, /the weight is not stored/],
    ['reflected padding', { op: 'Pad', in: ['x'], out: ['y'], attributes: { mode: { string: 'reflect' }, pads: { ints: [0, 0, 1, 1, 0, 0, 1, 1] } } }, /padding with other than zeros/],
    ['a slice in steps', { op: 'Slice', in: ['x', 'one', 'many', 'one', 'two'], out: ['y'] }, /a slice in steps/],
    ['GELU by tanh', { op: 'Gelu', in: ['x'], out: ['y'], attributes: { approximate: { string: 'tanh' } } }, /GELU by tanh/],
    ['a cast to integers', { op: 'Cast', in: ['x'], out: ['y'], attributes: { to: { int: 7 } } }, /a type other than float/],
    ['align-corners resampling', { op: 'Resize', in: ['x', '', 'scales'], out: ['y'], attributes: { mode: { string: 'linear' }, coordinate_transformation_mode: { string: 'align_corners' } } }, /linear resampling with align_corners/],
    ['a dilated pool', { op: 'MaxPool', in: ['x'], out: ['y'], attributes: { kernel_shape: { ints: [2, 2] }, dilations: { ints: [2, 2] } } }, /a dilated pool/],
  ])('include %s', (_what, node, reason) => {
    const stored = { one: { ints: [1] }, two: { ints: [2] }, many: { ints: [99] }, scales: { shape: [4], floats: [1, 1, 2, 2] } };
    expect(() => imported({ opset: 20, nodes: [node], stored })).toThrow(reason);
    expect(imported({ opset: 20, nodes: [node], stored }, 'fallback').unknown).toHaveLength(1);
  });
});

describe('the nodes of a file', () => {
  it('are put into an order of execution if they stand in none', () => {
    const { graph } = imported({ nodes: [{ op: 'Neg', in: ['b'], out: ['y'] }, { op: 'Abs', in: ['a'], out: ['b'] }, { op: 'Relu', in: ['x'], out: ['a'] }] });
    expect(graph.nodes.map((n) => n.id)).toEqual(['x', 'a', 'b', 'y']);
  });

  it('that no output depends on are left out and named, and may be what they like', () => {
    const { graph, unreachable, unknown } = imported({ nodes: [{ op: 'Relu', in: ['x'], out: ['y'] }, { op: 'Warp', in: ['x', 'nowhere'], out: ['z'] }, { op: 'Neg', in: ['z'], out: ['w'] }] });
    expect(graph.nodes.map((n) => n.id)).toEqual(['x', 'y']);
    expect({ unreachable, unknown }).toEqual({ unreachable: ['z', 'w'], unknown: [] });
  });

  it('may write the bias of a convolution, and a batch norm without statistics, as sums and products', () => {
    const stored = { w: { shape: [2, 3, 1, 1], floats: [1, 2, 3, 4, 5, 6] }, scale: { shape: [1, 2, 1, 1], floats: [2, -1] }, shift: { shape: [2, 1, 1], floats: [0.5, 0.25] } };
    const biased = imported({ stored, nodes: [{ op: 'Conv', in: ['x', 'w'], out: ['c'] }, { op: 'Add', in: ['shift', 'c'], out: ['y'] }] });
    expect(biased.graph.nodes.map((n) => n.kind)).toEqual(['input', 'conv2d']);
    expect([...biased.weights.get('y')!['bias']!.data]).toEqual([0.5, 0.25]);
    const normed = imported({ stored, nodes: [{ op: 'Conv', in: ['x', 'w'], out: ['c'] }, { op: 'Mul', in: ['c', 'scale'], out: ['m'] }, { op: 'Add', in: ['m', 'shift'], out: ['n'] }, { op: 'Relu', in: ['n'], out: ['y'] }] });
    expect(normed.graph.nodes.map((n) => n.kind)).toEqual(['input', 'conv2d', 'batchNorm', 'activation']);
    expect([...foldBatchNorm(normed.graph, normed.weights).weights.get('c')!['weight']!.data].map((v) => Math.round(1e4 * v) / 1e4)).toEqual([2, 4, 6, -4, -5, -6]);
  });
});

describe('the message about a truncated file', () => {
  const graph = networkOf(['convBnAct', 'depthwise']);
  const bytes = toOnnx(graph, initialWeights(graph, 1));
  const cut = (length: number): string => {
    try {
      fromOnnx(bytes.subarray(0, length), { unknown: 'refuse' });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  it('names the node or tensor in which the file ends, and how long it should have been', () => {
    expect(cut(bytes.length - 200)).toMatch(new RegExp(`the file ends at byte ${bytes.length - 200} of at least \\d+, inside stored tensor \\d \\("linear_\\d+\\.`));
    expect(cut(200)).toMatch(/the file ends at byte 200 of at least \d+, inside node \d/);
  });

  it('says something of the place wherever a file is cut', () => {
    for (let length = 40; length < bytes.length; length += 97) expect(cut(length)).toMatch(/the file ends at byte|without a graph|inside the graph/);
  });
});

describe('broken files', () => {
  const bytes = handMadeModel(relu);

  it.each<[string, () => unknown, RegExp]>([
    ['nothing', () => fromOnnx(new Uint8Array(0), { unknown: 'refuse' }), /expected an ONNX model, got 0 bytes without a graph/],
    ['text', () => fromOnnx(new TextEncoder().encode('{"nodes": []}'), { unknown: 'refuse' }), /expected an ONNX model/],
    ['a truncated file', () => fromOnnx(bytes.subarray(0, bytes.length - 3), { unknown: 'refuse' }), /do not decode: the file ends at byte \d+ of at least \d+, inside/],
    ['a circle', () => imported({ nodes: [{ op: 'Add', in: ['x', 'c'], out: ['a'] }, { op: 'Relu', in: ['a'], out: ['b'] }, { op: 'Neg', in: ['b'], out: ['c'] }, { op: 'Abs', in: ['b'], out: ['y'] }] }),
      /expected a graph without circles, got "b" \(Relu\) → "c" \(Neg\) → "a" \(Add\) → "b" \(Relu\)$/],
    ['a node that reads itself', () => imported({ nodes: [{ op: 'Add', in: ['x', 'y'], out: ['y'] }] }), /without circles, got "y" \(Add\) → "y" \(Add\)/],
    ['a tensor from two nodes', () => imported({ nodes: [{ op: 'Relu', in: ['x'], out: ['y'] }, { op: 'Neg', in: ['x'], out: ['y'] }] }), /expected every tensor from one node, got "y" from "y" \(Relu\) and "y" \(Neg\)/],
    ['a tensor made that is an input', () => imported({ nodes: [{ op: 'Relu', in: ['x'], out: ['x'] }] }), /got "x" from "x" \(Relu\) and among the inputs/],
    ['weights kept outside', () => imported({ stored: { w: { proto: { dims: [4], dataType: 1, dataLocation: 1 } } } }), /tensor "w" keeps its values in an external file; save the model with its weights inside/],
    ['fewer values than the shape says', () => imported({ stored: { w: { proto: { dims: [4], dataType: 1, floatData: [1, 2] } } } }), /expected 4 values in tensor "w" with shape \[4\], got 2/],
    ['a tensor of text', () => imported({ stored: { w: { proto: { dims: [1], dataType: 8 } } } }), /tensor "w" of a real number type, got data type 8/],
    ['a shape beyond memory', () => imported({ stored: { w: { proto: { dims: [2 ** 40], dataType: 1 } } } }), /at most 2\^31 elements/],
    ['an opset from before our time', () => imported({ opset: 6 }), /expected an opset from 7 to 26, got 6/],
    ['an input that no node gives', () => imported({ nodes: [{ op: 'Relu', in: ['z'], out: ['y'] }] }), /node "y" \(Relu\): expected inputs from nodes before it, got "z"/],
    ['an input that is left out', () => imported({ nodes: [{ op: 'Add', in: ['x'], out: ['y'] }] }), /node "y" \(Add\): expected input 1, got none/],
    ['an output that no node gives', () => imported({ outputs: ['z'] }), /expected outputs that some node computes, got "z"/],
    ['shapes that do not fit', () => imported({ stored: { w: { shape: [2, 4, 1, 1], floats: [1, 2, 3, 4, 5, 6, 7, 8] } }, nodes: [{ op: 'Conv', in: ['x', 'w'], out: ['y'] }] }), /node "y" \(Conv\): expected weight of shape \[2, 3, 1, 1\], got \[2, 4, 1, 1\]/],
  ])('with %s are refused, saying so', (_what, run, message) => {
    expect(run).toThrow(OnnxError);
    expect(run).toThrow(message);
  });

  it('never give anything but a model or an OnnxError, however the bytes are bent', () => {
    const graph = networkOf(['convBnAct', 'maxout', 'ecaSoftmax', 'channels', 'pools']);
    const whole = toOnnx(graph, initialWeights(graph, 1));
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(whole.length), (edits, cut) => {
      const bent = whole.slice(0, edits.length % 2 === 0 ? cut : whole.length);
      for (const [at, value] of edits) if (at < bent.length) bent[at] = value;
      try {
        fromOnnx(bent, { unknown: 'fallback' });
      } catch (error) {
        expect(error).toBeInstanceOf(OnnxError);
      }
    }), { numRuns: 300 });
  });

  it.each([
    ['half precision', 10, { int32Data: [0x3c00, 0xc000, 0x0001, 0x7bff] }, [1, -2, 2 ** -24, 65504]],
    ['half precision, raw', 10, { rawData: Uint8Array.from([0, 0x3c, 0, 0xc0, 1, 0, 0xff, 0x7b]) }, [1, -2, 2 ** -24, 65504]],
    ['brain floats', 16, { int32Data: [0x3f80, 0xc000, 0, 0x4049] }, [1, -2, 0, 3.140625]],
    ['double precision', 11, { doubleData: [1, -2, 0.5, 3] }, [1, -2, 0.5, 3]],
    ['bytes', 3, { rawData: Uint8Array.from([1, 255, 128, 127]) }, [1, -1, -128, 127]],
    ['32-bit integers', 6, { int32Data: [1, -1, 7, 2] }, [1, -1, 7, 2]],
  ] as const)('reads stored %s', (_what, dataType, data, values) => {
    const { graph, weights } = imported({ inputs: { x: [1, 4] }, stored: { w: { proto: { dims: [4], dataType, ...data } } }, nodes: [{ op: 'Add', in: ['x', 'w'], out: ['y'] }] });
    const constant = graph.nodes.find((n) => n.kind === 'constant')!;
    expect([...weights.get(constant.id)!['value']!.data]).toEqual([...values]);
  });
});
