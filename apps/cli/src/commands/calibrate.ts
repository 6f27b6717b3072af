import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { deviceProfileSchema, issuesOf, loadCatalog, usualTask, type Catalog } from '@app/catalog';
import {
  calibrate, coefficientVector, errorFigures, listCoefficients, priceNetwork, rangeOf, RUNTIMES, stepsOf, workOfSteps,
  type Calibration, type DeviceProfile, type ErrorFigures, type FittedModel, type Precision, type RuntimeRules, type Sample,
} from '@app/cost';
import { decode } from '@app/decode';
import type { Graph } from '@app/graph';
import { fromOnnx } from '@app/onnx';
import { InputError, inputError, print, printJson, quantity, say, table, wantsJson } from '../output.js';
import { readBytes } from '../read-file.js';
import { readMeasurements, type Measurement } from './measurement-file.js';
import { namedPoint } from './predict.js';

interface Options {
  readonly measurements: string;
  readonly out?: string;
}

export function calibrateCommand(program: Command): void {
  program
    .command('calibrate <device>')
    .description('fit a device to measured networks; a device id nobody knows becomes a new one, from few networks with what the known devices have in common')
    .requiredOption('--measurements <file>', 'measured networks, YAML or JSON')
    .option('--out <profile>', 'write the profile with the fit, PROFILE.yaml; the file name becomes its id')
    .addHelpText('after', `
A measurement file:
  precision: int8                 # optional; default: the device's
  runtime: onnx-runtime           # optional, one of ${Object.keys(RUNTIMES).join(', ')}; default: the one that fits best
  measurements:
    - {space: nas-bench-201, architecture: "031423", latency: {value: 3.1, unit: ms}}
    - {space: flynet, point: {width: 1}, classes: 10, latency: {value: 21, unit: ms}, energy: {value: 9, unit: mJ}}
    - {model: net.onnx, latency: {value: 450, unit: us}}`)
    .action((id: string, options: Options, command: Command) => {
      const catalog = loadCatalog();
      const file = readMeasurements(options.measurements);
      if (options.out !== undefined && !/^[a-z0-9][a-z0-9-]{0,63}\.ya?ml$/.test(basename(options.out))) throw new InputError(`--out: expected a name of lower-case letters, digits and - that ends in .yaml, got "${basename(options.out)}"`);
      const result = calibrateDevice(catalog, id, file, options.measurements);
      const profileText = options.out === undefined ? null : profileYaml({ ...result.profile, id: basename(options.out).replace(/\.ya?ml$/, '') });
      if (options.out !== undefined) {
        if (!existsSync(dirname(options.out))) throw new InputError(`--out: no folder "${dirname(options.out)}"`);
        writeFileSync(options.out, profileText!);
      }
      const { before, after, fit, base } = result;
      if (wantsJson(command)) {
        printJson({ device: id, base: base.id, known: catalog.devices().some((d) => d.id === id), runtime: result.rules, networks: fit.rows, before, after, interval: result.interval, rows: result.rows, profile: result.profile, out: options.out ?? null });
        return;
      }
      print(`${id}: ${fit.rows} measured networks${base.id === id ? '' : `, a new device; starts from ${base.id}, the known device that ranks them best`}\n`);
      const line = (name: string, e: ErrorFigures): string[] => [name, `${(100 * e.mape).toFixed(1)} %`, `${(100 * e.within10).toFixed(0)} %`, e.spearman?.toFixed(3) ?? ''];
      print(table(['latency', 'mean error', 'within 10 %', 'rank correlation'], [line(`before (${base.id} as it stands)`, before), line(`after (${fit.validation})`, after)]));
      print(`\n90 % of measurements lie from ${result.interval.low.toFixed(3)} to ${result.interval.high.toFixed(3)} times the prediction.`);
      for (const r of doubtful(result.rows)) print(`${r.network}: measured ${quantity(r.measured, 's')}, the others make it ${quantity(r.after, 's')}. Is the unit right?`);
      print(`\n${table(['term', 'cost', 'meaning'], result.profile.latencyModel!.coefficients.map((c) => [c.term, quantity(c.value, 's') + c.unit.slice(1), c.source.replace('; fitted, see fit', '')]))}`);
      if (options.out !== undefined) say(`written: ${options.out}`);
    });
}

interface Calibrated {
  readonly base: DeviceProfile;
  readonly rules: RuntimeRules;
  readonly before: ErrorFigures;
  readonly after: ErrorFigures;
  readonly interval: FittedModel['interval'];
  readonly fit: FittedModel['fit'];
  readonly rows: readonly { readonly network: string; readonly measured: number; readonly before: number; readonly after: number }[];
  readonly profile: DeviceProfile;
}

/** Measurements three times off what the others make of them, while those agree: a wrong unit more often than a strange network. */
export function doubtful(rows: Calibrated['rows']): Calibrated['rows'] {
  const off = rows.map((r) => Math.abs(Math.log(r.measured / r.after)));
  const usual = [...off].sort((a, b) => a - b)[off.length >> 1]!;
  return rows.filter((_, i) => off[i]! > Math.log(3) && off[i]! > 10 * usual);
}

interface Measured extends Measurement {
  readonly graph: Graph;
}

/** @throws InputError naming the measurement that cannot be built or priced */
export function calibrateDevice(catalog: Catalog, id: string, file: ReturnType<typeof readMeasurements>, path: string): Calibrated {
  const measured = file.measurements.map((m): Measured => ({ ...m, graph: graphOf(catalog, m, path) }));
  const values = measured.map((m) => m.latency);
  const known = catalog.devices().find((d) => d.id === id);
  const base = known ?? closest(catalog, measured, file.precision);
  const precision = file.precision ?? base.defaultPrecision;
  if (base.precisions[precision] === undefined) throw new InputError(`${path} /precision: ${base.id} has ${Object.keys(base.precisions).join(', ')}; got "${precision}"`);

  const beforeValues = measured.map((m) => priceNetwork(m.graph, base, precision).latency.value);
  const { rules, calibration } = bestRules(catalog, measured, file.runtime === undefined ? null : RUNTIMES[file.runtime], precision, known?.latencyModel, id);
  const before = errorFigures(values, beforeValues);
  const after = errorFigures(values, calibration.crossValidated);
  const describeFit = (rows: number, errors: ErrorFigures, validation: string, lines: readonly string[]): FittedModel['fit'] => ({
    rows, networks: [...new Set(measured.map((m) => m.space ?? 'ONNX models'))].join(', '), meanError: errors.mape, within10: errors.within10, rankCorrelation: errors.spearman,
    validation, source: `measurements of ${basename(path)}`, licence: 'the user\'s own', dataHash: createHash('sha256').update([...lines].sort().join('\n')).digest('hex'), date: file.date,
  });
  const range = rangeOf(measured.map((m) => stepsOf(m.graph, rules)));
  const fit = describeFit(values.length, after, calibration.validation, measured.map((m) => `${m.name} ${m.latency}`));
  const latencyModel: FittedModel = { precision, runtime: rules, coefficients: listCoefficients(calibration.coefficients, 's'), interval: calibration.interval, range, fit };
  return {
    base, rules, before, after, interval: calibration.interval, fit,
    rows: measured.map((m, i) => ({ network: m.name, measured: m.latency, before: beforeValues[i]!, after: calibration.crossValidated[i]! })),
    // how the device it starts from is measured says nothing of this one
    profile: { ...base, measure: known?.measure, id, title: known?.title ?? `${id}, calibrated`, defaultPrecision: precision, latencyModel, energyModel: energyModel(measured, latencyModel, describeFit) ?? (known?.energyModel) },
  };
}

/** Energy from three networks on: the device's own where it was metered, with the terms of its latency times the power they drew. */
function energyModel(measured: readonly Measured[], latency: FittedModel, describeFit: (rows: number, errors: ErrorFigures, validation: string, lines: readonly string[]) => FittedModel['fit']): FittedModel | undefined {
  const metered = measured.filter((m) => m.energy !== undefined);
  if (metered.length < 3) return undefined;
  const samples = metered.map((m): Sample => ({ work: workOfSteps(stepsOf(m.graph, latency.runtime)), value: m.energy!, group: m.name }));
  const { coefficients, crossValidated, interval, validation } = calibrate(samples, [coefficientVector(latency)]);
  const errors = errorFigures(samples.map((s) => s.value), crossValidated);
  return { ...latency, coefficients: listCoefficients(coefficients, 'J'), interval, fit: describeFit(samples.length, errors, validation, metered.map((m) => `${m.name} ${m.energy}`)) };
}

/** The known device that ranks the networks best; of equals the one whose scale is nearest. */
function closest(catalog: Catalog, measured: readonly Measured[], precision: Precision | undefined): DeviceProfile {
  const values = measured.map((m) => m.latency);
  const candidates = catalog.devices().filter((d) => precision === undefined || d.precisions[precision] !== undefined);
  if (candidates.length === 0) throw new InputError(`no known device has precision "${precision}"`);
  const scored = candidates.map((device) => {
    const predicted = measured.map((m) => priceNetwork(m.graph, device, precision ?? device.defaultPrecision).latency.value);
    const logs = predicted.map((p, i) => Math.log(p / values[i]!));
    const middle = logs.reduce((a, b) => a + b, 0) / logs.length;
    return { device, spread: logs.reduce((sum, l) => sum + (l - middle) ** 2, 0) / logs.length + 1e-3 * Math.abs(middle) };
  });
  return scored.reduce((a, b) => (b.spread < a.spread ? b : a)).device;
}

/** The way of running networks that explains the measurements best, where neither the file nor the device says. */
function bestRules(catalog: Catalog, measured: readonly Measured[], stated: RuntimeRules | null, precision: Precision, own: FittedModel | undefined, id: string): { rules: RuntimeRules; calibration: Calibration } {
  const candidates = stated !== null ? [stated] : Object.values(RUNTIMES);
  const tried = candidates.map((rules) => {
    const samples = measured.map((m): Sample => ({ work: workOfSteps(stepsOf(m.graph, rules)), value: m.latency, group: m.name }));
    const like = (model: FittedModel | undefined): model is FittedModel => model !== undefined && model.precision === precision && sameRules(model.runtime, rules);
    // a device that is calibrated anew starts from what it was as well
    const others = catalog.devices().filter((d) => like(d.latencyModel) && (d.id !== id || own !== undefined)).map((d) => coefficientVector(d.latencyModel!));
    const calibration = calibrate(samples, others);
    const { mape } = errorFigures(samples.map((s) => s.value), calibration.crossValidated);
    // what the device is known to do takes clear evidence to overturn
    return { rules, calibration, error: own !== undefined && sameRules(own.runtime, rules) ? 0.8 * mape : mape };
  });
  return tried.reduce((a, b) => (b.error < a.error ? b : a));
}

const sameRules = (a: RuntimeRules, b: RuntimeRules): boolean => a.zeros === b.zeros && a.merge === b.merge && a.fusion === b.fusion;

function graphOf(catalog: Catalog, m: Measurement, path: string): Graph {
  try {
    if (m.model !== undefined) return fromOnnx(readBytes(join(dirname(path), m.model)), { unknown: 'refuse' }).graph;
    const { space, point } = namedPoint(catalog, {
      space: m.space!, ...(m.architecture === undefined ? {} : { architecture: m.architecture }), ...(m.point === undefined ? {} : { point: JSON.stringify(m.point) }),
    });
    return decode(space, point, { numClasses: m.classes ?? space.task?.numClasses ?? 10, inputChannels: usualTask(space).inputChannels });
  } catch (error) {
    throw new InputError(`${path} ${m.pointer}: ${(error as Error).message}`);
  }
}

function profileYaml(profile: DeviceProfile): string {
  const plain: unknown = JSON.parse(JSON.stringify(profile));
  const checked = deviceProfileSchema.safeParse(plain);
  if (!checked.success) throw inputError('profile', issuesOf(checked.error, plain));
  return `# yaml-language-server: $schema=./schema/hw-profile.schema.json\n${stringify(plain, { lineWidth: 0 })}`;
}

