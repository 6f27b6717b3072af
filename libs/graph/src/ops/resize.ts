import { OpFault } from '../errors.js';
import { NO_WEIGHTS, UNARY, floatInitializer, type OpDefinition } from '../op.js';
import { elements, expectPositive, expectRank, tensor } from '../shape.js';
import { matmul } from '../tape/arithmetic.js';
import type { Tape, Value } from '../tape/tape.js';

interface Tap {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Where each output index reads: nearest x = ⌊i / scale⌋; linear x = (i + ½) / scale − ½, clamped to the edges. */
function taps(size: number, output: number, scale: number, mode: 'nearest' | 'linear'): Tap[] {
  return Array.from({ length: output }, (_, i) => {
    if (mode === 'nearest') {
      const low = Math.min(size - 1, Math.floor(i / scale));
      return { low, high: low, share: 0 };
    }
    const x = Math.min(size - 1, Math.max(0, (i + 0.5) / scale - 0.5));
    const low = Math.floor(x);
    return { low, high: Math.min(size - 1, low + 1), share: x - low };
  });
}

/** The taps as a matrix [output, size], with two leading axes of 1. */
function interpolation(tape: Tape, size: number, output: number, scale: number, mode: 'nearest' | 'linear'): Value {
  const values = new Float32Array(output * size);
  taps(size, output, scale, mode).forEach(({ low, high, share }, i) => {
    values[i * size + low]! += 1 - share;
    values[i * size + high]! += share;
  });
  return tape.constant([1, 1, output, size], values);
}

/** Resampling of [N, C, H, W] to ⌊H·scale⌋ × ⌊W·scale⌋: nearest (asymmetric, floor) or bilinear (half-pixel centres). */
export const resize: OpDefinition<'resize'> = {
  arity: UNARY,
  inferShape: ({ scale, mode }, [x]) => {
    expectRank(x!, 4, '[N, C, H, W]');
    scale.forEach((s) => expectPositive('scale', s));
    if (mode !== 'nearest' && mode !== 'linear') throw new OpFault(`expected mode to be nearest or linear, got ${String(mode)}`);
    const [h, w] = [Math.floor(x![2]! * scale[0]), Math.floor(x![3]! * scale[1])];
    if (h < 1 || w < 1) throw new OpFault(`expected at least one row and column after scaling, got ${h}×${w}`);
    return [x![0]!, x![1]!, h, w];
  },
  weights: NO_WEIGHTS,
  work: ({ mode }, _inputs, output) => ({ macs: 0, elementOps: mode === 'linear' ? 7 * elements(output) : 0, madds: 0 }),
  evaluate: ({ scale, mode }, [x], _weights, output) => {
    const [, , ih, iw] = x!.shape as [number, number, number, number];
    const [, , oh, ow] = output as [number, number, number, number];
    const rows = taps(ih, oh, scale[0], mode);
    const columns = taps(iw, ow, scale[1], mode);
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      const from = Math.floor(i / (oh * ow)) * ih * iw;
      const r = rows[Math.floor(i / ow) % oh]!;
      const c = columns[i % ow]!;
      const along = (row: number): number => x!.data[from + row * iw + c.low]! * (1 - c.share) + x!.data[from + row * iw + c.high]! * c.share;
      y.data[i] = along(r.low) * (1 - r.share) + along(r.high) * r.share;
    }
    return y;
  },
  onnx: ({ id, attrs: { scale, mode }, inputs: [x] }) => ({
    nodes: [{
      opType: 'Resize',
      inputs: [x!.name, '', `${id}.scales`],
      outputs: [id],
      attributes: {
        mode: { string: mode },
        coordinate_transformation_mode: { string: mode === 'nearest' ? 'asymmetric' : 'half_pixel' },
        nearest_mode: { string: 'floor' },
      },
    }],
    initializers: [floatInitializer(`${id}.scales`, [4], [1, 1, scale[0], scale[1]])],
  }),
  differentiate: ({ tape, attrs: { scale, mode }, inputs: [x], output }) => {
    // separable and linear: one matrix for the rows, one for the columns
    const rows = interpolation(tape, x!.shape[2]!, output[2]!, scale[0], mode);
    const columns = interpolation(tape, x!.shape[3]!, output[3]!, scale[1], mode);
    return {
      output: matmul(tape, rows, matmul(tape, x!, columns, { b: true })),
      backward: (dy) => ({ inputs: [matmul(tape, rows, matmul(tape, dy, columns), { a: true })] }),
    };
  },
  label: ({ scale, mode }) => `resize ×${scale[0]}${scale[0] === scale[1] ? '' : `×${scale[1]}`} ${mode}`,
};
