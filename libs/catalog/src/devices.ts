import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { measureSchema } from '@app/contracts';
import { TERM_IDS, type DeviceProfile } from '@app/cost';
import { CatalogError, type DataFault } from './data-fault.js';
import { issuesOf, show } from './issue.js';
import { parseYaml } from './yaml-text.js';

const figure = (unit: string, value: z.ZodType<number>) =>
  z.strictObject({
    value,
    unit: z.literal(unit),
    source: z.string().min(3).describe('document and place, or how the value was derived'),
  });

const positive = z.number().positive();
const nonNegative = z.number().min(0);

const precisionProfile = z.strictObject({
  peakMacs: figure('MAC/s', positive).describe('peak multiply-accumulates'),
  utilisation: figure('1', positive.max(1)).describe('share of the peak a dense convolution reaches'),
  energyPerMac: figure('J', nonNegative).describe('energy of one multiply-accumulate'),
});

const factor = figure('1', z.number().min(0.5)).describe('slowdown against the dense-convolution roofline');

/** Terms of work with what one unit of each costs, and what the fit is worth. */
const fittedModel = (quantity: 's' | 'J') =>
  z.strictObject({
    precision: z.enum(['fp32', 'fp16', 'int8']),
    runtime: z.strictObject({ zeros: z.enum(['kept', 'folded', 'pushed']), merge: z.boolean(), fusion: z.enum(['none', 'batchNorm', 'activation', 'operators']) }).describe('how the runtime arranges a network'),
    coefficients: z
      .array(z.strictObject({
        term: z.enum(TERM_IDS as [string, ...string[]]),
        value: nonNegative,
        unit: z.string().regex(new RegExp(`^${quantity}/(inference|launch|MAC|element|row)$`), `${quantity} for one inference, launch, MAC, element or row`),
        source: z.string().min(3).describe('what the term is'),
      }))
      .min(1),
    interval: z.strictObject({ low: positive.max(1), high: z.number().min(1) }).describe('90 % of measurements lie from prediction · low to prediction · high'),
    range: z.strictObject({ macs: z.tuple([nonNegative, nonNegative]), taps: z.record(z.string(), positive) }).describe('what the fit has seen'),
    fit: z.strictObject({
      rows: z.number().int().min(1),
      networks: z.string().min(1),
      meanError: nonNegative,
      within10: nonNegative.max(1),
      rankCorrelation: z.number().min(-1).max(1).nullable(),
      validation: z.string().min(3),
      source: z.string().min(3),
      licence: z.string().min(1),
      dataHash: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hexadecimal'),
      date: z.iso.date(),
    }),
  });

/** A hardware profile as it stands in `hw-profiles/*.yaml`, all figures in SI units. */
export const deviceProfileSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and -, at most 64'),
    title: z.string().min(1).max(200),
    class: z.enum(['cloud', 'mobile', 'mcu', 'accelerator']),
    description: z.string().max(1000).optional(),
    defaultPrecision: z.enum(['fp32', 'fp16', 'int8']),
    precisions: z.strictObject({ fp32: precisionProfile.optional(), fp16: precisionProfile.optional(), int8: precisionProfile.optional() }),
    memory: z.strictObject({
      ram: figure('B', positive).describe('working memory for activations'),
      flash: figure('B', positive).nullable().describe('storage for weights and code; null where it does not bind'),
      bandwidth: figure('B/s', positive).describe('memory that activations and weights stream through'),
      energyPerByte: figure('J/B', nonNegative).describe('moving one byte of working memory'),
      weightEnergyPerByte: figure('J/B', nonNegative).describe('reading one byte of the weight store'),
    }),
    operatorOverhead: figure('s', nonNegative).describe('time to start one operator'),
    staticPower: figure('W', nonNegative).describe('drawn during an inference whatever is computed'),
    activePower: figure('W', positive).nullable(),
    operatorFactors: z.strictObject({
      depthwise: factor.optional(), grouped: factor.optional(), pointwise: factor.optional(), linear: factor.optional(),
      elementwise: factor.optional(), pool: factor.optional(), attention: factor.optional(),
    }),
    runtime: z.strictObject({
      name: z.string().min(1),
      flash: figure('B', nonNegative),
      ram: figure('B', nonNegative),
      ramPerChannel: figure('B', nonNegative).optional().describe('RAM kept for each output channel of a convolution in int8'),
      flashPerChannel: figure('B', nonNegative).optional().describe('storage of the model format for each such channel besides weight, bias and scale'),
    }),
    uncertainty: z
      .strictObject({ latency: figure('1', positive), energy: figure('1', positive), memory: figure('1', positive) })
      .describe('u, with 90 % of true values from value / (1 + u) to value · (1 + u)'),
    latencyModel: fittedModel('s').optional().describe('prices latency at its precision instead of the roofline'),
    energyModel: fittedModel('J').optional(),
    weightBits: z
      .array(z.strictObject({
        bits: z.number().int().min(1).max(7),
        storage: figure('bit', positive.max(8)).describe('of one weight in its store'),
        unpack: figure('s/MAC', nonNegative).describe('extra time of one product'),
      }))
      .min(1)
      .optional()
      .describe('packed forms of weights below 8 bits; without one they are stored and computed as int8'),
    price: figure('USD', positive).optional(),
    measure: measureSchema.optional().describe('metrics that studies have measured on the device instead of predicted'),
    notes: z.array(z.string()).optional(),
  })
  .superRefine((profile, ctx) => {
    const known = Object.keys(profile.precisions);
    if (!known.includes(profile.defaultPrecision)) {
      ctx.addIssue({ code: 'custom', path: ['defaultPrecision'], message: `expected one of precisions (${known.join(', ') || 'none given'}), got "${profile.defaultPrecision}"` });
    }
  })
  .meta({ id: 'DeviceProfile', title: 'Caddis hardware profile' });

/** JSON Schema that the first line of a profile names. */
export function deviceProfileJsonSchema(): unknown {
  return z.toJSONSchema(deviceProfileSchema, { io: 'input' });
}

/**
 * Profiles of all *.yaml files of a folder, by file name.
 *
 * @throws CatalogError listing every fault of every file: file, path, what came, what was due
 */
export function loadDevices(dir: string): DeviceProfile[] {
  const faults: DataFault[] = [];
  const devices = readdirSync(dir).filter((name) => name.endsWith('.yaml')).sort().flatMap((name) => {
    const read = readDevice(name, readFileSync(join(dir, name), 'utf8'));
    if ('device' in read) return [read.device];
    faults.push(...read.faults.map((fault) => ({ ...fault, file: join(basename(dir), name) })));
    return [];
  });
  if (faults.length > 0) throw new CatalogError(faults);
  return devices;
}

/** A profile from its text: it fits the schema and carries its file's name as id. */
export function readDevice(fileName: string, text: string): { readonly device: DeviceProfile } | { readonly faults: readonly Omit<DataFault, 'file'>[] } {
  const parsed = parseYaml(text);
  if ('faults' in parsed) return { faults: parsed.faults.map((message) => ({ path: '', message })) };
  const checked = deviceProfileSchema.safeParse(parsed.value);
  if (!checked.success) return { faults: issuesOf(checked.error, parsed.value).map(({ pointer, message }) => ({ path: pointer, message })) };
  const due = basename(fileName, '.yaml');
  if (checked.data.id !== due) return { faults: [{ path: '/id', message: `expected the name of the file, "${due}", got ${show(checked.data.id)}` }] };
  return { device: checked.data };
}
