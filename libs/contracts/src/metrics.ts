import { z } from 'zod';

/** How a number was had. An estimate is never shown as a measurement. `computed`: exact by definition (MACs, parameters). */
export const provenance = z.enum(['measured', 'simulated', 'trained', 'estimated', 'computed', 'reported']);
export type Provenance = z.infer<typeof provenance>;

export const metricValue = z.strictObject({
  /** in the metric's canonical SI unit */
  value: z.number(),
  unit: z.string(),
  provenance,
  /** 90 % interval, same unit; estimates always carry one */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** what gave the number: table, model and its version */
  source: z.string(),
  /** for instance: outside the range the model was fitted on */
  warnings: z.array(z.string()).optional(),
  /** learning curve: the value after each epoch, same unit */
  curve: z.array(z.number()).optional(),
  /** content hash of the data that the value was trained and judged on */
  data: z.string().optional(),
}).meta({ id: 'MetricValue' });
export type MetricValue = z.infer<typeof metricValue>;

/** Metric key → value. Key: `accuracy`, or `latency@pixel-3` for a metric of a device. */
export type Metrics = Readonly<Record<string, MetricValue>>;

export interface MetricDefinition {
  readonly name: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** priced on a device: needs a target */
  readonly onDevice: boolean;
  readonly description: string;
}

/** Metrics Caddis knows. A user's command may report others: those have no unit of their own and no device. */
export const METRICS: readonly MetricDefinition[] = [
  { name: 'accuracy', unit: '%', better: 'higher', onDevice: false, description: 'share of correct answers (top-1)' },
  { name: 'error', unit: '%', better: 'lower', onDevice: false, description: '100 − accuracy' },
  { name: 'proxy', unit: '1', better: 'higher', onDevice: false, description: 'score of the untrained network that tends to rise with accuracy; scales differ from proxy to proxy' },
  { name: 'latency', unit: 's', better: 'lower', onDevice: true, description: 'time of one inference, batch 1' },
  { name: 'energy', unit: 'J', better: 'lower', onDevice: true, description: 'energy of one inference, batch 1' },
  { name: 'peakRam', unit: 'B', better: 'lower', onDevice: true, description: 'RAM of one inference on the runtime: live activations over the execution order as its planner places them, and what it keeps besides' },
  { name: 'flash', unit: 'B', better: 'lower', onDevice: true, description: 'weights, code and runtime in storage' },
  { name: 'macs', unit: '1', better: 'lower', onDevice: false, description: 'multiply-accumulates of one inference' },
  { name: 'params', unit: '1', better: 'lower', onDevice: false, description: 'trainable parameters' },
];

export const metricDefinition = (name: string): MetricDefinition | undefined => METRICS.find((m) => m.name === name);
export const metricKey = (metric: string, target?: string): string => (target === undefined ? metric : `${metric}@${target}`);

const SCALES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  s: { s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 },
  J: { J: 1, mJ: 1e-3, uJ: 1e-6, µJ: 1e-6, nJ: 1e-9 },
  B: { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
  '%': { '%': 1, '1': 100 },
  '1': { '1': 1, k: 1e3, M: 1e6, G: 1e9 },
};

/** Units a metric may be given in, canonical first. */
export const unitsOf = (canonical: string): string[] => Object.keys(SCALES[canonical] ?? { [canonical]: 1 });

/** @throws RangeError naming both units if they don't measure the same thing */
export function convert(value: number, from: string, to: string): number {
  if (from === to) return value;
  for (const scale of Object.values(SCALES)) {
    const a = scale[from];
    const b = scale[to];
    if (a !== undefined && b !== undefined) return (value * a) / b;
  }
  throw new RangeError(`can't convert ${from} to ${to}`);
}
