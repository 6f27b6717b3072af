import { OnnxError } from '../errors.js';
import { placeOfDamage } from './damage.js';
import { ATTRIBUTE_TYPE, DATA_TYPE, decodeModel, type AttributeProto, type ModelProto, type NodeProto, type TensorProto } from '../proto.js';

/** Values known when the model is read. Floats as single precision; integers and booleans exactly, in double. */
export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export type Attribute =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'numbers'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: Constant }
  | { readonly kind: 'other' };

export interface OnnxNode {
  /** the node's own name, or its first output where it has none */
  readonly name: string;
  readonly opType: string;
  /** '' is the default domain */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** Dimension: a number, or the name of a dynamic one ('' if it has none). */
export type Dimension = number | string;

export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** graph inputs that have no initializer */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly Dimension[] | null; readonly float: boolean }[];
  readonly outputs: readonly string[];
  /** shapes stated by the file, where fully static */
  readonly stated: ReadonlyMap<string, readonly number[]>;
}

/** Opsets whose operators the importer knows. */
const OPSETS = { min: 7, max: 26 } as const;
/** Elements of one stored tensor; a larger claim is a broken or hostile file. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * Reads the bytes of a .onnx file.
 *
 * @throws OnnxError if they are not an ONNX model, of an opset we do not know, or keep weights in external files
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw new OnnxError(`expected an ONNX model, got ${bytes.length} bytes that do not decode: ${placeOfDamage(bytes) ?? (error as Error).message}`);
  }
  const graph = model.graph;
  if (graph === undefined) throw new OnnxError(`expected an ONNX model, got ${bytes.length} bytes without a graph`);
  if (graph.output.length === 0) throw new OnnxError('expected a graph with at least one output, got none');
  const opset = model.opsetImport.find((o) => (o.domain ?? '') === '' || o.domain === 'ai.onnx')?.version;
  if (opset === undefined) throw new OnnxError('expected an operator set of the default domain, got none');
  if (opset < OPSETS.min || opset > OPSETS.max) throw new OnnxError(`expected an opset from ${OPSETS.min} to ${OPSETS.max}, got ${opset}`);
  const constants = new Map(graph.initializer.map((t) => [t.name ?? '', readTensor(t)]));
  return {
    name: graph.name || 'onnx',
    opset,
    nodes: graph.node.map(readNode),
    constants,
    inputs: graph.input
      .filter((i) => !constants.has(i.name ?? ''))
      .map((i) => ({ name: i.name ?? '', shape: dimensions(i), float: isFloat(i.type?.tensorType?.elemType) })),
    outputs: graph.output.map((o) => o.name ?? ''),
    stated: new Map([...graph.valueInfo, ...graph.output].flatMap((v) => {
      const shape = dimensions(v)?.map((d, axis) => (axis === 0 && typeof d === 'string' ? 1 : d));
      return shape !== undefined && shape.every((d): d is number => typeof d === 'number' && d > 0) ? [[v.name ?? '', shape] as const] : [];
    })),
  };
}

function isFloat(type: number | undefined): boolean {
  return type === DATA_TYPE.float || type === DATA_TYPE.float16 || type === DATA_TYPE.double || type === DATA_TYPE.bfloat16;
}

function dimensions(value: NonNullable<ModelProto['graph']>['input'][number]): Dimension[] | null {
  const shape = value.type?.tensorType?.shape;
  return shape === undefined ? null : shape.dim.map((d) => d.dimValue ?? d.dimParam ?? '');
}

function readNode(node: NodeProto): OnnxNode {
  const opType = node.opType ?? '';
  return {
    name: node.name || node.output[0] || opType,
    opType,
    domain: node.domain === 'ai.onnx' ? '' : (node.domain ?? ''),
    inputs: node.input,
    outputs: node.output,
    attributes: new Map(node.attribute.map((a) => [a.name, readAttribute(a)])),
  };
}

/** Old files leave the type out; then the field that is set tells. */
function readAttribute(a: AttributeProto): Attribute {
  if (a.t !== undefined) return { kind: 'tensor', value: readTensor(a.t) };
  if (a.s !== undefined) return { kind: 'text', value: new TextDecoder().decode(a.s) };
  if (a.ints !== undefined && a.ints.length > 0) return { kind: 'numbers', value: a.ints };
  if (a.floats !== undefined && a.floats.length > 0) return { kind: 'numbers', value: a.floats };
  if (a.type === ATTRIBUTE_TYPE.floats || a.type === ATTRIBUTE_TYPE.ints) return { kind: 'numbers', value: [] };
  if (a.type === ATTRIBUTE_TYPE.int || a.i !== undefined) return { kind: 'number', value: a.i ?? 0 };
  if (a.type === ATTRIBUTE_TYPE.float || a.f !== undefined) return { kind: 'number', value: a.f ?? 0 };
  return { kind: 'other' };
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function brainToNumber(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

interface Reader {
  readonly bytes: number;
  readonly integer: boolean;
  raw(view: DataView, at: number): number;
  field(tensor: TensorProto): readonly number[];
  fromField(v: number): number;
}

const same = (v: number): number => v;
const inInt32 = (t: TensorProto): readonly number[] => t.int32Data ?? [];

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [DATA_TYPE.float, { bytes: 4, integer: false, raw: (v, at) => v.getFloat32(at, true), field: (t) => t.floatData ?? [], fromField: same }],
  [DATA_TYPE.double, { bytes: 8, integer: false, raw: (v, at) => v.getFloat64(at, true), field: (t) => t.doubleData ?? [], fromField: same }],
  [DATA_TYPE.float16, { bytes: 2, integer: false, raw: (v, at) => halfToNumber(v.getUint16(at, true)), field: inInt32, fromField: halfToNumber }],
  [DATA_TYPE.bfloat16, { bytes: 2, integer: false, raw: (v, at) => brainToNumber(v.getUint16(at, true)), field: inInt32, fromField: brainToNumber }],
  [DATA_TYPE.int64, { bytes: 8, integer: true, raw: (v, at) => Number(v.getBigInt64(at, true)), field: (t) => t.int64Data ?? [], fromField: same }],
  [DATA_TYPE.int32, { bytes: 4, integer: true, raw: (v, at) => v.getInt32(at, true), field: inInt32, fromField: same }],
  [DATA_TYPE.int16, { bytes: 2, integer: true, raw: (v, at) => v.getInt16(at, true), field: inInt32, fromField: same }],
  [DATA_TYPE.uint16, { bytes: 2, integer: true, raw: (v, at) => v.getUint16(at, true), field: inInt32, fromField: same }],
  [DATA_TYPE.int8, { bytes: 1, integer: true, raw: (v, at) => v.getInt8(at), field: inInt32, fromField: same }],
  [DATA_TYPE.uint8, { bytes: 1, integer: true, raw: (v, at) => v.getUint8(at), field: inInt32, fromField: same }],
  [DATA_TYPE.bool, { bytes: 1, integer: true, raw: (v, at) => v.getUint8(at), field: inInt32, fromField: same }],
]);

function readTensor(t: TensorProto): Constant {
  const what = `tensor "${t.name ?? ''}"`;
  if (t.dataLocation === 1) throw new OnnxError(`${what} keeps its values in an external file; save the model with its weights inside`);
  const reader = READERS.get(t.dataType ?? 0);
  if (reader === undefined) throw new OnnxError(`expected ${what} of a real number type, got data type ${t.dataType ?? 0}`);
  if (t.dims.some((d) => !Number.isSafeInteger(d) || d < 0)) throw new OnnxError(`expected ${what} with dimensions ≥ 0, got [${t.dims.join(', ')}]`);
  const count = t.dims.reduce((a, b) => a * b, 1);
  if (count > MAX_ELEMENTS) throw new OnnxError(`expected ${what} of at most 2^31 elements, got [${t.dims.join(', ')}]`);
  const raw = t.rawData !== undefined && t.rawData.length > 0 ? t.rawData : null;
  const got = raw === null ? reader.field(t).length : raw.length / reader.bytes;
  if (got !== count) throw new OnnxError(`expected ${count} values in ${what} with shape [${t.dims.join(', ')}], got ${got}`);
  const data = reader.integer ? new Float64Array(count) : new Float32Array(count);
  if (raw === null) {
    reader.field(t).forEach((v, i) => (data[i] = reader.fromField(v)));
  } else {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let i = 0; i < count; i++) data[i] = reader.raw(view, i * reader.bytes);
  }
  return { shape: t.dims, data };
}
