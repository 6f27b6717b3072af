/**
 * FBNet (Wu et al., CVPR 2019, Tables 1 and 2): 22 blocks, each one of eight inverted bottlenecks, with or without channel groups, or
 * skipped. Skeleton `imagenet` is the paper's; `cifar` is the one that HW-NAS-Bench (Li et al., ICLR 2021) and HELP (Lee et al., NeurIPS
 * 2021) measure: stem and second stage at stride 1, a last convolution of 1504 channels instead of 1984.
 *
 * A skipped block whose shape changes is a 1×1 convolution. Of two groups, the channels of the expansion are shuffled before the depthwise
 * convolution. A block keeps its first 1×1 convolution at expansion 1 too.
 */
import type { Point } from '@app/space';
import { DecodeError } from './decode-error.js';
import type { DecodeContext, Family } from './family.js';
import type { NetworkBuilder, Feature } from './network-builder.js';
import type { PointReader } from './readers.js';

/** Block values in the order of the code's digits 0 … 8: kernel, expansion, groups. */
export const FBNET_BLOCKS = ['k3_e1', 'k3_e1_g2', 'k3_e3', 'k3_e6', 'k5_e1', 'k5_e1_g2', 'k5_e3', 'k5_e6', 'skip'] as const;
export type FbnetBlock = (typeof FBNET_BLOCKS)[number];

const SHAPES: Readonly<Record<Exclude<FbnetBlock, 'skip'>, { readonly kernel: number; readonly expansion: number; readonly groups: number }>> = {
  k3_e1: { kernel: 3, expansion: 1, groups: 1 }, k3_e1_g2: { kernel: 3, expansion: 1, groups: 2 }, k3_e3: { kernel: 3, expansion: 3, groups: 1 }, k3_e6: { kernel: 3, expansion: 6, groups: 1 },
  k5_e1: { kernel: 5, expansion: 1, groups: 1 }, k5_e1_g2: { kernel: 5, expansion: 1, groups: 2 }, k5_e3: { kernel: 5, expansion: 3, groups: 1 }, k5_e6: { kernel: 5, expansion: 6, groups: 1 },
};

const STEM_CHANNELS = 16;
/** blocks and channels of the stages */
const STAGES = [[1, 16], [4, 24], [4, 32], [4, 64], [4, 112], [4, 184], [1, 352]] as const;
const SKELETONS = {
  imagenet: { stem: 2, strides: [1, 2, 2, 2, 1, 2, 1], last: 1984, resolution: 224 },
  cifar: { stem: 1, strides: [1, 1, 2, 2, 1, 2, 1], last: 1504, resolution: 32 },
} as const;
const BLOCK_NAMES = Array.from({ length: 22 }, (_, i) => `block${i + 1}`);

export const fbnet: Family = {
  name: 'fbnet',
  parameters: BLOCK_NAMES,
  settings: ['skeleton', 'resolution'],
  fromCode: pointFromFbnetCode,
  decode<T>(point: PointReader, { task, settings, network }: DecodeContext<T>): T {
    const chosen = BLOCK_NAMES.map((name) => point.choice(name, FBNET_BLOCKS));
    const skeleton = SKELETONS[settings.choice('skeleton', ['imagenet', 'cifar'], 'imagenet')];
    const net = network('fbnet');
    let x = net.input(task.inputChannels, settings.integer('resolution', 16, 2048, skeleton.resolution));
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, STEM_CHANNELS, { kernel: 3, stride: skeleton.stem }), 'relu');
    let number = 0;
    STAGES.forEach(([blocks, channels], s) => {
      for (let b = 0; b < blocks; b++) {
        net.begin(BLOCK_NAMES[number]!);
        x = blockOf(net, chosen[number++]!, x, channels, b === 0 ? skeleton.strides[s]! : 1);
      }
    });
    net.begin('head');
    const last = net.activation('act', net.convBn('conv', x, skeleton.last), 'relu');
    return net.finish(net.linear('classifier', net.globalPool('pool', last), task.numClasses));
  },
};

function blockOf(net: NetworkBuilder, chosen: FbnetBlock, x: Feature, channels: number, stride: number): Feature {
  const same = stride === 1 && channels === x.channels;
  if (chosen === 'skip') return same ? x : net.activation('skipAct', net.convBn('skip', x, channels, { stride }), 'relu');
  const { kernel, expansion, groups } = SHAPES[chosen];
  const expanded = x.channels * expansion;
  const wide = net.activation('expandAct', net.convBn('expand', x, expanded, { groups }), 'relu');
  const dealt = groups === 1 ? wide : net.shuffle('shuffle', wide, groups);
  const filtered = net.activation('dwAct', net.convBn('dw', dealt, expanded, { kernel, stride, groups: expanded }), 'relu');
  const projected = net.convBn('project', filtered, channels, { groups });
  return same ? net.add('add', projected, x) : projected;
}

/**
 * 22 digits 0 … 8, one a block: the key of HW-NAS-Bench's and HELP's tables.
 * @throws DecodeError if a block is missing or unknown
 */
export function fbnetCode(point: Point): string {
  return BLOCK_NAMES.map((name) => {
    const digit = FBNET_BLOCKS.findIndex((block) => block === point[name]);
    if (digit < 0) throw new DecodeError(name, point[name], `one of ${FBNET_BLOCKS.join(', ')}`);
    return digit;
  }).join('');
}

/** Inverse of `fbnetCode`. @throws DecodeError unless the code is 22 digits 0 … 8 */
export function pointFromFbnetCode(code: string): Point {
  if (!/^[0-8]{22}$/.test(code)) throw new DecodeError('code', code, '22 digits 0 … 8');
  return Object.fromEntries(BLOCK_NAMES.map((name, i) => [name, FBNET_BLOCKS[Number(code[i])]!]));
}
