import { NO_WEIGHTS, NO_WORK, UNARY, intInitializer, singleNode, type OpDefinition } from '../op.js';
import { axisOf, elements, expectInt, tensor } from '../shape.js';
import { pad, slice as cut } from '../tape/arithmetic.js';

/** Indices start … end−1 of one axis. */
export const slice: OpDefinition<'slice'> = {
  arity: UNARY,
  inferShape: ({ axis, start, end }, [x]) => {
    const at = axisOf(axis, x!.length);
    expectInt('start', start, 0, x![at]! - 1);
    expectInt('end', end, start + 1, x![at]!);
    return x!.map((d, i) => (i === at ? end - start : d));
  },
  weights: NO_WEIGHTS,
  work: NO_WORK,
  evaluate: ({ axis, start, end }, [x], _weights, output) => {
    const at = axisOf(axis, output.length);
    const inner = elements(output.slice(at + 1));
    const run = elements(x!.shape.slice(at));
    const y = tensor(output);
    const kept = (end - start) * inner;
    for (let o = 0; o * kept < y.data.length; o++) y.data.set(x!.data.subarray(o * run + start * inner, o * run + end * inner), o * kept);
    return y;
  },
  onnx: (site) =>
    singleNode(site, 'Slice', {}, [
      intInitializer(`${site.id}.starts`, [site.attrs.start]),
      intInitializer(`${site.id}.ends`, [site.attrs.end]),
      intInitializer(`${site.id}.axes`, [axisOf(site.attrs.axis, site.output.length)]),
    ]),
  differentiate: ({ tape, attrs, inputs: [x], output }) => {
    const at = axisOf(attrs.axis, output.length);
    return {
      output: cut(tape, x!, at, attrs.start, attrs.end),
      backward: (dy) => ({ inputs: [pad(tape, dy, at, attrs.start, x!.shape[at]! - attrs.end)] }),
    };
  },
  label: ({ start, end }) => `slice ${start}:${end}`,
};
