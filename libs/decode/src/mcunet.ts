/**
 * Inverted bottlenecks for microcontrollers as MCUNet searches them (Lin et al., NeurIPS 2020, § 3.1): width multiplier, resolution, and
 * for every block its kernel and expansion, for every stage its depth. The backbone is ProxylessNAS-mobile's (Cai et al., ICLR 2019):
 * stages of 24, 40, 80, 96, 192 channels of at most four blocks and a last block of 320, no convolution behind it, ReLU6. All five released
 * ImageNet networks of MCUNet are points of it, at widths 0.5, 0.6 and 1.
 */
import type { DecodeContext, Family } from './family.js';
import { invertedResidual } from './inverted-residual.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STEM_CHANNELS = 32;
const FIRST_OUTPUT = 16;
/** channels, stride of the first block */
const STAGES = [[24, 2], [40, 2], [80, 2], [96, 1], [192, 2]] as const;
const LAST_OUTPUT = 320;
const LARGEST_DEPTH = 4;
const STAGE_NUMBERS = STAGES.map((_, s) => s + 1);
/** `1_1` … `5_4`, then the last block */
const BLOCKS = [...STAGE_NUMBERS.flatMap((s) => Array.from({ length: LARGEST_DEPTH }, (_, b) => `${s}_${b + 1}`)), 'Last'];

export const mcuNet: Family = {
  name: 'mcunet',
  parameters: ['width', 'resolution', ...STAGE_NUMBERS.map((s) => `depth${s}`), ...BLOCKS.map((b) => `kernel${b}`), ...BLOCKS.map((b) => `expansion${b}`)],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const width = point.number('width', 0.05, 4);
    const resolution = point.integer('resolution', 16, 2048);
    const net = network('mcunet');
    let x = net.input(task.inputChannels, resolution);
    const block = (name: string, output: number, stride: number): void => {
      const expanded = x.channels * point.integer(`expansion${name}`, 1, 16);
      x = invertedResidual(net, x, { expanded, output: roundChannels(width, output), kernel: point.choice(`kernel${name}`, [3, 5, 7]), stride, activation: 'relu6' });
    };

    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STEM_CHANNELS), { kernel: 3, stride: 2 }), 'relu6');
    net.begin('stage0.block1');
    x = invertedResidual(net, x, { expanded: x.channels, output: roundChannels(width, FIRST_OUTPUT), kernel: 3, stride: 1, activation: 'relu6' });
    STAGES.forEach(([channels, stride], s) => {
      for (let b = 1; b <= point.integer(`depth${s + 1}`, 1, LARGEST_DEPTH); b++) {
        net.begin(`stage${s + 1}.block${b}`);
        block(`${s + 1}_${b}`, channels, b === 1 ? stride : 1);
      }
    });
    net.begin('last');
    block('Last', LAST_OUTPUT, 1);
    net.begin('head');
    return net.finish(net.linear('classifier', net.globalPool('pool', x), task.numClasses));
  },
};
