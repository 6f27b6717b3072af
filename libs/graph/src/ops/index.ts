import type { OpDefinition } from '../op.js';
import type { Node, OpKind } from '../types.js';
import { activation } from './activation.js';
import { add } from './add.js';
import { avgPool } from './avg-pool.js';
import { batchNorm } from './batch-norm.js';
import { channelAttention } from './channel-attention.js';
import { concat } from './concat.js';
import { constant } from './constant.js';
import { conv2d } from './conv2d.js';
import { flatten } from './flatten.js';
import { globalAvgPool } from './global-avg-pool.js';
import { headReduce } from './head-reduce.js';
import { identity } from './identity.js';
import { input } from './input.js';
import { linear } from './linear.js';
import { maximum } from './maximum.js';
import { maxPool } from './max-pool.js';
import { mul } from './mul.js';
import { opaque } from './opaque.js';
import { padChannels } from './pad-channels.js';
import { quantizationNoise } from './quantization-noise.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { sub } from './sub.js';
import { transpose } from './transpose.js';
import { zeros } from './zeros.js';

/** Every op with all its rules; one that is missing does not compile. */
export const OPS: { readonly [K in OpKind]: OpDefinition<K> } = {
  input, constant, opaque, conv2d, batchNorm, linear, activation, add, mul, sub, maximum, concat, slice, padChannels, maxPool, avgPool, globalAvgPool,
  flatten, reshape, transpose, softmax, headReduce, channelAttention, quantizationNoise, zeros, identity, resize,
};

/** The rules of a node's op. The node's attributes must be of its kind, as the type of `Node` promises and the verifier checks. */
export function opOf<K extends OpKind>(node: Pick<Node<K>, 'kind'>): OpDefinition<K> {
  return OPS[node.kind];
}
