import protobuf from 'protobufjs/light.js';

/**
 * Messages of the ONNX format, IR version 8 (onnx.proto, 2-syntax; the field numbers are those of the ONNX specification).
 * Only the fields that we write or read; the decoder skips the others.
 */

type Fields = Record<string, protobuf.IField>;

const one = (type: string, id: number): protobuf.IField => ({ type, id });
const many = (type: string, id: number, packed = false): protobuf.IField => ({ type, id, ...{ rule: 'repeated', options: { packed } } });

const MESSAGES: Record<string, { fields: Fields; oneofs?: Record<string, { oneof: string[] }> }> = {
  ModelProto: {
    fields: {
      irVersion: one('int64', 1), producerName: one('string', 2), producerVersion: one('string', 3), domain: one('string', 4), modelVersion: one('int64', 5),
      docString: one('string', 6), graph: one('GraphProto', 7), opsetImport: many('OperatorSetIdProto', 8), metadataProps: many('StringStringEntryProto', 14),
    },
  },
  OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
  StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
  GraphProto: {
    fields: {
      node: many('NodeProto', 1), name: one('string', 2), initializer: many('TensorProto', 5), docString: one('string', 10),
      input: many('ValueInfoProto', 11), output: many('ValueInfoProto', 12), valueInfo: many('ValueInfoProto', 13),
    },
  },
  NodeProto: {
    fields: {
      input: many('string', 1), output: many('string', 2), name: one('string', 3), opType: one('string', 4), attribute: many('AttributeProto', 5),
      docString: one('string', 6), domain: one('string', 7),
    },
  },
  AttributeProto: {
    fields: {
      name: one('string', 1), f: one('float', 2), i: one('int64', 3), s: one('bytes', 4), t: one('TensorProto', 5),
      floats: many('float', 7), ints: many('int64', 8), strings: many('bytes', 9), type: one('int32', 20),
    },
  },
  TensorProto: {
    fields: {
      dims: many('int64', 1), dataType: one('int32', 2), floatData: many('float', 4, true), int32Data: many('int32', 5, true),
      int64Data: many('int64', 7, true), name: one('string', 8), rawData: one('bytes', 9), doubleData: many('double', 10, true),
      externalData: many('StringStringEntryProto', 13), dataLocation: one('int32', 14),
    },
  },
  ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
  TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
  TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
  TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
  DimensionProto: { fields: { dimValue: one('int64', 1), dimParam: one('string', 2) }, oneofs: { value: { oneof: ['dimValue', 'dimParam'] } } },
};

const ModelMessage = protobuf.Root.fromJSON({ nested: MESSAGES }).lookupType('ModelProto');

/** TensorProto.DataType */
export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, bool: 9, float16: 10, double: 11, bfloat16: 16 } as const;

/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

export interface TensorProto {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType?: number;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly number[];
  readonly doubleData?: readonly number[];
  readonly rawData?: Uint8Array;
  /** 1: external */
  readonly dataLocation?: number;
}

export interface AttributeProto {
  readonly name: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute: readonly AttributeProto[];
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: { readonly tensorType?: { readonly elemType?: number; readonly shape?: { readonly dim: readonly { readonly dimValue?: number; readonly dimParam?: string }[] } } };
}

export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly opsetImport: readonly { readonly domain?: string; readonly version?: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph?: {
    readonly name?: string;
    readonly node: readonly NodeProto[];
    readonly initializer: readonly TensorProto[];
    readonly input: readonly ValueInfoProto[];
    readonly output: readonly ValueInfoProto[];
    readonly valueInfo: readonly ValueInfoProto[];
  };
}

/** Bytes of their own: the encoder gives a Buffer, whose `slice` shares memory and whose pool others write to. */
export function encodeModel(model: ModelProto): Uint8Array {
  return new Uint8Array(ModelMessage.encode(ModelMessage.create({ ...model })).finish());
}

/** @throws Error of the decoder on bytes that are not protobuf or do not fit the messages */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return ModelMessage.toObject(ModelMessage.decode(bytes), { longs: Number, arrays: true }) as unknown as ModelProto;
}
