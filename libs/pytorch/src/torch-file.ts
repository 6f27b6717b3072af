/**
 * A state dict as the file that `torch.save` writes and `torch.load` reads, `weights_only=True` too: a zip of a pickle (protocol 2), which
 * says how to rebuild each tensor, and of the values. Formats: PyTorch, docs/source/notes/serialization.rst; Python, Lib/pickletools.py.
 */
import { zipSync } from 'fflate';
import type { Tensor } from '@app/graph';

/** @param state  by key, in this order */
export function torchFile(state: ReadonlyMap<string, Tensor>): Uint8Array {
  const pickle = new Pickle();
  const files: Record<string, Uint8Array> = {};
  pickle.orderedDict([...state].map(([key, tensor], i) => () => {
    pickle.text(key);
    pickle.tensor(tensor, String(i));
    files[`${FOLDER}/data/${i}`] = littleEndian(tensor.data);
  }));
  const text = new TextEncoder();
  return zipSync(
    { [`${FOLDER}/data.pkl`]: pickle.end(), [`${FOLDER}/byteorder`]: text.encode('little'), ...files, [`${FOLDER}/version`]: text.encode('3\n') },
    // the same bytes whenever it is written
    { level: 0, mtime: new Date(1980, 0, 1) },
  );
}

const FOLDER = 'weights';

function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((v, i) => view.setFloat32(4 * i, v, true));
  return bytes;
}

/** Opcodes of the pickle machine. */
const OP = { protocol: 0x80, mark: 0x28, tuple: 0x74, emptyTuple: 0x29, reduce: 0x52, global: 0x63, setItems: 0x75, int: 0x4a, unicode: 0x58, isFalse: 0x89, persistentId: 0x51, stop: 0x2e } as const;

class Pickle {
  private readonly bytes: number[] = [OP.protocol, 2];

  end(): Uint8Array {
    return Uint8Array.from([...this.bytes, OP.stop]);
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.bytes.push(OP.unicode, ...int32(encoded.length), ...encoded);
  }

  /** @param items  each writes a key and a value */
  orderedDict(items: readonly (() => void)[]): void {
    this.global('collections', 'OrderedDict');
    this.bytes.push(OP.emptyTuple, OP.reduce, OP.mark);
    for (const item of items) item();
    this.bytes.push(OP.setItems);
  }

  /** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)` */
  tensor({ shape, data }: Tensor, storage: string): void {
    this.global('torch._utils', '_rebuild_tensor_v2');
    this.bytes.push(OP.mark, OP.mark);
    this.text('storage');
    this.global('torch', 'FloatStorage');
    for (const part of [storage, 'cpu']) this.text(part);
    this.int(data.length);
    this.bytes.push(OP.tuple, OP.persistentId);
    this.int(0);
    this.ints(shape);
    this.ints(shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1)));
    this.bytes.push(OP.isFalse);
    this.orderedDict([]);
    this.bytes.push(OP.tuple, OP.reduce);
  }

  private global(module: string, name: string): void {
    this.bytes.push(OP.global, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  private int(value: number): void {
    this.bytes.push(OP.int, ...int32(value));
  }

  private ints(values: readonly number[]): void {
    this.bytes.push(OP.mark);
    for (const v of values) this.int(v);
    this.bytes.push(OP.tuple);
  }
}

const int32 = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
