/**
 * MobileNetV2 (Sandler et al., CVPR 2018, Table 2): seven stages of inverted residuals with linear bottlenecks, ReLU6. The width multiplier
 * rounds channels to multiples of 8 and leaves the last convolution at 1280 where it is below 1 (§ 6.1). Expansion factors and depths of
 * the stages are free; the paper's are 6 and 2, 3, 4, 3, 3, 1.
 */
import type { DecodeContext, Family } from './family.js';
import { invertedResidual } from './inverted-residual.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STEM_CHANNELS = 32;
const FIRST_OUTPUT = 16;
const LAST_CHANNELS = 1280;
const BN_EPSILON = 1e-3;
/** stages 2 to 7: channels, stride of the first block */
const STAGES = [[24, 2], [32, 2], [64, 2], [96, 1], [160, 2], [320, 1]] as const;
const NUMBERS = STAGES.map((_, s) => s + 2);

export const mobileNetV2: Family = {
  name: 'mobilenet-v2',
  parameters: ['width', 'resolution', ...NUMBERS.map((n) => `depth${n}`), ...NUMBERS.map((n) => `expansion${n}`)],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const width = point.number('width', 0.05, 4);
    const resolution = point.integer('resolution', 16, 2048);
    const depths = NUMBERS.map((n) => point.integer(`depth${n}`, 1, 16));
    const expansions = NUMBERS.map((n) => point.integer(`expansion${n}`, 1, 16));

    const net = network('mobilenet-v2', { epsilon: BN_EPSILON, padding: 'same' });
    let x = net.input(task.inputChannels, resolution);
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STEM_CHANNELS), { kernel: 3, stride: 2 }), 'relu6');
    net.begin('stage1.block1');
    x = invertedResidual(net, x, { expanded: x.channels, output: roundChannels(width, FIRST_OUTPUT), kernel: 3, stride: 1, activation: 'relu6' });
    STAGES.forEach(([channels, stride], s) => {
      for (let b = 0; b < depths[s]!; b++) {
        net.begin(`stage${s + 2}.block${b + 1}`);
        x = invertedResidual(net, x, { expanded: x.channels * expansions[s]!, output: roundChannels(width, channels), kernel: 3, stride: b === 0 ? stride : 1, activation: 'relu6' });
      }
    });
    net.begin('head');
    const last = net.activation('act', net.convBn('conv', x, roundChannels(Math.max(1, width), LAST_CHANNELS)), 'relu6');
    return net.finish(net.linear('classifier', net.globalPool('pool', last), task.numClasses));
  },
};
