import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphBuilder, totals, type Graph } from '@app/graph';
import { UnsupportedPrecision } from './errors.js';
import { fits } from './fits.js';
import { priceNetwork } from './price-network.js';
import type { DeviceProfile, Figure, NetworkCost } from './types.js';

const figure = (value: number, unit: string): Figure => ({ value, unit, source: 'made up for this test' });

const device = (change: Partial<DeviceProfile> = {}): DeviceProfile => ({
  id: 'paper-board', title: 'Paper board', class: 'mcu', defaultPrecision: 'int8',
  precisions: {
    int8: { peakMacs: figure(1e6, 'MAC/s'), utilisation: figure(0.5, '1'), energyPerMac: figure(2e-12, 'J') },
    fp32: { peakMacs: figure(2.5e5, 'MAC/s'), utilisation: figure(0.5, '1'), energyPerMac: figure(5e-12, 'J') },
  },
  memory: { ram: figure(4096, 'B'), flash: figure(8192, 'B'), bandwidth: figure(1e4, 'B/s'), energyPerByte: figure(1e-12, 'J/B'), weightEnergyPerByte: figure(3e-12, 'J/B') },
  operatorOverhead: figure(1e-3, 's'), staticPower: figure(0.1, 'W'), activePower: null,
  operatorFactors: { depthwise: figure(4, '1'), elementwise: figure(2, '1') },
  runtime: { name: 'none', flash: figure(1000, 'B'), ram: figure(500, 'B'), ramPerChannel: figure(8, 'B'), flashPerChannel: figure(2, 'B') },
  uncertainty: { latency: figure(0.25, '1'), energy: figure(1, '1'), memory: figure(0.1, '1') },
  ...change,
});

/** conv 3→4 3×3 with batch norm and relu, depthwise 3×3, mean, linear 4→2. */
function small(): Graph {
  const b = graphBuilder('small');
  let x = b.activation(b.batchNorm(b.conv2d(b.input([1, 3, 8, 8]), { outChannels: 4, kernel: 3 })), 'relu');
  x = b.conv2d(x, { outChannels: 4, kernel: 3, groups: 4 });
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 2));
  return b.build();
}

const layer = (cost: NetworkCost, kind: string, i = 0) => cost.layers.filter((l) => l.kind === kind)[i]!;

describe('the price of a network', () => {
  it('is worked out by hand for each operator', () => {
    const cost = priceNetwork(small(), device());
    const conv = layer(cost, 'conv2d');
    const macs = 3 * 9 * 4 * 64;
    const bytes = 3 * 64 + 4 * 64 + (108 + 4 * 4 + 4 * 4);
    expect(conv).toMatchObject({ macs, params: 108 + 8, weightBytes: 140, inputBytes: 192, outputBytes: 256, liveBytes: 448, bound: 'memory', outputShape: [1, 4, 8, 8] });
    expect(conv.latency).toBeCloseTo(1e-3 + Math.max(macs / 5e5, bytes / 1e4), 12);
    expect(conv.energy).toBeCloseTo(macs * 2e-12 + 448 * 1e-12 + 140 * 3e-12 + 0.1 * conv.latency, 15);
    const depthwise = layer(cost, 'conv2d', 1);
    // 4 · 9 · 64 MACs at a quarter of the rate; no batch norm and no bias, but a scale a channel
    expect(depthwise.latency).toBeCloseTo(1e-3 + Math.max((2304 * 4) / 5e5, (512 + 36 + 16) / 1e4), 12);
    expect(layer(cost, 'flatten')).toMatchObject({ latency: 0, energy: 0, bound: 'free' });
    expect(layer(cost, 'globalAvgPool').bound).toBe('memory');
    expect(cost.latency.value).toBeCloseTo(cost.layers.reduce((s, l) => s + l.latency, 0), 12);
    expect(cost.energy.value).toBeCloseTo(cost.layers.reduce((s, l) => s + l.energy, 0), 15);
  });

  it('charges memory for peak activations, runtime and requantisation of the convolutions', () => {
    const cost = priceNetwork(small(), device());
    expect(cost.peakRam.value).toBe(512 + 500 + 8 * 8);
    expect(cost.flash.value).toBe(140 + (36 + 16) + (8 + 2 * 8) + 1000 + 2 * 8);
    const single = priceNetwork(small(), device(), 'fp32');
    expect(single.peakRam.value).toBe(4 * 512 + 500);
    expect(single.flash.value).toBe(4 * (108 + 4 + 36 + 8 + 2) + 1000);
  });

  it('merges batch norm and activation into the convolution before them and counts their parameters', () => {
    const cost = priceNetwork(small(), device());
    expect(cost.layers.map((l) => l.kind)).toEqual(['input', 'conv2d', 'conv2d', 'globalAvgPool', 'flatten', 'linear']);
    expect([cost.macs, cost.params, cost.madds]).toEqual([totals(small()).macs, totals(small()).params, totals(small()).madds]);
    expect(cost.order).toEqual(cost.layers.map((l) => l.node));
  });

  it('gives each estimate a 90 % interval of the profile and names the model', () => {
    const { latency, energy, peakRam } = priceNetwork(small(), device());
    expect([latency.high / latency.value, latency.value / latency.low, energy.high / energy.value, peakRam.high / peakRam.value].map((x) => Number(x.toFixed(9)))).toEqual([1.25, 1.25, 2, 1.1]);
    expect(latency).toMatchObject({ model: 'roofline-1/paper-board', warnings: [] });
  });

  it('does not charge what no output needs', () => {
    const b = graphBuilder('dead');
    const x = b.input([1, 3, 8, 8]);
    b.conv2d(x, { outChannels: 100, kernel: 3 });
    const y = b.conv2d(x, { outChannels: 4, kernel: 1 });
    b.output(b.add(y, b.zeros(b.conv2d(x, { outChannels: 4, kernel: 5 }))));
    const cost = priceNetwork(b.build(), device());
    expect(cost.layers.map((l) => l.node)).toEqual([x, y]);
    expect(cost.macs).toBe(3 * 4 * 64);
  });

  it('prices a network whose output does not depend on its input, and says so', () => {
    const b = graphBuilder('constant');
    b.output(b.conv2d(b.zeros(b.input([1, 3, 8, 8])), { outChannels: 4, kernel: 3, bias: true }));
    const cost = priceNetwork(b.build(), device());
    expect(cost.latency.value).toBeGreaterThan(0);
    expect(cost.latency.warnings).toEqual(['the output does not depend on the input: a runtime that folds constants skips most of this network']);
    const nothing = graphBuilder('nothing');
    nothing.output(nothing.zeros(nothing.input([1, 3, 8, 8])));
    expect(priceNetwork(nothing.build(), device()).latency).toMatchObject({ value: 0, low: 0, high: 0 });
  });

  it('says when an operator is not known', () => {
    const b = graphBuilder('imported');
    b.output(b.node('opaque', [b.input([1, 3, 8, 8])], { opType: 'Einsum', shape: [1, 3, 8, 8] }, 'strange'));
    expect(priceNetwork(b.build(), device()).energy.warnings).toEqual(['1 operators of unknown kind are priced as element-wise (strange)']);
  });

  it('refuses a precision the device lacks, naming those it has', () => {
    expect(() => priceNetwork(small(), device(), 'fp16')).toThrow(UnsupportedPrecision);
    expect(() => priceNetwork(small(), device(), 'fp16')).toThrow('device "paper-board" has no precision "fp16"; it supports int8, fp32');
  });

  it('never falls when the device gets slower, and grows with every further operator', () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 100, noNaN: true }), fc.double({ min: 1, max: 100, noNaN: true }), fc.integer({ min: 1, max: 5 }), (slower, narrower, depth) => {
      const b = graphBuilder('chain');
      let x = b.input([1, 2, 6, 6]);
      for (let i = 0; i < depth; i++) x = b.conv2d(x, { outChannels: 2, kernel: 3 });
      b.output(x);
      const graph = b.build();
      const base = device();
      const int8 = base.precisions.int8!;
      const slow = device({
        precisions: { int8: { ...int8, peakMacs: figure(1e6 / slower, 'MAC/s') } },
        memory: { ...base.memory, bandwidth: figure(1e4 / narrower, 'B/s') },
      });
      const cost = priceNetwork(graph, base);
      expect(priceNetwork(graph, slow).latency.value).toBeGreaterThanOrEqual(cost.latency.value);
      expect(cost.latency.value).toBeCloseTo(depth * cost.layers[1]!.latency, 9);
    }));
  });
});

describe('fits', () => {
  it('is empty where all memories suffice and lists each that does not', () => {
    const cost = priceNetwork(small(), device());
    expect(fits(cost, device())).toEqual([]);
    const memory = device().memory;
    const tiny = device({ memory: { ...memory, ram: figure(100, 'B'), flash: figure(100, 'B') } });
    expect(fits(cost, tiny)).toEqual([
      { memory: 'ram', needed: cost.peakRam.value, available: 100 },
      { memory: 'flash', needed: cost.flash.value, available: 100 },
    ]);
  });

  it('loads weights into RAM where there is no storage of their own', () => {
    const cost = priceNetwork(small(), device());
    const memory = device().memory;
    const available = cost.peakRam.value + cost.flash.value - 1;
    expect(fits(cost, device({ memory: { ...memory, ram: figure(available, 'B'), flash: null } }))).toEqual([{ memory: 'ram', needed: available + 1, available }]);
    expect(fits(cost, device({ memory: { ...memory, ram: figure(available + 1, 'B'), flash: null } }))).toEqual([]);
  });
});
