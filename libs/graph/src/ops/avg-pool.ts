import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements } from '../shape.js';
import { pool, poolAttributes, poolLabel, poolShape } from './pool.js';

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
  label: ({ kernel, stride, padding }) => poolLabel('avg pool', kernel, stride, padding),
};
