import { graphBuilder } from '@app/graph';
import { describe, expect, it } from 'vitest';
import { priceNetwork } from './price-network.js';
import type { DeviceProfile, Figure } from './types.js';
import { bitsOfLevels, priceByDefault, priceWithWeightBits, supportFor } from './weight-bits.js';

const figure = (value: number, unit: string): Figure => ({ value, unit, source: 'made up for this test' });
const plain: DeviceProfile = {
  id: 'paper-board', title: 'Paper board', class: 'mcu', defaultPrecision: 'int8',
  precisions: { int8: { peakMacs: figure(1e6, 'MAC/s'), utilisation: figure(0.5, '1'), energyPerMac: figure(2e-12, 'J') } },
  memory: { ram: figure(4096, 'B'), flash: figure(8192, 'B'), bandwidth: figure(1e4, 'B/s'), energyPerByte: figure(1e-12, 'J/B'), weightEnergyPerByte: figure(3e-12, 'J/B') },
  operatorOverhead: figure(1e-3, 's'), staticPower: figure(0.1, 'W'), activePower: null, operatorFactors: {},
  runtime: { name: 'none', flash: figure(1000, 'B'), ram: figure(500, 'B') },
  uncertainty: { latency: figure(0.25, '1'), energy: figure(1, '1'), memory: figure(0.1, '1') },
};

const graph = (() => {
  const b = graphBuilder('two layers');
  b.output(b.linear(b.flatten(b.conv2d(b.input([1, 3, 8, 8]), { outChannels: 5, kernel: 3, bias: true })), 7));
  return b.build();
})();
const WEIGHTS = 3 * 9 * 5 + 5 * 64 * 7;
const MACS = 64 * 27 * 5 + 320 * 7;
const packed: DeviceProfile = { ...plain, weightBits: [{ bits: 4, storage: figure(4, 'bit'), unpack: figure(1e-9, 's/MAC') }] };

describe('weights below 8 bits', () => {
  it('take half the store in four bits, and time for the unpacking of every product', () => {
    const [int8, four] = [priceNetwork(graph, packed, 'int8'), priceWithWeightBits(graph, packed, 4)];
    expect(int8.flash.value - four.flash.value).toBe(Math.floor(135 / 2) + (WEIGHTS - 135) / 2);
    expect(four.latency.value - int8.latency.value).toBeCloseTo(MACS * 1e-9, 15);
    expect(four.peakRam).toEqual(int8.peakRam);
    expect(four.latency.high).toBeGreaterThan(four.latency.value);
    expect(four.layers.reduce((sum, l) => sum + l.latency, 0)).toBeCloseTo(four.latency.value, 15);
  });

  it('of three bits go into the four-bit form; of five into none, and that is said', () => {
    expect(supportFor(packed, 3)!.bits).toBe(4);
    expect(priceWithWeightBits(graph, packed, 3)).toEqual({ ...priceWithWeightBits(graph, packed, 4), weightBits: 3 });
    const five = priceWithWeightBits(graph, packed, 5);
    expect(five.flash.value).toBe(priceNetwork(graph, packed, 'int8').flash.value);
    expect(five.flash.warnings.at(-1)).toMatch(/has no packed form of 5-bit weights: stored and computed as int8$/);
  });

  it('cost and save nothing on a device that says nothing of them', () => {
    const [int8, four] = [priceNetwork(graph, plain, 'int8'), priceWithWeightBits(graph, plain, 4)];
    expect([four.latency.value, four.energy.value, four.flash.value]).toEqual([int8.latency.value, int8.energy.value, int8.flash.value]);
  });

  it('are priced where the profile asks for them', () => {
    expect(priceByDefault(graph, { ...packed, defaultWeightBits: 4 })).toEqual(priceWithWeightBits(graph, packed, 4));
    expect(priceByDefault(graph, packed)).toEqual(priceNetwork(graph, packed));
  });

  it('of eight bits are int8, and of nine are refused', () => {
    expect(priceWithWeightBits(graph, packed, 8)).toEqual(priceNetwork(graph, packed, 'int8'));
    expect(() => priceWithWeightBits(graph, packed, 9)).toThrow('weight bits: expected a whole number from 1 to 8, got 9');
  });

  it('q levels need ⌈log2 q⌉ bits', () => {
    expect([2, 3, 4, 6, 8, 16, 17, 256].map(bitsOfLevels)).toEqual([1, 2, 2, 3, 3, 4, 5, 8]);
    expect(() => bitsOfLevels(1)).toThrow('levels: expected a whole number from 2, got 1');
  });
});
