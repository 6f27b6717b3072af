import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  calibrate, commonShape, conformalInterval, dot, errorFigures, fitCoefficients, fitWithShape, listCoefficients, RUNTIMES,
  type FittedModel, type Precision, type Sample,
} from '@app/cost';
import { median } from '@app/numeric';
import { measure, type Measured } from './evaluate.js';
import { nasSeries } from './nas-series.js';
import { BOARDS, boardSeries, COLUMNS, columnSeries, dataHash } from './profile-data.js';
import { WorkTable } from './series.js';
import { tinySeries } from './tiny-series.js';

/**
 * Fits the profiles of hw-profiles/ anew: `npm run fit:profiles -- --date 2026-01-31 [--measurements DIR] [--profiles DIR] [--only ID,ID]`.
 * Replaces what stands from `latencyModel:` to the end of each profile named in profile-data.ts, and writes nothing else. With `--check` in
 * place of the date nothing is written: it says which profiles differ from what it would make, and ends with 1 if one does.
 */
const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const dir = argument('--measurements') ?? (process.env['CADDIS_MEASUREMENTS'] || 'bench/data/hardware');
const profiles = argument('--profiles') ?? 'hw-profiles';
const date = argument('--date') ?? '';
const checking = process.argv.includes('--check');
const only = argument('--only')?.split(',');
const differing: string[] = [];
if (!checking && !/^\d{4}-\d\d-\d\d$/.test(date)) {
  process.stderr.write(`--date: expected the day of the fit as YYYY-MM-DD, got ${date || 'none'}\n`);
  process.exit(2);
}

const works = new WorkTable();
const fits = new Map<string, Float64Array>();
const spaces = nasSeries(dir, 1).filter((s) => s.licence === 'MIT').map((s) => measure(s, works));
const single = tinySeries(dir).map((s) => measure(s, works));

for (const [id, column] of Object.entries(COLUMNS)) {
  const device = columnSeries(spaces, column);
  if (device.length === 0 || only?.includes(id) === false) continue;
  // devices known on both spaces tell terms apart that one space alone leaves open
  const known = device.length > 1 ? [] : knownOn(2, device[0]!.series.runtime, column);
  const samples = device.flatMap((m) => m.samples);
  const { coefficients, crossValidated, interval, validation } = calibrate(samples, known);
  write(id, [['latencyModel', model(device, coefficients, samples, crossValidated, interval, validation)]]);
}

for (const id of Object.keys(BOARDS)) {
  const device = boardSeries(single, id, 'latency');
  if (device === null || device.samples.length < 3 || only?.includes(id) === false) continue;
  const kin = single.filter((m) => m.series.kernels === device.series.kernels && m.series.quantity === 'latency');
  const shapeWithout = (group: string | null): Float64Array => commonShape(kin.map((m) => m.samples.filter((s) => s.group !== group)));
  const clock = device.series.clockMHz! * 1e6;
  const seconds = fitWithShape(device.samples, shapeWithout(null)).map((c) => c / clock);
  const leftOut = new Map(device.samples.map((s) => [s.work, dot(s.work, fitWithShape(device.samples.filter((o) => o.group !== s.group), shapeWithout(s.group))) / clock]));
  const validation = 'leave one network out, of every device that measured it';
  const latency = { ...device, samples: device.samples.map((s) => ({ ...s, value: s.value / clock })) };
  const blocks: [string, FittedModel][] = [['latencyModel', modelOf(latency, seconds, latency.samples.map((s) => leftOut.get(s.work)!), validation)]];
  // a board draws nearly the same power whatever it runs: joules are seconds times the median power
  const energy = boardSeries(single, id, 'energy');
  const metered = energy === null ? [] : energy.samples.filter((s) => leftOut.has(s.work));
  if (energy !== null && metered.length >= 3) {
    const powers = metered.map((s) => s.value / latency.samples.find((l) => l.work === s.work)!.value);
    const powerWithout = (i: number): number => median(powers.filter((_, k) => k !== i));
    const power = median(powers);
    const rows = energy.series.rows.filter((_, i) => leftOut.has(energy.samples[i]!.work));
    blocks.push(['energyModel', modelOf({ series: { ...energy.series, rows }, samples: metered }, seconds.map((c) => c * power), metered.map((s, i) => leftOut.get(s.work)! * powerWithout(i)), `${validation}; power by the median of the others`)]);
  }
  write(id, blocks);
}

if (differing.length > 0) process.exitCode = 1;

function modelOf(device: Measured, x: Float64Array, predictions: readonly number[], validation: string): FittedModel {
  return model([device], x, device.samples, Float64Array.from(predictions), conformalInterval(device.samples.map((s, i) => s.value / predictions[i]!)), validation);
}

function knownOn(families: number, runtime: string, except: string): Float64Array[] {
  const columns = new Map<string, Sample[][]>();
  for (const m of spaces) if (m.series.runtime === runtime) columns.set(m.series.device, [...(columns.get(m.series.device) ?? []), [...m.samples]]);
  return [...columns].filter(([device, c]) => c.length >= families && device !== except).map(([device, c]) => {
    const x = fits.get(device) ?? fitCoefficients(c.flat());
    fits.set(device, x);
    return x;
  });
}

function model(device: readonly Measured[], x: Float64Array, samples: readonly Sample[], predictions: Float64Array, interval: FittedModel['interval'], validation: string): FittedModel {
  const { series } = device[0]!;
  const runtime = RUNTIMES[series.runtime];
  const { mape, within10, spearman } = errorFigures(samples.map((s) => s.value), predictions);
  const seen = new Map(device.flatMap((m) => m.series.rows.map((r) => [r.network.name, r.network] as const)));
  const round = (v: number): number => Number(v.toPrecision(4));
  return {
    precision: precisionOf(series.device, series.precision), runtime, coefficients: listCoefficients(x, series.quantity === 'latency' ? 's' : 'J'),
    interval: { low: Math.min(0.999, round(interval.low)), high: Math.max(1.001, round(interval.high)) },
    range: works.rangeOf(seen.values(), series.runtime),
    fit: {
      rows: samples.length, networks: [...new Set(device.map((m) => m.series.family))].join(', '), meanError: round(mape), within10: round(within10), rankCorrelation: spearman === null ? null : round(spearman),
      validation, source: [...new Set(device.map((m) => m.series.source))].join('; '), licence: series.licence, dataHash: dataHash(device.map((m) => m.series)), date,
    },
  };
}

/** The simulated accelerators compute in 16 bits. */
function precisionOf(device: string, listed: Precision): Precision {
  return device === 'eyeriss' || device === 'fpga' ? 'fp16' : listed;
}

function write(id: string, blocks: readonly (readonly [string, FittedModel])[]): void {
  const file = join(profiles, `${id}.yaml`);
  const text = readFileSync(file, 'utf8');
  if (checking) {
    const undated = (yaml: string): string => yaml.replace(/^ {4}date: .*$/gm, '');
    const same = undated(text).endsWith(undated(`\n${blocks.map(([key, m]) => yamlOf(key, m)).join('')}`));
    if (!same) differing.push(id);
    process.stderr.write(`${id}: ${same ? 'as fitted' : 'differs'}\n`);
    return;
  }
  const base = text.split('\nlatencyModel:')[0]!.split('\nenergyModel:')[0]!.trimEnd();
  writeFileSync(file, `${base}\n${blocks.map(([key, m]) => yamlOf(key, m)).join('')}`);
  process.stderr.write(`${id}: ${blocks.map(([key, m]) => `${key} ${(100 * m.fit.meanError).toFixed(1)} % of ${m.fit.rows}`).join(', ')}\n`);
}

function yamlOf(key: string, m: FittedModel): string {
  const flow = (value: unknown): string => JSON.stringify(value).replace(/([{,])"(\w+)":/g, '$1 $2: ').replace(/}/g, ' }');
  return [
    `${key}:`, `  precision: ${m.precision}`, `  runtime: ${flow(m.runtime)}`, '  coefficients:', ...m.coefficients.map((c) => `    - ${flow(c)}`),
    `  interval: ${flow(m.interval)}`, `  range: ${flow(m.range)}`, '  fit:', ...Object.entries(m.fit).map(([field, value]) => `    ${field}: ${JSON.stringify(value)}`), '',
  ].join('\n');
}
