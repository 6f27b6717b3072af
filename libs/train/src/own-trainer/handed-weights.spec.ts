import { zipSync } from 'fflate';
import { graphBuilder, inferShapes, initialWeights, weightsOf, type Graph, type Tensor, type Weights } from '@app/graph';
import { stateDict } from '@app/pytorch';
import { describe, expect, it } from 'vitest';
import { decodeTrainedWeights } from '../training/trained-weights.js';
import { handedWeights } from './handed-weights.js';

function network(): Graph {
  const g = graphBuilder('tiny');
  const x = g.batchNorm(g.conv2d(g.input([1, 1, 4, 4]), { outChannels: 2, kernel: 3 }));
  g.output(g.linear(g.flatten(g.globalAvgPool(g.activation(x, 'prelu-shared'))), 3));
  return g.build();
}
const graph = network();

/** No two values alike, so that a tensor in another's place shows. */
const WEIGHTS: ReadonlyMap<string, Weights> = (() => {
  let next = 1;
  return new Map([...initialWeights(graph, 1)].map(([node, own]) => [node, Object.fromEntries(Object.entries(own).map(([name, { shape, data }]) => [name, { shape, data: data.map(() => next++ / 8) }]))]));
})();
const TORCH = new Map(stateDict(graph, WEIGHTS));
const OWN = new Map([...WEIGHTS].flatMap(([node, own]) => Object.entries(own).map(([name, t]) => [`${node}.${name}`, t] as const)));

type Given = Tensor | { readonly dtype: string; readonly shape: readonly number[]; readonly bytes: Uint8Array };

function safetensors(tensors: ReadonlyMap<string, Given>, double = false): Uint8Array {
  let at = 0;
  const head: Record<string, unknown> = {};
  const parts = [...tensors].map(([name, t]) => {
    const bytes = 'bytes' in t ? t.bytes : new Uint8Array((double ? Float64Array : Float32Array).from(t.data).buffer);
    head[name] = { dtype: 'bytes' in t ? t.dtype : double ? 'F64' : 'F32', shape: t.shape, data_offsets: [at, (at += bytes.length)] };
    return bytes;
  });
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Buffer.concat([length, text, ...parts]);
}

function npz(tensors: ReadonlyMap<string, Tensor>, type = '<f4'): Uint8Array {
  return zipSync(Object.fromEntries([...tensors].map(([name, { shape, data }]) => {
    const head = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }\n`;
    const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, head.length % 256, head.length >> 8]);
    return [`${name}.npy`, new Uint8Array(Buffer.concat([start, Buffer.from(head), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]))];
  })));
}

const changed = (name: string, to: Given | null): Uint8Array => {
  const all = new Map<string, Given>(TORCH);
  if (to === null) all.delete(name);
  else all.set(name, to);
  return safetensors(all);
};
const first = [...TORCH.keys()][0]!;

describe('weights that a trainer hands back', () => {
  it.each([
    ['safetensors by the names of the PyTorch module', safetensors(TORCH)], ['safetensors by ours', safetensors(OWN)], ['doubles', safetensors(TORCH, true)],
    ['a NumPy archive', npz(TORCH)], ['a NumPy archive by our names', npz(OWN)],
    ['with PyTorch\'s counters of batches', changed('batchNorm_1.num_batches_tracked', { dtype: 'I64', shape: [], bytes: new Uint8Array(8) })],
  ])('are taken as %s', (_, file) => {
    const { about, weights, calibration } = decodeTrainedWeights(handedWeights(file, graph, 91.5));
    expect(weights).toEqual(new Map([...WEIGHTS].filter(([, own]) => Object.keys(own).length > 0)));
    expect(about).toEqual({ by: 'trainer', quantize: null, accuracy: 91.5, floatAccuracy: null, judgedOn: null, input: null });
    expect(calibration).toBeUndefined();
  });

  it('have every tensor of the network, so that the test is one', () => {
    const shapes = inferShapes(graph);
    expect([...OWN.keys()].sort()).toEqual(graph.nodes.flatMap((n) => weightsOf(n, shapes).map((w) => `${n.id}.${w.name}`)).sort());
    expect([...TORCH.keys()]).toEqual(expect.arrayContaining([expect.stringMatching(/running_mean$/), expect.stringMatching(/running_var$/)]));
  });

  it('may bring inputs to calibrate on, of which 64 are kept', () => {
    const inputs = { shape: [100, 1, 4, 4], data: Float32Array.from({ length: 1600 }, (_, i) => i) };
    const { calibration } = decodeTrainedWeights(handedWeights(safetensors(new Map([...TORCH, ['calibration', inputs]])), graph, null));
    expect(calibration).toEqual({ shape: [64, 1, 4, 4], data: inputs.data.slice(0, 1024) });
    for (const shape of [[100, 16], [0, 1, 4, 4], [100, 1, 2, 8]]) {
      const wrong = { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
      expect(() => handedWeights(safetensors(new Map([...TORCH, ['calibration', wrong]])), graph, null)).toThrow(`"calibration": expected inputs [n, 1, 4, 4], n at least 1, got [${shape.join(', ')}]`);
    }
  });

  it.each([
    ['missing', null, `"${first}" missing`],
    ['of another shape', { shape: [2, 1, 9], data: new Float32Array(18) }, `"${first}": expected shape [2, 1, 3, 3], got [2, 1, 9]`],
    ['not finite', { shape: [2, 1, 3, 3], data: new Float32Array(18).fill(NaN, 7) }, `"${first}": expected finite values, got NaN at place 7`],
    ['of another type', { dtype: 'F16', shape: [2, 1, 3, 3], bytes: new Uint8Array(36) }, `"${first}": expected F32 or F64, got F16`],
    ['too short for its shape', { dtype: 'F32', shape: [2, 1, 3, 3], bytes: new Uint8Array(68) }, `"${first}": expected 72 bytes for shape [2, 1, 3, 3], got 68`],
  ] as const)('are refused where a tensor is %s', (_, to, message) => {
    expect(() => handedWeights(changed(first, to), graph, null)).toThrow(expect.objectContaining({ reason: 'invalid-weights', message: `weights of the trainer: ${message}` }) as Error);
  });

  it('are refused with a tensor of no layer, a negative variance, doubles beyond single precision, and integers', () => {
    expect(() => handedWeights(changed('fc.weight', { shape: [1], data: Float32Array.of(1) }), graph, null)).toThrow(/no tensor "fc.weight" in the network/);
    const variance = [...TORCH.keys()].find((k) => k.endsWith('running_var'))!;
    expect(() => handedWeights(changed(variance, { shape: [2], data: Float32Array.of(1, -0.5) }), graph, null)).toThrow(`"${variance}": expected variances of at least 0, got -0.5 at place 1`);
    const large = { dtype: 'F64', shape: [2, 1, 3, 3], bytes: new Uint8Array(Float64Array.from({ length: 18 }, () => 1e300).buffer) };
    expect(() => handedWeights(changed(first, large), graph, null)).toThrow(`"${first}": expected finite values, got Infinity at place 0`);
    expect(() => handedWeights(npz(TORCH, '<i4'), graph, null)).toThrow(`"${first}": expected float32 or float64, got Int32Array`);
  });

  it.each([['safetensors file', safetensors(TORCH)], ['NumPy archive', npz(TORCH)]])('are refused wherever a %s was cut off', (_, file) => {
    for (let end = 0; end < file.length; end++) expect(() => handedWeights(file.subarray(0, end), graph, null), String(end)).toThrow(/^weights of the trainer: /);
  });

  it('are refused if they are no such file', () => {
    expect(() => handedWeights(new Uint8Array(0), graph, null)).toThrow(/expected a safetensors file or a NumPy archive, got 0 bytes without a head/);
    const head = new TextEncoder().encode('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}');
    const length = new Uint8Array(8);
    length[0] = head.length;
    expect(() => handedWeights(Buffer.concat([length, head]), graph, null)).toThrow(/whose head says no type, shape and place of "a"/);
  });
});
