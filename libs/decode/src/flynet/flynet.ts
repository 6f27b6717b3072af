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
import type { Graph, OpAttrs } from '@app/graph';
import type { DecodeContext, Family } from '../family.js';
import { NetworkBuilder, type Feature } from '../network-builder.js';
import type { PointReader } from '../readers.js';
import { roundChannels } from '../round-channels.js';
import { HIDDEN_FEATURES, LAST_EXPANSION, STAGES, STEM_CHANNELS, stageBlocks, type BaseBlock } from './layout.js';
import { addHighResidual, addLowResidual, HIGH_RESIDUALS, LOW_RESIDUALS, type HighResidual, type LowResidual } from './residuals.js';

const ATTENTION_KERNEL = 7;
const BN_EPSILON = 1e-3;
export const NO_NOISE = 2 ** 32;
const PER_STAGE = ['depth', 'heads', 'kernel', 'noise'] as const;

export const flynet: Family = {
  name: 'flynet',
  parameters: [
    'width', 'resolution', 'reduction', 'attentionStatistics', 'excitation', 'lowResidual', 'highResidual', 'noiseHead',
    ...PER_STAGE.flatMap((name) => STAGES.map((_, s) => `${name}${s + 1}`)),
  ],
  settings: ['temperature'],
  decode: decodeFlynet,
};

interface Style {
  readonly width: number;
  readonly reduction: OpAttrs['headReduce']['reduction'];
  readonly statistics: OpAttrs['channelAttention']['statistics'];
  readonly excitation: OpAttrs['channelAttention']['excitation'];
  readonly temperature: number;
  readonly low: LowResidual;
  readonly high: HighResidual;
}

interface StageShape {
  readonly depth: number;
  readonly heads: number;
  readonly kernel: number;
  readonly noise: number;
}

function decodeFlynet(point: PointReader, { task, settings }: DecodeContext): Graph {
  const style: Style = {
    width: point.number('width', 0.05, 4),
    reduction: point.choice('reduction', ['maxout', 'sum-relu', 'funnel']),
    statistics: point.choice('attentionStatistics', ['mean', 'mean-variance']),
    excitation: point.choice('excitation', ['sigmoid', 'softmax']),
    temperature: settings.number('temperature', 1e-3, 1e3, 1),
    low: point.choice('lowResidual', LOW_RESIDUALS),
    high: point.choice('highResidual', HIGH_RESIDUALS),
  };
  const resolution = point.integer('resolution', 8, 2048);
  const stages = STAGES.map((_, s): StageShape => ({
    depth: point.integer(`depth${s + 1}`, 1, 16),
    heads: point.integer(`heads${s + 1}`, 1, 16),
    kernel: point.choice(`kernel${s + 1}`, [3, 5, 7]),
    noise: point.integer(`noise${s + 1}`, 2, NO_NOISE),
  }));
  const noiseHead = point.integer('noiseHead', 2, NO_NOISE);

  const net = new NetworkBuilder('flynet', { epsilon: BN_EPSILON });
  let x = net.input(task.inputChannels, resolution);
  net.begin('stem');
  x = net.activation('act', net.convBn('conv', x, roundChannels(style.width, STEM_CHANNELS), { kernel: 3, stride: 2 }), 'hswish');

  let number = 0;
  let expanded: Feature | null = null;
  stages.forEach((shape, s) => {
    for (const base of stageBlocks(s, shape.depth)) {
      net.begin(`block${++number}`);
      ({ output: x, expanded } = block(net, style, shape, base, x, expanded));
    }
    if (shape.noise < NO_NOISE) x = net.quantizationNoise('noise', x, shape.noise);
  });

  net.begin('head');
  const last = net.convBn('conv', x, LAST_EXPANSION * roundChannels(style.width, STAGES.at(-1)!.at(-1)!.output));
  const pooled = net.globalPool('pool', net.activation('act', last, 'hswish'));
  const hidden = net.activation('hiddenAct', net.linear('hidden', pooled, roundChannels(style.width, HIDDEN_FEATURES)), 'hswish');
  const regularised = noiseHead < NO_NOISE ? net.quantizationNoise('noise', hidden, noiseHead) : hidden;
  return net.finish(net.linear('classifier', regularised, task.numClasses));
}

function block(net: NetworkBuilder, style: Style, { heads, kernel }: StageShape, base: BaseBlock, x: Feature, previous: Feature | null): { output: Feature; expanded: Feature } {
  const { stride } = base;
  const expansion = roundChannels(style.width, base.expansion);
  const gate = (part: string, input: Feature): Feature => attention(net, style, part, input, 'sigmoid', 1);

  let wide = x;
  if (expansion !== x.channels) {
    wide = gate('expandEca', net.activation('expandAct', net.convBn('expand', x, expansion), base.activation));
  }
  const headed = attention(net, style, 'mdwEca', net.convBn('mdw', wide, expansion * heads, { kernel, stride, groups: expansion }), style.excitation, heads);
  const unheaded = style.reduction !== 'funnel' ? undefined : stride === 1 ? wide : net.maxPool('funnelSample', wide, 1, stride);
  const reduced = gate('reduceEca', net.batchNorm('reduceBn', net.headReduce('reduce', headed, heads, style.reduction, unheaded)));
  const expanded = addHighResidual(net, style.high, previous, reduced, stride);
  const projected = gate('projectEca', net.convBn('project', expanded, roundChannels(style.width, base.output)));
  return { output: addLowResidual(net, style.low, x, projected, stride), expanded };
}

function attention(net: NetworkBuilder, style: Style, part: string, x: Feature, excitation: Style['excitation'], heads: number): Feature {
  return net.channelAttention(part, x, { kernel: ATTENTION_KERNEL, statistics: style.statistics, excitation, heads, temperature: style.temperature });
}
