import { NO_WEIGHTS, NO_WORK, UNARY, singleNode, type OpDefinition } from '../op.js';
import { tensor } from '../shape.js';

/** Passes its input on. */
export const identity: OpDefinition<'identity'> = {
  arity: UNARY,
  inferShape: (_attrs, [x]) => x!,
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: (_attrs, [x], _weights, output) => tensor(output, x!.data),
  onnx: (site) => singleNode(site, 'Identity'),
  differentiate: ({ inputs: [x] }) => ({ output: x!, backward: (dy) => ({ inputs: [dy] }) }),
  label: () => 'identity',
};
