import type { Graph } from '@app/graph';
import { memoryRuleOf, runtimeMemory } from './memory/runtime-memory.js';
import { memoryOfPlan } from './peak-memory.js';
import { BYTES_PER_ELEMENT, planExecution, storedWeightBytes, weightBytes, workOf, type ExecutionPlan } from './plan.js';
import { operatorEnergy, operatorTime, precisionProfile } from './roofline.js';
import type { DeviceProfile, Estimate, Figure, LayerCost, NetworkCost, Precision } from './types.js';

export const ROOFLINE_MODEL = 'roofline-1';

/**
 * Latency, energy, peak RAM and flash of one inference of a network on a device, and of each of its operators.
 *
 * - latency: sum of the operators' roofline times, run one after another
 * - energy: MACs, activation and weight traffic (F-C11) plus static power over the latency
 * - peakRam: what the device's runtime needs in the graph's order (`runtimeMemory`: TensorFlow Lite Micro's arena, overlays of generated
 *   code), where its rules are known, else `peakMemory`; plus the profile's figure for the rest
 * - flash: weights at the precision, the model format's metadata, plus the runtime's code
 *
 * Operators that no output needs are not priced. A network whose output does not depend on its input is priced like any other, with
 * a warning. Intervals hold 90 %: from value / (1 + u) to value · (1 + u), u the profile's uncertainty.
 *
 * @param precision  default: the device's own
 * @throws UnsupportedPrecision naming those the device has; GraphError if the graph breaks a rule
 */
export function priceNetwork(graph: Graph, device: DeviceProfile, precision: Precision = device.defaultPrecision): NetworkCost {
  precisionProfile(device, precision);
  const plan = planExecution(graph);
  const memory = memoryOfPlan(plan, BYTES_PER_ELEMENT[precision]);
  const layers = priceLayers(plan, memory.live, device, precision);
  const sum = (of: (layer: LayerCost) => number): number => layers.reduce((total, layer) => total + of(layer), 0);

  const latency = sum((l) => l.latency);
  const convChannels = plan.units.reduce((total, u) => total + u.weights.convChannels, 0);
  const { ram, flash, ramPerChannel, flashPerChannel } = device.runtime;
  const perChannel = (figure: Figure | undefined): number => (precision === 'int8' ? convChannels * (figure?.value ?? 0) : 0);
  const used = runtimeMemory(plan, memoryRuleOf(device.runtime.name), precision);
  const activations = used?.ram ?? memory.peak + perChannel(ramPerChannel);
  const metadata = used?.metadata ?? null;
  const model = metadata === null ? sum((l) => l.weightBytes) + perChannel(flashPerChannel) : plan.units.reduce((total, u) => total + storedWeightBytes(u.weights, precision), 0) + metadata;
  const warnings = warningsOf(plan);
  const estimate = (value: number, uncertainty: Figure): Estimate => ({
    value, low: value / (1 + uncertainty.value), high: value * (1 + uncertainty.value), model: `${ROOFLINE_MODEL}/${device.id}`, warnings,
  });
  return {
    device: device.id,
    precision,
    latency: estimate(latency, device.uncertainty.latency),
    energy: estimate(sum((l) => l.energy), device.uncertainty.energy),
    peakRam: estimate(activations + ram.value, device.uncertainty.memory),
    flash: estimate(model + flash.value, device.uncertainty.memory),
    macs: sum((l) => l.macs),
    params: sum((l) => l.params),
    madds: plan.units.reduce((total, u) => total + u.madds, 0),
    layers,
    order: memory.order,
  };
}

/** One entry a unit, in order. Static power is spread over the operators by their time. */
function priceLayers(plan: ExecutionPlan, live: readonly number[], device: DeviceProfile, precision: Precision): LayerCost[] {
  const size = new Map(plan.units.map((u) => [u.id, u.outputElements]));
  const bytes = BYTES_PER_ELEMENT[precision];
  return plan.units.map((unit, k) => {
    const inputElements = unit.inputs.reduce((total, id) => total + size.get(id)!, 0);
    const work = workOf(unit, inputElements, precision);
    const time = work === null ? null : operatorTime(work, device, precision);
    const latency = time?.seconds ?? 0;
    return {
      node: unit.id,
      kind: unit.node.kind,
      block: unit.node.block ?? null,
      outputShape: unit.outputShape,
      macs: unit.macs,
      params: unit.params,
      weightBytes: weightBytes(unit.weights, precision),
      inputBytes: inputElements * bytes,
      outputBytes: unit.outputElements * bytes,
      liveBytes: live[k]!,
      latency,
      energy: work === null ? 0 : operatorEnergy(work, device, precision) + device.staticPower.value * latency,
      bound: time?.bound ?? 'free',
    };
  });
}

function warningsOf(plan: ExecutionPlan): string[] {
  const warnings: string[] = [];
  if (!plan.dependsOnInput) warnings.push('the output does not depend on the input: a runtime that folds constants skips most of this network');
  const opaque = new Set(plan.units.filter((u) => u.node.kind === 'opaque').map((u) => u.id));
  if (opaque.size > 0) warnings.push(`${opaque.size} operators of unknown kind are priced as element-wise (${[...opaque].slice(0, 3).join(', ')}${opaque.size > 3 ? ', …' : ''})`);
  return warnings;
}
