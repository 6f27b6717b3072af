/**
 * A trained network's weights as a file: safetensors (huggingface/safetensors, README, "Format"): the length of a JSON head, the head, all
 * values in little-endian floats. A tensor is called `<node>.<name>`; what the weights are stands in the head's metadata.
 */
import type { QuantizeSpec } from '@app/contracts';
import type { Tensor, Weights } from '@app/graph';
import type { Dataset } from '../data/image-set.js';
import { readSafetensors } from '../own-trainer/safetensors.js';

export interface AboutWeights {
  /** trainer: one of the user's */
  readonly by: 'training' | 'supernet' | 'trainer';
  /** how the accuracy's network is quantised; ranges of its inputs are among the weights */
  readonly quantize: QuantizeSpec | null;
  /** share of the held-out images answered right, %; of a trainer of the user's what it reported, null if nothing */
  readonly accuracy: number | null;
  /** the same before it was quantised, if that was after training */
  readonly floatAccuracy: number | null;
  /** how many images these are; null: not known */
  readonly judgedOn: number | null;
  /** null: not known */
  readonly input: InputAbout | null;
}

/**
 * What a network's inputs are made of: the data's images scaled to the network's input (bilinear, half-pixel centres), bytes over 255, less the mean and
 * over the deviation of each channel.
 */
export interface InputAbout {
  readonly data: string;
  /** channels, height and width of an image of the data */
  readonly image: readonly [number, number, number];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** in order of the outputs; null: the data name none */
  readonly classNames: readonly string[] | null;
}

export interface TrainedWeights {
  readonly about: AboutWeights;
  readonly weights: ReadonlyMap<string, Weights>;
  /** inputs [n, C, H, W] to take ranges from, where the weights are not of data that the study names */
  readonly calibration?: Tensor | undefined;
}

export const inputAbout = ({ name, train: { channels, height, width }, mean, deviation, classNames }: Dataset): InputAbout => ({ data: name, image: [channels, height, width], mean, deviation, classNames });

const HEAD_LENGTH_BYTES = 8;
/** Heads are filled with spaces so that values lie on such a place. */
const ALIGNMENT = 8;
const ABOUT = 'caddis';
/** no weight's key: those have a dot */
const CALIBRATION = 'calibration';

interface Entry {
  readonly dtype: 'F32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function encodeTrainedWeights({ about, weights, calibration }: TrainedWeights): Uint8Array {
  const head: Record<string, Entry | Record<string, string>> = { __metadata__: { [ABOUT]: JSON.stringify(about) } };
  const tensors = [...weights].flatMap(([node, own]) => Object.entries(own).map(([name, tensor]): [string, Tensor] => [`${node}.${name}`, tensor]));
  if (calibration !== undefined) tensors.push([CALIBRATION, calibration]);
  let offset = 0;
  for (const [key, { shape, data }] of tensors) {
    head[key] = { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * data.length] };
    offset += 4 * data.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(head));
  const headLength = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(HEAD_LENGTH_BYTES + headLength + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headLength), true);
  bytes.fill(0x20, HEAD_LENGTH_BYTES, HEAD_LENGTH_BYTES + headLength);
  bytes.set(text, HEAD_LENGTH_BYTES);
  let at = HEAD_LENGTH_BYTES + headLength;
  for (const [, { data }] of tensors) {
    for (const v of data) {
      view.setFloat32(at, v, true);
      at += 4;
    }
  }
  return bytes;
}

/** @throws RangeError if the bytes are no such file, or one that was cut off */
export function decodeTrainedWeights(bytes: Uint8Array): TrainedWeights {
  const fault = (why: string): RangeError => new RangeError(`expected trained weights, got ${bytes.length} bytes ${why}`);
  const { metadata: { [ABOUT]: about }, tensors } = readSafetensors(bytes, fault);
  if (typeof about !== 'string') throw fault('whose head does not say what they are');
  const weights = new Map<string, Record<string, Tensor>>();
  let calibration: Tensor | undefined;
  for (const [key, { shape, bytes: content }] of tensors) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    const tensor = { shape, data: Float32Array.from({ length: content.length / 4 }, (_, i) => view.getFloat32(4 * i, true)) };
    if (key === CALIBRATION) {
      calibration = tensor;
      continue;
    }
    const dot = key.lastIndexOf('.');
    const node = key.slice(0, dot);
    weights.set(node, { ...weights.get(node), [key.slice(dot + 1)]: tensor });
  }
  return { about: JSON.parse(about) as AboutWeights, weights, ...(calibration && { calibration }) };
}
