/** Devices as the pricer looks at them: what each asks of a network, and each question once. */
import { coefficientVector, intervalOf } from '../latency-model.js';
import type { RuntimeRules } from '../latency-rules.js';
import { isArenaRule, memoryRuleOf, type MemoryRule } from '../memory/runtime-memory.js';
import { BYTES_PER_ELEMENT } from '../plan.js';
import { precisionProfile } from '../roofline.js';
import type { DeviceProfile, FittedModel, Precision } from '../types.js';
import type { Questions } from './run.js';

export interface PricedDevice {
  readonly device: DeviceProfile;
  /** default: the device's own */
  readonly precision?: Precision;
}

export interface ModelOfTarget {
  readonly model: FittedModel;
  readonly coefficients: Float64Array;
  readonly runtime: number;
  readonly range: number;
  readonly within: FittedModel['interval'];
  readonly beyond: FittedModel['interval'];
}

export interface Target {
  readonly device: DeviceProfile;
  readonly precision: Precision;
  readonly rule: MemoryRule;
  /** place among arenas or generated codes */
  readonly memory: number;
  readonly time: ModelOfTarget | null;
  readonly energy: ModelOfTarget | null;
  /** place among rooflines where latency is not fitted */
  readonly roofline: number;
}

/** @throws UnsupportedPrecision naming those the device has */
export function targetsOf(devices: readonly PricedDevice[]): { readonly targets: readonly Target[]; readonly questions: Questions } {
  const runtimes: RuntimeRules[] = [];
  const ranges: Questions['ranges'][number][] = [];
  const rooflines: Questions['rooflines'][number][] = [];
  const arenas: Questions['arenas'][number][] = [];
  const generated: Questions['generated'][number][] = [];
  const placeOf = <T>(list: T[], item: T): number => {
    const key = JSON.stringify(item);
    const known = list.findIndex((other) => JSON.stringify(other) === key);
    return known >= 0 ? known : list.push(item) - 1;
  };
  const modelOf = (model: FittedModel | undefined, precision: Precision, uncertainty: number): ModelOfTarget | null => {
    if (model?.precision !== precision) return null;
    const runtime = placeOf(runtimes, model.runtime);
    return {
      model, coefficients: coefficientVector(model), runtime, range: placeOf(ranges, { runtime, range: model.range }),
      within: intervalOf(model, uncertainty, false), beyond: intervalOf(model, uncertainty, true),
    };
  };
  const targets = devices.map(({ device, precision = device.defaultPrecision }): Target => {
    precisionProfile(device, precision);
    const rule = memoryRuleOf(device.runtime.name);
    const time = modelOf(device.latencyModel, precision, device.uncertainty.latency.value);
    return {
      device, precision, rule, time,
      energy: modelOf(device.energyModel, precision, device.uncertainty.energy.value),
      roofline: time === null ? rooflines.push({ device, precision }) - 1 : -1,
      memory: rule === 'live-set' ? -1 : isArenaRule(rule) ? placeOf(arenas, { rule, precision: precision === 'int8' ? precision : 'fp32' }) : placeOf(generated, { rule, bytesPerElement: BYTES_PER_ELEMENT[precision] }),
    };
  });
  return { targets, questions: { runtimes, ranges, rooflines, arenas, generated } };
}
