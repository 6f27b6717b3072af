import { NO_WEIGHTS, NO_WORK, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements, tensor } from '../shape.js';
import { reshape } from '../tape/arithmetic.js';

/** [N, …] → [N, product of the rest]. */
export const flatten: OpDefinition<'flatten'> = {
  arity: UNARY,
  inferShape: (_attrs, [x]) => [x![0] ?? 1, elements(x!.slice(1))],
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: (_attrs, [x], _weights, output) => tensor(output, x!.data),
  onnx: (site) => singleNode(site, 'Flatten', { axis: { int: 1 } }),
  differentiate: ({ tape, inputs: [x], output }) => ({ output: reshape(tape, x!, output), backward: (dy) => ({ inputs: [reshape(tape, dy, x!.shape)] }) }),
  label: () => 'flatten',
};
