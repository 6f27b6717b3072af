/** Files of named tensors: safetensors (huggingface/safetensors, README, "Format"): the length of a JSON head, the head, all values, little-endian. */

/** A tensor as it lies in the file. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const HEAD_LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/**
 * @param fault  the error to throw, of a text such as `whose head was cut off` that follows how many bytes there are, and of the tensor, if it is one's
 * @returns tensors in the order of the head, and its metadata
 */
export function readSafetensors(bytes: Uint8Array, fault: (why: string) => Error): { readonly metadata: Readonly<Record<string, unknown>>; readonly tensors: ReadonlyMap<string, StoredTensor> } {
  if (bytes.length < HEAD_LENGTH_BYTES) throw fault('without a head');
  const start = HEAD_LENGTH_BYTES + Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  if (!(start <= bytes.length)) throw fault('whose head was cut off');
  const { [METADATA]: metadata, ...entries } = headOf(bytes.subarray(HEAD_LENGTH_BYTES, start), fault);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (typeof dtype !== 'string' || !areCounts(shape) || !areCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) throw fault(`whose head says no type, shape and place of "${name}"`);
    if (start + offsets[1]! > bytes.length) throw fault(`that end within "${name}"`);
    tensors.set(name, { dtype, shape, bytes: bytes.subarray(start + offsets[0]!, start + offsets[1]!) });
  }
  return { metadata: typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {}, tensors };
}

const areCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);

function headOf(bytes: Uint8Array, fault: (why: string) => Error): Readonly<Record<string, unknown>> {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw fault('whose head is no JSON');
  }
  if (typeof head !== 'object' || head === null || Array.isArray(head)) throw fault('whose head is no JSON object');
  return head as Record<string, unknown>;
}
