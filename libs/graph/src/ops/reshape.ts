import { OpFault } from '../errors.js';
import { NO_WEIGHTS, NO_WORK, UNARY, intInitializer, singleNode, type OpDefinition } from '../op.js';
import { elements, expectShape, showShape, tensor } from '../shape.js';
import { reshape as reshaped } from '../tape/arithmetic.js';

/** Same elements in row-major order under another shape; one dimension may be −1 and is then found from the rest. */
export const reshape: OpDefinition<'reshape'> = {
  arity: UNARY,
  inferShape: ({ shape }, [x]) => {
    const free = shape.filter((d) => d === -1).length;
    if (free > 1) throw new OpFault(`expected at most one −1 in the shape, got ${showShape(shape)}`);
    const rest = elements(shape.filter((d) => d !== -1));
    const output = shape.map((d) => (d === -1 ? elements(x!) / rest : d));
    if (elements(output) !== elements(x!) || output.some((d) => !Number.isInteger(d))) {
      throw new OpFault(`expected a shape of ${elements(x!)} elements as in ${showShape(x!)}, got ${showShape(shape)}`);
    }
    expectShape(output);
    return output;
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: (_attrs, [x], _weights, output) => tensor(output, x!.data),
  onnx: (site) => singleNode(site, 'Reshape', {}, [intInitializer(`${site.id}.shape`, site.output)]),
  differentiate: ({ tape, inputs: [x], output }) => ({ output: reshaped(tape, x!, output), backward: (dy) => ({ inputs: [reshaped(tape, dy, x!.shape)] }) }),
  label: ({ shape }) => `reshape ${showShape(shape)}`,
};
