import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements } from '../shape.js';
import { pool, poolAttributes, poolLabel, poolShape } from './pool.js';
import { expand, flat, reshape } from '../tape/arithmetic.js';
import type { Value } from '../tape/tape.js';

/** Largest value of each window of [N, C, H, W]; padding never wins. One comparison per window cell. */
export const maxPool: OpDefinition<'maxPool'> = {
  arity: UNARY,
  inferShape: (attrs, [x]) => poolShape(attrs, x!),
  weights: NO_WEIGHTS,
  work: ({ kernel }, _inputs, output) => ({ macs: 0, elementOps: elements(output) * kernel[0] * kernel[1], madds: 0 }),
  evaluate: (attrs, [x], _weights, output) => pool(attrs, x!, output, -Infinity, Math.max, (max) => max),
  onnx: (site) => singleNode(site, 'MaxPool', poolAttributes(site.attrs)),
  differentiate: ({ tape, attrs, inputs: [x], output }) => {
    const [y, where] = tape.multi('MaxPool', [x!], [output, output], { ...poolAttributes(attrs), storage_order: { int: 0 } }) as [Value, Value];
    return {
      output: y,
      // of equal values in a window, the first gets the gradient
      backward: (dy) => {
        const zeros = expand(tape, tape.scalar(0), [elements(x!.shape)]);
        const scattered = tape.op('ScatterElements', [zeros, flat(tape, where), flat(tape, dy)], zeros.shape, { axis: { int: 0 }, reduction: { string: 'add' } });
        return { inputs: [reshape(tape, scattered, x!.shape)] };
      },
    };
  },
  label: ({ kernel, stride, padding }) => poolLabel('max pool', kernel, stride, padding),
};
