import { OpFault } from '../errors.js';
import { UNARY, floatInitializer, intInitializer, weightInitializer, type OnnxInitializer, type OnnxNodeForm, type OpDefinition } from '../op.js';
import { elements, expectInt, expectPositive, expectRank, tensor } from '../shape.js';
import type { OpAttrs, Shape, Tensor } from '../types.js';
import { add, affine, concat, div, mean, mul, neg, reshape, scale, shift, sigmoid, slice, sub, sum } from '../tape/arithmetic.js';
import { convolution } from '../tape/convolution.js';
import type { Value } from '../tape/tape.js';

type Attention = OpAttrs['channelAttention'];

function statisticsCount(attrs: Attention): number {
  return attrs.statistics === 'mean-variance' ? 2 : 1;
}

/** Per channel of [N, C, H, W]: mean and, if asked for, population variance (F-B3), as [N, statistics, C]. */
export function channelStatistics(attrs: Attention, x: Tensor): Float64Array {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const rows = statisticsCount(attrs);
  const plane = h * w;
  const result = new Float64Array(n * rows * channels);
  for (let i = 0; i < n * channels; i++) {
    const at = Math.floor(i / channels) * rows * channels + (i % channels);
    let mean = 0;
    for (let p = 0; p < plane; p++) mean += x.data[i * plane + p]! / plane;
    result[at] = mean;
    if (rows === 1) continue;
    let variance = 0;
    for (let p = 0; p < plane; p++) variance += (x.data[i * plane + p]! - mean) ** 2 / plane;
    result[at + channels] = variance;
  }
  return result;
}

/** s of F-B4, [N, C]: the statistics correlated with the kernel [1, statistics, k] along the channels, zeros beyond the ends. */
export function channelScores(attrs: Attention, x: Tensor, kernel: Tensor): Float64Array {
  const [n, channels] = x.shape as [number, number, number, number];
  const rows = statisticsCount(attrs);
  const statistics = channelStatistics(attrs, x);
  const half = (attrs.kernel - 1) / 2;
  const scores = new Float64Array(n * channels);
  for (let i = 0; i < scores.length; i++) {
    const b = Math.floor(i / channels);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < attrs.kernel; k++) {
        const c = (i % channels) + k - half;
        if (c >= 0 && c < channels) scores[i]! += kernel.data[row * attrs.kernel + k]! * statistics[(b * rows + row) * channels + c]!;
      }
    }
  }
  return scores;
}

/** Gate of F-B5: sigmoid(s), or softmax(s / T) over the heads of each channel (adjacent entries). */
export function excite(attrs: Attention, scores: Float64Array): Float64Array {
  if (attrs.excitation === 'sigmoid') return scores.map((s) => 1 / (1 + Math.exp(-s)));
  const gates = new Float64Array(scores.length);
  for (let i = 0; i < scores.length; i += attrs.heads) {
    const heads = scores.subarray(i, i + attrs.heads);
    const max = Math.max(...heads);
    const powers = heads.map((s) => Math.exp((s - max) / attrs.temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    gates.set(powers.map((p) => p / sum), i);
  }
  return gates;
}

/** Does a temperature that begins at `from` matter to this attention? Shares of one head are 1 at any. */
export const anneals = ({ excitation, heads, temperature }: Attention, from: number): boolean => excitation === 'softmax' && heads > 1 && from > temperature;

function statisticsForm(attrs: Attention, id: string, x: string, [n, channels]: Shape): { nodes: OnnxNodeForm[]; initializers: OnnxInitializer[]; output: string } {
  const at = (part: string): string => `${id}.${part}`;
  const overPlane = { axes: { ints: [2, 3] }, keepdims: { int: 1 } };
  const row = at('row_shape');
  const nodes: OnnxNodeForm[] = [
    { opType: 'ReduceMean', inputs: [x], outputs: [at('mean')], attributes: overPlane },
    { opType: 'Reshape', inputs: [at('mean'), row], outputs: [at('mean_row')] },
  ];
  const initializers = [intInitializer(row, [n!, 1, channels!])];
  if (attrs.statistics === 'mean') return { nodes, initializers, output: at('mean_row') };
  nodes.push(
    { opType: 'Sub', inputs: [x, at('mean')], outputs: [at('centred')] },
    { opType: 'Mul', inputs: [at('centred'), at('centred')], outputs: [at('squares')] },
    { opType: 'ReduceMean', inputs: [at('squares')], outputs: [at('variance')], attributes: overPlane },
    { opType: 'Reshape', inputs: [at('variance'), row], outputs: [at('variance_row')] },
    { opType: 'Concat', inputs: [at('mean_row'), at('variance_row')], outputs: [at('statistics')], attributes: { axis: { int: 1 } } },
  );
  return { nodes, initializers, output: at('statistics') };
}

/**
 * Efficient channel attention, mean or mean-and-variance aware (flynet-spec § 5, formulas F-B3…F-B5; thesis 8.1–8.3).
 * x [N, C, H, W] times a gate per channel; one weight `kernel` [1, statistics, k], no bias.
 *
 * Scalar operations: for mean-variance 4 an input element (mean 1, variance 2, scaling 1), for mean 2; plus the correlation
 * along the channels and 3 a channel for the gate. MAdds: 4 an input element (flynet-spec § 9), 2 for the mean alone.
 */
export const channelAttention: OpDefinition<'channelAttention'> = {
  arity: UNARY,
  inferShape: (attrs, [x]) => {
    expectRank(x!, 4, '[N, C, H, W]');
    expectInt('kernel', attrs.kernel, 1);
    if (attrs.kernel % 2 === 0) throw new OpFault(`expected an odd kernel, got ${attrs.kernel}`);
    expectInt('heads', attrs.heads, 1);
    expectPositive('temperature', attrs.temperature);
    if (x![1]! % attrs.heads !== 0) throw new OpFault(`expected channels divisible by ${attrs.heads} heads, got ${x![1]}`);
    return x!;
  },
  weights: (attrs) => {
    const rows = statisticsCount(attrs);
    return [{ name: 'kernel', shape: [1, rows, attrs.kernel], trainable: true, init: 'kaiming-normal', fanIn: rows * attrs.kernel }];
  },
  work: (attrs, [x], output) => {
    const perElement = 2 * statisticsCount(attrs);
    const gates = output[0]! * output[1]!;
    return { macs: 0, elementOps: perElement * elements(x!) + gates * (2 * statisticsCount(attrs) * attrs.kernel + 3), madds: perElement * elements(x!) };
  },
  evaluate: (attrs, [x], weights, output) => {
    const gates = excite(attrs, channelScores(attrs, x!, weights['kernel']!));
    const plane = output[2]! * output[3]!;
    return tensor(output, x!.data.map((v, i) => v * gates[Math.floor(i / plane)]!));
  },
  onnx: ({ id, attrs, inputs: [x], output, weights }) => {
    const at = (part: string): string => `${id}.${part}`;
    const [n, channels] = output as [number, number, number, number];
    const statistics = statisticsForm(attrs, id, x!.name, output);
    const half = (attrs.kernel - 1) / 2;
    const nodes: OnnxNodeForm[] = [...statistics.nodes, {
      opType: 'Conv', inputs: [statistics.output, at('kernel')], outputs: [at('scores')],
      attributes: { kernel_shape: { ints: [attrs.kernel] }, pads: { ints: [half, half] } },
    }];
    const initializers = [...statistics.initializers, weightInitializer(id, 'kernel', weights), intInitializer(at('gate_shape'), [n, channels, 1, 1])];
    if (attrs.excitation === 'sigmoid') {
      nodes.push({ opType: 'Sigmoid', inputs: [at('scores')], outputs: [at('gates')] });
    } else {
      initializers.push(intInitializer(at('heads_shape'), [n, channels / attrs.heads, attrs.heads]), floatInitializer(at('temperature'), [], [attrs.temperature]));
      nodes.push(
        { opType: 'Reshape', inputs: [at('scores'), at('heads_shape')], outputs: [at('by_head')] },
        { opType: 'Div', inputs: [at('by_head'), at('temperature')], outputs: [at('tempered')] },
        { opType: 'Softmax', inputs: [at('tempered')], outputs: [at('gates')], attributes: { axis: { int: 2 } } },
      );
    }
    nodes.push(
      { opType: 'Reshape', inputs: [at('gates'), at('gate_shape')], outputs: [at('gate')] },
      { opType: 'Mul', inputs: [x!.name, at('gate')], outputs: [id] },
    );
    return { nodes, initializers };
  },
  differentiate: ({ tape: t, attrs, inputs: [x], weights, output, annealing }) => {
    const [n, channels, height, width] = output as [number, number, number, number];
    const plane = height * width;
    const rows = statisticsCount(attrs);
    const perImage = (v: Value): Value => reshape(t, v, [1, n * channels, height, width]);
    const overPlane = (v: Value, reduce: typeof sum): Value => reshape(t, reduce(t, reshape(t, v, [n, channels, plane]), [2]), [n, 1, 1, channels]);
    const average = overPlane(x!, mean);
    const vector = (v: Value): Value => reshape(t, v, [n * channels]);
    const none = t.constant([n * channels], new Float32Array(n * channels));
    // centred before it is squared: of a mean square less a squared mean few digits are left where the mean is large
    const centred = rows === 1 || plane === 1 ? null : affine(t, perImage(x!), t.constant([n * channels], new Float32Array(n * channels).fill(1)), neg(t, vector(average)));
    const variance = centred === null ? reshape(t, none, [n, 1, 1, channels]) : overPlane(mul(t, centred, centred), mean);
    const seen = rows === 1 ? average : concat(t, [average, variance], 1);
    const half = (attrs.kernel - 1) / 2;
    const along = { kernel: [1, attrs.kernel], stride: [1, 1], dilation: [1, 1], padding: [0, half, 0, half], groups: 1 } as const;
    const taps = reshape(t, weights['kernel']!, [1, rows, 1, attrs.kernel]);
    const correlation = convolution(t, along, seen, taps, [n, 1, 1, channels]);
    const scores = correlation.output;
    const byHead: Shape = [n, channels / attrs.heads, attrs.heads];
    const cooled = (v: Value): Value => (annealing !== null && anneals(attrs, annealing.from)
      ? div(t, v, shift(t, scale(t, annealing.share, annealing.from - attrs.temperature), attrs.temperature))
      : scale(t, v, 1 / attrs.temperature));
    const gates = attrs.excitation === 'sigmoid'
      ? sigmoid(t, scores)
      : reshape(t, t.op('Softmax', [cooled(reshape(t, scores, byHead))], byHead, { axis: { int: 2 } }), scores.shape);
    return {
      output: reshape(t, affine(t, perImage(x!), vector(gates), none), output),
      backward: (dy) => {
        const dGates = overPlane(mul(t, dy, x!), sum);
        let dScores: Value;
        if (attrs.excitation === 'sigmoid') {
          dScores = mul(t, dGates, sub(t, gates, mul(t, gates, gates)));
        } else {
          const weighted = reshape(t, mul(t, dGates, gates), byHead);
          const shared = mul(t, reshape(t, gates, byHead), sum(t, weighted, [2]));
          dScores = reshape(t, cooled(sub(t, weighted, shared)), scores.shape);
        }
        const dSeen = correlation.inputGradient(dScores);
        const dMean = scale(t, slice(t, dSeen, 1, 0, 1), 1 / plane);
        const kernel = reshape(t, correlation.weightGradient(dScores), weights['kernel']!.shape);
        const through = affine(t, perImage(dy), vector(gates), vector(dMean));
        // variance: 2·(x − mean) / plane a cell
        const whole = centred === null ? through : add(t, through, affine(t, centred, vector(scale(t, slice(t, dSeen, 1, 1, 2), 2 / plane)), none));
        return { inputs: [reshape(t, whole, output)], weights: { kernel } };
      },
    };
  },
  label: ({ statistics, excitation }) => `ECA ${statistics}, ${excitation}`,
};
