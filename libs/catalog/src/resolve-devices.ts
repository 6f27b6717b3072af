import type { StudySpec } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import type { Issue } from './issue.js';
import type { Resolved } from './resolve-space.js';

type DeviceNaming = Pick<StudySpec, 'devices' | 'objectives' | 'constraints'>;

/**
 * Profiles of every device a study names: those listed, in their order, then those that are targets only. A copy each; a listed
 * `precision` becomes its default and so do `weightBits`, with int8; a listed `profile` is taken under the listed id, `measure` replaces the profile's. An unknown id or a precision the device lacks is an issue that names what there is.
 */
export function resolveDevices(known: readonly DeviceProfile[], spec: DeviceNaming): Resolved<DeviceProfile[]> {
  const issues: Issue[] = [];
  const found = new Map<string, DeviceProfile>();
  const find = (id: string, pointer: string, measured = false): DeviceProfile | undefined => {
    const device = known.find((d) => d.id === id);
    const hint = measured ? '; a device of your own needs a profile beside it, which prices what is not measured' : '';
    if (!device) issues.push({ pointer, code: 'unknown-device', message: `unknown device "${id}"${hint}; known: ${known.map((d) => d.id).join(', ')}` });
    return device;
  };
  spec.devices.forEach(({ id, precision, weightBits, profile, measure }, i) => {
    const device = find(profile ?? id, `/devices/${i}/${profile === undefined ? 'id' : 'profile'}`, measure !== undefined && profile === undefined);
    if (!device) return;
    if (found.has(id)) {
      issues.push({ pointer: `/devices/${i}/id`, code: 'duplicate', message: `device "${id}" stands twice` });
    } else if (precision !== undefined && device.precisions[precision] === undefined) {
      issues.push({ pointer: `/devices/${i}/precision`, code: 'unknown-precision', message: `device "${id}" has ${Object.keys(device.precisions).join(', ')}; got "${precision}"` });
    } else {
      const measured = measure ?? (id === device.id ? device.measure : undefined);
      const fault = weightBits === undefined ? null : faultOfWeightBits(device, id, precision, measured);
      if (fault !== null) issues.push({ pointer: `/devices/${i}/weightBits`, code: 'unsupported-weight-bits', message: fault });
      const copy = {
        ...structuredClone(device), id, defaultPrecision: precision ?? (weightBits === undefined ? device.defaultPrecision : 'int8'),
        ...(weightBits === undefined ? {} : { defaultWeightBits: weightBits }), measure: measured,
      };
      found.set(id, copy);
    }
  });
  for (const field of ['objectives', 'constraints'] as const) {
    spec[field].forEach(({ target }, i) => {
      if (target === undefined || found.has(target) || spec.devices.some((d) => d.id === target)) return;
      const device = find(target, `/${field}/${i}/target`);
      if (device) found.set(target, structuredClone(device));
    });
  }
  return issues.length > 0 ? { issues } : { value: [...found.values()] };
}

/** Fewer bits belong to int8, and nobody measures them: an agent is not told. Null: fine. */
function faultOfWeightBits(device: DeviceProfile, id: string, precision: DeviceProfile['defaultPrecision'] | undefined, measure: DeviceProfile['measure']): string | null {
  if (precision !== undefined && precision !== 'int8') return `weights of fewer bits go with precision int8; got "${precision}"`;
  if (device.precisions.int8 === undefined) return `weights of fewer bits go with precision int8; device "${id}" has ${Object.keys(device.precisions).join(', ')}`;
  return measure === undefined ? null : `weights of fewer bits are priced, not measured; device "${id}" measures ${measure.metrics.join(', ')}`;
}
