/**
 * What a network adds up to, and the figures of a device that follow from sums alone. All sums are of integers, so a network may be
 * summed in pieces and in any order.
 */
import { cubeAiTermsOf, isCubeAi } from './memory/cube-ai.js';
import { BYTES_PER_ELEMENT, storedWeightBytes, weightBytes, workOf, type ExecutionPlan, type WeightCount } from './plan.js';
import { operatorEnergy } from './roofline.js';
import type { DeviceProfile, Figure, Precision } from './types.js';

export class NetworkSums {
  macs = 0;
  params = 0;
  madds = 0;
  /** operators that take time, and what they are given to do */
  operators = 0;
  work = new WorkSums();
  /** of all units, constants included */
  weights = new WeightSums();

  clear(): void {
    this.macs = this.params = this.madds = this.operators = 0;
    this.work.clear();
    this.weights.clear();
  }

  add(more: NetworkSums): void {
    this.macs += more.macs;
    this.params += more.params;
    this.madds += more.madds;
    this.operators += more.operators;
    this.work.add(more.work);
    this.weights.add(more.weights);
  }
}

class WeightSums implements WeightCount {
  elements = 0;
  biases = 0;
  channels = 0;
  convChannels = 0;

  clear(): void {
    this.elements = this.biases = this.channels = this.convChannels = 0;
  }

  /** Four figures of a row. */
  read(row: Float64Array, at: number): void {
    this.elements = row[at]!;
    this.biases = row[at + 1]!;
    this.channels = row[at + 2]!;
    this.convChannels = row[at + 3]!;
  }

  add(more: WeightCount): void {
    this.elements += more.elements;
    this.biases += more.biases;
    this.channels += more.channels;
    this.convChannels += more.convChannels;
  }
}

class WorkSums {
  macs = 0;
  /** elements read and written */
  traffic = 0;
  weights = new WeightSums();

  clear(): void {
    this.macs = this.traffic = 0;
    this.weights.clear();
  }

  add(more: WorkSums): void {
    this.macs += more.macs;
    this.traffic += more.traffic;
    this.weights.add(more.weights);
  }
}

/** Figures of `writeSums`. */
export const SUMS = 14;

/** The sums as a row of figures, [SUMS]; `readSums` takes them back. */
export function writeSums({ macs, params, madds, operators, work, weights }: NetworkSums, into: Float64Array): void {
  into.set([
    macs, params, madds, operators, work.macs, work.traffic, work.weights.elements, work.weights.biases, work.weights.channels, work.weights.convChannels,
    weights.elements, weights.biases, weights.channels, weights.convChannels,
  ]);
}

export function readSums(row: Float64Array, into: NetworkSums): void {
  into.macs = row[0]!;
  into.params = row[1]!;
  into.madds = row[2]!;
  into.operators = row[3]!;
  into.work.macs = row[4]!;
  into.work.traffic = row[5]!;
  into.work.weights.read(row, 6);
  into.weights.read(row, 10);
}

export function sumsOf(plan: ExecutionPlan): NetworkSums {
  const sums = new NetworkSums();
  const size = new Map(plan.units.map((u) => [u.id, u.outputElements]));
  for (const unit of plan.units) {
    sums.macs += unit.macs;
    sums.params += unit.params;
    sums.madds += unit.madds;
    sums.weights.add(unit.weights);
    const read = unit.inputs.reduce((total, id) => total + size.get(id)!, 0);
    const work = workOf(unit, read, 'int8');
    if (work === null) continue;
    sums.operators++;
    sums.work.macs += work.macs;
    sums.work.traffic += read + unit.outputElements;
    sums.work.weights.add(unit.weights);
  }
  return sums;
}

/** J: MACs, traffic of activations and of weights, and static power for the latency (s). */
export function energyOfSums({ work }: NetworkSums, device: DeviceProfile, precision: Precision, latency: number): number {
  const operators = operatorEnergy({ macs: work.macs, activationBytes: work.traffic * BYTES_PER_ELEMENT[precision], weightBytes: weightBytes(work.weights, precision) }, device, precision);
  return operators + device.staticPower.value * latency;
}

/**
 * B of RAM.
 *
 * @param used  B that the runtime takes for the network; null: not known, then `peak` counts
 * @param peak  largest working set, elements
 */
export function ramOfSums(sums: NetworkSums, device: DeviceProfile, precision: Precision, used: number | null, peak: number): number {
  const { ram, ramPerChannel } = device.runtime;
  const activations = used ?? peak * BYTES_PER_ELEMENT[precision] + perChannel(sums, ramPerChannel, precision);
  return activations + (hasCubeAiTerms(device, precision) ? cubeAiTermsOf(sums.operators, sums.weights.channels).ram : ram.value);
}

/** B of flash. @param metadata  B of the model besides its weights; null: the profile's figure a channel stands for it */
export function flashOfSums(sums: NetworkSums, device: DeviceProfile, precision: Precision, metadata: number | null): number {
  const { flash, flashPerChannel } = device.runtime;
  const stored = storedWeightBytes(sums.weights, precision);
  if (hasCubeAiTerms(device, precision)) return stored + cubeAiTermsOf(sums.operators, sums.weights.channels).flash;
  return (metadata === null ? weightBytes(sums.weights, precision) + perChannel(sums, flashPerChannel, precision) : stored + metadata) + flash.value;
}

function perChannel({ weights }: NetworkSums, figure: Figure | undefined, precision: Precision): number {
  return precision === 'int8' ? weights.convChannels * (figure?.value ?? 0) : 0;
}

function hasCubeAiTerms(device: DeviceProfile, precision: Precision): boolean {
  return precision === 'int8' && isCubeAi(device.runtime.name);
}
