import { evaluate, isKind, type Tensor } from '@app/graph';
import { Rng } from '@app/numeric';
import { fromOnnx } from '@app/onnx';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { handMadeModel, type HandMadeModel, type StoredTensor } from '../../libs/onnx/src/fixtures/hand-made-model.js';

const rng = Rng.of(11, 'foreign models');

function floats(...shape: number[]): StoredTensor {
  return { shape, floats: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()) };
}

function scalar(value: number): StoredTensor {
  return { shape: [], floats: [value] };
}

const ints = (...values: number[]): StoredTensor => ({ ints: values });
const INT64_MAX_AS_DOUBLE = 2 ** 62;

/** Stem, a separable layer and an inverted residual whose batch norms are written in three ways; the classifier is reached by shape arithmetic. */
function mobileNet(): HandMadeModel {
  const statistics = (c: number): Record<string, StoredTensor> => ({ [`s${c}`]: floats(c), [`b${c}`]: floats(c), [`m${c}`]: floats(c), [`v${c}`]: { shape: [c], floats: Array.from({ length: c }, (_, i) => 0.5 + i / c) } });
  const norm = (x: string, y: string, c: number): HandMadeModel['nodes'][number] => ({ op: 'BatchNormalization', in: [x, `s${c}`, `b${c}`, `m${c}`, `v${c}`], out: [y], attributes: { epsilon: { float: 1e-3 } } });
  const clip = (x: string, y: string): HandMadeModel['nodes'][number] => ({ op: 'Clip', in: [x, 'zero', 'six'], out: [y] });
  return {
    inputs: { x: ['batch', 3, 9, 9] },
    stored: {
      ...statistics(8), ...statistics(4), zero: scalar(0), six: scalar(6), stem: floats(8, 3, 3, 3), dw: floats(8, 1, 3, 3), pw: floats(4, 8, 1, 1), wide: floats(12, 4, 1, 1), wideBias: floats(12, 1, 1),
      narrow: floats(4, 12, 1, 1), scale: floats(1, 4, 1, 1), shift: floats(1, 4, 1, 1), classes: floats(5, 4), bias: floats(5), first: ints(0), rest: ints(-1),
    },
    nodes: [
      { op: 'Conv', in: ['x', 'stem'], out: ['c1'], attributes: { strides: { ints: [2, 2] }, auto_pad: { string: 'SAME_UPPER' } } }, norm('c1', 'n1', 8), clip('n1', 'a1'),
      { op: 'Conv', in: ['a1', 'dw'], out: ['c2'], attributes: { group: { int: 8 }, pads: { ints: [1, 1, 1, 1] } } }, norm('c2', 'n2', 8), clip('n2', 'a2'),
      { op: 'Conv', in: ['a2', 'pw'], out: ['c3'] }, norm('c3', 'n3', 4),
      { op: 'Conv', in: ['n3', 'wide'], out: ['c4'] }, { op: 'Add', in: ['c4', 'wideBias'], out: ['n4'] }, clip('n4', 'a4'),
      { op: 'Conv', in: ['a4', 'narrow'], out: ['c5'] }, { op: 'Mul', in: ['c5', 'scale'], out: ['m5'] }, { op: 'Add', in: ['m5', 'shift'], out: ['n5'] }, { op: 'Add', in: ['n5', 'n3'], out: ['r'] },
      { op: 'GlobalAveragePool', in: ['r'], out: ['g'] }, { op: 'Shape', in: ['g'], out: ['sh'] }, { op: 'Gather', in: ['sh', 'first'], out: ['batch'] }, { op: 'Concat', in: ['batch', 'rest'], out: ['flat'], attributes: { axis: { int: 0 } } },
      { op: 'Reshape', in: ['g', 'flat'], out: ['f'] }, { op: 'Gemm', in: ['f', 'classes', 'bias'], out: ['y'], attributes: { transB: { int: 1 } } },
    ],
    outputs: ['y'],
  };
}

async function runOnnx(bytes: Uint8Array, inputs: ReadonlyMap<string, Tensor>): Promise<Tensor[]> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const results = await session.run(Object.fromEntries([...inputs].map(([name, t]) => [name, new OrtTensor('float32', t.data, [...t.shape])])));
    return session.outputNames.map((name) => ({ shape: [...results[name]!.dims], data: results[name]!.data as Float32Array }));
  } finally {
    await session.release();
  }
}

type Case = readonly [name: string, kinds: readonly string[], model: HandMadeModel];
const MAP = { x: [1, 4, 7, 9] } as const;

function one(op: string, attributes: NonNullable<HandMadeModel['nodes'][number]['attributes']> = {}, stored: Readonly<Record<string, StoredTensor>> = {}, opset = 17, inputs: HandMadeModel['inputs'] = MAP): HandMadeModel {
  return { opset, inputs, stored, nodes: [{ op, in: ['x', ...Object.keys(stored)], out: ['y'], attributes }], outputs: ['y'] };
}

/** Models as other exporters write them, and the kinds of our nodes they must become (inputs apart). */
const CASES: readonly Case[] = [
  ['SAME_UPPER convolution', ['conv2d'], one('Conv', { auto_pad: { string: 'SAME_UPPER' }, strides: { ints: [2, 2] }, kernel_shape: { ints: [3, 2] } }, { w: floats(5, 4, 3, 2) })],
  ['SAME_LOWER convolution', ['conv2d'], one('Conv', { auto_pad: { string: 'SAME_LOWER' }, strides: { ints: [2, 2] }, kernel_shape: { ints: [2, 2] } }, { w: floats(5, 4, 2, 2) })],
  ['VALID convolution with everything at its default', ['conv2d'], one('Conv', { auto_pad: { string: 'VALID' } }, { w: floats(5, 4, 3, 3), b: floats(5) })],
  ['1-D convolution', ['reshape', 'conv2d', 'reshape'], one('Conv', { pads: { ints: [2, 1] }, strides: { ints: [2] }, dilations: { ints: [2] } }, { w: floats(6, 3, 3), b: floats(6) }, 17, { x: [2, 3, 20] })],
  ['Gemm that is not transposed and scales', ['linear'], one('Gemm', { alpha: { float: 0.5 }, beta: { float: 2 } }, { w: floats(6, 3), c: floats(1, 3) }, 17, { x: [2, 6] })],
  ['MatMul with a bias added', ['linear'], {
    inputs: { x: [2, 3, 6] }, stored: { w: floats(6, 5), b: floats(5) },
    nodes: [{ op: 'MatMul', in: ['x', 'w'], out: ['p'] }, { op: 'Add', in: ['b', 'p'], out: ['y'] }], outputs: ['y'],
  }],
  ['padding before a convolution', ['conv2d'], {
    inputs: MAP, stored: { p: ints(0, 0, 1, 0, 0, 0, 2, 1), w: floats(5, 4, 3, 3) },
    nodes: [{ op: 'Pad', in: ['x', 'p'], out: ['q'] }, { op: 'Conv', in: ['q', 'w'], out: ['y'], attributes: { strides: { ints: [2, 2] } } }], outputs: ['y'],
  }],
  ['padding that something else reads too', ['constant', 'concat', 'conv2d', 'activation'], {
    inputs: MAP, stored: { p: ints(0, 0, 1, 0, 0, 0, 0, 0), w: floats(5, 4, 3, 3) },
    nodes: [{ op: 'Pad', in: ['x', 'p'], out: ['q'] }, { op: 'Conv', in: ['q', 'w'], out: ['y'] }, { op: 'Relu', in: ['q'], out: ['z'] }], outputs: ['y', 'z'],
  }],
  ['padding of channels by attribute, opset 9', ['padChannels'], one('Pad', { pads: { ints: [0, 2, 0, 0, 0, 1, 0, 0] } }, {}, 9)],
  ['max pool rounding up', ['maxPool'], one('MaxPool', { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } }, {}, 17, { x: [1, 2, 8, 10] })],
  ['padded max pool rounding up', ['maxPool'], one('MaxPool', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] }, ceil_mode: { int: 1 } })],
  ['average pool rounding up', ['avgPool'], one('AveragePool', { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } }, {}, 17, { x: [1, 2, 8, 10] })],
  ['average pool, SAME_UPPER', ['avgPool'], one('AveragePool', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] }, auto_pad: { string: 'SAME_UPPER' } })],
  ['global max pool', ['maxPool'], one('GlobalMaxPool')],
  ['mean over the plane, axes counted from the end, dropped', ['globalAvgPool', 'flatten'], one('ReduceMean', { axes: { ints: [-1, -2] }, keepdims: { int: 0 } })],
  ['mean over the plane, axes as an input of opset 18', ['globalAvgPool'], one('ReduceMean', {}, { axes: ints(2, 3) }, 18)],
  ['view(x.size(0), -1) of a tracing exporter', ['globalAvgPool', 'reshape', 'linear'], {
    inputs: { x: ['batch', 4, 7, 9] }, stored: { zero: { proto: { dims: [], dataType: 7, int64Data: [0] } }, axes: ints(0), minus: ints(-1), w: floats(3, 4), b: floats(3) },
    nodes: [
      { op: 'GlobalAveragePool', in: ['x'], out: ['g'] }, { op: 'Shape', in: ['g'], out: ['s'] }, { op: 'Gather', in: ['s', 'zero'], out: ['n'] }, { op: 'Unsqueeze', in: ['n', 'axes'], out: ['u'] },
      { op: 'Concat', in: ['u', 'minus'], out: ['shape'], attributes: { axis: { int: 0 } } }, { op: 'Reshape', in: ['g', 'shape'], out: ['f'] }, { op: 'Gemm', in: ['f', 'w', 'b'], out: ['y'], attributes: { transB: { int: 1 } } },
    ],
    outputs: ['y'],
  }],
  ['hard-swish as Add, Clip, Mul, Div', ['activation'], {
    inputs: MAP, stored: { three: scalar(3), zero: scalar(0), six: scalar(6) },
    nodes: [{ op: 'Add', in: ['x', 'three'], out: ['a'] }, { op: 'Clip', in: ['a', 'zero', 'six'], out: ['c'] }, { op: 'Mul', in: ['x', 'c'], out: ['m'] }, { op: 'Div', in: ['m', 'six'], out: ['y'] }], outputs: ['y'],
  }],
  ['hard-swish by the gate divided, opset 9', ['activation'], {
    opset: 9, inputs: MAP, stored: { three: scalar(3), six: scalar(6) },
    nodes: [{ op: 'Add', in: ['x', 'three'], out: ['a'] }, { op: 'Clip', in: ['a'], out: ['c'], attributes: { min: { float: 0 }, max: { float: 6 } } }, { op: 'Div', in: ['c', 'six'], out: ['d'] }, { op: 'Mul', in: ['d', 'x'], out: ['y'] }], outputs: ['y'],
  }],
  ['hard-swish as HardSigmoid, Mul', ['activation'], {
    inputs: MAP, nodes: [{ op: 'HardSigmoid', in: ['x'], out: ['h'], attributes: { alpha: { float: 1 / 6 } } }, { op: 'Mul', in: ['x', 'h'], out: ['y'] }], outputs: ['y'],
  }],
  ['a gate that is read twice stays', ['activation', 'mul'], {
    inputs: MAP, nodes: [{ op: 'Sigmoid', in: ['x'], out: ['s'] }, { op: 'Mul', in: ['x', 's'], out: ['y'] }], outputs: ['s', 'y'],
  }],
  ['HardSigmoid at its default slope', ['constant', 'mul', 'constant', 'add', 'activation', 'constant', 'mul'], one('HardSigmoid')],
  ['GELU by division', ['activation'], {
    inputs: MAP, stored: { r: scalar(Math.SQRT2), one: scalar(1), half: scalar(0.5) },
    nodes: [{ op: 'Div', in: ['x', 'r'], out: ['d'] }, { op: 'Erf', in: ['d'], out: ['e'] }, { op: 'Add', in: ['e', 'one'], out: ['a'] }, { op: 'Mul', in: ['x', 'a'], out: ['m'] }, { op: 'Mul', in: ['m', 'half'], out: ['y'] }], outputs: ['y'],
  }],
  ['GELU of opset 20', ['activation'], one('Gelu', {}, {}, 20)],
  ['clip to other bounds', ['constant', 'maximum', 'activation', 'constant', 'maximum', 'activation'], one('Clip', {}, { low: scalar(-0.5), high: scalar(0.75) })],
  ['clip from below only', ['activation'], one('Clip', {}, { low: scalar(0) })],
  ['PReLU with a slope per channel', ['activation', 'activation', 'activation', 'constant', 'mul', 'sub'], one('PRelu', {}, { slope: floats(4, 1, 1) })],
  ['division by stored values', ['constant', 'mul'], one('Div', {}, { d: { shape: [4, 1, 1], floats: [1, -2, 4, 0.5] } })],
  ['square and root', ['mul', 'activation'], {
    inputs: MAP, stored: { two: scalar(2), half: scalar(0.5) }, nodes: [{ op: 'Pow', in: ['x', 'two'], out: ['s'] }, { op: 'Pow', in: ['s', 'half'], out: ['y'] }], outputs: ['y'],
  }],
  ['maximum of three and sum of three', ['activation', 'maximum', 'maximum', 'add', 'add'], {
    inputs: MAP, nodes: [{ op: 'Neg', in: ['x'], out: ['n'] }, { op: 'Max', in: ['x', 'n', 'x'], out: ['m'] }, { op: 'Sum', in: ['x', 'm', 'n'], out: ['y'] }], outputs: ['y'],
  }],
  ['slices from the end and to the end', ['slice', 'slice'], one('Slice', {}, { starts: ints(-3, 1), ends: ints(INT64_MAX_AS_DOUBLE, -1), axes: ints(3, -2) })],
  ['slice by attributes, opset 9', ['slice'], one('Slice', { starts: { ints: [1] }, ends: { ints: [1000] }, axes: { ints: [1] } }, {}, 9)],
  ['channel split and shuffle', ['slice', 'slice', 'concat', 'reshape', 'transpose', 'reshape'], {
    inputs: MAP, stored: { sizes: ints(1, 3), five: ints(0, 2, 2, 7, 9), four: ints(0, -1, 7, 9) },
    nodes: [
      { op: 'Split', in: ['x', 'sizes'], out: ['a', 'b'], attributes: { axis: { int: 1 } } }, { op: 'Concat', in: ['b', 'a'], out: ['c'], attributes: { axis: { int: 1 } } },
      { op: 'Reshape', in: ['c', 'five'], out: ['r'] }, { op: 'Transpose', in: ['r'], out: ['t'], attributes: { perm: { ints: [0, 2, 1, 3, 4] } } }, { op: 'Reshape', in: ['t', 'four'], out: ['y'] },
    ],
    outputs: ['y'],
  }],
  ['even split by attribute, opset 11', ['slice', 'slice'], { opset: 11, inputs: MAP, nodes: [{ op: 'Split', in: ['x'], out: ['a', 'b'], attributes: { axis: { int: 1 } } }], outputs: ['a', 'b'] }],
  ['squeeze and unsqueeze', ['globalAvgPool', 'reshape', 'reshape'], {
    inputs: MAP, stored: { last: ints(3), front: ints(0) },
    nodes: [{ op: 'GlobalAveragePool', in: ['x'], out: ['g'] }, { op: 'Squeeze', in: ['g', 'last'], out: ['s'] }, { op: 'Unsqueeze', in: ['s', 'front'], out: ['y'] }], outputs: ['y'],
  }],
  ['flatten at another axis', ['reshape'], one('Flatten', { axis: { int: 2 } })],
  ['transposition without a permutation', ['transpose'], one('Transpose')],
  ['softmax of opset 11 over all axes from the second on', ['reshape', 'softmax', 'reshape'], one('Softmax', {}, {}, 11)],
  ['softmax of opset 13 over the last axis', ['softmax'], one('Softmax', {}, {}, 13)],
  ['dropout, identity, cast to float', ['identity', 'identity', 'identity'], {
    inputs: MAP, nodes: [{ op: 'Dropout', in: ['x'], out: ['a'] }, { op: 'Identity', in: ['a'], out: ['b'] }, { op: 'Cast', in: ['b'], out: ['y'], attributes: { to: { int: 1 } } }], outputs: ['y'],
  }],
  ['nearest upsampling to sizes, half-pixel', ['resize'], { inputs: MAP, stored: { sizes: ints(1, 4, 14, 27) }, nodes: [{ op: 'Resize', in: ['x', '', '', 'sizes'], out: ['y'] }], outputs: ['y'] }],
  ['bilinear upsampling as PyTorch asks for it', ['resize'], {
    inputs: MAP, stored: { scales: { shape: [4], floats: [1, 1, 2, 2] } },
    nodes: [{ op: 'Resize', in: ['x', '', 'scales'], out: ['y'], attributes: { mode: { string: 'linear' }, coordinate_transformation_mode: { string: 'pytorch_half_pixel' } } }], outputs: ['y'],
  }],
  ['Upsample of opset 9', ['resize'], one('Upsample', {}, { scales: { shape: [4], floats: [1, 1, 2, 3] } }, 9)],
  ['batch norm over stored statistics', ['batchNorm'], one('BatchNormalization', { epsilon: { float: 1e-3 } }, { s: floats(4), b: floats(4), m: floats(4), v: { shape: [4], floats: [0.5, 1, 2, 3] } })],
  ['weights of a quantised model, per channel', ['conv2d'], {
    inputs: MAP, stored: { q: { proto: { dims: [2, 4, 1, 1], dataType: 3, rawData: Uint8Array.from([1, 255, 127, 128, 5, 6, 7, 250]) } }, scale: { shape: [2], floats: [0.1, 0.02] } },
    nodes: [{ op: 'DequantizeLinear', in: ['q', 'scale'], out: ['w'], attributes: { axis: { int: 0 } } }, { op: 'Conv', in: ['x', 'w'], out: ['y'] }], outputs: ['y'],
  }],
  ['squeeze and excitation as MobileNetV3 has it', ['globalAvgPool', 'conv2d', 'activation', 'conv2d', 'activation', 'mul'], {
    inputs: MAP, stored: { w1: floats(2, 4, 1, 1), b1: floats(2), w2: floats(4, 2, 1, 1), b2: floats(4) },
    nodes: [
      { op: 'GlobalAveragePool', in: ['x'], out: ['g'] }, { op: 'Conv', in: ['g', 'w1', 'b1'], out: ['c1'] }, { op: 'Relu', in: ['c1'], out: ['r'] }, { op: 'Conv', in: ['r', 'w2', 'b2'], out: ['c2'] },
      { op: 'HardSigmoid', in: ['c2'], out: ['h'], attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } } }, { op: 'Mul', in: ['h', 'x'], out: ['y'] },
    ],
    outputs: ['y'],
  }],
  ['a MobileNet with its batch norms apart, clips with bounds as inputs, and the batch asked for before the classifier', [
    'conv2d', 'batchNorm', 'activation', 'conv2d', 'batchNorm', 'activation', 'conv2d', 'batchNorm', 'conv2d', 'activation', 'conv2d', 'batchNorm', 'add', 'globalAvgPool', 'reshape', 'linear',
  ], mobileNet()],
  ['constants as nodes', ['constant', 'mul'], {
    inputs: MAP, nodes: [{ op: 'Constant', in: [], out: ['c'], attributes: { value: { tensor: floats(4, 1, 1) } } }, { op: 'Mul', in: ['c', 'x'], out: ['y'] }], outputs: ['y'],
  }],
];

describe('imported models of other exporters', () => {
  it.each(CASES)('compute what onnxruntime computes from the file: %s', async (_name, kinds, model) => {
    const bytes = handMadeModel(model);
    const imported = fromOnnx(bytes, { unknown: 'refuse' });
    expect(imported.graph.nodes.map((n) => n.kind).filter((k) => k !== 'input')).toEqual(kinds);
    const inputs = new Map(imported.inputs.map(({ name, shape }) => [name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * rng.normal()) }]));
    const expected = await runOnnx(bytes, inputs);
    const actual = evaluate(imported.graph, imported.weights, inputs);
    expect(imported.graph.outputs).toHaveLength(expected.length);
    imported.graph.outputs.forEach((id, i) => {
      expect([...actual.get(id)!.shape]).toEqual(expected[i]!.shape);
      const worst = Math.max(...expected[i]!.data.map((v, j) => Math.abs(v - actual.get(id)!.data[j]!) / Math.max(1, Math.abs(v))));
      expect(worst).toBeLessThan(1e-4);
    });
  });

  it('keep the names of the graph inputs', () => {
    const { graph } = fromOnnx(handMadeModel(one('Relu')), { unknown: 'refuse' });
    expect(graph.nodes.filter((n) => isKind(n, 'input')).map((n) => n.id)).toEqual(['x']);
  });
});
