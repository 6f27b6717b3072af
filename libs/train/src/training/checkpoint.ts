import type { StateVector } from '@app/graph';

/** Where a training stands after whole epochs: enough to go on as if it had not stopped. */
export interface Checkpoint {
  readonly epoch: number;
  readonly step: number;
  /** share of held-out images answered right after each epoch, % */
  readonly curve: readonly number[];
  /** mean training loss of each epoch */
  readonly losses: readonly number[];
  readonly state: Readonly<Partial<Record<StateVector['name'], Float32Array>>>;
}

const MAGIC = 'caddis checkpoint 1\n';

/** Bytes of a checkpoint: a line that says what it is, the length of the JSON head, the head, the vectors in little-endian floats. */
export function encodeCheckpoint({ state, ...head }: Checkpoint): Uint8Array {
  const vectors = Object.entries(state).map(([name, values]) => ({ name, length: values.length }));
  const json = new TextEncoder().encode(JSON.stringify({ ...head, vectors }));
  const magic = new TextEncoder().encode(MAGIC);
  const floats = vectors.reduce((sum, v) => sum + v.length, 0);
  const bytes = new Uint8Array(magic.length + 4 + json.length + 4 * floats);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(magic.length, json.length, true);
  bytes.set(json, magic.length + 4);
  let at = magic.length + 4 + json.length;
  for (const values of Object.values(state)) {
    for (const v of values) {
      view.setFloat32(at, v, true);
      at += 4;
    }
  }
  return bytes;
}

/** @throws RangeError if the bytes are no checkpoint, or one that was cut off */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < MAGIC.length + 4 || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new RangeError('expected a checkpoint, got other bytes');
  const headLength = view.getUint32(MAGIC.length, true);
  let at = MAGIC.length + 4 + headLength;
  const cut = (): never => {
    throw new RangeError(`expected a whole checkpoint, got ${bytes.length} bytes of it`);
  };
  if (at > bytes.length) cut();
  const { vectors, ...head } = JSON.parse(new TextDecoder().decode(bytes.subarray(MAGIC.length + 4, at))) as Omit<Checkpoint, 'state'> & { vectors: { name: StateVector['name']; length: number }[] };
  const state: Partial<Record<StateVector['name'], Float32Array>> = {};
  for (const { name, length } of vectors) {
    if (at + 4 * length > bytes.length) cut();
    state[name] = Float32Array.from({ length }, (_, i) => view.getFloat32(at + 4 * i, true));
    at += 4 * length;
  }
  return { ...head, state };
}
