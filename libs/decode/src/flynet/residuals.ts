/** Shortcuts of FlyNet: across a block (low-dimensional) and between expanded tensors (high-dimensional). Thesis, eq. 8.4. */
import type { Feature, NetworkBuilder } from '../network-builder.js';

export const LOW_RESIDUALS = ['none', 'default', 'conv3x3', 'dw-pw', 'mdw-concat'] as const;
export const HIGH_RESIDUALS = ['none', 'crop-pad', 'mdw-concat'] as const;
export type LowResidual = (typeof LOW_RESIDUALS)[number];
export type HighResidual = (typeof HIGH_RESIDUALS)[number];

/** The shortcut from a block's input x to its output y at the given stride, added to y; y itself if there is none. */
export function addLowResidual(net: NetworkBuilder, kind: LowResidual, x: Feature, y: Feature, stride: number): Feature {
  if (kind === 'none') return y;
  const plain = x.channels === y.channels && stride === 1;
  if (kind === 'default' && !plain) return y;
  return net.add('low', y, plain ? x : lowBridge(net, kind, x, y.channels, stride));
}

function lowBridge(net: NetworkBuilder, kind: LowResidual, x: Feature, channels: number, stride: number): Feature {
  if (kind === 'conv3x3') return net.convBn('lowConv', x, channels, { kernel: 3, stride });
  if (kind === 'dw-pw') return net.convBn('lowPw', net.convBn('lowDw', x, x.channels, { kernel: 3, stride, groups: x.channels }), channels);
  return mdwConcat(net, 'low', x, channels, stride);
}

/** The shortcut from the previous expanded tensor onto this one. */
export function addHighResidual(net: NetworkBuilder, kind: HighResidual, previous: Feature | null, x: Feature, stride: number): Feature {
  if (kind === 'none' || previous === null) return x;
  if (kind === 'mdw-concat') return net.add('high', x, mdwConcat(net, 'high', previous, x.channels, stride));
  if (stride !== 1) return x;
  const kept = net.firstChannels('highCrop', previous, Math.min(previous.channels, x.channels));
  return net.add('high', x, net.padChannels('highPad', kept, x.channels));
}

/**
 * x's first channels, then new ones made from it by a 3×3 depthwise convolution, `channels` in all. At stride 2 the kept channels go
 * through a depthwise convolution too. Where more than twice x's channels are due, each channel gets the same number of heads and the
 * surplus at the end is cut off.
 */
function mdwConcat(net: NetworkBuilder, part: string, x: Feature, channels: number, stride: number): Feature {
  const depthwise = (name: string, input: Feature, heads = 1): Feature => net.convBn(name, input, input.channels * heads, { kernel: 3, stride, groups: input.channels });
  const kept = net.firstChannels(`${part}Kept`, x, Math.min(x.channels, channels));
  const bridged = stride === 1 ? kept : depthwise(`${part}KeptDw`, kept);
  const extra = channels - x.channels;
  if (extra <= 0) return bridged;
  const filled = extra <= x.channels
    ? depthwise(`${part}FillDw`, net.firstChannels(`${part}Fill`, x, extra))
    : depthwise(`${part}FillDw`, x, Math.ceil(extra / x.channels));
  return net.firstChannels(`${part}Cut`, net.concat(`${part}Concat`, [bridged, filled]), channels);
}
