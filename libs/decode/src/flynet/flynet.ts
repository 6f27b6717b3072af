/**
 * FlyNet: MobileNetV3-Small whose depthwise convolutions have several heads a channel (MDW), reduced by Max-out, with attention that
 * sees mean and variance, and light residuals. Luis Guerra, thesis, ch. 8; places of batch norm and attention fixed by fitting its
 * count tables (8.2–8.5).
 *
 * Block, input c channels, expansion e, output o: 1×1 c→e, BN, activation, attention (left out where e = c) · k×k MDW, e·h channels,
 * BN, attention over the heads · reduction to e, BN, attention, high residual · 1×1 e→o, BN, attention, low residual.
 *
 * Departures, nothing published deciding them: Funnel at stride 2 compares with every second position of its input; quantisation
 * noise of a stage acts on the stage's output; a setting of 2^32 levels leaves the node out.
 */
import type { DecodeContext, Family } from '../family.js';
import type { Feature } from '../network-builder.js';
import type { PointReader } from '../readers.js';
import { block, BN_EPSILON, head, stem } from './blocks.js';
import { NO_NOISE, PARAMETERS, readGenes } from './genes.js';
import { blockAt } from './layout.js';

export const flynet: Family = { name: 'flynet', parameters: PARAMETERS, settings: ['temperature'], decode: decodeFlynet };

function decodeFlynet<T>(point: PointReader, { task, settings, network }: DecodeContext<T>): T {
  const { style, resolution, stages, noiseHead } = readGenes(point, settings);
  const net = network('flynet', { epsilon: BN_EPSILON });
  let x = net.input(task.inputChannels, resolution);
  net.begin('stem');
  x = stem(net, style, x);
  let number = 0;
  let expanded: Feature | null = null;
  stages.forEach((shape, s) => {
    for (let i = 0; i < shape.depth; i++) {
      net.begin(`block${++number}`);
      ({ output: x, expanded } = block(net, style, shape, blockAt(s, i), x, expanded));
    }
    if (shape.noise < NO_NOISE) x = net.quantizationNoise('noise', x, shape.noise);
  });
  net.begin('head');
  return net.finish(head(net, style, x, task.numClasses, (hidden) => (noiseHead < NO_NOISE ? net.quantizationNoise('noise', hidden, noiseHead) : hidden)));
}
