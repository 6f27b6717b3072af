import { z } from 'zod';
import { issuesOf, parseYaml } from '@app/catalog';
import { RUNTIMES, type Precision, type RuntimeKind } from '@app/cost';
import { InputError, inputError } from '../output.js';
import { readText } from '../read-file.js';

/** One measured network. Latency in s, energy in J. */
export interface Measurement {
  /** place in the file */
  readonly pointer: string;
  readonly name: string;
  readonly space?: string;
  readonly architecture?: string;
  readonly point?: Readonly<Record<string, unknown>>;
  readonly classes?: number;
  /** path of an ONNX file, from the measurement file's folder */
  readonly model?: string;
  readonly latency: number;
  readonly energy?: number;
}

export interface MeasurementFile {
  readonly precision?: Precision;
  readonly runtime?: RuntimeKind;
  /** ISO date of the measurements; today where the file says none */
  readonly date: string;
  readonly measurements: readonly Measurement[];
}

const SECONDS = { s: 1, ms: 1e-3, us: 1e-6, 'µs': 1e-6, ns: 1e-9 } as const;
const JOULES = { J: 1, mJ: 1e-3, uJ: 1e-6, 'µJ': 1e-6 } as const;

const figure = <U extends string>(units: readonly [U, ...U[]]) => z.strictObject({ value: z.number().positive(), unit: z.enum(units) });

const row = z
  .strictObject({
    space: z.string().min(1).optional(),
    architecture: z.string().min(1).optional(),
    point: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    classes: z.number().int().min(1).optional(),
    model: z.string().min(1).optional(),
    latency: figure(['s', 'ms', 'us', 'µs', 'ns']),
    energy: figure(['J', 'mJ', 'uJ', 'µJ']).optional(),
  })
  .superRefine((m, ctx) => {
    if ((m.model === undefined) === (m.space === undefined)) ctx.addIssue({ code: 'custom', path: [], message: 'expected either model or space' });
    else if (m.space !== undefined && (m.architecture === undefined) === (m.point === undefined)) ctx.addIssue({ code: 'custom', path: [], message: 'expected either architecture or point beside space' });
  });

const fileSchema = z.strictObject({
  precision: z.enum(['fp32', 'fp16', 'int8']).optional(),
  runtime: z.enum(Object.keys(RUNTIMES) as [RuntimeKind, ...RuntimeKind[]]).optional(),
  date: z.iso.date().optional(),
  measurements: z.array(row).min(3, 'expected at least 3 measured networks'),
});

/** @throws InputError naming the file, the field, what came and what was due */
export function readMeasurements(path: string): MeasurementFile {
  const parsed = parseYaml(readText(path));
  if ('faults' in parsed) throw new InputError(parsed.faults.map((fault) => `${path}: ${fault}`).join('\n'));
  const checked = fileSchema.safeParse(parsed.value);
  if (!checked.success) throw inputError(path, issuesOf(checked.error, parsed.value));
  const { precision, runtime, date, measurements } = checked.data;
  return {
    ...(precision === undefined ? {} : { precision }),
    ...(runtime === undefined ? {} : { runtime }),
    date: date ?? new Date().toISOString().slice(0, 10),
    measurements: measurements.map(({ latency, energy, space, architecture, point, classes, model }, i): Measurement => ({
      pointer: `/measurements/${i}`,
      name: model ?? `${space} ${architecture ?? JSON.stringify(point)}${classes === undefined ? '' : ` / ${classes}`}`,
      ...(space === undefined ? {} : { space }), ...(architecture === undefined ? {} : { architecture }), ...(point === undefined ? {} : { point }),
      ...(classes === undefined ? {} : { classes }), ...(model === undefined ? {} : { model }),
      latency: latency.value * SECONDS[latency.unit], ...(energy === undefined ? {} : { energy: energy.value * JOULES[energy.unit] }),
    })),
  };
}
