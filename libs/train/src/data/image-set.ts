import { Rng } from '@app/numeric';

/**
 * Labelled images, channel by channel: [count, channels, height, width]. Bytes stand for v / 255, floats for themselves.
 * Recordings and series are images too: time runs down, and what is measured at one moment (bands) across.
 */
export interface ImageSet {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array | Float32Array;
  /** 0 … classes − 1 */
  readonly labels: Uint16Array;
}

export interface Dataset {
  readonly name: string;
  readonly classes: number;
  /** where the data name them */
  readonly classNames: readonly string[] | null;
  /** recordings and series: their two sides mean different things, so they are never scaled to another shape */
  readonly fixedShape: boolean;
  readonly train: ImageSet;
  /** what trials are judged on; held out of the training images */
  readonly validation: ImageSet;
  /** null: the data have no test part */
  readonly test: ImageSet | null;
  /** per channel over the training images, bytes scaled to 0 … 1 */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** training images of each class */
  readonly balance: readonly number[];
  /** content hash of what was split into training and held-out images: their shape, values and labels */
  readonly fingerprint: string;
}

/** Data that can't be trained on. The message names the file and says what came and what was due. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';

  constructor(readonly file: string, fault: string, options?: ErrorOptions) {
    super(`${file}: ${fault}`, options);
  }
}

const room = ({ pixels, channels, height, width }: ImageSet, count: number): Uint8Array | Float32Array => new (pixels instanceof Uint8Array ? Uint8Array : Float32Array)(count * channels * height * width);

/** The images at these places, in this order. */
export function pick(set: ImageSet, places: ArrayLike<number>): ImageSet {
  const size = set.channels * set.height * set.width;
  const pixels = room(set, places.length);
  const labels = new Uint16Array(places.length);
  for (let i = 0; i < places.length; i++) {
    pixels.set(set.pixels.subarray(places[i]! * size, (places[i]! + 1) * size), i * size);
    labels[i] = set.labels[places[i]!]!;
  }
  return { ...set, count: places.length, pixels, labels };
}

/** One set after another; all of one shape. */
export function join(sets: readonly ImageSet[]): ImageSet {
  const count = sets.reduce((sum, s) => sum + s.count, 0);
  const first = sets[0]!;
  const pixels = room(first, count);
  const labels = new Uint16Array(count);
  let at = 0;
  for (const set of sets) {
    pixels.set(set.pixels, at * first.channels * first.height * first.width);
    labels.set(set.labels, at);
    at += set.count;
  }
  return { ...first, count, pixels, labels };
}

/** Data with so large a share of the training images of each class, one at least; a smaller share is part of a larger one. Normalisation stays as it is. */
export function thinned(data: Dataset, share: number): Dataset {
  if (share === 1) return data;
  const byClass: number[][] = Array.from({ length: data.classes }, () => []);
  data.train.labels.forEach((label, i) => byClass[label]!.push(i));
  const kept = byClass.flatMap((places, label) => Rng.of(0, 'thinned', label).shuffle(places).slice(0, Math.ceil(share * places.length))).sort((a, b) => a - b);
  const train = pick(data.train, kept);
  return { ...data, train, balance: classCounts(train, data.classes) };
}

/** Images of each class. */
export function classCounts(set: ImageSet, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of set.labels) counts[label]!++;
  return counts;
}
