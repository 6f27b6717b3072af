/** Labelled images as bytes, channel by channel: [count, channels, height, width]. */
export interface ImageSet {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
  /** 0 … classes − 1 */
  readonly labels: Uint16Array;
}

export interface Dataset {
  readonly name: string;
  readonly classes: number;
  readonly train: ImageSet;
  /** what trials are judged on; held out of the training images */
  readonly validation: ImageSet;
  /** null: the data have no test part */
  readonly test: ImageSet | null;
  /** per channel over the training images, pixels scaled to 0 … 1 */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** training images of each class */
  readonly balance: readonly number[];
}

/** Data that can't be trained on. The message names the file and says what came and what was due. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';

  constructor(readonly file: string, fault: string, options?: ErrorOptions) {
    super(`${file}: ${fault}`, options);
  }
}

/** The images at these places, in this order. */
export function pick(set: ImageSet, places: ArrayLike<number>): ImageSet {
  const size = set.channels * set.height * set.width;
  const pixels = new Uint8Array(places.length * size);
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
  const pixels = new Uint8Array(count * first.channels * first.height * first.width);
  const labels = new Uint16Array(count);
  let at = 0;
  for (const set of sets) {
    pixels.set(set.pixels, at * first.channels * first.height * first.width);
    labels.set(set.labels, at);
    at += set.count;
  }
  return { ...first, count, pixels, labels };
}

/** Images of each class. */
export function classCounts(set: ImageSet, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of set.labels) counts[label]!++;
  return counts;
}
