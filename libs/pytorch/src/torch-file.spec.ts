import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '@app/graph';
import { torchFile } from './torch-file.js';

const state = new Map<string, Tensor>([
  ['conv.weight', { shape: [2, 1, 1, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-20, 7) }],
  ['näme.bias', { shape: [2], data: Float32Array.of(NaN, Infinity) }],
]);

describe('a file of weights for PyTorch', () => {
  // test/docs loads such files in PyTorch itself
  it('has the values of each tensor as they are, in order', () => {
    const files = unzipSync(torchFile(state));
    expect(Object.keys(files)).toEqual(['weights/data.pkl', 'weights/byteorder', 'weights/data/0', 'weights/data/1', 'weights/version']);
    [...state.values()].forEach(({ data }, i) => {
      const bytes = files[`weights/data/${i}`]!;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      expect(Float32Array.from({ length: data.length }, (_, k) => view.getFloat32(4 * k, true))).toEqual(data);
    });
  });

  it('names its tensors in UTF-8 and nothing that runs but what rebuilds tensors', () => {
    const pickle = Buffer.from(unzipSync(torchFile(state))['weights/data.pkl']!);
    for (const name of ['conv.weight', 'näme.bias']) expect(pickle.includes(Buffer.from(name))).toBe(true);
    const called = [...pickle.toString('latin1').matchAll(/(torch[\w.]*|collections|os|posix|builtins)\n(\w+)\n/g)].map((m) => `${m[1]}.${m[2]}`);
    expect(new Set(called)).toEqual(new Set(['collections.OrderedDict', 'torch._utils._rebuild_tensor_v2', 'torch.FloatStorage']));
  });

  it('is the same file whenever it is written', () => {
    expect(torchFile(state)).toEqual(torchFile(state));
  });
});
