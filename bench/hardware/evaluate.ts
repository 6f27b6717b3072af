/** Every device model against measurements it has not seen, beside two plain baselines. */
import {
  adapt, calibrate, commonShape, crossValidate, dot, errorFigures, fitCoefficients, fitWithShape, intervalCoverage, TERMS,
  type BoardPrediction, type ErrorFigures, type Sample,
} from '@app/cost';
import { nonNegativeLeastSquares, Rng } from '@app/numeric';
import { cardOf } from './nas-series.js';
import type { Series, WorkTable } from './series.js';

export interface Result extends ErrorFigures {
  readonly question: 'unseen network' | 'unseen resolution' | 'unseen device, 10 samples' | 'unseen board' | 'unseen block' | 'network from its blocks';
  readonly device: string;
  readonly title: string;
  readonly runtime: string;
  readonly networks: string;
  readonly quantity: Series['quantity'];
  readonly core: string | null;
  /** of an unseen board: what is known of it from others */
  readonly kin?: BoardPrediction['kin'];
  /** share of measurements inside their 90 % interval; null where there are too few to make one */
  readonly coverage: number | null;
  readonly baselines: { readonly macs: ErrorFigures; readonly macsBytesLayers: ErrorFigures } | null;
}

/** Series with the work of its networks; microcontrollers in cycles, so that clocks drop out. */
export interface Measured {
  readonly series: Series;
  readonly samples: readonly Sample[];
}

export function measure(series: Series, works: WorkTable): Measured {
  const perUnit = series.quantity === 'latency' && series.clockMHz !== undefined ? series.clockMHz * 1e6 : 1;
  return { series, samples: series.rows.map(({ network, value }) => ({ work: works.of(network, series.runtime), value: value * perUnit, group: network.group })) };
}

const describe = ({ device, title, runtimeTitle, family, quantity, core }: Series): Pick<Result, 'device' | 'title' | 'runtime' | 'networks' | 'quantity' | 'core'> => ({ device, title, runtime: runtimeTitle, networks: family, quantity, core: core ?? null });

export function result(question: Result['question'], series: Series, samples: readonly Sample[], predictions: ArrayLike<number>, naive = true): Result {
  const measured = samples.map((s) => s.value);
  return {
    question, ...describe(series), ...errorFigures(measured, predictions),
    coverage: samples.length >= 5 ? intervalCoverage(samples, predictions, Math.min(samples.length, 20)) : null,
    baselines: naive ? { macs: errorFigures(measured, crossValidate(samples, plainModel(1), folds(samples))), macsBytesLayers: errorFigures(measured, crossValidate(samples, plainModel(3), folds(samples))) } : null,
  };
}

/** By models that have not seen a sample's group, [n]. */
export function crossValidated(samples: readonly Sample[], fit: (train: readonly Sample[]) => Float64Array): Float64Array {
  return crossValidate(samples, (train) => {
    const x = fit(train);
    return (work) => dot(work, x);
  }, folds(samples));
}

const folds = (samples: readonly Sample[]): number => (samples.length < 60 ? samples.length : 5);

/** Whole spaces: one model a device, for all spaces it was measured on; errors of each space on its own. */
export function unseenNetworks(device: readonly Measured[]): Result[] {
  const together = device.flatMap((m) => m.samples);
  const { crossValidated } = calibrate(together, []);
  let from = 0;
  return device.map(({ series, samples }) => result('unseen network', series, samples, crossValidated.subarray(from, (from += samples.length))));
}

/** Pi-like series: fitted on one input resolution, asked for the others. */
export function unseenResolution({ series, samples }: Measured): Result[] {
  const resolution = (i: number): string => series.rows[i]!.network.name.split(' ')[2]!;
  const all = [...new Set(series.rows.map((_, i) => resolution(i)))];
  if (series.family !== 'nas-bench-201' || all.length < 2) return [];
  return all.map((unseen) => {
    const x = fitCoefficients(samples.filter((_, i) => resolution(i) !== unseen));
    const test = samples.filter((_, i) => resolution(i) === unseen);
    return { ...result('unseen resolution', series, test, test.map((s) => dot(s.work, x)), false), networks: `${series.family} ${unseen}` };
  });
}

/** Ten samples of a device nobody knows, five draws of them; all else it is asked for. Other batch sizes of the same card are not known either. */
export function unseenDevice(device: Measured, others: readonly Measured[], draws = 5): Result | null {
  if (device.samples.length < 30) return null;
  const family = cardOf(device.series.device).card;
  const known = others
    .filter((o) => o.series.family === device.series.family && o.series.quantity === device.series.quantity && o.series.runtime === device.series.runtime && cardOf(o.series.device).card !== family)
    .map((o) => fitCoefficients(o.samples));
  if (known.length === 0) return null;
  const rng = Rng.of(10, `few ${device.series.device} ${device.series.runtimeTitle}`);
  const asked: Sample[] = [];
  const predictions: number[] = [];
  const rankCorrelations: number[] = [];
  let coverage: number | null = null;
  for (let draw = 0; draw < draws; draw++) {
    const drawn = new Set<number>();
    while (drawn.size < 10) drawn.add(Math.floor(rng.next() * device.samples.length));
    const few = device.samples.filter((_, i) => drawn.has(i));
    const rest = device.samples.filter((_, i) => !drawn.has(i));
    // intervals leave each of the ten out once more: of one draw, not to run for long
    const { coefficients, interval } = draw === 0 ? calibrate(few, known) : { coefficients: adapt(few, known), interval: null };
    const predicted = rest.map((s) => dot(s.work, coefficients));
    if (interval !== null) coverage = rest.filter((s, i) => s.value >= predicted[i]! * interval.low && s.value <= predicted[i]! * interval.high).length / rest.length;
    rankCorrelations.push(errorFigures(rest.map((s) => s.value), predicted).spearman ?? 0);
    asked.push(...rest);
    predictions.push(...predicted);
  }
  return { ...result('unseen device, 10 samples', device.series, asked, predictions, false), spearman: rankCorrelations.reduce((a, b) => a + b, 0) / draws, coverage };
}

/** Microcontrollers and phones with a few networks each: a network no device has shown, its kernel library known from all of them. */
export function unseenModel(devices: readonly Measured[], atLeast = 5): Result[] {
  const kin = new Map<string, Float64Array>();
  const shapeWithout = (kernels: string, group: string, quantity: Series['quantity']): Float64Array => {
    const key = `${kernels} ${group} ${quantity}`;
    let shape = kin.get(key);
    if (shape === undefined) {
      shape = commonShape(devices.filter((d) => d.series.kernels === kernels && d.series.quantity === quantity).map((d) => d.samples.filter((s) => s.group !== group)));
      kin.set(key, shape);
    }
    return shape;
  };
  return devices.filter((d) => new Set(d.samples.map((s) => s.group)).size >= atLeast).map(({ series, samples }) => {
    const predictions = samples.map((s) => {
      const train = samples.filter((o) => o.group !== s.group);
      return dot(s.work, fitWithShape(train, shapeWithout(series.kernels!, s.group, series.quantity)));
    });
    return result('unseen network', series, samples, predictions);
  });
}

const MACS = new Set(['macDense', 'macPointwise', 'macDepthwise', 'macGrouped', 'macLinear']);
const BYTES = new Set(['elementConvolution', 'elementElementwise', 'elementActivation', 'elementCopy', 'weight']);

/** a·MAC + c, or a·MAC + b·bytes + c a layer, a, b, c ≥ 0, by relative errors. */
export function plainModel(columns: 1 | 3): (train: readonly Sample[]) => (work: Float64Array) => number {
  const features = (work: Float64Array): number[] => {
    let [macs, bytes, layers] = [0, 0, 0];
    TERMS.forEach(({ id, unit }, k) => {
      if (MACS.has(id)) macs += work[k]!;
      else if (BYTES.has(id)) bytes += work[k]!;
      else if (unit === 'launch') layers += work[k]!;
    });
    return columns === 1 ? [macs, 1] : [macs, bytes, layers];
  };
  return (train) => {
    const rows = train.map((s) => features(s.work).map((v) => v / s.value));
    const width = rows[0]?.length ?? 0;
    const { x } = nonNegativeLeastSquares(Float64Array.from(rows.flat()), rows.length, width, rows.map(() => 1));
    return (work) => features(work).reduce((sum, v, k) => sum + v * x[k]!, 0);
  };
}
