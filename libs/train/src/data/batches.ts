/** Images as a network takes them: resampled to its input, augmented, normalised. */
import type { TrainingRecipe } from '@app/contracts';
import type { Rng } from '@app/numeric';
import type { Dataset, ImageSet } from './image-set.js';

export type Augmentation = Pick<TrainingRecipe, 'flip' | 'shift' | 'timeShift' | 'crop' | 'cutout' | 'mixup' | 'inputNoise'>;

export const NO_AUGMENTATION: Augmentation = { flip: false, shift: 0, timeShift: 0, crop: 1, cutout: 0, mixup: 0, inputNoise: 0 };

/** Where each row (column) of the output reads: cells `low` and `high` with the share of the latter; low −1: outside, black. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

/** Output i reads at origin + (i + ½)·step − ½, in pixels of the source; half-pixel centres, edges repeated up to half a pixel. */
function tapsOf(taps: Taps, size: number, origin: number, step: number): void {
  for (let i = 0; i < taps.low.length; i++) {
    const x = origin + (i + 0.5) * step - 0.5;
    if (x < -0.5 || x > size - 0.5) {
      taps.low[i] = -1;
      continue;
    }
    const at = Math.min(size - 1, Math.max(0, x));
    taps.low[i] = Math.floor(at);
    taps.high[i] = Math.min(size - 1, taps.low[i]! + 1);
    taps.share[i] = at - taps.low[i]!;
  }
}

const newTaps = (size: number): Taps => ({ low: new Int32Array(size), high: new Int32Array(size), share: new Float32Array(size) });

/** A turned direction reads the same cells the other way round. */
function turn({ low, high, share }: Taps): void {
  low.reverse();
  high.reverse();
  share.reverse();
}

/** Writes images into batches; arrays are its own and are overwritten by the next batch. */
export class BatchWriter {
  readonly images: Float32Array;
  readonly targets: Float32Array;
  readonly #rows: Taps;
  readonly #columns: Taps;
  /** normalised value of each byte, a channel after another */
  readonly #values: Float32Array;
  /** what comes in from outside a channel: black, or the mean where values are no bytes */
  readonly #black: readonly number[];
  #source = new Float32Array(0);

  constructor(private readonly data: Dataset, readonly batch: number, private readonly height: number, private readonly width: number) {
    const { channels } = data.train;
    this.images = new Float32Array(batch * channels * height * width);
    this.targets = new Float32Array(batch * data.classes);
    this.#rows = newTaps(height);
    this.#columns = newTaps(width);
    this.#values = Float32Array.from({ length: 256 * channels }, (_, i) => ((i % 256) / 255 - data.mean[Math.floor(i / 256)]!) / data.deviation[Math.floor(i / 256)]!);
    this.#black = data.mean.map((_, c) => (data.train.pixels instanceof Uint8Array ? this.#values[256 * c]! : 0));
  }

  /** The images at places from … from + batch − 1 of the order, as they are; beyond its end the last images of the batch stay what they were. */
  plain(set: ImageSet, from: number): void {
    tapsOf(this.#rows, set.height, 0, set.height / this.height);
    tapsOf(this.#columns, set.width, 0, set.width / this.width);
    for (let b = 0; b < Math.min(this.batch, set.count - from); b++) this.#write(set, from + b, b);
  }

  /** One batch to train on: images at order[from …], each augmented on its own, then mixed in pairs. */
  augmented(set: ImageSet, order: readonly number[], from: number, how: Augmentation, rng: Rng): void {
    this.targets.fill(0);
    for (let b = 0; b < this.batch; b++) {
      const place = order[from + b]!;
      this.#place(set, how, rng);
      this.#write(set, place, b);
      if (how.cutout > 0) this.#blank(b, how.cutout, rng);
      this.targets[b * this.data.classes + set.labels[place]!] = 1;
    }
    if (how.inputNoise > 0) for (let i = 0; i < this.images.length; i++) this.images[i]! += how.inputNoise * rng.normal();
    if (how.mixup > 0) this.#mix(how.mixup, rng);
  }

  /** Random window of the source: shifted, or a crop of a random share of its area (Szegedy et al. 2015, § 6, of the image's own aspect), mirrored. */
  #place(set: ImageSet, { flip, shift, timeShift, crop }: Augmentation, rng: Rng): void {
    const side = crop < 1 ? Math.sqrt(crop + (1 - crop) * rng.next()) : 1;
    const along = (taps: Taps, size: number, output: number, reach: number): void => {
      const slack = crop < 1 ? (1 - side) * size * rng.next() : 0;
      const moved = reach > 0 ? rng.int(2 * reach + 1) - reach : 0;
      tapsOf(taps, size, slack + moved, (side * size) / output);
    };
    along(this.#rows, set.height, this.height, Math.max(shift, timeShift));
    along(this.#columns, set.width, this.width, shift);
    if (flip && rng.next() < 0.5) turn(this.#columns);
  }

  #write(set: ImageSet, place: number, b: number): void {
    const { channels, height, width } = set;
    const [rows, columns, source] = [this.#rows, this.#columns, this.#normalised(set, place)];
    let to = b * channels * this.height * this.width;
    for (let c = 0; c < channels; c++) {
      const from = c * height * width;
      const black = this.#black[c]!;
      for (let y = 0; y < this.height; y++) {
        const outside = rows.low[y]! < 0;
        const [top, bottom, down] = [from + rows.low[y]! * width, from + rows.high[y]! * width, rows.share[y]!];
        for (let x = 0; x < this.width; x++) {
          const left = columns.low[x]!;
          if (outside || left < 0) {
            this.images[to++] = black;
            continue;
          }
          const [right, across] = [columns.high[x]!, columns.share[x]!];
          const above = source[top + left]! * (1 - across) + source[top + right]! * across;
          const below = down === 0 ? above : source[bottom + left]! * (1 - across) + source[bottom + right]! * across;
          this.images[to++] = above + (below - above) * down;
        }
      }
    }
  }

  /** One image, [channels, height, width], less the mean and over the deviation of each channel. */
  #normalised({ channels, height, width, pixels }: ImageSet, place: number): Float32Array {
    const plane = height * width;
    if (this.#source.length !== channels * plane) this.#source = new Float32Array(channels * plane);
    const source = this.#source;
    const from = place * channels * plane;
    const bytes = pixels instanceof Uint8Array;
    for (let c = 0; c < channels; c++) {
      const [mean, deviation, value] = [this.data.mean[c]!, this.data.deviation[c]!, 256 * c];
      for (let i = c * plane; i < (c + 1) * plane; i++) source[i] = bytes ? this.#values[value + pixels[from + i]!]! : (pixels[from + i]! - mean) / deviation;
    }
    return source;
  }

  /** DeVries & Taylor 2017: a square around a random centre becomes the mean, 0 after normalisation. */
  #blank(b: number, side: number, rng: Rng): void {
    const [cy, cx] = [rng.int(this.height), rng.int(this.width)];
    const { channels } = this.data.train;
    const [top, left] = [cy - (side >> 1), cx - (side >> 1)];
    for (let c = 0; c < channels; c++) {
      for (let y = Math.max(0, top); y < Math.min(this.height, top + side); y++) {
        const row = ((b * channels + c) * this.height + y) * this.width;
        this.images.fill(0, row + Math.max(0, left), row + Math.min(this.width, left + side));
      }
    }
  }

  /** Zhang et al. 2018, eq. 1: λ ~ Beta(α, α), each image with the one that stands opposite in the batch. */
  #mix(alpha: number, rng: Rng): void {
    const share = beta(alpha, rng);
    const blend = (values: Float32Array): void => {
      const size = values.length / this.batch;
      for (let b = 0; b < this.batch >> 1; b++) {
        const other = this.batch - 1 - b;
        for (let i = 0; i < size; i++) {
          const [p, q] = [values[b * size + i]!, values[other * size + i]!];
          values[b * size + i] = share * p + (1 - share) * q;
          values[other * size + i] = share * q + (1 - share) * p;
        }
      }
    };
    blend(this.images);
    blend(this.targets);
  }
}

/** Beta(α, α) for α ≤ 1 by Jöhnk's rejection (Devroye 1986, § IX.3.5). */
function beta(alpha: number, rng: Rng): number {
  for (;;) {
    const u = rng.next() ** (1 / alpha);
    const v = rng.next() ** (1 / alpha);
    if (u + v <= 1 && u + v > 0) return u / (u + v);
  }
}
