import { UnsupportedPrecision } from './errors.js';
import type { DeviceProfile, LayerCost, Precision, PrecisionProfile } from './types.js';

/** What an operator is to a device; each class has its own slowdown against a dense convolution. */
export type OperatorClass = 'dense' | keyof DeviceProfile['operatorFactors'];

/** Work of one operator as it runs: fused followers included, counts once. */
export interface OperatorWork {
  readonly class: OperatorClass;
  readonly macs: number;
  /** scalar element-wise operations that are not hidden in a fused kernel */
  readonly elementOps: number;
  /** class that prices `elementOps` */
  readonly elementClass: 'elementwise' | 'pool' | 'attention';
  /** B read and written, activations and weights */
  readonly activationBytes: number;
  readonly weightBytes: number;
}

export interface OperatorTime {
  /** s */
  readonly seconds: number;
  readonly bound: Exclude<LayerCost['bound'], 'free'>;
}

/** @throws UnsupportedPrecision naming those the device has */
export function precisionProfile(device: DeviceProfile, precision: Precision): PrecisionProfile {
  const profile = device.precisions[precision];
  if (!profile) throw new UnsupportedPrecision(device.id, precision, Object.keys(device.precisions) as Precision[]);
  return profile;
}

/**
 * Roofline time of one operator, s:
 *
 *   t = overhead + max( (macs · f_class + elementOps · f_element) / (peak · utilisation),  bytes / bandwidth )
 *
 * with f the device's slowdown of an operator class, 1 where the profile has none. Williams, Waterman & Patterson, "Roofline",
 * CACM 2009, per operator and with a start-up time. An operator without work costs its overhead.
 */
export function operatorTime(work: OperatorWork, device: DeviceProfile, precision: Precision): OperatorTime {
  const { peakMacs, utilisation } = precisionProfile(device, precision);
  const factor = (c: OperatorClass): number => (c === 'dense' ? 1 : (device.operatorFactors[c]?.value ?? 1));
  const compute = (work.macs * factor(work.class) + work.elementOps * factor(work.elementClass)) / (peakMacs.value * utilisation.value);
  const transfer = (work.activationBytes + work.weightBytes) / device.memory.bandwidth.value;
  const overhead = device.operatorOverhead.value;
  const busy = Math.max(compute, transfer);
  return { seconds: overhead + busy, bound: overhead > busy ? 'overhead' : compute >= transfer ? 'compute' : 'memory' };
}

/**
 * Energy of one operator besides the device's static power, J: MACs at the precision, activations at the working memory's price,
 * weights at the weight store's (formulas F-C11 with the figures of the thesis' Table 1.1).
 */
export function operatorEnergy(work: Pick<OperatorWork, 'macs' | 'activationBytes' | 'weightBytes'>, device: DeviceProfile, precision: Precision): number {
  return (
    work.macs * precisionProfile(device, precision).energyPerMac.value +
    work.activationBytes * device.memory.energyPerByte.value +
    work.weightBytes * device.memory.weightEnergyPerByte.value
  );
}
