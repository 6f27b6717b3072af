import type { DatasetSpec, QuantizeSpec } from '@app/contracts';
import { inferenceProgram, isKind, packWeights, rangesProgram, tensor, type Graph, type Quantization, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import { runOnnx, runtimeName } from './session.js';
import { openProgram } from './training/program-session.js';
import type { CalibrateTask } from './training/protocol.js';
import { INT8_AFTER } from './training/quantize.js';
import { TrainingProcesses } from './training/training-processes.js';

export interface Calibrated {
  readonly quantize: QuantizeSpec;
  /** with the ranges of quantised inputs */
  readonly weights: ReadonlyMap<string, Weights>;
  /** of the quantised network, %; null: there was nothing to judge it on */
  readonly accuracy: number | null;
  readonly judgedOn: number;
}

export interface CalibrationRequest {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Weights>;
  readonly accuracy: { readonly dataset: DatasetSpec; readonly batch: number };
  readonly seed: number;
}

/**
 * Trained weights brought to 8 bits as a study with an int8 device does it: ranges from training images, accuracy on the held-out ones. In a process of its own.
 *
 * @throws EvaluatorError if the data are not there, or not sound
 */
export async function calibrate({ graph, weights, accuracy, seed }: CalibrationRequest): Promise<Calibrated> {
  const processes = new TrainingProcesses();
  try {
    const answer = await processes.run<CalibrateTask>({ kind: 'calibrate', accuracy, graph, weights, quantize: INT8_AFTER, seed }, new AbortController().signal);
    return { quantize: INT8_AFTER, weights: answer.weights, accuracy: answer.accuracy, judgedOn: answer.judgedOn };
  } finally {
    await processes.close();
  }
}

/**
 * The same with ranges from inputs [n, C, H, W] that are at hand; left out: from standard normal ones by the seed, for networks that were not trained.
 *
 * @throws GraphError unless it has one input and one output, [1, classes]
 */
export async function calibrateOn(graph: Graph, weights: ReadonlyMap<string, Weights>, layers: Quantization, inputs: Tensor | { readonly seed: number }): Promise<ReadonlyMap<string, Weights>> {
  const { program, packing, imageShape, layers: ids } = rangesProgram(graph, 'shape' in inputs ? inputs.shape[0]! : INT8_AFTER.batches, layers);
  const session = await openProgram(program);
  try {
    const { low, high } = await session.run({ ...packWeights(packing, weights), images: 'shape' in inputs ? inputs.data : noise(imageShape, inputs.seed) });
    const all = new Map(weights);
    ids.forEach((id, k) => all.set(id, { ...all.get(id), inputLow: tensor([1], Float32Array.of(low![k]!)), inputHigh: tensor([1], Float32Array.of(high![k]!)) }));
    return all;
  } finally {
    await session.close();
  }
}

function noise(shape: readonly number[], seed: number): Float32Array {
  const rng = Rng.of(seed, 'calibrate on noise');
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal());
}

export interface QuantizedCheck {
  /** of the inputs' largest differences, the middle one; Infinity where an output is no number */
  readonly medianDifference: number;
  /** largest |output| of training's form */
  readonly maxAbsoluteReference: number;
  readonly runtime: string;
}

/** Inputs a quantised model is compared on: where a value falls between two levels, an output may jump, but not all. */
const INPUTS = 5;

/** Runs an exported quantised model beside the form that training judges, on standard normal inputs. */
export async function verifyQuantized(bytes: Uint8Array, graph: Graph, layers: Quantization, weights: ReadonlyMap<string, Weights>, seed: number): Promise<QuantizedCheck> {
  const { program, packing, imageShape } = inferenceProgram(graph, 1, layers);
  const packed = packWeights(packing, weights);
  const input = graph.nodes.find((n) => isKind(n, 'input'))!.id;
  const session = await openProgram(program);
  const differences: number[] = [];
  let maxAbsoluteReference = 0;
  try {
    for (let i = 0; i < INPUTS; i++) {
      const rng = Rng.of(seed, 'verify-quantized', i);
      const images: Tensor = tensor([...imageShape], Float32Array.from({ length: imageShape.reduce((a, b) => a * b, 1) }, () => rng.normal()));
      const { logits } = await session.run({ ...packed, images: images.data });
      const [answer] = [...(await runOnnx(bytes, new Map([[input, images]]))).values()];
      const difference = logits!.reduce((most, v, k) => Math.max(most, Math.abs(v - answer!.data[k]!)), 0);
      differences.push(Number.isNaN(difference) ? Infinity : difference);
      maxAbsoluteReference = logits!.reduce((most, v) => Math.max(most, Math.abs(v)), maxAbsoluteReference);
    }
  } finally {
    await session.close();
  }
  return { medianDifference: differences.sort((a, b) => a - b)[INPUTS >> 1]!, maxAbsoluteReference, runtime: await runtimeName() };
}
