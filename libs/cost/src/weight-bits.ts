/**
 * Weights of fewer than 8 bits on a device: what they save in its store and what they cost or save in time.
 *
 * Most microcontrollers multiply 8- or 16-bit numbers whatever the weights hold: fewer bits can at best be stored packed, and every
 * product then pays for the unpacking. A device that says nothing of them stores and computes such weights as int8.
 */
import type { Graph } from '@app/graph';
import { planOnce } from './plan.js';
import { priceNetwork } from './price-network.js';
import type { DeviceProfile, Estimate, NetworkCost, WeightBits } from './types.js';

/** Bits that hold q levels. @throws RangeError on fewer than 2 levels or no whole number */
export function bitsOfLevels(levels: number): number {
  if (!Number.isSafeInteger(levels) || levels < 2) throw new RangeError(`levels: expected a whole number from 2, got ${levels}`);
  return Math.ceil(Math.log2(levels));
}

/** How the device holds weights of so many bits: the narrowest packed form that takes them; null: as int8. */
export function supportFor(device: DeviceProfile, bits: number): WeightBits | null {
  const wide = (device.weightBits ?? []).filter((s) => s.bits >= bits);
  return wide.length === 0 ? null : wide.reduce((a, b) => (b.bits < a.bits ? b : a));
}

/**
 * `priceNetwork` in int8 with the weights of convolutions and linear layers in fewer bits. Activations, biases and scales stay as they
 * are; RAM does too. Where energy is fitted it goes with the time, else the weight store is read less and static power drawn longer.
 * Each product's unpacking is counted from instructions, not measured: the interval is widened by half of it.
 *
 * @param bits  1 … 8
 * @throws RangeError on other bits; UnsupportedPrecision where the device has no int8
 */
export function priceWithWeightBits(graph: Graph, device: DeviceProfile, bits: number): NetworkCost {
  if (!Number.isSafeInteger(bits) || bits < 1 || bits > 8) throw new RangeError(`weight bits: expected a whole number from 1 to 8, got ${bits}`);
  const cost = priceNetwork(graph, device, 'int8');
  if (bits === 8) return cost;
  const support = supportFor(device, bits);
  if (support === null) return withWarning({ ...cost, weightBits: bits }, `${device.id} has no packed form of ${bits}-bit weights: stored and computed as int8`);

  const elements = new Map(planOnce(graph).units.map((u) => [u.id, u.weights.elements]));
  const { unpack, storage } = support;
  let [saved, extra] = [0, 0];
  const layers = cost.layers.map((layer) => {
    const weights = elements.get(layer.node) ?? 0;
    if (weights === 0) return layer;
    const less = weights - Math.ceil((weights * storage.value) / 8);
    const longer = layer.macs * unpack.value;
    saved += less;
    extra += longer;
    const latency = layer.latency + longer;
    const energy = device.energyModel?.precision === 'int8' ? layer.energy * (layer.latency === 0 ? 1 : latency / layer.latency) : layer.energy - less * device.memory.weightEnergyPerByte.value + longer * device.staticPower.value;
    return { ...layer, weightBytes: layer.weightBytes - less, latency, energy };
  });
  const sum = (of: (l: (typeof layers)[number]) => number): number => layers.reduce((total, l) => total + of(l), 0);
  const outsideLayers = cost.energy.value - cost.layers.reduce((total, l) => total + l.energy, 0);
  const shifted = (e: Estimate, value: number, doubt: number): Estimate => ({ ...e, value, low: Math.max(0, (e.low / e.value) * value - doubt), high: (e.high / e.value) * value + doubt });
  return {
    ...cost, weightBits: bits, layers,
    latency: shifted(cost.latency, cost.latency.value + extra, extra / 2),
    energy: shifted(cost.energy, sum((l) => l.energy) + outsideLayers, 0),
    flash: shifted(cost.flash, cost.flash.value - saved, 0),
  };
}

/** `priceNetwork` as the profile asks for it: in its default precision and, where it says so, with its weights in fewer bits. @throws as `priceWithWeightBits` */
export function priceByDefault(graph: Graph, device: DeviceProfile): NetworkCost {
  return device.defaultWeightBits === undefined ? priceNetwork(graph, device) : priceWithWeightBits(graph, device, device.defaultWeightBits);
}

function withWarning(cost: NetworkCost, warning: string): NetworkCost {
  const warned = (e: Estimate): Estimate => ({ ...e, warnings: [...e.warnings, warning] });
  return { ...cost, latency: warned(cost.latency), energy: warned(cost.energy), flash: warned(cost.flash) };
}
