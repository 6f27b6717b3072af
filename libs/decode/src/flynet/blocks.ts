/** What FlyNet is built of: stem, blocks and head. */
import type { Feature, NetworkBuilder } from '../network-builder.js';
import { roundChannels } from '../round-channels.js';
import { REDUCTIONS, type StageShape, type Style } from './genes.js';
import { HIDDEN_FEATURES, LAST_EXPANSION, STAGES, STEM_CHANNELS, type BaseBlock } from './layout.js';
import { addHighResidual, addLowResidual, HIGH_RESIDUALS, LOW_RESIDUALS } from './residuals.js';

const ATTENTION_KERNEL = 7;
export const BN_EPSILON = 1e-3;

/** What tells sections apart that are keyed by other numbers than blocks are. */
const [STEM, HEAD, EXPAND, MDW, REDUCE, HIGH, PROJECT, LOW] = [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007];

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
  const { reduction, excitation } = style;
  const statistics = style.statistics === 'mean' ? 0 : 1;
  const gate = (part: string, input: Feature): Feature => attention(net, style, part, input, 'sigmoid', 1);
  const part = (key: readonly number[], inputs: readonly Feature[], build: (x: Feature, other: Feature) => Feature): Feature => net.section(key, inputs, (taken) => [build(taken[0]!, taken[1]!)])[0]!;

  let wide = x;
  if (expansion !== x.channels) {
    wide = part([EXPAND, expansion, shape.activation === 'relu' ? 0 : 1, statistics], [x], (a) => gate('expandEca', net.activation('expandAct', net.convBn('expand', a, expansion), shape.activation)));
  }
  const headed = part([MDW, heads, kernel, stride, excitation === 'sigmoid' ? 0 : 1, statistics], [wide], (a) => (
    attention(net, style, 'mdwEca', net.convBn('mdw', a, expansion * heads, { kernel, stride, groups: expansion }), excitation, heads)
  ));
  const reduced = part([REDUCE, REDUCTIONS.indexOf(reduction), heads, stride, statistics], reduction === 'funnel' ? [headed, wide] : [headed], (a, plain) => {
    const unheaded = reduction !== 'funnel' ? undefined : stride === 1 ? plain : net.maxPool('funnelSample', plain, 1, stride);
    return gate('reduceEca', net.batchNorm('reduceBn', net.headReduce('reduce', a, heads, reduction, unheaded)));
  });
  const expanded = previous === null || style.high === 'none' ? reduced
    : part([HIGH, HIGH_RESIDUALS.indexOf(style.high), stride], [reduced, previous], (a, before) => addHighResidual(net, style.high, before, a, stride));
  const projected = part([PROJECT, shape.output, statistics], [expanded], (a) => gate('projectEca', net.convBn('project', a, shape.output)));
  const output = style.low === 'none' ? projected : part([LOW, LOW_RESIDUALS.indexOf(style.low), stride], [x, projected], (a, y) => addLowResidual(net, style.low, a, y, stride));
  return [output, expanded];
}

function attention(net: NetworkBuilder, style: Style, part: string, x: Feature, excitation: Style['excitation'], heads: number): Feature {
  return net.channelAttention(part, x, { kernel: ATTENTION_KERNEL, statistics: style.statistics, excitation, heads, temperature: style.temperature });
}
