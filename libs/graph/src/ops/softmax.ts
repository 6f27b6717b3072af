import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { axisOf, elements, tensor } from '../shape.js';
import { mul, sub, sum } from '../tape/arithmetic.js';

/** exp(x − max) / Σ exp(x − max) along one axis. Five scalar operations an element: maximum, subtraction, exponential, sum, division. */
export const softmax: OpDefinition<'softmax'> = {
  arity: UNARY,
  inferShape: ({ axis }, [x]) => {
    axisOf(axis, x!.length);
    return x!;
  },
  weights: NO_WEIGHTS,
  work: (_attrs, _inputs, output) => ({ macs: 0, elementOps: 5 * elements(output), madds: 0 }),
  evaluate: ({ axis }, [x], _weights, output) => {
    const at = axisOf(axis, output.length);
    const count = output[at]!;
    const step = elements(output.slice(at + 1));
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      if (Math.floor(i / step) % count !== 0) continue;
      let max = -Infinity;
      for (let k = 0; k < count; k++) max = Math.max(max, x!.data[i + k * step]!);
      let sum = 0;
      for (let k = 0; k < count; k++) sum += Math.exp(x!.data[i + k * step]! - max);
      for (let k = 0; k < count; k++) y.data[i + k * step] = Math.exp(x!.data[i + k * step]! - max) / sum;
    }
    return y;
  },
  onnx: (site) => singleNode(site, 'Softmax', { axis: { int: site.attrs.axis } }),
  differentiate: ({ tape, attrs, inputs: [x], output }) => {
    const at = axisOf(attrs.axis, output.length);
    const y = tape.op('Softmax', [x!], output, { axis: { int: at } });
    // dx = y·(dy − Σ dy·y)
    return { output: y, backward: (dy) => ({ inputs: [mul(tape, y, sub(tape, dy, sum(tape, mul(tape, dy, y), [at])))] }) };
  },
  label: () => 'softmax',
};
