import { OpFault } from '../errors.js';
import { NO_WEIGHTS, NO_WORK, singleNode, type OpDefinition } from '../op.js';
import { axisOf, elements, showShape, tensor } from '../shape.js';
import { concat as join, split } from '../tape/arithmetic.js';

/** Tensors one after another along an axis. */
export const concat: OpDefinition<'concat'> = {
  arity: () => [1, Number.MAX_SAFE_INTEGER],
  inferShape: ({ axis }, inputs) => {
    const first = inputs[0]!;
    const at = axisOf(axis, first.length);
    for (const shape of inputs) {
      if (shape.length !== first.length || shape.some((d, i) => i !== at && d !== first[i])) {
        throw new OpFault(`expected inputs that differ on axis ${at} only, got ${inputs.map(showShape).join(', ')}`);
      }
    }
    return first.map((d, i) => (i === at ? inputs.reduce((sum, s) => sum + s[at]!, 0) : d));
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: ({ axis }, inputs, _weights, output) => {
    const at = axisOf(axis, output.length);
    const y = tensor(output);
    const run = elements(output.slice(at));
    let offset = 0;
    for (const x of inputs) {
      const own = elements(x.shape.slice(at));
      for (let o = 0; o * own < x.data.length; o++) y.data.set(x.data.subarray(o * own, (o + 1) * own), o * run + offset);
      offset += own;
    }
    return y;
  },
  onnx: (site) => singleNode(site, 'Concat', { axis: { int: site.attrs.axis } }),
  differentiate: ({ tape, attrs, inputs, output }) => {
    const at = axisOf(attrs.axis, output.length);
    return { output: join(tape, inputs, at), backward: (dy) => ({ inputs: split(tape, dy, at, inputs.map((x) => x.shape[at]!)) }) };
  },
  label: () => 'concat',
};
