import { OpFault } from '../errors.js';
import { UNARY, singleNode, weightInitializer, type OpDefinition } from '../op.js';
import { elements, expectInt, expectRank, slide, tensor } from '../shape.js';
import type { OpAttrs, Shape } from '../types.js';
import { add, reshape } from '../tape/arithmetic.js';
import { channelSum, convolution } from '../tape/convolution.js';

function weightShape(attrs: OpAttrs['conv2d'], x: Shape): Shape {
  return [attrs.outChannels, x[1]! / attrs.groups, attrs.kernel[0], attrs.kernel[1]];
}

/**
 * Grouped 2-D cross-correlation, x [N, C, H, W] with weight [O, C/groups, kh, kw] and bias [O].
 * Depthwise: groups = C. Multihead depthwise (MDW, thesis 8.4.2): groups = C, O = C·heads, head j of channel i at i·heads + j.
 */
export const conv2d: OpDefinition<'conv2d'> = {
  arity: UNARY,
  inferShape: (attrs, [x]) => {
    expectRank(x!, 4, '[N, C, H, W]');
    expectInt('outChannels', attrs.outChannels, 1);
    expectInt('groups', attrs.groups, 1);
    const channels = x![1]!;
    if (channels % attrs.groups !== 0) throw new OpFault(`expected input channels divisible by ${attrs.groups} groups, got ${channels}`);
    if (attrs.outChannels % attrs.groups !== 0) throw new OpFault(`expected output channels divisible by ${attrs.groups} groups, got ${attrs.outChannels}`);
    const [h, w] = slide(attrs, x![2]!, x![3]!);
    return [x![0]!, attrs.outChannels, h, w];
  },
  weights: (attrs, [x]) => {
    const shape = weightShape(attrs, x!);
    const fanIn = elements(shape.slice(1));
    const weight = { name: 'weight', shape, trainable: true, init: 'kaiming-normal', fanIn } as const;
    return attrs.bias ? [weight, { name: 'bias', shape: [attrs.outChannels], trainable: true, init: 'zeros', fanIn }] : [weight];
  },
  work: (attrs, [x], output) => {
    const macs = elements(output) * elements(weightShape(attrs, x!).slice(1));
    return { macs, elementOps: 0, madds: macs };
  },
  evaluate: (attrs, [x], weights, output) => {
    const [n, outChannels, oh, ow] = output as [number, number, number, number];
    const [, channels, ih, iw] = x!.shape as [number, number, number, number];
    const [kh, kw] = attrs.kernel;
    const [sh, sw] = attrs.stride;
    const [dh, dw] = attrs.dilation;
    const [top, left] = attrs.padding;
    const perGroup = channels / attrs.groups;
    const outPerGroup = outChannels / attrs.groups;
    const weight = weights['weight']!.data;
    const bias = attrs.bias ? weights['bias']!.data : null;
    const y = tensor(output);
    const plane = new Float64Array(oh * ow);
    for (let b = 0; b < n; b++) {
      for (let o = 0; o < outChannels; o++) {
        plane.fill(bias === null ? 0 : bias[o]!);
        const firstChannel = Math.floor(o / outPerGroup) * perGroup;
        for (let c = 0; c < perGroup; c++) {
          const from = (b * channels + firstChannel + c) * ih * iw;
          for (let ky = 0; ky < kh; ky++) {
            for (let kx = 0; kx < kw; kx++) {
              const tap = weight[((o * perGroup + c) * kh + ky) * kw + kx]!;
              const shift = kx * dw - left;
              const first = Math.max(0, Math.ceil(-shift / sw));
              const last = Math.min(ow - 1, Math.floor((iw - 1 - shift) / sw));
              for (let r = 0; r < oh; r++) {
                const row = r * sh + ky * dh - top;
                if (row < 0 || row >= ih) continue;
                const source = from + row * iw + shift;
                const target = r * ow;
                for (let q = first; q <= last; q++) plane[target + q]! += tap * x!.data[source + q * sw]!;
              }
            }
          }
        }
        y.data.set(plane, (b * outChannels + o) * oh * ow);
      }
    }
    return y;
  },
  onnx: (site) =>
    singleNode(
      site,
      'Conv',
      {
        kernel_shape: { ints: site.attrs.kernel },
        strides: { ints: site.attrs.stride },
        pads: { ints: site.attrs.padding },
        dilations: { ints: site.attrs.dilation },
        group: { int: site.attrs.groups },
      },
      (site.attrs.bias ? ['weight', 'bias'] : ['weight']).map((name) => weightInitializer(site.id, name, site.weights)),
    ),
  differentiate: ({ tape, attrs, inputs: [x], weights, output }) => {
    const { output: y, inputGradient, weightGradient } = convolution(tape, attrs, x!, weights['weight']!, output);
    const bias = attrs.bias ? reshape(tape, weights['bias']!, [1, attrs.outChannels, 1, 1]) : null;
    return {
      output: bias === null ? y : add(tape, y, bias),
      backward: (dy) => ({
        inputs: [inputGradient(dy)],
        weights: { weight: weightGradient(dy), ...(attrs.bias ? { bias: channelSum(tape, dy) } : {}) },
      }),
    };
  },
  label: ({ kernel, stride, groups, outChannels, dilation }) => {
    const size = `${kernel[0]}×${kernel[1]}`;
    const step = stride[0] === 1 && stride[1] === 1 ? '' : stride[0] === stride[1] ? ` s${stride[0]}` : ` s${stride[0]}×${stride[1]}`;
    const spread = dilation[0] === 1 && dilation[1] === 1 ? '' : ` d${dilation[0]}×${dilation[1]}`;
    return `conv ${size}${step}${spread}${groups > 1 ? ` g${groups}` : ''}, ${outChannels}`;
  },
};
