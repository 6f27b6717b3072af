import type { DeviceView, SpaceView } from '@app/contracts';

/** A specification while it is being written: any JSON, since a half-written one is no StudySpec yet. */
export type Draft = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

export const pointerOf = (path: Path): string => path.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** The value at a path; undefined where the path leads nowhere. */
export function at(draft: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Readonly<Record<string | number, unknown>>)[key] : undefined), draft);
}

/** A copy with one value put, or taken out when it is undefined. Missing mappings on the way are made. */
export function put(draft: Draft, path: Path, value: unknown): Draft {
  return putInto(draft, path, value) as Draft;
}

function putInto(node: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(node)) {
    const copy: unknown[] = [...(node as readonly unknown[])];
    if (rest.length === 0 && value === undefined) copy.splice(Number(key), 1);
    else copy[Number(key)] = putInto(copy[Number(key)], rest, value);
    return copy;
  }
  const copy: Record<string, unknown> = { ...(typeof node === 'object' && node !== null ? node : {}) };
  const next = rest.length === 0 ? value : putInto(copy[key], rest, value);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

/** Text of a field: numbers as typed; what is no number stays text, so that the check can say so. */
export function fieldValue(text: string, numeric: boolean): unknown {
  if (text.trim() === '') return undefined;
  if (!numeric) return text;
  const n = Number(text);
  return Number.isFinite(n) ? n : text;
}

export interface Example { readonly title: string; readonly about: string; readonly spec: Draft }

/** Working specifications made of what this service offers. */
export function examplesOf(spaces: readonly SpaceView[], devices: readonly DeviceView[]): Example[] {
  const examples: Example[] = [];
  const tabular = spaces.find((s) => s.accuracy.includes('table'));
  const surrogate = spaces.find((s) => s.accuracy.includes('surrogate'));
  const mobile = tabledDevice(tabular, devices) ?? devices.find((d) => d.class === 'mobile') ?? devices[0];
  const mcu = devices.find((d) => d.class === 'mcu');
  if (tabular && mobile) {
    examples.push({
      title: 'Accuracy against latency, from a table', about: `${tabular.title} on ${mobile.title}: every accuracy was trained and tabulated, so 300 trials take seconds`,
      spec: { name: `accuracy and latency on ${mobile.id}`, searchSpace: tabular.name, task: { numClasses: 10 }, accuracy: { method: 'table', dataset: 'cifar10' }, objectives: [{ metric: 'accuracy' }, { metric: 'latency', target: mobile.id, unit: 'ms' }], algorithm: { name: 'auto' }, budget: { maxTrials: 300, maxParallelTrials: 2 }, seed: 1 },
    });
    if (mcu) {
      examples.push({
        title: 'Three objectives on a microcontroller', about: `Accuracy, latency and energy on ${mcu.title}, with a limit on RAM`,
        spec: { name: `three objectives on ${mcu.id}`, searchSpace: tabular.name, task: { numClasses: 10 }, accuracy: { method: 'table', dataset: 'cifar10' }, objectives: [{ metric: 'accuracy' }, { metric: 'latency', target: mcu.id, unit: 'ms' }, { metric: 'energy', target: mcu.id, unit: 'mJ' }], constraints: [{ metric: 'peakRam', op: '<=', value: 320, unit: 'KiB', target: mcu.id }], algorithm: { name: 'auto' }, budget: { maxTrials: 500, maxParallelTrials: 2 }, seed: 1 },
      });
    }
  }
  if (surrogate && mobile) {
    examples.push({
      title: 'A large space with estimated accuracy', about: `${surrogate.title} on ${mobile.title}: accuracy is estimated and shown with its interval`,
      spec: { name: `${surrogate.name} on ${mobile.id}`, searchSpace: surrogate.name, task: { numClasses: 1000 }, accuracy: { method: 'surrogate' }, objectives: [{ metric: 'accuracy' }, { metric: 'latency', target: mobile.id, unit: 'ms' }, { metric: 'params', unit: 'M' }], algorithm: { name: 'auto' }, budget: { maxTrials: 400, maxParallelTrials: 2 }, seed: 1 },
    });
  }
  return examples;
}

const tabledDevice = (space: SpaceView | undefined, devices: readonly DeviceView[]): DeviceView | undefined => devices.find((d) => space?.tabulated.includes(`latency@${d.id}`));

export const EMPTY_DRAFT: Draft = { name: '', searchSpace: '', accuracy: { method: 'table' }, objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 200 }, seed: 0 };
