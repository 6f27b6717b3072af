import type { Program, Value } from '@app/graph';
import { attributeProto, DEFAULT_OPSET, IR_VERSION, tensorProto, valueInfo } from './export.js';
import { encodeModel } from './proto.js';

/** Version of onnxruntime's own operators, which a program may use beside the standard ones. */
const CONTRIB = { domain: 'com.microsoft', version: 1 } as const;

/**
 * A program (a training step, an inference with weights as inputs) as an ONNX model, opset 17, float32. Inputs carry the program's
 * names; the outputs are named as `outputNames` tells, since one tensor may play several roles.
 */
export function programToOnnx(program: Program): Uint8Array {
  const outputs = new Map(Object.values(program.outputs).map((v) => [v.name, v] as const));
  const produced = new Set(program.nodes.flatMap((n) => n.outputs));
  const passedOn = [...outputs.values()].filter((v) => !produced.has(v.name));
  if (passedOn.length > 0) throw new RangeError(`expected outputs that the program computes, got its input or constant "${passedOn[0]!.name}"`);
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'caddis',
    opsetImport: [{ domain: '', version: DEFAULT_OPSET }, CONTRIB],
    metadataProps: [],
    graph: {
      name: program.name,
      node: program.nodes.map((n) => ({
        opType: n.opType,
        ...(n.domain === undefined ? {} : { domain: n.domain }),
        input: n.inputs,
        output: n.outputs,
        attribute: Object.entries(n.attributes ?? {}).map(([name, value]) => attributeProto(name, value)),
      })),
      initializer: program.constants.map(tensorProto),
      input: program.inputs.map((v) => valueInfo(v.name, v.shape)),
      output: [...outputs.values()].map((v) => valueInfo(v.name, v.shape)),
      valueInfo: [],
    },
  });
}

/** Role of an output → name of the model's output that plays it. */
export function outputNames(program: Program): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(program.outputs).map(([role, value]: [string, Value]) => [role, value.name]));
}
