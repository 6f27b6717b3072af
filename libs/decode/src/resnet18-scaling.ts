/**
 * ResNet-18 scaled in depth, width and resolution, the space of Lakhmiri et al., "Scaling Deep Networks with the Mesh Adaptive Direct
 * Search algorithm" (2023). The base network is He et al., CVPR 2016, Table 1: stem 7×7/2, max pool 3×3/2, four stages of two basic
 * blocks at 64, 128, 256, 512 channels.
 *
 * How multipliers become integers (the paper prints no rule; ours leaves no two steps of an eighth with the same network):
 * - depth d: round(8d) basic blocks, at least one a stage, dealt out evenly; a remainder goes to stages 3, 2, 4 in that order, the
 *   middle first as in ResNet-34. Below 0.5 every d gives one block a stage.
 * - width w: channels · w to a multiple of 8.
 * - resolution r: side 4 · round(56 r), so that r = 1 is 224 and an eighth is 28.
 */
import type { DecodeContext, Family } from './family.js';
import type { NetworkBuilder, Feature } from './network-builder.js';
import type { PointReader } from './readers.js';
import { roundChannels } from './round-channels.js';

const STAGE_CHANNELS = [64, 128, 256, 512] as const;
const REMAINDER_ORDER = [2, 1, 3] as const;
const BASE_BLOCKS = 8;
const MIN = 0.25;
const MAX = 2.5;

export const resnet18Scaling: Family = {
  name: 'resnet18-scaling',
  parameters: ['depth', 'width', 'resolution'],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const depths = stageDepths(point.number('depth', MIN, MAX));
    const width = point.number('width', MIN, MAX);
    const side = 4 * Math.round(56 * point.number('resolution', MIN, MAX));

    const net = network('resnet18-scaling');
    let x = net.input(task.inputChannels, side);
    net.begin('stem');
    x = net.convBn('conv', x, roundChannels(width, STAGE_CHANNELS[0]), { kernel: 7, stride: 2 });
    x = net.maxPool('pool', net.activation('act', x, 'relu'), 3, 2);
    STAGE_CHANNELS.forEach((channels, s) => {
      for (let b = 0; b < depths[s]!; b++) {
        net.begin(`stage${s + 1}.block${b + 1}`);
        x = basicBlock(net, x, roundChannels(width, channels), s > 0 && b === 0 ? 2 : 1);
      }
    });
    net.begin('head');
    return net.finish(net.linear('classifier', net.globalPool('pool', x), task.numClasses));
  },
};

/** Basic blocks of the four stages at a depth multiplier. */
export function stageDepths(depth: number): [number, number, number, number] {
  const total = Math.max(STAGE_CHANNELS.length, Math.round(BASE_BLOCKS * depth));
  const each = Math.floor(total / STAGE_CHANNELS.length);
  const depths: [number, number, number, number] = [each, each, each, each];
  for (const stage of REMAINDER_ORDER.slice(0, total % STAGE_CHANNELS.length)) depths[stage]++;
  return depths;
}

function basicBlock(net: NetworkBuilder, x: Feature, channels: number, stride: number): Feature {
  const first = net.activation('act1', net.convBn('conv1', x, channels, { kernel: 3, stride }), 'relu');
  const second = net.convBn('conv2', first, channels, { kernel: 3 });
  const shortcut = stride === 1 && channels === x.channels ? x : net.convBn('shortcut', x, channels, { stride });
  return net.activation('act2', net.add('add', second, shortcut), 'relu');
}
