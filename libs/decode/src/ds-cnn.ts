/**
 * DS-CNN for keyword spotting (Zhang et al., Hello Edge, 2017, § 4.6): a map of audio features, frames down and coefficients across; a
 * first convolution whose kernel and stride are not square; depthwise separable 3×3 blocks, the first of which may have stride 2; mean over
 * the map. Every convolution has batch norm and ReLU. Blocks of different widths are MicroNet-KWS (Banbury et al., MLSys 2021, Table 5);
 * the default point is MLPerf Tiny's reference model.
 */
import type { DecodeContext, Family } from './family.js';
import type { PointReader } from './readers.js';

const LARGEST_BLOCKS = 8;
const BLOCK_NUMBERS = Array.from({ length: LARGEST_BLOCKS }, (_, b) => b + 1);
const BN_EPSILON = 1e-3;

export const dsCnn: Family = {
  name: 'ds-cnn',
  parameters: ['frames', 'coefficients', 'kernelTime', 'kernelFrequency', 'strideTime', 'strideFrequency', 'stemChannels', 'blocks', 'firstStride', ...BLOCK_NUMBERS.map((b) => `channels${b}`)],
  settings: [],
  decode<T>(point: PointReader, { task, network }: DecodeContext<T>): T {
    const frames = point.integer('frames', 4, 4096);
    const coefficients = point.integer('coefficients', 1, 512);
    const kernel = [point.integer('kernelTime', 1, 64), point.integer('kernelFrequency', 1, 64)] as const;
    const stride = [point.integer('strideTime', 1, 8), point.integer('strideFrequency', 1, 8)] as const;
    const firstStride = point.integer('firstStride', 1, 4);

    const net = network('ds-cnn', { epsilon: BN_EPSILON, padding: 'same' });
    let x = net.input(task.inputChannels, frames, coefficients);
    net.begin('stem');
    x = net.activation('act', net.convBn('conv', x, point.integer('stemChannels', 1, 4096), { kernel, stride }), 'relu');
    for (let b = 1; b <= point.integer('blocks', 1, LARGEST_BLOCKS); b++) {
      net.begin(`block${b}`);
      x = net.activation('dwAct', net.convBn('dw', x, x.channels, { kernel: 3, stride: b === 1 ? firstStride : 1, groups: x.channels }), 'relu');
      x = net.activation('pwAct', net.convBn('pw', x, point.integer(`channels${b}`, 1, 4096)), 'relu');
    }
    net.begin('head');
    return net.finish(net.linear('classifier', net.globalPool('pool', x), task.numClasses));
  },
};
