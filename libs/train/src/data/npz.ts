/** NumPy archives: a ZIP of `.npy` files (NumPy Enhancement Proposal 1: magic, version, head as a Python literal, values). */
import type { DatasetSpec } from '@app/contracts';
import { unzipSync } from 'fflate';
import { DatasetError, type ImageSet } from './image-set.js';
import type { Source } from './load.js';
import { readBytes } from './read-bytes.js';

type Settings = Extract<DatasetSpec, { format: 'npz' }>;

export interface NumpyArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint16Array | Uint32Array | BigInt64Array;
}

/** @throws DatasetError naming the file, and the array within */
export function readNpz({ file, images, labels, testImages, testLabels, layout }: Settings): Source {
  const arrays = unpack(file);
  const part = (imageName: string, labelName: string): ImageSet => setOf(file, [imageName, array(file, arrays, imageName)], [labelName, array(file, arrays, labelName)], layout);
  return { name: file, file, classes: null, train: part(images, labels), test: arrays.has(testImages) && arrays.has(testLabels) ? part(testImages, testLabels) : null };
}

function unpack(file: string): ReadonlyMap<string, Uint8Array> {
  const bytes = readBytes(file);
  try {
    return new Map(Object.entries(unzipSync(bytes)).map(([name, content]) => [name.replace(/\.npy$/, ''), content]));
  } catch (error) {
    throw new DatasetError(file, `expected a ZIP archive of NumPy arrays: ${(error as Error).message}`, { cause: error });
  }
}

function array(file: string, arrays: ReadonlyMap<string, Uint8Array>, name: string): NumpyArray {
  const bytes = arrays.get(name);
  if (bytes === undefined) throw new DatasetError(file, `expected an array "${name}", got ${[...arrays.keys()].map((n) => `"${n}"`).join(', ') || 'none'}`);
  return parseNpy(bytes, (fault) => new DatasetError(file, `array "${name}": ${fault}`));
}

const ELEMENTS: Readonly<Record<string, { new (buffer: ArrayBuffer): NumpyArray['values']; readonly BYTES_PER_ELEMENT: number }>> = {
  '|u1': Uint8Array, '|b1': Uint8Array, '|i1': Int8Array, '<u2': Uint16Array, '<i2': Int16Array, '<u4': Uint32Array, '<i4': Int32Array, '<i8': BigInt64Array, '<f4': Float32Array, '<f8': Float64Array,
};

/** @param fault  the error to throw */
export function parseNpy(bytes: Uint8Array, fault: (text: string) => Error): NumpyArray {
  if (bytes.length < 12 || bytes[0] !== 0x93 || new TextDecoder().decode(bytes.subarray(1, 6)) !== 'NUMPY') throw fault('expected a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const head = new TextDecoder().decode(bytes.subarray(start, start + length));
  const type = /'descr':\s*'([^']+)'/.exec(head)?.[1] ?? 'none';
  const shape = /'shape':\s*\(([^)]*)\)/.exec(head)?.[1]?.split(',').map((n) => n.trim()).filter((n) => n !== '').map(Number);
  const Element = ELEMENTS[type];
  if (Element === undefined) throw fault(`expected elements of type ${Object.keys(ELEMENTS).join(', ')}, got ${type}`);
  if (shape === undefined || shape.some((n) => !Number.isInteger(n) || n < 0)) throw fault(`expected a shape, got head ${head.trim()}`);
  if (/'fortran_order':\s*True/.test(head)) throw fault('expected C order, got Fortran order');
  const due = shape.reduce((product, n) => product * n, 1) * Element.BYTES_PER_ELEMENT;
  const content = bytes.slice(start + length);
  if (content.length !== due) throw fault(`expected ${due} bytes for shape [${shape.join(', ')}], got ${content.length}`);
  return { shape, values: new Element(content.buffer) };
}

function setOf(file: string, [imageName, images]: [string, NumpyArray], [labelName, { shape, values }]: [string, NumpyArray], layout: Settings['layout']): ImageSet {
  const fault = (name: string, text: string): DatasetError => new DatasetError(file, `array "${name}": ${text}`);
  const count = images.shape[0] ?? 0;
  if (images.shape.length !== 3 && images.shape.length !== 4) throw fault(imageName, `expected 3 or 4 dimensions, got shape [${images.shape.join(', ')}]`);
  if (shape.length === 0 || shape[0] !== count || values.length !== count) throw fault(labelName, `expected a label for each of the ${count} images, got shape [${shape.join(', ')}]`);
  const labels = Uint16Array.from(values as ArrayLike<number | bigint>, (value, i) => {
    const label = Number(value);
    if (!Number.isInteger(label) || label < 0 || label > 65_535) throw fault(labelName, `expected labels from 0 up, got ${label} for image ${i}`);
    return label;
  });
  const [height, width, channels] = images.shape.length === 3 ? [images.shape[1]!, images.shape[2]!, 1] : layout === 'nchw' ? [images.shape[2]!, images.shape[3]!, images.shape[1]!] : [images.shape[1]!, images.shape[2]!, images.shape[3]!];
  if (channels > 1024) throw fault(imageName, `expected channels ${layout === 'nhwc' ? 'last' : 'first'}, got ${channels} of them in shape [${images.shape.join(', ')}]`);
  const flat = images.values instanceof Uint8Array ? images.values : Float32Array.from(images.values as ArrayLike<number | bigint>, Number);
  return { count, channels, height, width, pixels: images.shape.length === 4 && layout === 'nhwc' ? channelsFirst(flat, count, height * width, channels) : flat, labels };
}

function channelsFirst(values: Uint8Array | Float32Array, count: number, plane: number, channels: number): Uint8Array | Float32Array {
  if (channels === 1) return values;
  const turned = new (values instanceof Uint8Array ? Uint8Array : Float32Array)(values.length);
  for (let i = 0; i < count; i++) for (let p = 0; p < plane; p++) for (let c = 0; c < channels; c++) turned[(i * channels + c) * plane + p] = values[(i * plane + p) * channels + c]!;
  return turned;
}
