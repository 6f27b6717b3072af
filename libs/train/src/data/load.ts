import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join as path } from 'node:path';
import type { DatasetSpec } from '@app/contracts';
import { Rng } from '@app/numeric';
import { readCsv } from './csv.js';
import { cifarFiles, readCifar } from './cifar.js';
import { readClassJson } from './class-json.js';
import { readIdxPart } from './idx.js';
import { classCounts, DatasetError, join, pick, type Dataset, type ImageSet } from './image-set.js';
import { readNpz } from './npz.js';
import { synthesize } from './synthetic.js';

/** Data as a format gives them, before they are checked and split. */
export interface Source {
  readonly name: string;
  /** file or folder that faults are reported of */
  readonly file: string;
  readonly train: ImageSet;
  readonly test: ImageSet | null;
  /** where the format says so; else the largest label and 1 */
  readonly classes: number | null;
  readonly classNames?: readonly string[] | undefined;
  readonly fixedShape?: boolean | undefined;
}

/**
 * Reads the data a study names and splits them: of every class, the share `validation` is held out, and of the rest the share `share`
 * is kept, both drawn by `split.seed` so that all trials see the same images. Formats without a test part give `validation` only.
 *
 * Relative folders are relative to the working directory.
 *
 * @throws DatasetError naming the file: unreadable, of another format, labels out of range, fewer than 2 classes, a class without images
 */
export async function loadDataset(spec: DatasetSpec): Promise<Dataset> {
  const source = await read(spec);
  const classes = source.classNames?.length ?? source.classes ?? source.train.labels.reduce((top, l) => Math.max(top, l), 0) + 1;
  if (source.train.count === 0) throw new DatasetError(source.file, 'expected images, got none');
  for (const [part, set] of [['training', source.train], ['test', source.test]] as const) {
    const wrong = set?.labels.findIndex((l) => l >= classes) ?? -1;
    if (wrong >= 0) throw new DatasetError(source.file, `expected labels from 0 to ${classes - 1}, got ${set!.labels[wrong]} for ${part} image ${wrong}`);
  }
  if (classes < 2) throw new DatasetError(source.file, 'expected images of at least 2 classes, got one class only');
  const empty = classCounts(source.train, classes).findIndex((n) => n === 0);
  if (empty >= 0) throw new DatasetError(source.file, `expected training images of all ${classes} classes, got none of class ${source.classNames?.[empty] ?? empty}`);
  const odd = source.train.pixels instanceof Float32Array ? source.train.pixels.findIndex((v) => !Number.isFinite(v)) : -1;
  if (odd >= 0) throw new DatasetError(source.file, `expected finite values, got ${source.train.pixels[odd]} in training sample ${Math.floor(odd / (source.train.pixels.length / source.train.count))}`);
  const { kept, heldOut } = split(source.train, classes, spec);
  if (kept.length === 0 || heldOut.length === 0) throw new DatasetError(source.file, `expected images to train and to validate on, got ${kept.length} and ${heldOut.length} of ${source.train.count}`);
  const train = pick(source.train, kept);
  return { name: source.name, classes, classNames: source.classNames ?? null, fixedShape: source.fixedShape ?? false, train, validation: pick(source.train, heldOut), test: source.test, ...moments(train), balance: classCounts(train, classes), fingerprint: fingerprintOf(source.train) };
}

/** First 16 hexadecimal digits of a SHA-256; the same wherever the data lie and however they are split. */
function fingerprintOf({ count, channels, height, width, pixels, labels }: ImageSet): string {
  const bytes = (a: Uint8Array | Uint16Array | Float32Array): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  return createHash('sha256').update([count, channels, height, width, pixels.BYTES_PER_ELEMENT].join()).update(bytes(labels)).update(bytes(pixels)).digest('hex').slice(0, 16);
}

async function read(spec: DatasetSpec): Promise<Source> {
  switch (spec.format) {
    case 'idx': {
      const train = readIdxPart(spec.directory, 'train');
      const hasTest = ['', '.gz'].some((end) => existsSync(path(spec.directory, `t10k-images-idx3-ubyte${end}`)));
      return { name: spec.directory, file: train.file, train: train.set, test: hasTest ? readIdxPart(spec.directory, 't10k').set : null, classes: null };
    }
    case 'cifar10':
    case 'cifar100': {
      const files = cifarFiles(spec.format, spec.directory);
      const labelBytes = spec.format === 'cifar10' ? 1 : 2;
      return { name: spec.format, file: files.train[0]!, train: join(files.train.map((f) => readCifar(f, labelBytes))), test: readCifar(files.test, labelBytes), classes: spec.format === 'cifar10' ? 10 : 100 };
    }
    case 'class-json':
      return { name: spec.directory, file: spec.directory, train: readClassJson(spec.directory, spec.height, spec.width), test: null, classes: null };
    case 'image-folder':
      return (await import('./image-folder.js')).readImageFolder(spec);
    case 'npz':
      return readNpz(spec);
    case 'wav':
      return (await import('./wav.js')).readWavFolder(spec);
    case 'csv':
      return readCsv(spec);
    case 'synthetic':
      return { name: 'synthetic gratings', file: 'synthetic', train: synthesize({ ...spec, seed: spec.splitSeed }), test: null, classes: spec.classes };
  }
}

function split(set: ImageSet, classes: number, { validation, share, splitSeed }: DatasetSpec): { kept: number[]; heldOut: number[] } {
  const byClass: number[][] = Array.from({ length: classes }, () => []);
  set.labels.forEach((label, i) => byClass[label]!.push(i));
  const [kept, heldOut]: [number[], number[]] = [[], []];
  byClass.forEach((places, label) => {
    const drawn = Rng.of(splitSeed, 'split', label).shuffle(places);
    const out = Math.round(validation * drawn.length);
    heldOut.push(...drawn.slice(0, out));
    kept.push(...drawn.slice(out, out + Math.ceil(share * (drawn.length - out))));
  });
  return { kept: kept.sort((a, b) => a - b), heldOut: heldOut.sort((a, b) => a - b) };
}

/** Mean and standard deviation of each channel; a channel of one value gets deviation 1. */
function moments({ count, channels, height, width, pixels }: ImageSet): { mean: number[]; deviation: number[] } {
  const plane = height * width;
  const scale = pixels instanceof Uint8Array ? 255 : 1;
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  for (let i = 0; i < count * channels; i++) {
    let [sum, square] = [0, 0];
    for (let p = i * plane; p < (i + 1) * plane; p++) {
      sum += pixels[p]!;
      square += pixels[p]! ** 2;
    }
    sums[i % channels]! += sum;
    squares[i % channels]! += square;
  }
  const mean = Array.from(sums, (s) => s / (count * plane) / scale);
  const deviation = Array.from(squares, (s, c) => Math.sqrt(Math.max(0, s / (count * plane) / scale ** 2 - mean[c]! ** 2)) || 1);
  return { mean, deviation };
}
