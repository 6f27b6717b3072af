/**
 * MobileNetV1 (Howard et al., 2017, Table 1): a 3×3 stem and 13 depthwise separable convolutions, every one with batch norm and ReLU6, as
 * the authors' released models have it. Width multiplier α (§ 3.3) to multiples of 8, resolution (§ 3.4), and how many of the five
 * repeated layers at 512 channels there are; none is the "shallow" network of Table 5. The last depthwise layer has stride 1: Table 1
 * prints 2, which its map sizes and the counts of the paper exclude.
 */
import type { DecodeContext, Family } from './family.js';
import type { NetworkBuilder, Feature } from './network-builder.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STEM_CHANNELS = 32;
/** channels and stride before and behind the repeated layers */
const FIRST = [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2]] as const;
const REPEATED = [512, 1] as const;
const LAST = [[1024, 2], [1024, 1]] as const;
const BN_EPSILON = 1e-3;

export const mobileNetV1: Family = {
  name: 'mobilenet-v1',
  parameters: ['width', 'resolution', 'depth'],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const width = point.number('width', 0.05, 4);
    const resolution = point.integer('resolution', 16, 2048);
    const depth = point.integer('depth', 0, 32);

    const net = network('mobilenet-v1', { epsilon: BN_EPSILON, padding: 'same' });
    let x = net.input(task.inputChannels, resolution);
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STEM_CHANNELS), { kernel: 3, stride: 2 }), 'relu6');
    [...FIRST, ...Array.from({ length: depth }, () => REPEATED), ...LAST].forEach(([channels, stride], i) => {
      net.begin(`block${i + 1}`);
      x = separable(net, x, roundChannels(width, channels), stride);
    });
    net.begin('head');
    return net.finish(net.linear('classifier', net.globalPool('pool', x), task.numClasses));
  },
};

function separable(net: NetworkBuilder, x: Feature, channels: number, stride: number): Feature {
  const filtered = net.activation('dwAct', net.convBn('dw', x, x.channels, { kernel: 3, stride, groups: x.channels }), 'relu6');
  return net.activation('pwAct', net.convBn('pw', filtered, channels), 'relu6');
}
