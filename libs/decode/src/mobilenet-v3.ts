/**
 * MobileNetV3 (Howard et al., ICCV 2019, Tables 1 and 2), large and small: inverted residuals with 3×3 and 5×5 kernels, hard swish and
 * squeeze-and-excitation to a quarter of the expanded channels. Kernel 3 everywhere, ReLU and no excitation together are the authors'
 * "minimalistic" models. Channels to multiples of 8; the hidden layer of the classifier grows with a width above 1 and stays as it is
 * below, which their counts show (2.0 M parameters of small at 0.75).
 */
import type { ActivationFn } from '@app/graph';
import type { DecodeContext, Family } from './family.js';
import { invertedResidual } from './inverted-residual.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const SIZES = ['small', 'large'] as const;
const STEM_CHANNELS = 16;
const BN_EPSILON = 1e-3;
const SQUEEZE = 0.25;
/** the last convolution has as many channels as the last block expands to */
const LAST_EXPANSION = 6;

/** kernel, expanded channels, output channels, squeeze-and-excitation, hard swish, stride */
type Row = readonly [3 | 5, number, number, boolean, boolean, 1 | 2];

const ROWS: Readonly<Record<(typeof SIZES)[number], readonly Row[]>> = {
  small: [
    [3, 16, 16, true, false, 2], [3, 72, 24, false, false, 2], [3, 88, 24, false, false, 1], [5, 96, 40, true, true, 2], [5, 240, 40, true, true, 1], [5, 240, 40, true, true, 1],
    [5, 120, 48, true, true, 1], [5, 144, 48, true, true, 1], [5, 288, 96, true, true, 2], [5, 576, 96, true, true, 1], [5, 576, 96, true, true, 1],
  ],
  large: [
    [3, 16, 16, false, false, 1], [3, 64, 24, false, false, 2], [3, 72, 24, false, false, 1], [5, 72, 40, true, false, 2], [5, 120, 40, true, false, 1], [5, 120, 40, true, false, 1],
    [3, 240, 80, false, true, 2], [3, 200, 80, false, true, 1], [3, 184, 80, false, true, 1], [3, 184, 80, false, true, 1], [3, 480, 112, true, true, 1], [3, 672, 112, true, true, 1],
    [5, 672, 160, true, true, 2], [5, 960, 160, true, true, 1], [5, 960, 160, true, true, 1],
  ],
};
const HIDDEN = { small: 1024, large: 1280 } as const;

export const mobileNetV3: Family = {
  name: 'mobilenet-v3',
  parameters: ['size', 'width', 'resolution', 'kernel', 'squeezeExcite', 'activation'],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const size = point.choice('size', SIZES);
    const width = point.number('width', 0.05, 4);
    const resolution = point.integer('resolution', 16, 2048);
    const largest = point.choice('kernel', [3, 5]);
    const excited = point.choice('squeezeExcite', ['none', 'quarter']) === 'quarter';
    const smooth: ActivationFn = point.choice('activation', ['relu', 'hswish']);

    const net = network('mobilenet-v3', { epsilon: BN_EPSILON, padding: 'same' });
    let x = net.input(task.inputChannels, resolution);
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STEM_CHANNELS), { kernel: 3, stride: 2 }), smooth);
    ROWS[size].forEach(([kernel, expansion, output, excite, swish, stride], i) => {
      net.begin(`block${i + 1}`);
      const expanded = roundChannels(width, expansion);
      x = invertedResidual(net, x, {
        expanded, output: roundChannels(width, output), kernel: Math.min(kernel, largest), stride, activation: swish ? smooth : 'relu', squeeze: excite && excited ? roundChannels(SQUEEZE, expanded) : null,
      });
    });
    net.begin('head');
    const last = net.activation('act', net.convBn('conv', x, LAST_EXPANSION * x.channels), smooth);
    const hidden = net.activation('hiddenAct', net.linear('hidden', net.globalPool('pool', last), roundChannels(Math.max(1, width), HIDDEN[size])), smooth);
    return net.finish(net.linear('classifier', hidden, task.numClasses));
  },
};
