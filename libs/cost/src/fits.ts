import type { DeviceProfile, NetworkCost } from './types.js';

export interface ExceededMemory {
  readonly memory: 'ram' | 'flash';
  /** B */
  readonly needed: number;
  /** B */
  readonly available: number;
}

/**
 * Memories of the device that the network exceeds; empty: it fits. Where the device has no separate storage for weights (`flash` is
 * null), they are loaded into RAM and count there.
 */
export function fits(cost: NetworkCost, device: DeviceProfile): readonly ExceededMemory[] {
  const { ram, flash } = device.memory;
  const needs: ExceededMemory[] = [{ memory: 'ram', needed: cost.peakRam.value + (flash === null ? cost.flash.value : 0), available: ram.value }];
  if (flash !== null) needs.push({ memory: 'flash', needed: cost.flash.value, available: flash.value });
  return needs.filter((n) => n.needed > n.available);
}
