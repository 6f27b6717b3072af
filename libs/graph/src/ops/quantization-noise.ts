import { NO_WEIGHTS, NO_WORK, UNARY, singleNode, type Gradients, type OpDefinition } from '../op.js';
import { expectInt, tensor } from '../shape.js';
import { add, div, max, maxOver, minOver, mul, round, scale, sub } from '../tape/arithmetic.js';
import type { Value } from '../tape/tape.js';

/** Levels that stand for no noise. */
const NO_NOISE = 2 ** 32;

function roundHalfToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/**
 * Rounds to q levels between the tensor's own minimum and maximum: Q(x) = D · round(x / D), D = 1 / (q − 1), after rescaling
 * to [0, 1], then scaled back (formulas F-N1; thesis 8.5). Halves go to the even level. A constant tensor stays as it is.
 */
export function quantizeToLevels(x: Float32Array, levels: number): Float32Array {
  let min = Infinity;
  let max = -Infinity;
  for (const v of x) {
    min = Math.min(min, v);
    max = Math.max(max, v);
  }
  const range = max - min;
  if (range === 0) return x.slice();
  return x.map((v) => min + (roundHalfToEven(((v - min) / range) * (levels - 1)) / (levels - 1)) * range);
}

/** Regulariser of training; passes its input on at inference, which is what graph, counts and exports describe. */
export const quantizationNoise: OpDefinition<'quantizationNoise'> = {
  arity: UNARY,
  inferShape: ({ levels }, [x]) => {
    expectInt('levels', levels, 2, NO_NOISE);
    return x!;
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: (_attrs, [x], _weights, output) => tensor(output, x!.data),
  onnx: (site) => singleNode(site, 'Identity'),
  differentiate: ({ tape, attrs: { levels }, inputs: [x], training }) => {
    // the rounding passes its gradient straight through (F-N3)
    const backward = (dy: Value): Gradients => ({ inputs: [dy] });
    if (!training || levels === NO_NOISE) return { output: x!, backward };
    const axes = x!.shape.map((_, i) => i);
    const low = minOver(tape, x!, axes);
    // a constant tensor has no range: all its values are the minimum, whatever is divided by
    const range = max(tape, sub(tape, maxOver(tape, x!, axes), low), tape.scalar(1e-30));
    const cell = scale(tape, range, 1 / (levels - 1));
    return { output: add(tape, mul(tape, round(tape, div(tape, sub(tape, x!, low), cell)), cell), low), backward };
  },
  label: ({ levels }) => (levels === NO_NOISE ? 'no quantization noise' : `quantization noise, ${levels} levels`),
};
