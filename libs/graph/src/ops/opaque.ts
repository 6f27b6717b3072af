import { OpFault } from '../errors.js';
import { NO_WEIGHTS, type OpDefinition } from '../op.js';
import { elements, expectShape } from '../shape.js';

/** Unknown operator of an imported model: a stated output shape, one scalar operation per output element, nothing else. */
export const opaque: OpDefinition<'opaque'> = {
  arity: () => [0, Number.MAX_SAFE_INTEGER],
  inferShape: ({ shape }) => {
    expectShape(shape);
    return shape;
  },
  weights: NO_WEIGHTS,
  work: (_attrs, _inputs, output) => ({ macs: 0, elementOps: elements(output), madds: 0 }),
  evaluate: ({ opType }) => {
    throw new OpFault(`cannot evaluate the unknown operator ${opType}`);
  },
  onnx: ({ attrs }) => {
    throw new OpFault(`cannot export the unknown operator ${attrs.opType}`);
  },
  differentiate: ({ attrs }) => {
    throw new OpFault(`cannot train through the unknown operator ${attrs.opType}`);
  },
  label: ({ opType }) => `${opType} (unknown)`,
};
