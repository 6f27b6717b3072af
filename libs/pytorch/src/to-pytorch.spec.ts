import { graphBuilder } from '@app/graph';
import { describe, expect, it } from 'vitest';
import { toPyTorch, torchNames } from './to-pytorch.js';

describe('PyTorch code', () => {
  it('reads like code that a person wrote', () => {
    const g = graphBuilder('small');
    const x = g.input([1, 3, 8, 8]);
    g.block('stem');
    const stem = g.activation(g.batchNorm(g.conv2d(x, { outChannels: 4, kernel: 3, stride: 2 })), 'relu');
    g.block('head');
    g.output(g.linear(g.flatten(g.globalAvgPool(g.headReduce(g.conv2d(stem, { outChannels: 8, kernel: 3, groups: 4 }), 2, 'maxout'))), 10));
    expect(toPyTorch(g.build())).toMatchInlineSnapshot(`
      """"small, written by Caddis: 238 parameters, 2,920 multiply-accumulates an image. Input input [N, 3, 8, 8]."""
      import torch
      from torch import nn
      from torch.nn import functional as F


      class Network(nn.Module):
          def __init__(self):
              super().__init__()
              # stem
              self.conv2d_1 = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
              self.batchNorm_2 = nn.BatchNorm2d(4)
              # head
              self.conv2d_4 = nn.Conv2d(4, 8, 3, padding=1, groups=4, bias=False)
              self.linear_8 = nn.Linear(4, 10)

          def forward(self, input):
              # stem
              conv2d_1 = self.conv2d_1(input)
              batchNorm_2 = self.batchNorm_2(conv2d_1)
              activation_3 = F.relu(batchNorm_2)
              # head
              conv2d_4 = self.conv2d_4(activation_3)
              headReduce_5 = conv2d_4.unflatten(1, (-1, 2)).amax(2)
              globalAvgPool_6 = headReduce_5.mean((2, 3), keepdim=True)
              flatten_7 = globalAvgPool_6.flatten(1)
              linear_8 = self.linear_8(flatten_7)
              return linear_8
      "
    `);
  });

  it('has helpers only where they are used', () => {
    const g = graphBuilder('attention');
    g.output(g.channelAttention(g.input([1, 4, 5, 5]), { statistics: 'mean', excitation: 'sigmoid' }));
    const code = toPyTorch(g.build());
    expect(code).toContain('class ChannelAttention(nn.Module)');
    expect(code).not.toContain('class QuantizationNoise');
  });

  it('names no two nodes alike, and none by a word of the language', () => {
    const node = (id: string): { id: string; kind: 'identity'; inputs: string[]; attrs: Record<never, never> } => ({ id, kind: 'identity', inputs: [], attrs: {} });
    const names = [...torchNames({ name: 'n', nodes: ['a.b', 'a/b', '1x', 'lambda', 'F', ''].map(node), outputs: [] }).values()];
    expect(new Set(names).size).toBe(6);
    for (const name of names) expect(name).toMatch(/^[A-Za-z_]\w*$/);
    expect(names).not.toContain('lambda');
    expect(names).not.toContain('F');
  });

  it('is refused for an operator that is not known, by its node', () => {
    const graph = { name: 'n', nodes: [{ id: 'mystery', kind: 'opaque' as const, inputs: [], attrs: { opType: 'Foo', shape: [1] } }], outputs: ['mystery'] };
    expect(() => toPyTorch(graph)).toThrow(/node mystery: operator Foo is not known/);
  });
});
