/** The one place that knows onnxruntime-node. It is loaded at the first use: most of the program never needs it. */
import { evaluate, inferShapes, isKind, tensor, elements, type Graph, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';

/**
 * Runs a float32 ONNX model once, on the CPU, one thread.
 *
 * @param bytes   the model file
 * @param inputs  by input name; a missing or misshapen one is refused
 * @returns outputs by name
 * @throws Error of onnxruntime if it can't load or run the model; TypeError on an output that is not float32
 */
export async function runOnnx(bytes: Uint8Array, inputs: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
  const { InferenceSession, Tensor: OrtTensor } = (await import('onnxruntime-node')).default;
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries([...inputs].map(([name, x]) => [name, new OrtTensor('float32', x.data, x.shape)]));
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, value]) => {
      if (!(value.data instanceof Float32Array)) throw new TypeError(`output "${name}": expected float32, got ${value.type}`);
      return [name, tensor([...value.dims], Float32Array.from(value.data))];
    }));
  } finally {
    await session.release();
  }
}

export interface ExportCheck {
  /** largest |onnxruntime − reference interpreter| over all outputs; NaN if a value is NaN in one of them only */
  readonly maxAbsoluteDifference: number;
  /** largest |reference| over all outputs, to judge the difference by */
  readonly maxAbsoluteReference: number;
  /** name and version of what ran the model */
  readonly runtime: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** of the reference interpreter */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/**
 * Loads an exported model in onnxruntime and compares it with the reference interpreter on one random input (standard normal).
 *
 * @param seed  of the input
 * @throws Error of onnxruntime if the model does not load; GraphError on missing weights; Error if an output is missing or misshapen
 */
export async function verifyExport(bytes: Uint8Array, graph: Graph, weights: ReadonlyMap<string, Weights>, seed: number): Promise<ExportCheck> {
  const shapes = inferShapes(graph);
  const inputs = new Map(graph.nodes.filter((n) => isKind(n, 'input')).map((n) => {
    const rng = Rng.of(seed, 'verify-export', n.id);
    const shape = shapes.get(n.id)!;
    return [n.id, tensor(shape, Float32Array.from({ length: elements(shape) }, () => rng.normal()))] as const;
  }));
  const due = evaluate(graph, weights, inputs);
  const got = await runOnnx(bytes, inputs);
  let maxAbsoluteDifference = 0;
  let maxAbsoluteReference = 0;
  for (const [id, reference] of due) {
    const values = got.get(id);
    if (values?.data.length !== reference.data.length) throw new Error(`output "${id}": expected ${reference.data.length} values, got ${values?.data.length ?? 'none'}`);
    reference.data.forEach((v, i) => {
      // Math.max hands a NaN on; equal values, infinities too, differ by 0
      if (!Object.is(v, values.data[i])) maxAbsoluteDifference = Math.max(maxAbsoluteDifference, Math.abs(v - values.data[i]!));
      maxAbsoluteReference = Math.max(maxAbsoluteReference, Math.abs(v));
    });
  }
  return { maxAbsoluteDifference, maxAbsoluteReference, runtime: await runtimeName(), inputs, outputs: due };
}

/** Name and version of what runs models. */
export async function runtimeName(): Promise<string> {
  const { env } = (await import('onnxruntime-node')).default;
  return `onnxruntime-node ${env.versions.node ?? env.versions.common}`;
}
