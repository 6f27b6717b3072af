import { OpFault } from '../errors.js';
import { NO_WEIGHTS, NO_WORK, UNARY, intInitializer, singleNode, type OpDefinition } from '../op.js';
import { elements, expectInt, showShape, tensor } from '../shape.js';
import { pad, slice } from '../tape/arithmetic.js';

/** Zero channels before and after those of the input, [N, C, …] → [N, before + C + after, …]. */
export const padChannels: OpDefinition<'padChannels'> = {
  arity: UNARY,
  inferShape: ({ before, after }, [x]) => {
    expectInt('before', before, 0);
    expectInt('after', after, 0);
    if (x!.length < 2) throw new OpFault(`expected an input [N, C, …], got shape ${showShape(x!)}`);
    return x!.map((d, i) => (i === 1 ? before + d + after : d));
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: ({ before }, [x], _weights, output) => {
    const own = elements(x!.shape.slice(1));
    const run = elements(output.slice(1));
    const lead = before * elements(output.slice(2));
    const y = tensor(output);
    for (let n = 0; n < output[0]!; n++) y.data.set(x!.data.subarray(n * own, (n + 1) * own), n * run + lead);
    return y;
  },
  onnx: (site) => {
    const side = (channels: number): number[] => site.output.map((_, i) => (i === 1 ? channels : 0));
    return singleNode(site, 'Pad', { mode: { string: 'constant' } }, [intInitializer(`${site.id}.pads`, [...side(site.attrs.before), ...side(site.attrs.after)])]);
  },
  differentiate: ({ tape, attrs: { before, after }, inputs: [x] }) => ({
    output: pad(tape, x!, 1, before, after),
    backward: (dy) => ({ inputs: [slice(tape, dy, 1, before, before + x!.shape[1]!)] }),
  }),
  label: ({ before, after }) => `pad channels +${before + after}`,
};
