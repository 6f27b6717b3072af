import { OpFault } from '../errors.js';
import { UNARY, singleNode, weightInitializer, type OpDefinition } from '../op.js';
import { elements, expectPositive, showShape, tensor } from '../shape.js';
import { add, affine, div, mul, neg, scale as scaled, shift, sqrt, sub } from '../tape/arithmetic.js';
import { channelMean, channelSum } from '../tape/convolution.js';

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
    const mean = channelMean(tape, x!);
    // centred first: the difference of mean square and squared mean has few digits left where the mean is large
    const ones = tape.constant(mean.shape, new Float32Array(elements(mean.shape)).fill(1));
    const centred = affine(tape, x!, ones, neg(tape, mean));
    const variance = channelMean(tape, mul(tape, centred, centred));
    const inverse = div(tape, tape.scalar(1), sqrt(tape, shift(tape, variance, epsilon)));
    const rate = mul(tape, scale, inverse);
    return {
      output: affine(tape, centred, rate, weights['shift']!),
      // running variances take the unbiased estimate
      statistics: { mean, variance: scaled(tape, variance, count > 1 ? count / (count - 1) : 1) },
      // Ioffe & Szegedy 2015, § 3, gathered per channel: dx = a·dy + b·(x − mean) + c
      backward: (dy) => {
        const dShift = channelSum(tape, dy);
        const dScale = mul(tape, inverse, channelSum(tape, mul(tape, dy, centred)));
        const b = scaled(tape, mul(tape, mul(tape, rate, inverse), dScale), -1 / count);
        const c = scaled(tape, mul(tape, rate, dShift), -1 / count);
        return { inputs: [add(tape, affine(tape, dy, rate, c), affine(tape, centred, b, scaled(tape, b, 0)))], weights: { scale: dScale, shift: dShift } };
      },
    };
  },
  label: () => 'batch norm',
};
