import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOps, countsByBlock, isKind, sumCounts, totals, verifyGraph, type Graph } from '@app/graph';
import type { Point } from '@app/space';
import { decode } from '../decode.js';
import { NO_NOISE } from './genes.js';
import { roundChannels } from '../round-channels.js';
import { HIGH_RESIDUALS, LOW_RESIDUALS } from './residuals.js';

interface Fixture {
  counts: { width: number; heads: number; lowResidual: string; params: number; backboneParams: number; convMacs: number; madds: number }[];
  blocks: { block: string; params: number; convMacs: number; lowParams: number; lowMacs: number; attentions: number }[];
  highResidualMdwConcatExtra: { width: number; params: number; convMacs: number; madds: number }[];
  channels: { width: number; stem: number; expansion: number[]; output: number[]; lastConv: number; classifierHidden: number }[];
  printed: { table: string; model: string; width: number; heads: number; paramsResidual: string; maddsResidual: string; paramsOf: string; paramsM: string; maddsM: string }[];
}
const fixture = JSON.parse(readFileSync(new URL('./fixtures/counts.json', import.meta.url), 'utf8')) as Fixture;

const IMAGENET = { numClasses: 1000, inputChannels: 3 };
const perStage = (name: string, values: readonly number[]): Point => Object.fromEntries(values.map((v, s) => [`${name}${s + 1}`, v]));
const every = (v: number): number[] => [v, v, v, v, v];
const base: Point = {
  width: 1, resolution: 224, reduction: 'maxout', attentionStatistics: 'mean-variance', excitation: 'softmax', lowResidual: 'default', highResidual: 'crop-pad', noiseHead: NO_NOISE,
  ...perStage('depth', [1, 2, 3, 2, 3]), ...perStage('heads', every(3)), ...perStage('kernel', [3, 3, 5, 5, 5]), ...perStage('noise', every(NO_NOISE)),
};
const flynet = (changes: Point = {}): Graph => decode({ family: 'flynet', settings: {} }, { ...base, ...changes }, IMAGENET);
const sized = (row: { width: number; heads: number; lowResidual: string }): Graph => flynet({ width: row.width, lowResidual: row.lowResidual, ...perStage('heads', every(row.heads)) });
const backbone = (graph: Graph): number => sumCounts([...countsByBlock(graph)].filter(([block]) => block !== 'head').map(([, c]) => c)).params;

describe('counts of the thesis (fixtures/counts.json)', () => {
  it.each(fixture.counts)('width $width, $heads heads, $lowResidual residual: parameters, products and MAdds to the last digit', (row) => {
    const graph = sized(row);
    const { params, macs, madds } = totals(graph);
    expect({ params, backboneParams: backbone(graph), convMacs: macs, madds }).toEqual({ params: row.params, backboneParams: row.backboneParams, convMacs: row.convMacs, madds: row.madds });
  });

  it.each(fixture.printed)('table $table, $model: the printed millions, truncated as the thesis truncates', (row) => {
    const paramsGraph = sized({ ...row, lowResidual: row.paramsResidual });
    const params = row.paramsOf === 'whole network' ? totals(paramsGraph).params : backbone(paramsGraph);
    const truncated = (value: number, like: string): number => {
      const unit = 10 ** (like.split('.')[1]?.length ?? 0);
      return Math.floor((value / 1e6) * unit) / unit;
    };
    expect(truncated(params, row.paramsM)).toBe(Number(row.paramsM));
    expect(truncated(totals(sized({ ...row, lowResidual: row.maddsResidual })).madds, row.maddsM)).toBe(Number(row.maddsM));
  });

  it.each(fixture.highResidualMdwConcatExtra)('width $width: what the concatenating high residual adds', ({ width, params, convMacs, madds }) => {
    const plain = totals(flynet({ width }));
    const dense = totals(flynet({ width, highResidual: 'mdw-concat' }));
    expect({ params: dense.params - plain.params, convMacs: dense.macs - plain.macs, madds: dense.madds - plain.madds }).toEqual({ params, convMacs, madds });
  });

  it.each(fixture.blocks)('$block at 1.0x: parameters, products, attention units, and the low residual apart', ({ block, params, convMacs, lowParams, lowMacs, attentions }) => {
    const graph = flynet();
    const plain = countsByBlock(graph).get(block)!;
    const bridged = countsByBlock(flynet({ lowResidual: 'mdw-concat' })).get(block)!;
    expect({ params: plain.params, convMacs: plain.macs }).toEqual({ params, convMacs });
    expect({ params: bridged.params - plain.params, convMacs: bridged.macs - plain.macs }).toEqual({ params: lowParams, convMacs: lowMacs });
    expect(graph.nodes.filter((n) => n.block === block && n.kind === 'channelAttention')).toHaveLength(attentions);
  });

  it.each(fixture.channels)('width $width: channels of stem, expansions, outputs, last convolution and hidden layer', (row) => {
    const graph = flynet({ width: row.width });
    const channels = (id: string): number => {
      const node = graph.nodes.find((n) => n.id === id)!;
      return isKind(node, 'conv2d') ? node.attrs.outChannels : isKind(node, 'linear') ? node.attrs.outFeatures : Number.NaN;
    };
    const blocks = Array.from({ length: 11 }, (_, i) => `block${i + 1}`);
    expect({
      stem: channels('stem.conv'), expansion: blocks.map((b) => channels(`${b}.mdw`) / 3), output: blocks.map((b) => channels(`${b}.project`)), lastConv: channels('head.conv'), classifierHidden: channels('head.hidden'),
    }).toEqual({ stem: row.stem, expansion: row.expansion, output: row.output, lastConv: row.lastConv, classifierHidden: row.classifierHidden });
  });
});

describe('the form of the network', () => {
  const point = fc.record({
    width: fc.integer({ min: 6, max: 20 }).map((k) => k / 20),
    resolution: fc.constantFrom(32, 48, 64, 80, 96, 112, 128, 160, 192, 224),
    reduction: fc.constantFrom('maxout', 'sum-relu', 'funnel'),
    attentionStatistics: fc.constantFrom('mean', 'mean-variance'),
    excitation: fc.constantFrom('sigmoid', 'softmax'),
    lowResidual: fc.constantFrom(...LOW_RESIDUALS),
    highResidual: fc.constantFrom(...HIGH_RESIDUALS),
    depths: fc.tuple(...[2, 3, 4, 3, 4].map((max) => fc.integer({ min: 1, max }))),
    heads: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 5, maxLength: 5 }),
    kernels: fc.array(fc.constantFrom(3, 5, 7), { minLength: 5, maxLength: 5 }),
    noises: fc.array(fc.constantFrom(4, 6, 8, 16, NO_NOISE), { minLength: 6, maxLength: 6 }),
  }).map(({ depths, heads, kernels, noises, ...rest }): Point => ({
    ...rest, ...perStage('depth', depths), ...perStage('heads', heads), ...perStage('kernel', kernels), ...perStage('noise', noises.slice(0, 5)), noiseHead: noises[5]!,
  }));

  it('verifies at any point, has unique ids, 10 logits, and one MDW convolution a block', () => {
    fc.assert(fc.property(point, (p) => {
      const graph = verifyGraph(decode({ family: 'flynet', settings: { temperature: 3 } }, p, { numClasses: 10, inputChannels: 1 }));
      const blocks = [1, 2, 3, 4, 5].reduce((sum, s) => sum + Number(p[`depth${s}`]), 0);
      expect(graph.nodes.filter((n) => n.id.endsWith('.mdw'))).toHaveLength(blocks);
      expect(graph.nodes.find((n) => n.id === graph.outputs[0])!.attrs).toEqual({ outFeatures: 10, bias: true });
    }), { numRuns: 40 });
  });

  it('adds k²·e·(1 + h) of a further head and its batch norm, and nothing else', () => {
    const three = countsByBlock(flynet());
    const four = countsByBlock(flynet({ heads3: 4 }));
    for (const [block, exp] of [['block4', 96], ['block5', 240], ['block6', 240]] as const) expect(four.get(block)!.params - three.get(block)!.params).toBe(25 * exp + 2 * exp);
    expect(four.get('block7')).toEqual(three.get('block7'));
  });

  it('repeats the last block of a stage where it is deeper than its base, and drops the last where it is shallower', () => {
    const deep = countsByBlock(flynet({ depth3: 4 }));
    expect(deep.get('block7')).toEqual(deep.get('block6'));
    const shallow = [...countsByBlock(flynet({ depth3: 2 })).keys()];
    expect(shallow).toContain('block10');
    expect(shallow).not.toContain('block11');
  });

  it('keeps products, parameters and MAdds under any noise, and writes a node only where there is noise', () => {
    const noisy = flynet({ noise2: 8, noiseHead: 16 });
    expect({ ...totals(noisy), elementOps: 0, inputElements: 0, outputElements: 0 }).toEqual({ ...totals(flynet()), elementOps: 0, inputElements: 0, outputElements: 0 });
    expect(noisy.nodes.filter((n) => n.kind === 'quantizationNoise').map((n) => [n.block, n.attrs])).toEqual([['block3', { levels: 8 }], ['head', { levels: 16 }]]);
    expect(flynet().nodes.some((n) => n.kind === 'quantizationNoise')).toBe(false);
  });

  it('has half the attention weights with the mean alone', () => {
    const attention = (changes: Point): number => sumCounts([...countOps(flynet(changes))].filter(([id]) => id.endsWith('Eca')).map(([, c]) => c)).params;
    expect(attention({})).toBe(602);
    expect(attention({ attentionStatistics: 'mean' })).toBe(301);
  });

  it('shows Funnel the positions of its input at which the strided kernels sit', () => {
    const graph = flynet({ reduction: 'funnel' });
    const funnel = graph.nodes.find((n) => n.id === 'block4.reduce')!;
    expect(funnel.inputs).toEqual(['block4.mdwEca', 'block4.funnelSample']);
    expect(graph.nodes.find((n) => n.id === 'block4.funnelSample')!.attrs).toEqual({ kernel: [1, 1], stride: [2, 2], padding: [0, 0, 0, 0] });
    expect(graph.nodes.find((n) => n.id === 'block5.reduce')!.inputs).toEqual(['block5.mdwEca', 'block5.expandEca']);
  });

  it('adds no high residual in the first block, and with crop-pad none at stride 2', () => {
    const bridged = (kind: string): (string | undefined)[] => flynet({ highResidual: kind }).nodes.filter((n) => n.id.endsWith('.high')).map((n) => n.block);
    expect(bridged('crop-pad')).toEqual(['block3', 'block5', 'block6', 'block7', 'block8', 'block10', 'block11']);
    expect(bridged('mdw-concat')).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => `block${i}`));
    expect(bridged('none')).toEqual([]);
  });
});

describe('rounding of channels', () => {
  it('is a multiple of 8, at least 8, at least 0.9 of the product and less than 8 above it', () => {
    fc.assert(fc.property(fc.double({ min: 0.05, max: 4, noNaN: true }), fc.integer({ min: 1, max: 2048 }), (width, channels) => {
      const n = roundChannels(width, channels);
      expect(n % 8).toBe(0);
      expect(n).toBeGreaterThanOrEqual(8);
      expect(n).toBeGreaterThanOrEqual(0.9 * width * channels - 1e-6);
      expect(n - Math.max(8, width * channels)).toBeLessThan(8);
    }));
  });

  it('does not see the rounding noise of a grid of widths', () => {
    expect(roundChannels(0.1 + 0.2, 120)).toBe(roundChannels(0.3, 120));
  });
});
