/** CIFAR binaries (Krizhevsky 2009): records of a label (CIFAR-100: a coarse and a fine one) and 3 × 32 × 32 bytes, channel by channel. */
import { join as path } from 'node:path';
import { DatasetError, type ImageSet } from './image-set.js';
import { readBytes } from './read-bytes.js';

const SIDE = 32;
const PIXELS = 3 * SIDE * SIDE;

/**
 * @param labelBytes  labels before each image; the last one counts
 * @throws DatasetError unless the file is a whole number of records, and at least one
 */
export function readCifar(file: string, labelBytes: 1 | 2): ImageSet {
  const bytes = readBytes(file);
  const record = labelBytes + PIXELS;
  if (bytes.length === 0 || bytes.length % record !== 0) throw new DatasetError(file, `expected records of ${record} bytes, got ${bytes.length} bytes`);
  const count = bytes.length / record;
  const pixels = new Uint8Array(count * PIXELS);
  const labels = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * record + labelBytes - 1]!;
    pixels.set(bytes.subarray(i * record + labelBytes, (i + 1) * record), i * PIXELS);
  }
  return { count, channels: 3, height: SIDE, width: SIDE, pixels, labels };
}

/** Files of the training and the test part. */
export function cifarFiles(kind: 'cifar10' | 'cifar100', directory: string): { readonly train: readonly string[]; readonly test: string } {
  if (kind === 'cifar100') return { train: [path(directory, 'train.bin')], test: path(directory, 'test.bin') };
  return { train: [1, 2, 3, 4, 5].map((i) => path(directory, `data_batch_${i}.bin`)), test: path(directory, 'test_batch.bin') };
}
