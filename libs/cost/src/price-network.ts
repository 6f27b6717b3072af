import type { Graph } from '@app/graph';
import { fittedPrice, spreadOver, type FittedPrice } from './latency-model.js';
import { memoryRuleOf, runtimeMemory } from './memory/runtime-memory.js';
import { memoryOfPlan } from './peak-memory.js';
import { BYTES_PER_ELEMENT, planOnce, weightBytes, workOf, type ExecutionPlan } from './plan.js';
import { operatorEnergy, operatorTime, precisionProfile } from './roofline.js';
import { energyOfSums, flashOfSums, ramOfSums, sumsOf } from './sums.js';
import type { DeviceProfile, Estimate, Figure, LayerCost, NetworkCost, Precision } from './types.js';

export const ROOFLINE_MODEL = 'roofline-1';
export const FITTED_MODEL = 'terms-1';

/**
 * Latency, energy, peak RAM and flash of one inference of a network on a device, and of each of its operators.
 *
 * - latency: the model fitted to measurements of the device, where its profile has one for the precision, else the sum of the operators'
 *   roofline times, run one after another
 * - energy: likewise, else MACs, activation and weight traffic (F-C11) plus static power over the latency
 * - peakRam: what the device's runtime needs in the graph's order (`runtimeMemory`: TensorFlow Lite Micro's arena, overlays of generated
 *   code), where its rules are known, else `peakMemory`; plus the profile's figure for the rest
 * - flash: weights at the precision, the model format's metadata, plus the runtime's code; of STM32Cube.AI by operators and channels
 *
 * Operators that no output needs are not priced. A network whose output does not depend on its input is priced like any other, with
 * a warning. Intervals hold 90 %: those of cross-validation where a model is fitted, else from value / (1 + u) to value · (1 + u), u the
 * profile's uncertainty.
 *
 * @param precision  default: the device's own
 * @throws UnsupportedPrecision naming those the device has; GraphError if the graph breaks a rule
 */
export function priceNetwork(graph: Graph, device: DeviceProfile, precision: Precision = device.defaultPrecision): NetworkCost {
  precisionProfile(device, precision);
  const plan = planOnce(graph);
  const memory = memoryOfPlan(plan, BYTES_PER_ELEMENT[precision]);
  const fitted = (model: DeviceProfile['latencyModel'], uncertainty: Figure): FittedPrice | null => (model?.precision === precision ? fittedPrice(graph, model, uncertainty.value) : null);
  const time = fitted(device.latencyModel, device.uncertainty.latency);
  const work = fitted(device.energyModel, device.uncertainty.energy);
  const layers = priceLayers(plan, memory.live, device, precision);
  const sums = sumsOf(plan);
  const latency = time?.value ?? layers.reduce((total, layer) => total + layer.latency, 0);
  const used = runtimeMemory(plan, memoryRuleOf(device.runtime.name), precision);
  const warnings = warningsOf(plan);
  return {
    device: device.id,
    precision,
    latency: time === null ? plainEstimate(latency, device, 'latency', warnings) : fittedEstimate(time, device, warnings),
    energy: work === null ? plainEstimate(energyOfSums(sums, device, precision, latency), device, 'energy', warnings) : fittedEstimate(work, device, warnings),
    peakRam: plainEstimate(ramOfSums(sums, device, precision, used?.ram ?? null, memory.peak / BYTES_PER_ELEMENT[precision]), device, 'memory', warnings),
    flash: plainEstimate(flashOfSums(sums, device, precision, used?.metadata ?? null), device, 'memory', warnings),
    macs: sums.macs,
    params: sums.params,
    madds: sums.madds,
    layers: withFitted(graph, layers, device, time, work),
    order: memory.order,
  };
}

/** With the profile's uncertainty. */
export function plainEstimate(value: number, device: DeviceProfile, of: keyof DeviceProfile['uncertainty'], warnings: readonly string[]): Estimate {
  const factor = 1 + device.uncertainty[of].value;
  return { value, low: value / factor, high: value * factor, model: `${ROOFLINE_MODEL}/${device.id}`, warnings };
}

/** With the interval of cross-validation. */
export function fittedEstimate({ value, low, high, outside }: Omit<FittedPrice, 'steps'>, device: DeviceProfile, warnings: readonly string[]): Estimate {
  return { value, low, high, model: `${FITTED_MODEL}/${device.id}`, warnings: [...warnings, ...outside.map((what) => `outside what ${device.id} was fitted on: ${what}`)] };
}

/** The fitted price spread over the layers; a device whose energy is not fitted pays static power for the fitted time. */
function withFitted(graph: Graph, layers: LayerCost[], device: DeviceProfile, time: FittedPrice | null, work: FittedPrice | null): LayerCost[] {
  if (time === null && work === null) return layers;
  const seconds = time === null ? null : spreadOver(graph, layers, time);
  const joules = work === null ? null : spreadOver(graph, layers, work);
  return layers.map((layer, k) => {
    const latency = seconds?.[k]?.value ?? layer.latency;
    return {
      ...layer, latency, bound: layer.bound === 'free' && latency === 0 ? 'free' : (seconds?.[k]?.bound ?? layer.bound),
      energy: joules?.[k]?.value ?? layer.energy + device.staticPower.value * (latency - layer.latency),
    };
  });
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

/** Roofline time of each unit, s, [units]. */
export function rooflineSeconds(plan: ExecutionPlan, device: DeviceProfile, precision: Precision): Float64Array {
  const size = new Map(plan.units.map((u) => [u.id, u.outputElements]));
  return Float64Array.from(plan.units, (unit) => {
    const work = workOf(unit, unit.inputs.reduce((total, id) => total + size.get(id)!, 0), precision);
    return work === null ? 0 : operatorTime(work, device, precision).seconds;
  });
}

/** What is odd about a network whatever the device. */
export function warningsOf(plan: ExecutionPlan): string[] {
  const warnings: string[] = [];
  if (!plan.dependsOnInput) warnings.push('the output does not depend on the input: a runtime that folds constants skips most of this network');
  const opaque = new Set(plan.units.filter((u) => u.node.kind === 'opaque').map((u) => u.id));
  if (opaque.size > 0) warnings.push(`${opaque.size} operators of unknown kind are priced as element-wise (${[...opaque].slice(0, 3).join(', ')}${opaque.size > 3 ? ', …' : ''})`);
  return warnings;
}
