import { OpFault } from '../errors.js';
import { NO_WEIGHTS, NO_WORK, NULLARY, type OpDefinition } from '../op.js';
import { expectShape } from '../shape.js';

/** Entry of the network. Its value is handed to the evaluation; in ONNX it is a graph input, not a node. */
export const input: OpDefinition<'input'> = {
  arity: NULLARY,
  inferShape: ({ shape }) => {
    if (shape.length === 0) throw new OpFault('expected an input shape with a batch axis, got []');
    expectShape(shape);
    return shape;
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: () => {
    throw new OpFault('the value of an input is handed in');
  },
  onnx: () => ({ nodes: [], initializers: [] }),
  differentiate: () => {
    throw new OpFault('the value of an input is handed in');
  },
  label: () => 'input',
};
