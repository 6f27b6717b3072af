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
    measured: z.record(z.string(), z.unknown()).optional().describe('how it was had; for readers, the fit does not look'),
  })
  .superRefine((m, ctx) => {
    if ((m.model === undefined) === (m.space === undefined)) ctx.addIssue({ code: 'custom', path: [], message: 'expected either model or space' });
    else if (m.space !== undefined && (m.architecture === undefined) === (m.point === undefined)) ctx.addIssue({ code: 'custom', path: [], message: 'expected either architecture or point beside space' });
  });

const common = {
  precision: z.enum(['fp32', 'fp16', 'int8']).optional(),
  runtime: z.enum(Object.keys(RUNTIMES) as [RuntimeKind, ...RuntimeKind[]]).optional(),
  date: z.iso.date().optional(),
};
const fileSchema = z.strictObject({ ...common, measurements: z.array(row).min(3, 'expected at least 3 measured networks') });

/** A line as `caddis measure --out` writes it: a row, with what a file says once for all. */
export type MeasurementRow = z.input<typeof row> & { readonly [Field in keyof typeof common]?: z.input<(typeof common)[Field]> };

/**
 * YAML or JSON; of a name that ends in .jsonl a row a line, which may carry precision, runtime and date and must agree on the first two.
 *
 * @throws InputError naming the file, the field, what came and what was due
 */
export function readMeasurements(path: string): MeasurementFile {
  const value = path.endsWith('.jsonl') ? rowsOf(path) : documentOf(path);
  const checked = fileSchema.safeParse(value);
  if (!checked.success) throw inputError(path, issuesOf(checked.error, value).map((issue) => ({ ...issue, pointer: placeOf(path, issue.pointer) })));
  const { precision, runtime, date, measurements } = checked.data;
  return {
    ...(precision === undefined ? {} : { precision }),
    ...(runtime === undefined ? {} : { runtime }),
    date: date ?? new Date().toISOString().slice(0, 10),
    measurements: measurements.map(({ latency, energy, space, architecture, point, classes, model }, i): Measurement => ({
      pointer: placeOf(path, `/measurements/${i}`),
      name: model ?? `${space} ${architecture ?? JSON.stringify(point)}${classes === undefined ? '' : ` / ${classes}`}`,
      ...(space === undefined ? {} : { space }), ...(architecture === undefined ? {} : { architecture }), ...(point === undefined ? {} : { point }),
      ...(classes === undefined ? {} : { classes }), ...(model === undefined ? {} : { model }),
      latency: latency.value * SECONDS[latency.unit], ...(energy === undefined ? {} : { energy: energy.value * JOULES[energy.unit] }),
    })),
  };
}

function documentOf(path: string): unknown {
  const parsed = parseYaml(readText(path));
  if ('faults' in parsed) throw new InputError(parsed.faults.map((fault) => `${path}: ${fault}`).join('\n'));
  return parsed.value;
}

function rowsOf(path: string): Record<string, unknown> {
  const given: Record<string, { value: unknown; line: number }> = {};
  const measurements: unknown[] = [];
  const lines = readText(path).split('\n');
  lines.forEach((text, i) => {
    if (text === '' && i === lines.length - 1) return;
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch (error) {
      throw new InputError(`${path} line ${i + 1}: not JSON (${(error as Error).message})`);
    }
    if (typeof line !== 'object' || line === null || Array.isArray(line)) throw new InputError(`${path} line ${i + 1}: expected an object, got ${text.slice(0, 80)}`);
    const { precision, runtime, date, ...rest } = line as Record<string, unknown>;
    for (const [field, value] of Object.entries({ precision, runtime, date })) {
      if (value === undefined) continue;
      const before = given[field];
      if (before !== undefined && before.value !== value && field !== 'date') {
        throw new InputError(`${path} line ${i + 1} /${field}: expected ${JSON.stringify(before.value)} as on line ${before.line}, got ${JSON.stringify(value)}; a fit is for one`);
      }
      given[field] = { value, line: i + 1 };
    }
    measurements.push(rest);
  });
  return { ...Object.fromEntries(Object.entries(given).map(([field, { value }]) => [field, value])), measurements };
}

/** Where a pointer into the value lies in the file. */
function placeOf(path: string, pointer: string): string {
  const row = /^\/measurements\/(\d+)(.*)$/.exec(pointer);
  return row === null || !path.endsWith('.jsonl') ? pointer : `line ${Number(row[1]) + 1}${row[2] === '' ? '' : ` ${row[2]}`}`;
}
