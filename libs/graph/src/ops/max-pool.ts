import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements } from '../shape.js';
import { pool, poolAttributes, poolLabel, poolShape } from './pool.js';

/** Largest value of each window of [N, C, H, W]; padding never wins. One comparison per window cell. */
export const maxPool: OpDefinition<'maxPool'> = {
  arity: UNARY,
  inferShape: (attrs, [x]) => poolShape(attrs, x!),
  weights: NO_WEIGHTS,
  work: ({ kernel }, _inputs, output) => ({ macs: 0, elementOps: elements(output) * kernel[0] * kernel[1], madds: 0 }),
  evaluate: (attrs, [x], _weights, output) => pool(attrs, x!, output, -Infinity, Math.max, (max) => max),
  onnx: (site) => singleNode(site, 'MaxPool', poolAttributes(site.attrs)),
  label: ({ kernel, stride, padding }) => poolLabel('max pool', kernel, stride, padding),
};
