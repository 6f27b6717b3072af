import { describe, expect, it } from 'vitest';
import { graphBuilder } from './builder.js';
import { GraphError } from './errors.js';
import type { Graph, Node } from './types.js';
import { describeNode, inferShapes, verifyGraph } from './verify.js';

const input: Node = { id: 'x', kind: 'input', inputs: [], attrs: { shape: [1, 4, 8, 8] } };
const relu = (id: string, from: string): Node => ({ id, kind: 'activation', inputs: [from], attrs: { fn: 'relu' } });
const graph = (nodes: readonly Node[], outputs: readonly string[] = ['y']): Graph => ({ name: 'g', nodes, outputs });

function faultOf(run: () => unknown): GraphError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return error as GraphError;
  }
  throw new Error('expected a GraphError, got none');
}

describe('the verifier', () => {
  it('passes a sound graph on as it is', () => {
    const sound = graph([input, relu('y', 'x')]);
    expect(verifyGraph(sound)).toBe(sound);
  });

  it.each<[string, Graph, RegExp]>([
    ['an unknown input', graph([input, relu('y', 'z')]), /node "y" \(activation\): expected inputs among the nodes before it, got "z"/],
    ['a node before what it reads', graph([input, relu('y', 'b'), relu('b', 'x')]), /node "y".*got "b"/],
    ['a node that reads itself', graph([input, relu('y', 'y')]), /node "y".*got "y"/],
    ['an id twice', graph([input, relu('y', 'x'), relu('y', 'x')]), /node "y".*an id of its own/],
    ['an unknown kind', graph([input, { ...relu('y', 'x'), kind: 'warp' as never }]), /node "y" \(warp\): expected a kind out of input, .*got "warp"/],
    ['too few inputs', graph([input, { id: 'y', kind: 'add', inputs: ['x'], attrs: {} }]), /node "y" \(add\): expected 2 inputs, got 1/],
    ['a funnel without the bare input', graph([input, { id: 'y', kind: 'headReduce', inputs: ['x'], attrs: { heads: 2, reduction: 'funnel' } }]), /expected 2 inputs, got 1/],
    ['no output', graph([input, relu('y', 'x')], []), /graph "g": expected at least one output, got none/],
    ['an unknown output', graph([input], ['y']), /expected outputs to be node ids, got "y"/],
    ['an output twice', graph([input, relu('y', 'x')], ['y', 'y']), /every output once, got "y"/],
    ['no input node', graph([{ id: 'y', kind: 'constant', inputs: [], attrs: { shape: [1] } }]), /at least one input node/],
    ['dimensions that are no sizes', graph([{ ...input, attrs: { shape: [1, 0, 8] } }, relu('y', 'x')]), /node "x" \(input\): expected positive integer dimensions, got \[1, 0, 8\]/],
    ['a tensor beyond counting', graph([{ ...input, attrs: { shape: [1, 2 ** 30, 2 ** 30] } }, relu('y', 'x')]), /at most 2\^40 elements/],
  ])('refuses %s', (_what, broken, message) => {
    expect(faultOf(() => verifyGraph(broken)).message).toMatch(message);
  });

  it('says node, kind and block in fields', () => {
    const fault = faultOf(() => inferShapes(graph([input, { ...relu('y', 'z'), block: 'stage 2' }])));
    expect(fault).toMatchObject({ node: 'y', kind: 'activation', block: 'stage 2' });
    expect(fault.message).toContain('block "stage 2"');
  });
});

describe('faults of the ops', () => {
  const g = () => graphBuilder('faults').block('b1');
  const map = [1, 6, 8, 8] as const;

  it.each<[string, () => unknown, RegExp]>([
    ['a convolution over a vector', () => { const b = g(); b.conv2d(b.input([1, 6]), { outChannels: 2, kernel: 3 }); }, /conv2d.*expected an input \[N, C, H, W\], got shape \[1, 6\]/],
    ['groups that do not divide', () => { const b = g(); b.conv2d(b.input(map), { outChannels: 8, kernel: 3, groups: 4 }); }, /input channels divisible by 4 groups, got 6/],
    ['a window larger than the map', () => { const b = g(); b.conv2d(b.input(map), { outChannels: 8, kernel: 11, padding: 0 }); }, /padded height of at least 11 for the window, got 8/],
    ['a fractional kernel', () => { const b = g(); b.conv2d(b.input(map), { outChannels: 8, kernel: 2.5, padding: 0 }); }, /kernel height to be an integer ≥ 1, got 2.5/],
    ['a stride of 0 with same padding', () => { const b = g(); b.conv2d(b.input(map), { outChannels: 8, kernel: 3, stride: 0, padding: 'same' }); }, /stride.*got 0/],
    ['NaN channels', () => { const b = g(); b.conv2d(b.input(map), { outChannels: NaN, kernel: 3 }); }, /outChannels to be an integer ≥ 1, got NaN/],
    ['shapes that do not broadcast', () => { const b = g(); const x = b.input(map); b.add(x, b.slice(x, 0, 5)); }, /expected shapes that broadcast, got \[1, 6, 8, 8\] and \[1, 5, 8, 8\]/],
    ['a slice beyond its axis', () => { const b = g(); b.slice(b.input(map), 2, 9); }, /end to be an integer from 3 to 6, got 9/],
    ['concat of unlike maps', () => { const b = g(); const x = b.input(map); b.concat([x, b.maxPool(x, { kernel: 2 })]); }, /differ on axis 1 only/],
    ['padding as wide as the pool', () => { const b = g(); b.maxPool(b.input(map), { kernel: 2, padding: 2 }); }, /padding smaller than the kernel, got padding 2 for kernel 2/],
    ['a reshape that loses elements', () => { const b = g(); b.reshape(b.input([1, 6]), [4, -1]); }, /a shape of 6 elements/],
    ['a transposition that repeats an axis', () => { const b = g(); b.transpose(b.input([1, 6]), [0, 0]); }, /a permutation of 2 axes, got \[0, 0\]/],
    ['heads that do not divide the channels', () => { const b = g(); b.headReduce(b.input(map), 4, 'maxout'); }, /channels divisible by 4 heads, got 6/],
    ['a bare input of another shape', () => { const b = g(); const x = b.input(map); b.headReduce(x, 2, 'funnel', x); }, /un-headed input to be \[1, 3, 8, 8\], got \[1, 6, 8, 8\]/],
    ['an even attention kernel', () => { const b = g(); b.channelAttention(b.input(map), { kernel: 4, statistics: 'mean', excitation: 'sigmoid' }); }, /an odd kernel, got 4/],
    ['a temperature of 0', () => { const b = g(); b.channelAttention(b.input(map), { statistics: 'mean', excitation: 'softmax', temperature: 0 }); }, /temperature to be a finite number > 0, got 0/],
    ['one quantization level', () => { const b = g(); b.quantizationNoise(b.input(map), 1); }, /levels to be an integer from 2/],
    ['alpha for ReLU', () => { const b = g(); b.activation(b.input(map), 'relu', 0.1); }, /no alpha for relu, got 0.1/],
    ['a node that is not there', () => g().shape('nobody'), /expected a node of the graph in block "b1", got "nobody"/],
    ['an id that is taken', () => { const b = g(); b.input(map, 'a'); b.input(map, 'a'); }, /node "a" \(input, block "b1"\): expected an id of its own/],
  ])('%s', (_what, build, message) => {
    expect(faultOf(build).message).toMatch(message);
  });
});

describe('labels', () => {
  it('say what matters in few words', () => {
    const b = graphBuilder('labels');
    const x = b.input([1, 3, 224, 224]);
    const ids = [x, b.conv2d(x, { outChannels: 16, kernel: 3, stride: 2 }), b.conv2d(x, { outChannels: 9, kernel: [3, 5], groups: 3 }), b.concat([x, x]), b.maxPool(x, { kernel: 3, stride: 2, padding: 1 })];
    ids.forEach((id) => b.output(id));
    const built = b.build();
    expect(built.nodes.map((n) => describeNode(n, b.shape(n.id)))).toEqual(['input, 1×3×224×224', 'conv 3×3 s2, 16', 'conv 3×5 g3, 9', 'concat, 1×6×224×224', 'max pool 3×3 s2 padded']);
  });
});
