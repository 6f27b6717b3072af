import FFT from 'fft.js';

export interface FrontEndSettings {
  readonly sampleRate: number;
  readonly seconds: number;
  readonly windowMs: number;
  readonly strideMs: number;
  readonly bands: number;
  readonly lowHz: number;
  readonly highHz: number;
  readonly coefficients?: number | undefined;
}

export interface FrontEnd {
  readonly frames: number;
  readonly features: number;
  /** samples, −1 … 1 → [frames, features] */
  extract(samples: Float32Array): Float32Array;
}

/** What the logarithm of silence is taken of. */
const FLOOR = 1e-6;

const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
const hertz = (m: number): number => 700 * (10 ** (m / 2595) - 1);

/**
 * Log-mel spectrogram: Hann windows, power spectrum, triangles that are even on the mel scale, natural logarithm; for cepstral
 * coefficients an orthonormal DCT-II of it (Davis & Mermelstein 1980). 1 s at 40 ms windows every 20 ms: 49 frames.
 */
export function frontEnd({ sampleRate, seconds, windowMs, strideMs, bands, lowHz, highHz, coefficients }: FrontEndSettings): FrontEnd {
  const length = Math.round(seconds * sampleRate);
  const window = Math.min(length, Math.round((windowMs / 1000) * sampleRate));
  const stride = Math.max(1, Math.round((strideMs / 1000) * sampleRate));
  const frames = 1 + Math.floor((length - window) / stride);
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, window)));
  const fft = new FFT(size);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const filters = triangles(size, sampleRate, bands, lowHz, highHz);
  const features = coefficients === undefined ? bands : Math.min(coefficients, bands);
  const [input, spectrum] = [new Array<number>(size).fill(0), fft.createComplexArray()];
  const energies = new Float64Array(bands);

  const extract = (samples: Float32Array): Float32Array => {
    const out = new Float32Array(frames * features);
    for (let t = 0; t < frames; t++) {
      for (let i = 0; i < window; i++) input[i] = (samples[t * stride + i] ?? 0) * hann[i]!;
      fft.realTransform(spectrum, input);
      filters.forEach(({ from, weights }, b) => {
        let sum = 0;
        weights.forEach((w, k) => (sum += w * (spectrum[2 * (from + k)]! ** 2 + spectrum[2 * (from + k) + 1]! ** 2)));
        energies[b] = Math.log(Math.max(FLOOR, sum));
      });
      for (let k = 0; k < features; k++) out[t * features + k] = coefficients === undefined ? energies[k]! : cosine(energies, k);
    }
    return out;
  };
  return { frames, features, extract };
}

interface Triangle {
  readonly from: number;
  readonly weights: readonly number[];
}

const tent = (x: number, left: number, centre: number, right: number): number => Math.max(0, Math.min((x - left) / (centre - left), (right - x) / (right - centre)));

function triangles(size: number, sampleRate: number, bands: number, lowHz: number, highHz: number): Triangle[] {
  const edge = (i: number): number => (hertz(mel(lowHz) + ((mel(highHz) - mel(lowHz)) * i) / (bands + 1)) * size) / sampleRate;
  return Array.from({ length: bands }, (_, b) => {
    const [left, centre, right] = [edge(b), edge(b + 1), edge(b + 2)];
    const from = Math.max(0, Math.floor(left));
    const to = Math.min(size / 2, Math.ceil(right));
    const weights = Array.from({ length: to - from + 1 }, (_, k) => tent(from + k, left, centre, right));
    // bands narrower than a bin take the nearest one
    if (!weights.some((w) => w > 0)) weights[Math.round(centre) - from] = 1;
    return { from, weights };
  });
}

function cosine(values: Float64Array, k: number): number {
  const n = values.length;
  let sum = 0;
  for (let b = 0; b < n; b++) sum += values[b]! * Math.cos((Math.PI * k * (2 * b + 1)) / (2 * n));
  return sum * Math.sqrt((k === 0 ? 1 : 2) / n);
}
