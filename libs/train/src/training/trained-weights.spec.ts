import { describe, expect, it } from 'vitest';
import type { Weights } from '@app/graph';
import { decodeTrainedWeights, encodeTrainedWeights, type AboutWeights } from './trained-weights.js';

const about: AboutWeights = { by: 'training', quantize: null, accuracy: 91.25, floatAccuracy: null, judgedOn: 80, input: { data: 'gratings', image: [1, 16, 16], mean: [0.5], deviation: [0.25], classNames: ['a', 'ä'] } };
const weights = new Map<string, Weights>([
  ['stem.conv', { weight: { shape: [2, 1, 1, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-20, 7) }, bias: { shape: [2], data: Float32Array.of(NaN, -Infinity) } }],
  ['head', { slope: { shape: [1], data: Float32Array.of(0.25) } }],
]);

describe('a file of trained weights', () => {
  const bytes = encodeTrainedWeights({ about, weights });

  it('is read back as it was written, wherever it lies in memory', () => {
    expect(decodeTrainedWeights(bytes)).toEqual({ about, weights });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeTrainedWeights(shifted.subarray(3))).toEqual({ about, weights });
  });

  // github.com/huggingface/safetensors, README, "Format"
  it('is a safetensors file: length, head, values, each tensor at the offsets its head says', () => {
    const view = new DataView(bytes.buffer);
    const length = Number(view.getBigUint64(0, true));
    expect((8 + length) % 8).toBe(0);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
    expect(head['head.slope']).toEqual({ dtype: 'F32', shape: [1], data_offsets: [32, 36] });
    expect(view.getFloat32(8 + length + 32, true)).toBe(0.25);
    expect(bytes.length).toBe(8 + length + 36);
    for (const text of Object.values(head['__metadata__']!)) expect(typeof text).toBe('string');
  });

  it('that was cut off, or is another file, is refused wherever it ends', () => {
    for (let end = 0; end < bytes.length; end++) expect(() => decodeTrainedWeights(bytes.subarray(0, end)), String(end)).toThrow(/expected trained weights, got \d+ bytes/);
    expect(() => decodeTrainedWeights(new TextEncoder().encode('caddis checkpoint 1\n{}'))).toThrow(/expected trained weights/);
  });
});
