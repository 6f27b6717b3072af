import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements, tensor } from '../shape.js';
import { pool, poolAttributes, poolLabel, poolShape } from './pool.js';
import { mul } from '../tape/arithmetic.js';
import { convolution } from '../tape/convolution.js';
import type { Shape } from '../types.js';

/** Mean of each window of [N, C, H, W]; `countIncludePad` divides by the whole window even at the border. One addition per window cell. */
export const avgPool: OpDefinition<'avgPool'> = {
  arity: UNARY,
  inferShape: (attrs, [x]) => poolShape(attrs, x!),
  weights: NO_WEIGHTS,
  work: ({ kernel }, _inputs, output) => ({ macs: 0, elementOps: elements(output) * kernel[0] * kernel[1], madds: 0 }),
  evaluate: (attrs, [x], _weights, output) => {
    const window = attrs.kernel[0] * attrs.kernel[1];
    return pool(attrs, x!, output, 0, (a, b) => a + b, (sum, cells) => sum / (attrs.countIncludePad ? window : cells));
  },
  onnx: (site) => singleNode(site, 'AveragePool', { ...poolAttributes(site.attrs), count_include_pad: { int: site.attrs.countIncludePad ? 1 : 0 } }),
  differentiate: ({ tape, attrs, inputs: [x], output }) => {
    const channels = x!.shape[1]!;
    const depthwise = { ...attrs, dilation: [1, 1], groups: channels } as const;
    const ones = tape.constant([channels, 1, ...attrs.kernel], new Float32Array(channels * attrs.kernel[0] * attrs.kernel[1]).fill(1));
    const plane: Shape = [1, 1, x!.shape[2]!, x!.shape[3]!];
    const cells = pool(attrs, tensor(plane, new Float32Array(elements(plane)).fill(1)), [1, 1, output[2]!, output[3]!], 0, (a, b) => a + b, (sum) => (attrs.countIncludePad ? 1 / (attrs.kernel[0] * attrs.kernel[1]) : 1 / sum));
    return {
      output: tape.op('AveragePool', [x!], output, { ...poolAttributes(attrs), count_include_pad: { int: attrs.countIncludePad ? 1 : 0 } }),
      backward: (dy) => ({ inputs: [convolution(tape, depthwise, x!, ones, output).inputGradient(mul(tape, dy, tape.constant(cells.shape, cells.data)))] }),
    };
  },
  label: ({ kernel, stride, padding }) => poolLabel('avg pool', kernel, stride, padding),
};
