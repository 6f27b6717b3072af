import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { elements } from '../shape.js';
import type { Shape } from '../types.js';
import { byPlanes, weightGradientByRows } from './depthwise.js';
import { evaluateProgram, type Wide } from './evaluate-program.js';
import { Tape, type Value } from './tape.js';

type Geometry = Parameters<typeof byPlanes>[1];

/** Σ over images and cells of dy·x at each tap, by plain loops. */
function slowWeightGradient({ kernel, stride, padding }: Geometry, x: Wide, dy: Wide): number[] {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [, outChannels, oh, ow] = dy.shape as [number, number, number, number];
  const result: number[] = [];
  for (let o = 0; o < outChannels; o++) {
    const c = Math.floor(o / (outChannels / channels));
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        let total = 0;
        for (let b = 0; b < n; b++) {
          for (let r = 0; r < oh; r++) {
            for (let q = 0; q < ow; q++) {
              const [row, column] = [r * stride[0] + ky - padding[0], q * stride[1] + kx - padding[1]];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              total += dy.data[((b * outChannels + o) * oh + r) * ow + q]! * x.data[((b * channels + c) * height + row) * width + column]!;
            }
          }
        }
        result.push(total);
      }
    }
  }
  return result;
}

describe('the weight gradient of a depthwise convolution', () => {
  const geometries: [string, Geometry, Shape, Shape][] = [
    ['3×3', { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 3 }, [2, 3, 5, 6], [2, 6, 5, 6]],
    ['5×5 in steps of 2', { kernel: [5, 5], stride: [2, 2], padding: [2, 2, 2, 2], dilation: [1, 1], groups: 2 }, [2, 2, 7, 6], [2, 6, 4, 3]],
    ['uneven', { kernel: [2, 3], stride: [3, 2], padding: [1, 0, 0, 2], dilation: [1, 1], groups: 2 }, [2, 2, 8, 5], [2, 2, 3, 3]],
  ];

  it.each(geometries)('is the same by rows, by planes and by loops: %s', (_name, geometry, xShape, dyShape) => {
    const rng = Rng.of(1, 'depthwise');
    const draw = (shape: Shape): Wide => ({ shape, data: Float64Array.from({ length: elements(shape) }, () => rng.normal()) });
    const weightShape = [dyShape[1]!, 1, ...geometry.kernel];
    const point = new Map([['x', draw(xShape)], ['dy', draw(dyShape)], ['w', draw(weightShape)]]);
    const tape = new Tape();
    const [x, dy, w] = ['x', 'dy', 'w'].map((name) => tape.input(name, point.get(name)!.shape)) as [Value, Value, Value];
    const program = tape.program('gradients', { rows: weightGradientByRows(tape, geometry, dy, x, w), planes: byPlanes(tape, geometry, x, w, dyShape).weightGradient(dy) });
    const results = evaluateProgram(program, point);
    const due = slowWeightGradient(geometry, point.get('x')!, point.get('dy')!);
    for (const form of ['rows', 'planes']) {
      expect(results.get(form)!.shape).toEqual(weightShape);
      results.get(form)!.data.forEach((v, i) => expect(v).toBeCloseTo(due[i]!, 10));
    }
  });
});

describe('a tape', () => {
  it('writes nothing twice, and a shape that was there before not at all', () => {
    const tape = new Tape();
    const x = tape.input('x', [2, 6]);
    const narrow = tape.reshape(x, [3, 4]);
    expect(tape.reshape(narrow, [2, 6])).toBe(x);
    expect(tape.op('Exp', [narrow], [3, 4])).toBe(tape.op('Exp', [tape.reshape(x, [3, 4])], [3, 4]));
    expect(tape.op('Exp', [narrow], [3, 4])).not.toBe(tape.op('Neg', [narrow], [3, 4]));
    const { nodes } = tape.program('p', { y: tape.op('Exp', [tape.reshape(narrow, [12])], [12]) });
    expect(nodes.map((n) => n.opType)).toEqual(['Reshape', 'Exp']);
  });
});
