import { completePoint, loadCatalog } from '@app/catalog';
import { decode } from '@app/decode';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../builder.js';
import { totals } from '../counts.js';
import { evaluate } from '../evaluate.js';
import { initialWeights } from '../initial-weights.js';
import { tensor } from '../shape.js';
import { inferShapes } from '../verify.js';
import { atResolution } from './at-resolution.js';
import { packingOf } from './packing.js';

const catalog = loadCatalog();
function usual(name: string): ReturnType<typeof decode> {
  const { family, settings, parameters } = catalog.space(name);
  return decode({ family, settings }, completePoint(parameters, {}), { numClasses: 10, inputChannels: 3 });
}

describe('a network at another resolution', () => {
  it.each(['flynet', 'mobilenet-v1', 'mobilenet-v2', 'mobilenet-v3', 'mnasnet', 'mcunet', 'fbnet', 'nas-bench-201', 'resnet18-scaling', 'resnet-8'])('of %s has the same weights and outputs, and about that share of the operations', (name) => {
    const graph = usual(name);
    const smaller = atResolution(graph, 1 / 4);
    expect(packingOf(smaller)).toEqual(packingOf(graph));
    expect(smaller.outputs.map((id) => inferShapes(smaller).get(id))).toEqual(graph.outputs.map((id) => inferShapes(graph).get(id)));
    const share = totals(smaller).macs / totals(graph).macs;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
  });

  it('of the same resolution is the network', () => {
    expect(atResolution(usual('flynet'), 1)).toEqual(usual('flynet'));
  });

  it('answers a constant image as before, padding aside', () => {
    const g = graphBuilder('pointwise');
    g.output(g.linear(g.flatten(g.globalAvgPool(g.conv2d(g.input([1, 2, 6, 4]), { outChannels: 3, kernel: 1 }))), 2));
    const graph = g.build();
    const weights = initialWeights(graph, 1);
    const answer = (net: typeof graph, shape: readonly number[]): number[] => [...evaluate(net, weights, new Map([['input', tensor([...shape], new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.7))]])).get(net.outputs[0]!)!.data];
    const smaller = answer(atResolution(graph, 1 / 4), [1, 2, 3, 2]);
    answer(graph, [1, 2, 6, 4]).forEach((v, i) => expect(smaller[i]).toBeCloseTo(v, 6));
  });

  it('is refused where a weight counts the pixels, or the share is none', () => {
    const g = graphBuilder('whole image');
    g.output(g.linear(g.flatten(g.input([1, 2, 4, 4])), 3));
    const graph = g.build();
    expect(() => atResolution(graph, 1 / 4)).toThrow(/expected weights of any resolution, got weight \[3, 32\].* and weight \[3, 8\]/);
    for (const share of [0, 1.5, NaN]) expect(() => atResolution(graph, share)).toThrow(/expected a share of the pixels above 0 and up to 1/);
  });
});
