/**
 * MnasNet-B1 (Tan et al., CVPR 2019, Table 1: the network without squeeze-and-excitation): a separable convolution and six stages of
 * inverted residuals, whose kernel, expansion and depth are free, as in the paper's factorised search space (§ 4.1). The width multiplier
 * rounds to multiples of 8; the last convolution keeps its 1280 channels at every width.
 */
import type { DecodeContext, Family } from './family.js';
import { invertedResidual } from './inverted-residual.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STEM_CHANNELS = 32;
const FIRST_OUTPUT = 16;
const LAST_CHANNELS = 1280;
/** stages 2 to 7: channels, stride of the first block */
const STAGES = [[24, 2], [40, 2], [80, 2], [96, 1], [192, 2], [320, 1]] as const;
const NUMBERS = STAGES.map((_, s) => s + 2);

export const mnasNet: Family = {
  name: 'mnasnet',
  parameters: ['width', 'resolution', ...(['depth', 'kernel', 'expansion'] as const).flatMap((name) => NUMBERS.map((n) => `${name}${n}`))],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const width = point.number('width', 0.05, 4);
    const resolution = point.integer('resolution', 16, 2048);
    const stages = NUMBERS.map((n) => ({ depth: point.integer(`depth${n}`, 1, 16), kernel: point.choice(`kernel${n}`, [3, 5, 7]), expansion: point.integer(`expansion${n}`, 1, 16) }));

    const net = network('mnasnet', { padding: 'same' });
    let x = net.input(task.inputChannels, resolution);
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STEM_CHANNELS), { kernel: 3, stride: 2 }), 'relu');
    net.begin('stage1.block1');
    x = invertedResidual(net, x, { expanded: x.channels, output: roundChannels(width, FIRST_OUTPUT), kernel: 3, stride: 1, activation: 'relu' });
    STAGES.forEach(([channels, stride], s) => {
      const { depth, kernel, expansion } = stages[s]!;
      for (let b = 0; b < depth; b++) {
        net.begin(`stage${s + 2}.block${b + 1}`);
        x = invertedResidual(net, x, { expanded: x.channels * expansion, output: roundChannels(width, channels), kernel, stride: b === 0 ? stride : 1, activation: 'relu' });
      }
    });
    net.begin('head');
    const last = net.activation('act', net.convBn('conv', x, LAST_CHANNELS), 'relu');
    return net.finish(net.linear('classifier', net.globalPool('pool', last), task.numClasses));
  },
};
