import { OpFault } from '../errors.js';
import { UNARY, singleNode, weightInitializer, type OpDefinition } from '../op.js';
import { elements, expectPositive, showShape, tensor } from '../shape.js';

const NAMES = ['scale', 'shift', 'mean', 'variance'] as const;

/**
 * Batch normalisation with running statistics, over axis 1 of [N, C, …]:
 * y = scale · (x − mean) / √(variance + ε) + shift.
 * Counts 2 a output element in MAdds (flynet-spec § 9).
 */
export const batchNorm: OpDefinition<'batchNorm'> = {
  arity: UNARY,
  inferShape: ({ epsilon }, [x]) => {
    expectPositive('epsilon', epsilon);
    if (x!.length < 2) throw new OpFault(`expected an input [N, C, …], got shape ${showShape(x!)}`);
    return x!;
  },
  weights: (_attrs, [x]) => {
    const shape = [x![1]!];
    return [
      { name: 'scale', shape, trainable: true, init: 'ones', fanIn: 1 },
      { name: 'shift', shape, trainable: true, init: 'zeros', fanIn: 1 },
      { name: 'mean', shape, trainable: false, init: 'running-mean', fanIn: 1 },
      { name: 'variance', shape, trainable: false, init: 'running-variance', fanIn: 1 },
    ];
  },
  work: (_attrs, _inputs, output) => ({ macs: 0, elementOps: 2 * elements(output), madds: 2 * elements(output) }),
  evaluate: ({ epsilon }, [x], weights, output) => {
    const [scale, shift, mean, variance] = NAMES.map((name) => weights[name]!.data) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const channels = output[1]!;
    const plane = elements(output.slice(2));
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i += plane) {
      const c = (i / plane) % channels;
      const a = scale[c]! / Math.sqrt(variance[c]! + epsilon);
      for (let p = i; p < i + plane; p++) y.data[p] = a * (x!.data[p]! - mean[c]!) + shift[c]!;
    }
    return y;
  },
  onnx: (site) =>
    singleNode(site, 'BatchNormalization', { epsilon: { float: site.attrs.epsilon } }, NAMES.map((name) => weightInitializer(site.id, name, site.weights))),
  label: () => 'batch norm',
};
