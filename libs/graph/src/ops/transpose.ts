import { OpFault } from '../errors.js';
import { NO_WEIGHTS, NO_WORK, UNARY, singleNode, type OpDefinition } from '../op.js';
import { showShape, stridesOf, tensor } from '../shape.js';
import { transpose as permute } from '../tape/arithmetic.js';

/** Axis i of the output is axis perm[i] of the input. */
export const transpose: OpDefinition<'transpose'> = {
  arity: UNARY,
  inferShape: ({ perm }, [x]) => {
    if (perm.length !== x!.length || [...perm].sort((a, b) => a - b).some((p, i) => p !== i)) {
      throw new OpFault(`expected a permutation of ${x!.length} axes, got ${showShape(perm)}`);
    }
    return perm.map((p) => x![p]!);
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: ({ perm }, [x], _weights, output) => {
    const own = stridesOf(x!.shape);
    const out = stridesOf(output);
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      let from = 0;
      for (let d = 0; d < perm.length; d++) from += (Math.floor(i / out[d]!) % output[d]!) * own[perm[d]!]!;
      y.data[i] = x!.data[from]!;
    }
    return y;
  },
  onnx: (site) => singleNode(site, 'Transpose', { perm: { ints: site.attrs.perm } }),
  differentiate: ({ tape, attrs: { perm }, inputs: [x] }) => ({
    output: permute(tape, x!, perm),
    backward: (dy) => ({ inputs: [permute(tape, dy, perm.map((_, axis) => perm.indexOf(axis)))] }),
  }),
  label: ({ perm }) => `transpose ${showShape(perm)}`,
};
