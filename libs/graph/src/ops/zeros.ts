import { NO_WEIGHTS, NO_WORK, UNARY, floatInitializer, singleNode, type OpDefinition } from '../op.js';
import { tensor } from '../shape.js';
import { expand } from '../tape/arithmetic.js';

/** Zeros of the input's shape: the "none" edge of a cell. In ONNX a product with 0, so that it keeps its place in the graph. */
export const zeros: OpDefinition<'zeros'> = {
  arity: UNARY,
  inferShape: (_attrs, [x]) => x!,
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: (_attrs, _inputs, _weights, output) => tensor(output),
  onnx: (site) => singleNode(site, 'Mul', {}, [floatInitializer(`${site.id}.zero`, [], [0])]),
  differentiate: ({ tape, output }) => ({ output: expand(tape, tape.scalar(0), output), backward: () => ({ inputs: [null] }) }),
  label: () => 'zeros',
};
