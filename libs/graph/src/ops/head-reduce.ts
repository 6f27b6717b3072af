import { OpFault } from '../errors.js';
import { NO_WEIGHTS, intInitializer, type OnnxInitializer, type OnnxNodeForm, type OpDefinition } from '../op.js';
import { elements, expectInt, sameShape, showShape, tensor } from '../shape.js';
import { atLeast, equal, max, maxOver, mul, repeat, reshape, step, sum } from '../tape/arithmetic.js';
import type { Shape } from '../types.js';

/**
 * Heads of a multihead depthwise convolution down to one per channel: x [N, C·heads, …] → [N, C, …], head j of channel i at
 * i·heads + j (formulas F-B1, F-B2; thesis 8.4.2, Table 8.1).
 *
 * maxout: maximum over the heads · sum-relu: ReLU of their sum · funnel: maximum over the heads and the un-headed input,
 * which is the second input and of the output's shape.
 */
export const headReduce: OpDefinition<'headReduce'> = {
  arity: ({ reduction }) => (reduction === 'funnel' ? [2, 2] : [1, 1]),
  inferShape: ({ heads, reduction }, [x, bare]) => {
    expectInt('heads', heads, 1);
    if (!['maxout', 'sum-relu', 'funnel'].includes(reduction)) throw new OpFault(`expected reduction to be maxout, sum-relu or funnel, got ${reduction}`);
    if (x!.length < 2) throw new OpFault(`expected an input [N, C, …], got shape ${showShape(x!)}`);
    if (x![1]! % heads !== 0) throw new OpFault(`expected channels divisible by ${heads} heads, got ${x![1]}`);
    const output = x!.map((d, i) => (i === 1 ? d / heads : d));
    if (bare && !sameShape(bare, output)) throw new OpFault(`expected the un-headed input to be ${showShape(output)}, got ${showShape(bare)}`);
    return output;
  },
  weights: NO_WEIGHTS,
  work: ({ heads, reduction }, _inputs, output) => ({ macs: 0, elementOps: (reduction === 'maxout' ? heads - 1 : heads) * elements(output), madds: 0 }),
  evaluate: ({ heads, reduction }, [x, bare], _weights, output) => {
    const plane = elements(output.slice(2));
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      const from = Math.floor(i / plane) * heads * plane + (i % plane);
      let value = x!.data[from]!;
      for (let j = 1; j < heads; j++) {
        const head = x!.data[from + j * plane]!;
        value = reduction === 'sum-relu' ? value + head : Math.max(value, head);
      }
      if (reduction === 'sum-relu') value = Math.max(0, value);
      if (reduction === 'funnel') value = Math.max(bare!.data[i]!, value);
      y.data[i] = value;
    }
    return y;
  },
  onnx: ({ id, attrs: { heads, reduction }, inputs: [x, bare], output }) => {
    const at = (part: string): string => `${id}.${part}`;
    const initializers: OnnxInitializer[] = [intInitializer(at('shape'), [output[0]!, output[1]!, heads, ...output.slice(2)])];
    const nodes: OnnxNodeForm[] = [{ opType: 'Reshape', inputs: [x!.name, at('shape')], outputs: [at('headed')] }];
    if (reduction === 'sum-relu') {
      initializers.push(intInitializer(at('axes'), [2]));
      nodes.push({ opType: 'ReduceSum', inputs: [at('headed'), at('axes')], outputs: [at('sum')], attributes: { keepdims: { int: 0 } } });
      nodes.push({ opType: 'Relu', inputs: [at('sum')], outputs: [id] });
    } else {
      const maximum = reduction === 'funnel' ? at('maximum') : id;
      nodes.push({ opType: 'ReduceMax', inputs: [at('headed')], outputs: [maximum], attributes: { axes: { ints: [2] }, keepdims: { int: 0 } } });
      if (reduction === 'funnel') nodes.push({ opType: 'Max', inputs: [maximum, bare!.name], outputs: [id] });
    }
    return { nodes, initializers };
  },
  differentiate: ({ tape, attrs: { heads, reduction }, inputs: [x, bare], output }) => {
    const plane = elements(output.slice(2));
    const [n, channels] = output as [number, number];
    const row: Shape = [n, channels, 1, plane];
    const headed = reshape(tape, x!, [n, channels, heads, plane]);
    if (reduction === 'sum-relu') {
      const total = sum(tape, headed, [2]);
      return {
        output: reshape(tape, tape.op('Relu', [total], row), output),
        backward: (dy) => ({ inputs: [reshape(tape, repeat(tape, mul(tape, reshape(tape, dy, row), step(tape, total)), heads), x!.shape)] }),
      };
    }
    if (heads === 1 && reduction === 'maxout') return { output: reshape(tape, x!, output), backward: (dy) => ({ inputs: [reshape(tape, dy, x!.shape)] }) };
    const most = heads === 1 ? headed : maxOver(tape, headed, [2]);
    const top = bare === undefined ? most : max(tape, most, reshape(tape, bare, row));
    // heads that tie at the top all get the gradient
    return {
      output: reshape(tape, top, output),
      backward: (dy) => ({
        inputs: [
          reshape(tape, mul(tape, repeat(tape, reshape(tape, dy, row), heads), atLeast(tape, headed, repeat(tape, top, heads))), x!.shape),
          ...(bare === undefined ? [] : [mul(tape, dy, equal(tape, bare, reshape(tape, top, output)))]),
        ],
      }),
    };
  },
  label: ({ heads, reduction }) => `${reduction}, ${heads} heads`,
};
