/** IDX, the format of MNIST: two zero bytes, element type, number of dimensions, sizes as big-endian 32-bit words, then the values. */
import { join as path } from 'node:path';
import { DatasetError, type ImageSet } from './image-set.js';
import { readBytes } from './read-bytes.js';

const UNSIGNED_BYTE = 0x08;

/** @throws DatasetError unless it is an IDX file of unsigned bytes with that many dimensions and all its values */
export function readIdx(file: string, dimensions: number): { readonly sizes: readonly number[]; readonly values: Uint8Array } {
  const bytes = readBytes(file);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) throw new DatasetError(file, `expected an IDX file, which begins with two zero bytes, got ${[...bytes.subarray(0, 4)].join(' ') || 'nothing'}`);
  if (bytes[2] !== UNSIGNED_BYTE) throw new DatasetError(file, `expected elements of type 8 (unsigned byte), got type ${bytes[2]}`);
  if (bytes[3] !== dimensions) throw new DatasetError(file, `expected ${dimensions} dimensions, got ${bytes[3]}`);
  const head = 4 + 4 * dimensions;
  if (bytes.length < head) throw new DatasetError(file, `expected a head of ${head} bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizes = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const count = sizes.reduce((product, s) => product * s, 1);
  if (bytes.length !== head + count) throw new DatasetError(file, `expected ${count} values for sizes ${sizes.join(' × ')}, got ${bytes.length - head}`);
  return { sizes, values: bytes.subarray(head) };
}

/** Images [n, h, w] and labels [n] under MNIST's names in a directory. */
export function readIdxPart(directory: string, part: 'train' | 't10k'): { readonly set: ImageSet; readonly file: string } {
  const [imageFile, labelFile] = [path(directory, `${part}-images-idx3-ubyte`), path(directory, `${part}-labels-idx1-ubyte`)];
  const images = readIdx(imageFile, 3);
  const labels = readIdx(labelFile, 1);
  const [count, height, width] = images.sizes as [number, number, number];
  if (labels.sizes[0] !== count) throw new DatasetError(labelFile, `expected a label for each of the ${count} images, got ${labels.sizes[0]}`);
  return { set: { count, channels: 1, height, width, pixels: images.values, labels: Uint16Array.from(labels.values) }, file: labelFile };
}
