import { graphBuilder } from '@app/graph';
import { describe, expect, it } from 'vitest';
import { planExecution } from '../plan.js';
import { overwritingPeak, tinyEngineBuffer } from './overwriting.js';

describe('operators that write over inputs of another size', () => {
  /** 4 × 8 × 8 → 12 × 8 × 8 → 12 × 4 × 4 → 2 × 4 × 4 */
  const inverted = (): ReturnType<typeof planExecution> => {
    const b = graphBuilder('inverted bottleneck');
    const wide = b.conv2d(b.input([1, 4, 8, 8]), { outChannels: 12, kernel: 1 });
    const smaller = b.conv2d(wide, { outChannels: 12, kernel: 3, stride: 2, groups: 12 });
    b.output(b.conv2d(smaller, { outChannels: 2, kernel: 1 }));
    return planExecution(b.build());
  };

  it('needs the larger of both maps at a depthwise convolution and the sum at a pointwise one', () => {
    expect(overwritingPeak(inverted(), { bytesPerElement: 1, pointwise: false })).toBe(4 * 64 + 12 * 64);
  });

  it('needs the larger of both at a pointwise convolution where the runtime does that', () => {
    expect(overwritingPeak(inverted(), { bytesPerElement: 1, pointwise: true })).toBe(12 * 64);
    expect(overwritingPeak(inverted(), { bytesPerElement: 4, pointwise: true })).toBe(4 * 12 * 64);
  });

  it('keeps an input that is read again', () => {
    const b = graphBuilder('residual');
    const x = b.input([1, 4, 8, 8]);
    b.output(b.add(x, b.conv2d(x, { outChannels: 4, kernel: 3, groups: 4 })));
    // input and the convolution's map; the sum goes over either
    expect(overwritingPeak(planExecution(b.build()), { bytesPerElement: 1, pointwise: true })).toBe(2 * 4 * 64);
  });

  it("holds TinyEngine's shared buffer: a padded channel and its output, or two columns in 16 bits", () => {
    // depthwise: (8 + 2)² + 4²; pointwise: 2 · 2 · 12
    expect(tinyEngineBuffer(inverted(), 1)).toBe(100 + 16);
    const b = graphBuilder('wide');
    b.output(b.conv2d(b.input([1, 100, 2, 2]), { outChannels: 1, kernel: 1 }));
    expect(tinyEngineBuffer(planExecution(b.build()), 1)).toBe(400);
  });
});
