import { NO_WORK, NULLARY, weightInitializer, type OpDefinition } from '../op.js';
import { expectShape } from '../shape.js';

/** Stored operand. Not trainable, so not a parameter; its elements take storage. */
export const constant: OpDefinition<'constant'> = {
  arity: NULLARY,
  inferShape: ({ shape }) => {
    expectShape(shape);
    return shape;
  },
  weights: ({ shape }) => [{ name: 'value', shape, trainable: false, init: 'zeros', fanIn: 1 }],
  work: NO_WORK,
  evaluate: (_attrs, _inputs, weights) => weights['value']!,
  onnx: ({ id, weights }) => {
    const value = weightInitializer(id, 'value', weights);
    return { nodes: [{ opType: 'Identity', inputs: [value.name], outputs: [id] }], initializers: [value] };
  },
  differentiate: ({ weights }) => ({ output: weights['value']!, backward: () => ({ inputs: [] }) }),
  label: () => 'constant',
};
