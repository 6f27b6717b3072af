/**
 * A device from measured networks: with many rows its own fit, with few an adaptation of what other devices know.
 */
import { quantile } from '@app/numeric';
import { crossValidate, dot, fitCoefficients, foldsOf, mixDevices, type Prior, type Sample } from './latency-fit.js';
import { TERM_IDS, TERMS } from './latency-terms.js';
import type { FittedModel } from './types.js';

export interface Calibration {
  /** [TERMS.length] */
  readonly coefficients: Float64Array;
  /** by a model that has not seen the sample's group, in the samples' order */
  readonly crossValidated: Float64Array;
  readonly interval: FittedModel['interval'];
  /** in words, for the profile */
  readonly validation: string;
}

/** Narrowest half-width of an interval, in log: no clock is better. */
const NARROWEST = 1e-3;

/** From this many samples on a device stands on its own. */
const OWN_SAMPLES = 60;
const SPREADS = [0.03, 0.1, 0.3, 1];
const NOISE = 0.03;

/**
 * @param known  coefficients of devices measured before, of the same runtime and precision; may be empty
 * @throws RangeError on fewer than 3 samples or a value that is not finite and above 0
 */
export function calibrate(samples: readonly Sample[], known: readonly Float64Array[]): Calibration {
  if (samples.length < 3) throw new RangeError(`expected at least 3 measured networks, got ${samples.length}`);
  samples.forEach(({ value }, i) => {
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`measurement ${i}: expected a finite value above 0, got ${value}`);
  });
  const own = samples.length >= OWN_SAMPLES;
  const fit = own ? (s: readonly Sample[]) => fitWithMany(s, known) : (s: readonly Sample[]) => adapt(s, known);
  const crossValidated = crossValidate(samples, (train) => {
    const x = fit(train);
    return (work) => dot(work, x);
  }, own ? 5 : samples.length);
  return {
    coefficients: fit(samples),
    crossValidated,
    interval: conformalInterval(samples.map((s, i) => s.value / crossValidated[i]!)),
    validation: own ? '5-fold over groups of equal networks' : 'leave one network out',
  };
}

/** Own fit; terms that the samples cannot tell apart share as on the known devices. */
function fitWithMany(samples: readonly Sample[], known: readonly Float64Array[]): Float64Array {
  if (known.length === 0) return fitCoefficients(samples);
  return fitCoefficients(samples, { coefficients: mixDevices(samples, known), spread: 1, noise: 0.02 * Math.sqrt(samples.length / OWN_SAMPLES) });
}

/**
 * Few samples: the mixture of known devices that fits them, then each coefficient on its own as far as the samples ask for it. How
 * far is chosen among `SPREADS` by leaving a fifth of the samples out once more.
 */
export function adapt(samples: readonly Sample[], known: readonly Float64Array[]): Float64Array {
  const prior = (train: readonly Sample[], spread: number): Prior => ({ coefficients: known.length > 0 ? mixDevices(train, known) : plainPrior(train), spread, noise: NOISE });
  let [best, bestError] = [SPREADS[0]!, Infinity];
  for (const spread of SPREADS) {
    const predictions = crossValidate(samples, (train) => {
      const x = fitCoefficients(train, prior(train, spread));
      return (work) => dot(work, x);
    }, 5);
    const error = samples.reduce((sum, s, i) => sum + Math.abs(predictions[i]! / s.value - 1), 0);
    // a wider spread must earn its freedom
    if (error < 0.98 * bestError) [best, bestError] = [spread, error];
  }
  return fitCoefficients(samples, prior(samples, best));
}

/** Cost of each term relative to one product of a convolution, where no device is known; orders of magnitude of kernel libraries. */
const PLAIN: Readonly<Record<string, number>> = {
  inference: 5000, launchDense: 2000, launchPointwise: 2000, launchDepthwise: 2000, launchPool: 1000, launchElementwise: 1000, launchActivation: 500,
  macDense: 1, rowDense: 3, macPointwise: 1, macMisaligned: 1, macDepthwise: 3, macDepthwiseLarge: 0.3, macGrouped: 2, macLinear: 1.5, tapPool: 2,
  elementConvolution: 2, outputConvolution: 6, outputDepthwise: 6, outputLinear: 6, elementElementwise: 3, elementActivation: 3, elementCopy: 1, weight: 0.5,
};

export const PLAIN_COEFFICIENTS: Float64Array = Float64Array.from(TERM_IDS, (id) => PLAIN[id]!);

/** `PLAIN` at the samples' scale. */
export function plainPrior(samples: readonly Sample[]): Float64Array {
  return atScaleOf(samples, PLAIN_COEFFICIENTS);
}

/** The coefficients times the median of measured over predicted. */
export function atScaleOf(samples: readonly Sample[], coefficients: Float64Array): Float64Array {
  const scale = quantile(samples.map((s) => s.value / dot(s.work, coefficients)), 0.5);
  return coefficients.map((c) => c * scale);
}

/**
 * What devices of one kernel library have in common, from a few networks on each: coefficients fitted to all of them, each device at
 * its own scale. @returns [TERMS.length] at a scale of no meaning; `atScaleOf` gives it one
 */
export function commonShape(devices: readonly (readonly Sample[])[], start: Float64Array = PLAIN_COEFFICIENTS): Float64Array {
  const used = devices.filter((samples) => samples.length > 0);
  let x = start;
  for (let round = 0; round < 4 && used.length > 0; round++) {
    const current = x;
    const together = used.flatMap((samples) => {
      const scale = quantile(samples.map((s) => s.value / dot(s.work, current)), 0.5);
      return samples.map((s) => ({ ...s, value: s.value / scale }));
    });
    x = fitCoefficients(together, { coefficients: atScaleOf(together, start), spread: 2, noise: 0.05 });
  }
  return x;
}

/** A device with a few networks of its own whose kernel library is known from others. */
export function fitWithShape(samples: readonly Sample[], shape: Float64Array): Float64Array {
  return fitCoefficients(samples, { coefficients: atScaleOf(samples, shape), spread: 1, noise: 0.05 });
}

/**
 * 90 % interval of measured over predicted from left-out ratios (split conformal: Vovk et al. 2005; Barber et al. 2021 for
 * cross-validation). From 60 ratios each tail has its own 5 %; with fewer, the ratio's distance from 1 in log counts, rank
 * ⌈0.9 (n + 1)⌉, and below 10 ratios the largest is stretched as a normal tail would be.
 */
export function conformalInterval(ratios: readonly number[], coverage = 0.9): { readonly low: number; readonly high: number } {
  const n = ratios.length;
  const logs = ratios.map(Math.log).sort((a, b) => a - b);
  if (n >= 60) {
    const tail = (1 - coverage) / 2;
    const below = Math.max(0, Math.floor(tail * (n + 1)) - 1);
    return { low: Math.exp(Math.min(-NARROWEST, logs[below]!)), high: Math.exp(Math.max(NARROWEST, logs[n - 1 - below]!)) };
  }
  const distances = logs.map(Math.abs).sort((a, b) => a - b);
  const rank = Math.ceil(coverage * (n + 1));
  const half = Math.max(NARROWEST, rank <= n ? distances[rank - 1]! : distances[n - 1]! * (1 + (10 - n) / 10));
  return { low: Math.exp(-half), high: Math.exp(half) };
}

/** Relative half-width that keeps its promise fold by fold: the share of samples inside intervals made from the other folds. */
export function intervalCoverage(samples: readonly Sample[], predictions: ArrayLike<number>, folds = 5): number {
  const fold = foldsOf(samples, folds);
  let inside = 0;
  for (const f of new Set(fold)) {
    const { low, high } = conformalInterval(samples.flatMap((s, i) => (fold[i] === f ? [] : [s.value / predictions[i]!])));
    samples.forEach((s, i) => {
      if (fold[i] === f && s.value >= predictions[i]! * low && s.value <= predictions[i]! * high) inside++;
    });
  }
  return inside / samples.length;
}

/** Coefficients as a profile holds them, costless terms left out, rounded to 4 digits. */
export function listCoefficients(x: Float64Array, quantity: 's' | 'J'): FittedModel['coefficients'] {
  return TERMS.flatMap((term, k) => (x[k]! > 0 ? [{ term: term.id, value: Number(x[k]!.toPrecision(4)), unit: `${quantity}/${term.unit}`, source: `${term.meaning}; fitted, see fit` }] : []));
}

export interface ErrorFigures {
  readonly count: number;
  /** mean absolute relative error, unit 1 */
  readonly mape: number;
  readonly within10: number;
  /** Spearman's rank correlation; null for fewer than 3 rows or equal values */
  readonly spearman: number | null;
}

/** @throws RangeError on no samples */
export function errorFigures(measured: readonly number[], predicted: ArrayLike<number>): ErrorFigures {
  if (measured.length === 0) throw new RangeError('expected at least one measurement, got none');
  const errors = measured.map((y, i) => Math.abs(predicted[i]! / y - 1));
  return {
    count: measured.length,
    mape: errors.reduce((a, b) => a + b, 0) / errors.length,
    within10: errors.filter((e) => e <= 0.1).length / errors.length,
    spearman: spearman(measured, Array.from(predicted)),
  };
}

function spearman(a: readonly number[], b: readonly number[]): number | null {
  if (a.length < 3) return null;
  const [x, y] = [ranks(a), ranks(b)];
  const middle = (a.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    xy += (x[i]! - middle) * (y[i]! - middle);
    xx += (x[i]! - middle) ** 2;
    yy += (y[i]! - middle) ** 2;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

/** From 1; equal values share the mean of their places. */
function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const rank = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++;
    for (let k = from; k <= to; k++) rank[order[k]!] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return rank;
}
