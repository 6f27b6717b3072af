/**
 * Small residual networks for small images (He et al., CVPR 2016, § 4.2): a 3×3 stem, three stages at 16, 32, 64 channels of basic blocks,
 * mean over the map. One block a stage is ResNet-8, MLPerf Tiny's image classifier; n blocks a stage are ResNet-(6n + 2). Where the shape
 * changes, the shortcut is a biased 1×1 convolution without batch norm, as in MLPerf Tiny's reference model.
 */
import type { DecodeContext, Family } from './family.js';
import type { NetworkBuilder, Feature } from './network-builder.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STAGE_CHANNELS = [16, 32, 64] as const;
const BN_EPSILON = 1e-3;

export const resnet8: Family = {
  name: 'resnet-8',
  parameters: ['width', 'resolution', ...STAGE_CHANNELS.map((_, s) => `depth${s + 1}`)],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const width = point.number('width', 0.05, 16);
    const net = network('resnet-8', { epsilon: BN_EPSILON, padding: 'same' });
    let x = net.input(task.inputChannels, point.integer('resolution', 8, 1024));
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, roundChannels(width, STAGE_CHANNELS[0]), { kernel: 3 }), 'relu');
    STAGE_CHANNELS.forEach((channels, s) => {
      for (let b = 1; b <= point.integer(`depth${s + 1}`, 1, 64); b++) {
        net.begin(`stage${s + 1}.block${b}`);
        x = basicBlock(net, x, roundChannels(width, channels), s > 0 && b === 1 ? 2 : 1);
      }
    });
    net.begin('head');
    return net.finish(net.linear('classifier', net.globalPool('pool', x), task.numClasses));
  },
};

function basicBlock(net: NetworkBuilder, x: Feature, channels: number, stride: number): Feature {
  const first = net.activation('act1', net.convBn('conv1', x, channels, { kernel: 3, stride }), 'relu');
  const second = net.convBn('conv2', first, channels, { kernel: 3 });
  const shortcut = stride === 1 && channels === x.channels ? x : net.conv('shortcut', x, channels, { stride, bias: true });
  return net.activation('act2', net.add('add', second, shortcut), 'relu');
}
