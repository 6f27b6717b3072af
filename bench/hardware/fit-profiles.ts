import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  calibrate, commonShape, conformalInterval, dot, errorFigures, fitCoefficients, fitWithShape, listCoefficients, RUNTIMES,
  type FittedModel, type Precision, type Sample,
} from '@app/cost';
import { median } from '@app/numeric';
import { measure, type Measured } from './evaluate.js';
import { nasSeries } from './nas-series.js';
import { WorkTable } from './series.js';
import { tinySeries } from './tiny-series.js';

/**
 * Fits the profiles of hw-profiles/ anew: `node dist/bench/hardware/fit-profiles.js --date 2026-01-31 [--measurements DIR] [--profiles DIR]`.
 * Replaces what stands from `latencyModel:` to the end of each profile named in FITS, and writes nothing else.
 */
const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const dir = argument('--measurements') ?? (process.env['CADDIS_MEASUREMENTS'] || 'bench/data/hardware');
const profiles = argument('--profiles') ?? 'hw-profiles';
const date = argument('--date') ?? '';
if (!/^\d{4}-\d\d-\d\d$/.test(date)) {
  process.stderr.write(`--date: expected the day of the fit as YYYY-MM-DD, got ${date || 'none'}\n`);
  process.exit(2);
}

/** Profile → column of the tables of spaces. */
const COLUMNS: Readonly<Record<string, string>> = {
  'pixel-3': 'pixel3', 'raspberry-pi-4': 'raspi4', eyeriss: 'eyeriss', 'fpga-zc706': 'fpga',
  'xeon-gold-6240': 'gold_6240', 'xeon-silver-4114': 'silver_4114', 'xeon-silver-4210r': 'silver_4210r',
  'samsung-a50': 'samsung_a50', 'samsung-s7': 'samsung_s7', 'essential-ph-1': 'essential_ph_1',
  ...Object.fromEntries([['gtx-1080-ti', '1080ti'], ['rtx-2080-ti', '2080ti'], ['titan-x', 'titanx'], ['titan-xp', 'titanxp']].flatMap(([id, card]) => [1, 32, 64, 256].map((b) => [b === 1 ? id : `${id}-batch-${b}`, `${card}_${b}`]))),
};
/** Profile → board and start of the runtime's name. */
const BOARDS: Readonly<Record<string, readonly [board: string, runtime: string]>> = {
  stm32f446re: ['STM32F446RE', 'TFLM'], stm32f746zg: ['STM32F746ZG', 'TFLM'], stm32f767zi: ['STM32F767ZI', 'TFLM'],
  stm32h743zi: ['STM32H743', 'X-CUBE-AI 7.3'], 'stm32h743zi-tinyengine': ['STM32H743', 'TinyEngine'], 'stm32h743zi-cmsis-nn': ['STM32H743', 'CMSIS-NN'], 'stm32h743zi-tflm-reference': ['STM32H743', 'TFLM'],
  'stm32h747i-disco': ['STM32H747I-DISCO', 'STM32Cube.AI'], stm32l4r5zi: ['NUCLEO-L4R5ZI', 'X-CUBE-AI-8.0'], 'nucleo-l4r5zi-cube-ai-10': ['NUCLEO-L4R5ZI', 'X-CUBE-AI v10.2'],
  'nucleo-u385rg-q': ['NUCLEO-U385RG-Q', 'X-CUBE-AI'], 'ek-ra6m4': ['EK-RA6M4', ''], 'nrf5340-dk': ['nRF5340-DK', 'microTVM'], 'numaker-m467hj': ['NuMaker-M467HJ', 'ONNC'],
  'nucleo-g0b1re': ['NUCLEO-G0B1RE', 'Bosch Hardware-Aware Lowering Engine (HALE) version 1.0.175'], 'disco-f746ng-plumerai': ['DISCO-F746NG', 'Plumerai Inference Engine 2023.05'],
  'disco-f746ng-hale': ['DISCO-F746NG', 'Bosch Hardware-Aware Lowering Engine (HALE) version 1.0.175'], 'rx65n-cloud-kit': ['RX65N-Cloud-Kit', ''],
  'arduino-portenta-h7': ['Arduino Portenta H7', 'TFLM'], 'feather-m4-express': ['Feather M4 Express', 'TFLM'],
  'stm32mp157f-dk2': ['STM32MP157F-DK2', ''], 'stm32mp135f-dk2': ['STM32MP135F-DK2', ''],
};

const works = new WorkTable();
const fits = new Map<string, Float64Array>();
const spaces = nasSeries(dir, 1).filter((s) => s.licence === 'MIT').map((s) => measure(s, works));
const single = tinySeries(dir).map((s) => measure(s, works));

for (const [id, column] of Object.entries(COLUMNS)) {
  const device = spaces.filter((m) => m.series.device === column && m.series.quantity === 'latency');
  if (device.length === 0) continue;
  // devices known on both spaces tell terms apart that one space alone leaves open
  const known = device.length > 1 ? [] : knownOn(2, device[0]!.series.runtime, column);
  const samples = device.flatMap((m) => m.samples);
  const { coefficients, crossValidated, interval, validation } = calibrate(samples, known);
  write(id, [['latencyModel', model(device, coefficients, samples, crossValidated, interval, validation)]]);
}

for (const [id, [board, runtime]] of Object.entries(BOARDS)) {
  const device = chosen(board, runtime, 'latency');
  if (device === null || device.samples.length < 3) continue;
  const kin = single.filter((m) => m.series.kernels === device.series.kernels && m.series.quantity === 'latency');
  const shapeWithout = (group: string | null): Float64Array => commonShape(kin.map((m) => m.samples.filter((s) => s.group !== group)));
  const clock = device.series.clockMHz! * 1e6;
  const seconds = fitWithShape(device.samples, shapeWithout(null)).map((c) => c / clock);
  const leftOut = new Map(device.samples.map((s) => [s.work, dot(s.work, fitWithShape(device.samples.filter((o) => o.group !== s.group), shapeWithout(s.group))) / clock]));
  const validation = 'leave one network out, of every device that measured it';
  const latency = { ...device, samples: device.samples.map((s) => ({ ...s, value: s.value / clock })) };
  const blocks: [string, FittedModel][] = [['latencyModel', modelOf(latency, seconds, latency.samples.map((s) => leftOut.get(s.work)!), validation)]];
  // a board draws nearly the same power whatever it runs: joules are seconds times the median power
  const energy = chosen(board, runtime, 'energy');
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

/** The series with most networks, the latest of equals. */
function chosen(board: string, runtime: string, quantity: 'latency' | 'energy'): Measured | null {
  return single.filter((m) => m.series.device === board && m.series.quantity === quantity && m.series.runtimeTitle.startsWith(runtime)).reduce<Measured | null>((best, m) => (best === null || m.samples.length >= best.samples.length ? m : best), null);
}

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
  const lines = device.flatMap((m) => m.series.rows.map((r) => `${r.network.name} ${r.value}`)).sort();
  const seen = new Map(device.flatMap((m) => m.series.rows.map((r) => [r.network.name, r.network] as const)));
  const round = (v: number): number => Number(v.toPrecision(4));
  return {
    precision: precisionOf(series.device, series.precision), runtime, coefficients: listCoefficients(x, series.quantity === 'latency' ? 's' : 'J'),
    interval: { low: Math.min(0.999, round(interval.low)), high: Math.max(1.001, round(interval.high)) },
    range: works.rangeOf(seen.values(), series.runtime),
    fit: {
      rows: samples.length, networks: [...new Set(device.map((m) => m.series.family))].join(', '), meanError: round(mape), within10: round(within10), rankCorrelation: spearman === null ? null : round(spearman),
      validation, source: [...new Set(device.map((m) => m.series.source))].join('; '), licence: series.licence, dataHash: createHash('sha256').update(lines.join('\n')).digest('hex'), date,
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
