import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { datasetSchema, type DatasetSpec } from '@app/contracts';
import { Rng } from '@app/numeric';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { BatchWriter, NO_AUGMENTATION, type Augmentation } from './batches.js';
import { classCounts, thinned, type Dataset, type ImageSet } from './image-set.js';
import { loadDataset } from './load.js';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddis-data-'));
  folders.push(folder);
});
afterAll(() => folders.forEach((f) => rmSync(f, { recursive: true })));

const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes);
const spec = (input: object): DatasetSpec => datasetSchema.parse({ directory: folder, ...input });

function idx(sizes: readonly number[], values: ArrayLike<number>, type = 8): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
  head.setUint8(2, type);
  head.setUint8(3, sizes.length);
  sizes.forEach((s, i) => head.setUint32(4 + 4 * i, s));
  return Uint8Array.from([...new Uint8Array(head.buffer), ...Array.from(values)]);
}

/** 20 images of 2 × 3 pixels; image i has the value i everywhere, labels 0, 1, 0, … */
function writeMnist(labels: ArrayLike<number> = Array.from({ length: 20 }, (_, i) => i % 2)): void {
  write('train-images-idx3-ubyte', idx([20, 2, 3], Array.from({ length: 120 }, (_, i) => Math.floor(i / 6))));
  write('train-labels-idx1-ubyte', idx([labels.length], labels));
}

describe('IDX files', () => {
  it('give images, labels, a split by class and the moments of what is trained on', async () => {
    writeMnist();
    const data = await loadDataset(spec({ format: 'idx', validation: 0.2 }));
    expect([data.classes, data.train.count, data.validation.count, data.test, data.balance]).toEqual([2, 16, 4, null, [8, 8]]);
    expect(classCounts(data.validation, 2)).toEqual([2, 2]);
    const all = [...data.train.pixels, ...data.validation.pixels].filter((_, i) => i % 6 === 0).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 20 }, (_, i) => i));
    data.train.labels.forEach((label, i) => expect(label).toBe(data.train.pixels[6 * i]! % 2));
    const values = [...data.train.pixels].map((v) => v / 255);
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    expect(data.mean[0]).toBeCloseTo(mean, 12);
    expect(data.deviation[0]).toBeCloseTo(Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length), 12);
  });

  it('may be packed, and have a test part', async () => {
    writeMnist();
    write('t10k-images-idx3-ubyte.gz', gzipSync(idx([2, 2, 3], new Uint8Array(12))));
    write('t10k-labels-idx1-ubyte.gz', gzipSync(idx([2], [0, 1])));
    expect((await loadDataset(spec({ format: 'idx' }))).test?.count).toBe(2);
  });

  it('split alike for the same seed, and otherwise for another', async () => {
    writeMnist();
    const held = async (splitSeed: number): Promise<number[]> => [...(await loadDataset(spec({ format: 'idx', validation: 0.3, splitSeed }))).validation.pixels];
    expect(await held(1)).toEqual(await held(1));
    expect(await held(1)).not.toEqual(await held(2));
  });

  it('can be taken in part, class by class', async () => {
    writeMnist();
    expect((await loadDataset(spec({ format: 'idx', validation: 0.2, share: 0.5 }))).balance).toEqual([4, 4]);
  });

  it.each<[string, () => void, RegExp]>([
    ['a missing file', () => undefined, /train-images-idx3-ubyte: can't be read: ENOENT/],
    ['other bytes', () => write('train-images-idx3-ubyte', 'hello'), /train-images-idx3-ubyte: expected an IDX file, which begins with two zero bytes, got 104 101 108 108/],
    ['floats', () => write('train-images-idx3-ubyte', idx([1, 1, 1], [0], 13)), /expected elements of type 8 \(unsigned byte\), got type 13/],
    ['a file cut off', () => write('train-images-idx3-ubyte', idx([20, 2, 3], [1, 2, 3])), /expected 120 values for sizes 20 × 2 × 3, got 3/],
    ['labels for images', () => write('train-images-idx3-ubyte', idx([20], new Uint8Array(20))), /expected 3 dimensions, got 1/],
    ['too few labels', () => writeMnist([0, 1, 0]), /train-labels-idx1-ubyte: expected a label for each of the 20 images, got 3/],
    ['one class only', () => writeMnist(new Uint8Array(20)), /train-labels-idx1-ubyte: expected images of at least 2 classes, got one class only/],
    ['a class left out', () => writeMnist(new Uint8Array(20).fill(2).fill(0, 0, 9)), /expected training images of all 3 classes, got none of class 1/],
  ])('are refused by name: %s', async (_what, arrange, message) => {
    arrange();
    await expect(loadDataset(spec({ format: 'idx' }))).rejects.toThrow(message);
  });
});

describe('CIFAR binaries', () => {
  const record = (labels: number[], value: number): number[] => [...labels, ...new Array<number>(3072).fill(value)];

  it('of 10 classes take the label before each image', async () => {
    for (let i = 1; i <= 5; i++) write(`data_batch_${i}.bin`, Uint8Array.from([0, 1, 2, 3].flatMap((k) => record([(4 * i + k) % 10], 10 * i + k))));
    write('test_batch.bin', Uint8Array.from(record([7], 9)));
    const data = await loadDataset(spec({ format: 'cifar10', validation: 0.5 }));
    expect([data.train.channels, data.train.height, data.test?.labels[0], data.balance]).toEqual([3, 32, 7, new Array(10).fill(1)]);
  });

  it('of 100 classes take the fine label, the second one', async () => {
    write('train.bin', Uint8Array.from(Array.from({ length: 200 }, (_, i) => record([3, i % 100], i)).flat()));
    write('test.bin', Uint8Array.from(record([3, 99], 1)));
    expect((await loadDataset(spec({ format: 'cifar100', validation: 0.5 }))).test?.labels[0]).toBe(99);
  });

  it('are refused by name when cut off or with a label out of range', async () => {
    write('train.bin', new Uint8Array(3073));
    await expect(loadDataset(spec({ format: 'cifar100' }))).rejects.toThrow(/train.bin: expected records of 3074 bytes, got 3073 bytes/);
    write('train.bin', Uint8Array.from([...record([0, 0], 1), ...record([0, 150], 1)]));
    write('test.bin', Uint8Array.from(record([3, 99], 1)));
    await expect(loadDataset(spec({ format: 'cifar100' }))).rejects.toThrow(/train.bin: expected labels from 0 to 99, got 150 for training image 1/);
  });
});

describe('JSON a class', () => {
  it('takes rows of images or one long row', async () => {
    write('0.json', JSON.stringify({ data: [[1, 2], [3, 4], []] }));
    write('1.json', JSON.stringify({ data: [5, 6, 7, 8] }));
    const data = await loadDataset(spec({ format: 'class-json', height: 1, width: 2, validation: 0.5 }));
    expect([data.classes, data.balance]).toEqual([2, [1, 1]]);
  });

  it('is refused by name and image', async () => {
    write('0.json', JSON.stringify({ data: [[1, 2], [3]] }));
    await expect(loadDataset(spec({ format: 'class-json', height: 1, width: 2 }))).rejects.toThrow(/0.json: expected 2 values in image 1, got 1/);
    write('0.json', JSON.stringify({ data: [[1, 256]] }));
    await expect(loadDataset(spec({ format: 'class-json', height: 1, width: 2 }))).rejects.toThrow(/0.json: expected integers from 0 to 255 in image 0, got 256/);
    write('0.json', '{');
    await expect(loadDataset(spec({ format: 'class-json', height: 1, width: 2 }))).rejects.toThrow(/0.json: expected JSON/);
  });
});

describe('batches', () => {
  /** One image a set, 4 × 4, values 10·row + column. */
  const set: ImageSet = { count: 1, channels: 1, height: 4, width: 4, pixels: Uint8Array.from({ length: 16 }, (_, i) => 10 * Math.floor(i / 4) + (i % 4)), labels: Uint16Array.of(1) };
  const data: Dataset = { name: 'ramp', classes: 2, classNames: null, fixedShape: false, train: set, validation: set, test: null, mean: [0], deviation: [1 / 255], balance: [0, 1], fingerprint: '' };
    const one = (how: Partial<Augmentation>, seed: number, size = 4, batch = 1): BatchWriter => {
    const writer = new BatchWriter(data, batch, size, size);
    writer.augmented(set, new Array<number>(batch).fill(0), 0, { ...NO_AUGMENTATION, ...how }, Rng.of(seed));
    return writer;
  };
  const round = (values: Float32Array): number[] => [...values].map((v) => Math.round(v * 1000) / 1000);

  it('without augmentation are the normalised images', async () => {
    expect(round(one({}, 1).images)).toEqual([...set.pixels]);
    expect([...one({}, 1).targets]).toEqual([0, 1]);
    const normalised = new BatchWriter({ ...data, mean: [0.5], deviation: [0.25] }, 1, 4, 4);
    normalised.plain(set, 0);
    normalised.images.forEach((v, i) => expect(v).toBeCloseTo((set.pixels[i]! / 255 - 0.5) / 0.25, 5));
  });

  it('at twice the size interpolate between pixel centres, edges repeated', async () => {
    const wide = round(one({}, 1, 8).images);
    expect(wide.slice(0, 8)).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]);
    expect([wide[8 * 7], wide[63], wide[8 + 1]]).toEqual([30, 33, 2.75]);
  });

  it('flip half the images, and only left to right', async () => {
    const seen = new Set(Array.from({ length: 30 }, (_, seed) => round(one({ flip: true }, seed).images).join()));
    const mirrored = Array.from({ length: 16 }, (_, i) => 10 * Math.floor(i / 4) + 3 - (i % 4));
    expect([...seen].sort()).toEqual([[...set.pixels].join(), mirrored.join()].sort());
  });

  it('shift by whole pixels up to the limit with black coming in', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const values = round(one({ shift: 1 }, seed).images);
      const at = [1, 0, -1].flatMap((dy) => [1, 0, -1].map((dx) => [dy, dx] as const)).find(([dy, dx]) => values.every((v, i) => {
        const [y, x] = [Math.floor(i / 4) + dy, (i % 4) + dx];
        return v === (y < 0 || y > 3 || x < 0 || x > 3 ? 0 : 10 * y + x);
      }));
      expect(at).toBeDefined();
      seen.add(String(at));
    }
    expect(seen.size).toBe(9);
  });

  it('crop a window of at least the share of the area that was asked for', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const values = one({ crop: 0.25 }, seed).images;
      const step = values[1 * 4 + 1]! - values[0]!;
      expect(values[15]! - values[0]!).toBeLessThanOrEqual(33.0001);
      // rows and columns advance by 10 and 1 a pixel, so side/4 · 11 a cell within the image
      expect(step).toBeGreaterThanOrEqual(0.5 * 11 * 0.49);
    }
  });

  it('blank out a square, and mix pairs of images with their labels', async () => {
    const blank = round(one({ cutout: 2 }, 5).images);
    expect(blank.filter((v, i) => v !== set.pixels[i]).length).toBeLessThanOrEqual(4);
    expect(blank.some((v, i) => v !== set.pixels[i])).toBe(true);
    const two: ImageSet = { ...set, count: 2, pixels: Uint8Array.from([...set.pixels, ...new Uint8Array(16).fill(200)]), labels: Uint16Array.of(0, 1) };
    const writer = new BatchWriter({ ...data, train: two }, 2, 4, 4);
    writer.augmented(two, [0, 1], 0, { ...NO_AUGMENTATION, mixup: 1 }, Rng.of(3));
    const share = writer.targets[0]!;
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expect(writer.targets[1]).toBeCloseTo(1 - share, 6);
    expect(writer.images[3]).toBeCloseTo(3 * share + 200 * (1 - share), 3);
    expect(writer.images[16 + 3]).toBeCloseTo(200 * share + 3 * (1 - share), 3);
  });
});

describe('a share of the training images', () => {
  it('has that share of each class, is part of every larger one, and leaves normalisation and held-out images', async () => {
    const data = await loadDataset(datasetSchema.parse({ format: 'synthetic', classes: 3, images: 300, size: 4 }));
    const [third, half] = [thinned(data, 1 / 3), thinned(data, 1 / 2)];
    expect(third.balance).toEqual(data.balance.map((n) => Math.ceil(n / 3)));
    const images = ({ train: { pixels, count } }: Dataset): string[] => Array.from({ length: count }, (_, i) => pixels.subarray(16 * i, 16 * (i + 1)).join());
    expect(images(half)).toEqual(expect.arrayContaining(images(third)));
    expect(images(data)).toEqual(expect.arrayContaining(images(half)));
    expect([third.mean, third.deviation, third.validation, third.fingerprint]).toEqual([data.mean, data.deviation, data.validation, data.fingerprint]);
    expect(thinned(data, 1)).toBe(data);
    expect(thinned(data, 1e-9).balance).toEqual([1, 1, 1]);
  });
});

describe('the fingerprint of data', () => {
  const synthetic = (change: object = {}) => loadDataset(datasetSchema.parse({ format: 'synthetic', classes: 3, images: 60, size: 8, channels: 1, ...change }));

  it('is that of the content: another share or split of it is the same, other images are not', async () => {
    const { fingerprint } = await synthetic();
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect((await synthetic({ share: 0.5, validation: 0.3 })).fingerprint).toBe(fingerprint);
    expect((await synthetic({ splitSeed: 1 })).fingerprint).not.toBe(fingerprint);
    expect((await synthetic({ images: 63 })).fingerprint).not.toBe(fingerprint);
  });
});
