import { NO_WEIGHTS, UNARY, singleNode, type OpDefinition } from '../op.js';
import { elements, expectRank, tensor } from '../shape.js';
import { expand, mean, scale } from '../tape/arithmetic.js';

/** Mean over the spatial axes, [N, C, H, W] → [N, C, 1, 1]. One addition per input element. */
export const globalAvgPool: OpDefinition<'globalAvgPool'> = {
  arity: UNARY,
  inferShape: (_attrs, [x]) => {
    expectRank(x!, 4, '[N, C, H, W]');
    return [x![0]!, x![1]!, 1, 1];
  },
  weights: NO_WEIGHTS,
  work: (_attrs, [x]) => ({ macs: 0, elementOps: elements(x!), madds: 0 }),
  evaluate: (_attrs, [x], _weights, output) => {
    const plane = x!.shape[2]! * x!.shape[3]!;
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      let sum = 0;
      for (let p = i * plane; p < (i + 1) * plane; p++) sum += x!.data[p]!;
      y.data[i] = sum / plane;
    }
    return y;
  },
  onnx: (site) => singleNode(site, 'GlobalAveragePool'),
  differentiate: ({ tape, inputs: [x] }) => {
    const share = 1 / (x!.shape[2]! * x!.shape[3]!);
    return { output: mean(tape, x!, [2, 3]), backward: (dy) => ({ inputs: [expand(tape, scale(tape, dy, share), x!.shape)] }) };
  },
  label: () => 'global avg pool',
};
