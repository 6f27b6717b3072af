/** What FlyNet is built of: stem, blocks and head. */
import type { Feature, NetworkBuilder } from '../network-builder.js';
import { roundChannels } from '../round-channels.js';
import type { StageShape, Style } from './genes.js';
import { HIDDEN_FEATURES, LAST_EXPANSION, STAGES, STEM_CHANNELS, type BaseBlock } from './layout.js';
import { addHighResidual, addLowResidual } from './residuals.js';

const ATTENTION_KERNEL = 7;
export const BN_EPSILON = 1e-3;

/** What tells sections apart that are keyed by other numbers than blocks are. */
const [STEM, HEAD] = [4000, 4001];

export function stem(net: NetworkBuilder, { width }: Style, input: Feature): Feature {
  const channels = roundChannels(width, STEM_CHANNELS);
  const [output] = net.section([STEM, channels], [input], ([x]) => [net.activation('act', net.convBn('conv', x!, channels, { kernel: 3, stride: 2 }), 'hswish')]);
  return output!;
}

/** @param regularise  what acts on the hidden layer in training */
export function head(net: NetworkBuilder, { width }: Style, x: Feature, classes: number, regularise: (hidden: Feature) => Feature = (hidden) => hidden): Feature {
  const channels = LAST_EXPANSION * roundChannels(width, STAGES.at(-1)!.at(-1)!.output);
  const features = roundChannels(width, HIDDEN_FEATURES);
  const [output] = net.section([HEAD, channels, features], [x], ([input]) => {
    const last = net.activation('act', net.convBn('conv', input!, channels), 'hswish');
    const hidden = net.activation('hiddenAct', net.linear('hidden', net.globalPool('pool', last), features), 'hswish');
    return [net.linear('classifier', regularise(hidden), classes)];
  });
  return output!;
}

/** One block; `previous` is the expanded tensor of the block before, which a high residual starts from. */
export function block(net: NetworkBuilder, style: Style, shape: Pick<StageShape, 'heads' | 'kernel'>, base: BaseBlock, x: Feature, previous: Feature | null): { output: Feature; expanded: Feature } {
  const expansion = roundChannels(style.width, base.expansion);
  const channels = roundChannels(style.width, base.output);
  const key = [style.number, expansion, channels, base.stride + (base.activation === 'relu' ? 0 : 2), shape.heads, shape.kernel];
  const [output, expanded] = net.section(key, previous === null ? [x] : [x, previous], ([low, high = null]) => buildBlock(net, style, { ...shape, ...base, expansion, output: channels }, low!, high));
  return { output: output!, expanded: expanded! };
}

/** Of the given channels; output and expanded tensor. */
function buildBlock(net: NetworkBuilder, style: Style, shape: Pick<StageShape, 'heads' | 'kernel'> & BaseBlock, x: Feature, previous: Feature | null): [Feature, Feature] {
  const { heads, kernel, stride, expansion } = shape;
  const gate = (part: string, input: Feature): Feature => attention(net, style, part, input, 'sigmoid', 1);

  let wide = x;
  if (expansion !== x.channels) {
    wide = gate('expandEca', net.activation('expandAct', net.convBn('expand', x, expansion), shape.activation));
  }
  const headed = attention(net, style, 'mdwEca', net.convBn('mdw', wide, expansion * heads, { kernel, stride, groups: expansion }), style.excitation, heads);
  const unheaded = style.reduction !== 'funnel' ? undefined : stride === 1 ? wide : net.maxPool('funnelSample', wide, 1, stride);
  const reduced = gate('reduceEca', net.batchNorm('reduceBn', net.headReduce('reduce', headed, heads, style.reduction, unheaded)));
  const expanded = addHighResidual(net, style.high, previous, reduced, stride);
  const projected = gate('projectEca', net.convBn('project', expanded, shape.output));
  return [addLowResidual(net, style.low, x, projected, stride), expanded];
}

function attention(net: NetworkBuilder, style: Style, part: string, x: Feature, excitation: Style['excitation'], heads: number): Feature {
  return net.channelAttention(part, x, { kernel: ATTENTION_KERNEL, statistics: style.statistics, excitation, heads, temperature: style.temperature });
}
