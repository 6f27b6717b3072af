/**
 * Fitting of the terms of latency-terms.ts to measured networks.
 *
 * W [n, K] work of the networks, y [n] measured, x [K] ≥ 0 coefficients. Minimised is the mean absolute relative error |Wx/y − 1|, by
 * iteratively reweighted non-negative least squares: measured tables drift and jump, and absolute errors ignore the jumps.
 */
import { nonNegativeLeastSquares, quantile } from '@app/numeric';
import { TERMS } from './latency-terms.js';

export interface Sample {
  /** [TERMS.length] */
  readonly work: Float64Array;
  /** s or J, > 0 */
  readonly value: number;
  /** samples of one group go together in cross-validation: the same network, its isomorphs, or the same model on other boards */
  readonly group: string;
}

/** What is believed before the samples: coefficients and how far they may be off. */
export interface Prior {
  /** [TERMS.length] */
  readonly coefficients: Float64Array;
  /** relative standard deviation of a coefficient */
  readonly spread: number;
  /** relative standard deviation of a measurement around the model */
  readonly noise: number;
}

const K = TERMS.length;
const ROUNDS = 6;
/** relative error below which errors count as squares */
const FLAT = 0.005;

/**
 * Coefficients, [TERMS.length]; terms without work in the samples are 0, or the prior's. So are terms of which every sample has the same
 * work: they cannot be told from starting an inference, which bears the cost; a network with more of them would else be priced by chance.
 */
export function fitCoefficients(samples: readonly Sample[], prior?: Prior): Float64Array {
  const extra = prior === undefined ? 0 : K;
  const rows = samples.length + extra;
  const A = new Float64Array(rows * K);
  const b = new Float64Array(rows);
  let x: Float64Array = new Float64Array(K);
  const weights = new Float64Array(samples.length).fill(1);
  const varies = TERMS.map((_, k) => k === 0 || prior !== undefined || samples.some((s) => s.work[k] !== samples[0]!.work[k]));
  for (let round = 0; round < ROUNDS; round++) {
    samples.forEach(({ work, value }, i) => {
      const w = weights[i]!;
      b[i] = w;
      for (let k = 0; k < K; k++) A[i * K + k] = varies[k] ? (work[k]! / value) * w : 0;
    });
    if (prior !== undefined) addPrior(A, b, samples, prior);
    x = nonNegativeLeastSquares(A, rows, K, b).x;
    samples.forEach(({ work, value }, i) => (weights[i] = 1 / Math.sqrt(Math.max(FLAT, Math.abs(dot(work, x) / value - 1)) / FLAT)));
  }
  return x;
}

/** One row a term: (x_k − μ_k) / (spread · μ_k) · noise; a term the prior has at 0 may bring as much as 1/20 of the mean sample. */
function addPrior(A: Float64Array, b: Float64Array, samples: readonly Sample[], { coefficients, spread, noise }: Prior): void {
  for (let k = 0; k < K; k++) {
    const row = samples.length + k;
    const mu = coefficients[k]!;
    let share = 0;
    for (const { work, value } of samples) share += work[k]! / value / samples.length;
    const deviation = mu > 0 ? spread * mu : share > 0 ? (spread * 0.05) / share : 0;
    A[row * K + k] = deviation > 0 ? noise / deviation : 0;
    b[row] = deviation > 0 ? (noise * mu) / deviation : 0;
  }
}

/** Shape of a new device from those known: x = Σ_d w_d x_d, w ≥ 0, fitted to the samples with a pull towards equal shares. */
export function mixDevices(samples: readonly Sample[], known: readonly Float64Array[], pull = 0.1): Float64Array {
  const D = known.length;
  // each device first to the samples' scale, so that shares compare
  const scaled = known.map((x) => {
    const ratios = samples.map(({ work, value }) => value / Math.max(1e-300, dot(work, x)));
    const scale = quantile(ratios, 0.5);
    return x.map((c) => c * scale);
  });
  const rows = samples.length + D;
  const A = new Float64Array(rows * D);
  const b = new Float64Array(rows);
  samples.forEach(({ work, value }, i) => {
    scaled.forEach((x, d) => (A[i * D + d] = dot(work, x) / value));
    b[i] = 1;
  });
  for (let d = 0; d < D; d++) {
    A[(samples.length + d) * D + d] = pull;
    b[samples.length + d] = pull / D;
  }
  const { x: shares } = nonNegativeLeastSquares(A, rows, D, b);
  const mixed = new Float64Array(K);
  scaled.forEach((x, d) => x.forEach((c, k) => (mixed[k]! += shares[d]! * c)));
  return mixed;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Fold of each sample, 0 … folds − 1, groups together; the same for the same groups whatever their order. */
export function foldsOf(samples: readonly Sample[], folds: number): Int32Array {
  const groups = [...new Set(samples.map((s) => s.group))];
  if (groups.length <= folds) return Int32Array.from(samples, (s) => groups.indexOf(s.group));
  return Int32Array.from(samples, (s) => hash(s.group) % folds);
}

/** FNV-1a with a final mix, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export type Fitter = (train: readonly Sample[]) => (work: Float64Array) => number;

/** Prediction for each sample by a model that has not seen its group, [n]. */
export function crossValidate(samples: readonly Sample[], fitter: Fitter, folds = 5): Float64Array {
  const fold = foldsOf(samples, folds);
  const predictions = new Float64Array(samples.length);
  for (const f of new Set(fold)) {
    const model = fitter(samples.filter((_, i) => fold[i] !== f));
    samples.forEach((s, i) => {
      if (fold[i] === f) predictions[i] = model(s.work);
    });
  }
  return predictions;
}
