import { describe, expect, it } from 'vitest';
import { countsByBlock, inferShapes, totals, verifyGraph, type Graph } from '@app/graph';
import { decode } from './decode.js';
import { stageDepths } from './resnet18-scaling.js';

const resnet = (depth: number, width: number, resolution: number): Graph => decode({ family: 'resnet18-scaling', settings: {} }, { depth, width, resolution }, { numClasses: 1000, inputChannels: 3 });
const eighths = (from: number, to: number): number[] => Array.from({ length: (to - from) * 8 + 1 }, (_, i) => from + i / 8);

describe('scaled ResNet-18', () => {
  it('is ResNet-18 at (1, 1, 1): 11,689,512 parameters (torchvision) and 1.814 billion MACs', () => {
    const { params, macs } = totals(verifyGraph(resnet(1, 1, 1)));
    expect(params).toBe(11_689_512);
    // By hand: stem 118,013,952 · 16 block convolutions and 3 shortcuts 1,695,547,392 · classifier 512,000.
    expect(macs).toBe(118_013_952 + 1_695_547_392 + 512_000);
  });

  it('does four times the convolutions on twice the side, with the same weights', () => {
    const [base, large] = [totals(resnet(1, 1, 1)), totals(resnet(1, 1, 2))];
    expect(large.macs - 512_000).toBe(4 * (base.macs - 512_000));
    expect(large.params).toBe(base.params);
  });

  it('has in each further block of a stage two 3×3 convolutions and their batch norms', () => {
    const more = totals(resnet(1.125, 1, 1)).params - totals(resnet(1, 1, 1)).params;
    expect(more).toBe(2 * (9 * 256 * 256 + 2 * 256));
  });

  it('deals blocks out evenly, the middle stages first', () => {
    expect([0.25, 0.5, 0.625, 0.75, 0.875, 1, 1.125, 2.5].map(stageDepths)).toEqual([
      [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 2, 1], [1, 2, 2, 1], [1, 2, 2, 2], [2, 2, 2, 2], [2, 2, 3, 2], [5, 5, 5, 5],
    ]);
    expect([...countsByBlock(resnet(1.125, 1, 1)).keys()].filter((b) => b?.startsWith('stage3'))).toHaveLength(3);
  });

  it('makes another network of every step of an eighth', () => {
    expect(new Set(eighths(0.5, 2.5).map((d) => stageDepths(d).join())).size).toBe(17);
    const sides = eighths(0.25, 2.5).map((r) => inferShapes(resnet(0.5, 0.25, r)).get('input')![2]);
    expect(sides[0]).toBe(56);
    expect(sides.at(-1)).toBe(560);
    expect(new Set(sides).size).toBe(19);
    expect(new Set(eighths(0.25, 2.5).map((w) => totals(resnet(0.5, w, 0.25)).params)).size).toBe(19);
  });

  it('refuses multipliers outside 0.25 … 2.5', () => {
    expect(() => resnet(0.2, 1, 1)).toThrow('depth: expected a number from 0.25 to 2.5, got 0.2');
    expect(() => resnet(1, Number.NaN, 1)).toThrow('width: expected a number from 0.25 to 2.5, got NaN');
    expect(() => resnet(1, 1, Infinity)).toThrow(/resolution/);
  });
});
