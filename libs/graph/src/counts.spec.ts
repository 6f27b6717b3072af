import { describe, expect, it } from 'vitest';
import { graphBuilder, type GraphBuilder } from './builder.js';
import { countOps, countsByBlock, sumCounts, totals } from './counts.js';
import { elements } from './shape.js';

/** Block 3 of FlyNet at width 1 without its shortcut: flynet-spec § 3 and § 4 (24 channels, expansion 88, ReLU, 3 heads, 28×28). */
function flynetBlock3(g: GraphBuilder, x: string): string {
  const attend = (id: string, excitation: 'sigmoid' | 'softmax', heads = 1): string => g.channelAttention(id, { statistics: 'mean-variance', excitation, heads });
  const expanded = attend(g.activation(g.batchNorm(g.conv2d(x, { outChannels: 88, kernel: 1 }), 1e-3), 'relu'), 'sigmoid');
  const headed = attend(g.batchNorm(g.conv2d(expanded, { outChannels: 264, kernel: 3, groups: 88 }), 1e-3), 'softmax', 3);
  const reduced = attend(g.batchNorm(g.headReduce(headed, 3, 'maxout'), 1e-3), 'sigmoid');
  return attend(g.batchNorm(g.conv2d(reduced, { outChannels: 24, kernel: 1 }), 1e-3), 'sigmoid');
}

describe('counts', () => {
  it('of FlyNet block 3 are the 7,584 parameters and 5,174,400 products of flynet-spec § 3', () => {
    const g = graphBuilder('block 3');
    g.output(flynetBlock3(g, g.input([1, 24, 28, 28])));
    const graph = g.build();
    const { params, macs, madds } = totals(graph);
    expect({ params, macs }).toEqual({ params: 7584, macs: 5_174_400 });
    // MAdds by their definition in § 9: 2 an element of each batch-norm output, 4 an element of each attention input
    const plane = 28 * 28;
    expect(madds).toBe(macs + 2 * plane * (88 + 264 + 88 + 24) + 4 * plane * (88 + 264 + 88 + 24));
  });

  it('of a depthwise, pointwise and full convolution are the formulas F-C1, F-C2 and F-C4', () => {
    const g = graphBuilder('formulas');
    const x = g.input([1, 8, 10, 10]);
    const [depthwise, pointwise, full] = [{ outChannels: 8, kernel: 3, groups: 8 }, { outChannels: 5, kernel: 1 }, { outChannels: 5, kernel: 3 }].map((settings) => g.conv2d(x, settings));
    g.output(x);
    const counts = countOps(g.build());
    expect(counts.get(depthwise!)).toMatchObject({ params: 9 * 8, macs: 9 * 8 * 100, madds: 9 * 8 * 100 });
    expect(counts.get(pointwise!)).toMatchObject({ params: 40, macs: 40 * 100 });
    expect(counts.get(full!)).toMatchObject({ params: 9 * 40, macs: 9 * 40 * 100 });
  });

  it('use the output map under a stride and grow with the batch, parameters apart', () => {
    const counted = (batch: number) => {
      const g = graphBuilder('stride');
      g.output(g.conv2d(g.input([batch, 3, 224, 224]), { outChannels: 16, kernel: 3, stride: 2 }));
      return totals(g.build());
    };
    // stem of flynet-spec § 3: 5,419,008 products
    expect(counted(1)).toMatchObject({ macs: 5_419_008, params: 432 });
    expect(counted(3)).toMatchObject({ macs: 3 * 5_419_008, params: 432 });
  });

  it('store 2 numbers a channel for a batch norm that folds into its convolution, 4 for one that cannot', () => {
    const g = graphBuilder('norms');
    const folded = g.batchNorm(g.conv2d(g.input([1, 3, 8, 8]), { outChannels: 6, kernel: 3 }));
    const alone = g.batchNorm(g.headReduce(folded, 2, 'maxout'));
    g.output(alone);
    const counts = countOps(g.build());
    expect(counts.get(folded)).toMatchObject({ params: 12, weightElements: 12 });
    expect(counts.get(alone)).toMatchObject({ params: 6, weightElements: 12 });
  });

  it('say for max-out h − 1 comparisons a value (F-C5)', () => {
    const g = graphBuilder('max-out');
    const y = g.headReduce(g.input([1, 12, 7, 7]), 4, 'maxout');
    g.output(y);
    expect(countOps(g.build()).get(y)).toMatchObject({ macs: 0, elementOps: 3 * 3 * 49, params: 0 });
  });

  it('are never negative, and state the sizes of what goes in and out', () => {
    const g = graphBuilder('sizes');
    g.output(flynetBlock3(g, g.input([2, 24, 14, 14])));
    const graph = g.build();
    const counts = countOps(graph);
    for (const node of graph.nodes) {
      const c = counts.get(node.id)!;
      expect(Object.values(c).every((v) => Number.isSafeInteger(v) && v >= 0)).toBe(true);
      expect(c.inputElements).toBe(node.inputs.reduce((sum, id) => sum + elements(g.shape(id)), 0));
      expect(c.outputElements).toBe(elements(g.shape(node.id)));
    }
  });

  it('by block add up to the totals', () => {
    const g = graphBuilder('blocks');
    const x = g.input([1, 24, 14, 14]);
    const y = flynetBlock3(g.block('one'), x);
    g.output(flynetBlock3(g.block('two'), y));
    const blocks = countsByBlock(g.build());
    expect([...blocks.keys()]).toEqual([null, 'one', 'two']);
    expect(blocks.get('one')).toEqual(blocks.get('two'));
    expect(sumCounts(blocks.values())).toEqual(totals(g.build()));
  });
});
