import type { ActivationFn } from '@app/graph';
import type { Feature, NetworkBuilder } from './network-builder.js';

export interface InvertedResidual {
  /** channels of the expanded tensor; where the input has as many, there is no expansion */
  readonly expanded: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: ActivationFn;
  /** channels that squeeze-and-excitation keeps; null: none */
  readonly squeeze?: number | null;
}

/**
 * Expansion 1×1, depthwise k×k, projection 1×1, each with batch norm, the first two with an activation; the input added where stride and
 * channels allow. Sandler et al., MobileNetV2, CVPR 2018, § 3.3.
 */
export function invertedResidual(net: NetworkBuilder, x: Feature, { expanded, output, kernel, stride, activation, squeeze = null }: InvertedResidual): Feature {
  const wide = expanded === x.channels ? x : net.activation('expandAct', net.convBn('expand', x, expanded), activation);
  const filtered = net.activation('dwAct', net.convBn('dw', wide, expanded, { kernel, stride, groups: expanded }), activation);
  const gated = squeeze === null ? filtered : squeezeExcite(net, filtered, squeeze);
  const projected = net.convBn('project', gated, output);
  return stride === 1 && output === x.channels ? net.add('add', projected, x) : projected;
}

/** A gate per channel from the mean of its map: two biased 1×1 convolutions, ReLU and hard sigmoid (Howard et al., MobileNetV3, ICCV 2019, § 5.3). */
export function squeezeExcite(net: NetworkBuilder, x: Feature, kept: number): Feature {
  const seen = net.mapMean('seMean', x);
  const squeezed = net.activation('seAct', net.conv('seSqueeze', seen, kept, { bias: true }), 'relu');
  const gate = net.activation('seGate', net.conv('seExcite', squeezed, x.channels, { bias: true }), 'hsigmoid');
  return net.mul('se', x, gate);
}
