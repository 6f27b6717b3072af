import { OpFault } from '../errors.js';
import { UNARY, singleNode, weightInitializer, type OpDefinition } from '../op.js';
import { elements, expectPositive, showShape, tensor } from '../shape.js';
import { add, affine, div, max, mul, scale as scaled, shift, sqrt, sub } from '../tape/arithmetic.js';
import { channelSum } from '../tape/convolution.js';

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
  differentiate: ({ tape, attrs: { epsilon }, inputs: [x], weights, training }) => {
    const scale = weights['scale']!;
    if (!training) {
      const rate = div(tape, scale, sqrt(tape, shift(tape, weights['variance']!, epsilon)));
      return {
        output: affine(tape, x!, rate, sub(tape, weights['shift']!, mul(tape, rate, weights['mean']!))),
        backward: (dy) => ({ inputs: [affine(tape, dy, rate, scaled(tape, rate, 0))] }),
      };
    }
    const count = elements(x!.shape) / x!.shape[1]!;
    const mean = scaled(tape, channelSum(tape, x!), 1 / count);
    const square = scaled(tape, channelSum(tape, mul(tape, x!, x!)), 1 / count);
    // rounding may take a constant channel below 0
    const variance = max(tape, sub(tape, square, mul(tape, mean, mean)), tape.scalar(0));
    const inverse = div(tape, tape.scalar(1), sqrt(tape, shift(tape, variance, epsilon)));
    const rate = mul(tape, scale, inverse);
    return {
      output: affine(tape, x!, rate, sub(tape, weights['shift']!, mul(tape, rate, mean))),
      // running variances take the unbiased estimate
      statistics: { mean, variance: scaled(tape, variance, count > 1 ? count / (count - 1) : 1) },
      // Ioffe & Szegedy 2015, § 3, gathered per channel: dx = a·dy + b·x + c
      backward: (dy) => {
        const dShift = channelSum(tape, dy);
        const dScale = mul(tape, inverse, sub(tape, channelSum(tape, mul(tape, dy, x!)), mul(tape, mean, dShift)));
        const b = scaled(tape, mul(tape, mul(tape, rate, inverse), dScale), -1 / count);
        const c = sub(tape, scaled(tape, mul(tape, rate, dShift), -1 / count), mul(tape, b, mean));
        return { inputs: [add(tape, affine(tape, dy, rate, c), affine(tape, x!, b, scaled(tape, b, 0)))], weights: { scale: dScale, shift: dShift } };
      },
    };
  },
  label: () => 'batch norm',
};
