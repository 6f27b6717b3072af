import type { StudySpec } from '@app/contracts';
import { elements, inferShapes, initialWeights, isKind, tensor, withBatchStatistics, type Graph, type Quantization, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import { calibrate, calibrateOn, decodeTrainedWeights, describeQuantization, INT8_AFTER, quantizeOf, type InputAbout } from '@app/train';

/** What an exported file's weights are. */
export type WeightsAbout =
  | {
    readonly kind: 'trained';
    /** trainer: one of the user's, whose word its accuracy is */
    readonly by: 'training' | 'supernet' | 'trainer';
    /** of the network in this file on the held-out images, %; null: not measured, which `note` explains */
    readonly accuracy: number | null;
    /** how many images these are; null: not known */
    readonly judgedOn: number | null;
    /** what its inputs are made of; null: not known */
    readonly input: InputAbout | null;
    readonly quantization: string | null;
    readonly note: string | null;
  }
  | { readonly kind: 'initial'; readonly seed: number; readonly batchNormStatistics: 'one random batch'; readonly quantization: string | null; readonly note: string | null }
  /** code or a description, without values */
  | { readonly kind: 'none' };

export interface CarriedWeights {
  readonly weights: ReadonlyMap<string, Weights>;
  readonly about: WeightsAbout;
}

export interface CarriedRequest {
  readonly graph: Graph;
  /** as `encodeTrainedWeights` writes them; null: none are kept */
  readonly kept: Uint8Array | null;
  readonly accuracy: StudySpec['accuracy'];
  /** of initial weights, and of calibration */
  readonly seed: number;
}

/** Whether a study's trials come to weights of their own, whatever the trainer does. */
const trains = (accuracy: StudySpec['accuracy']): boolean => accuracy.method === 'train' || accuracy.method === 'supernet';

/** Weights of the network in float32: trained if they are kept, else seeded first ones. */
export function floatWeights({ graph, kept, accuracy, seed }: CarriedRequest): CarriedWeights {
  if (kept === null) return { weights: firstWeights(graph, seed), about: { ...firstAbout(seed), note: whyInitial(accuracy) } };
  const { weights, about } = decodeTrainedWeights(kept);
  const { by, quantize, judgedOn, input } = about;
  const aware = quantize?.when === 'aware';
  const note = aware ? `it was trained ${describeQuantization(quantize)}, and that network's accuracy is ${about.accuracy!.toFixed(2)} %: take format onnx-int8` : by === 'trainer' && about.accuracy === null ? 'its trainer reported no accuracy' : null;
  return { weights, about: { kind: 'trained', by, accuracy: aware ? null : about.floatAccuracy ?? about.accuracy, judgedOn, input, quantization: null, note } };
}

export interface QuantizedWeights extends CarriedWeights {
  readonly layers: Quantization;
}

/**
 * Weights of the quantised network with the ranges of its inputs: as the trial was evaluated, if that was quantised; else in 8 bits, calibrated on the
 * study's training images and judged on the held-out ones; of a trainer of the user's, on the inputs it handed back; for a network that was not trained, calibrated on noise.
 *
 * @throws EvaluatorError if the data are not there; GraphError
 */
export async function quantizedWeights(request: CarriedRequest): Promise<QuantizedWeights> {
  const { graph, kept, accuracy, seed } = request;
  if (kept === null) {
    const { layers } = quantizeOf(graph, INT8_AFTER)!;
    const weights = await calibrateOn(graph, firstWeights(graph, seed), layers, { seed });
    return { weights, layers, about: { ...firstAbout(seed), quantization: `${describeQuantization(INT8_AFTER)}, ranges from random images`, note: whyInitial(accuracy) } };
  }
  const { weights, about: { by, quantize, accuracy: share, judgedOn, input }, calibration } = decodeTrainedWeights(kept);
  const trained = { kind: 'trained', by, input, note: null } as const;
  if (quantize !== null) return { weights, layers: quantizeOf(graph, quantize)!.layers, about: { ...trained, accuracy: share, judgedOn, quantization: describeQuantization(quantize) } };
  if (by === 'trainer') {
    const { layers } = quantizeOf(graph, INT8_AFTER)!;
    const from = calibration === undefined ? 'random inputs (the trainer handed back no "calibration")' : `${calibration.shape[0]} inputs of the trainer`;
    return {
      weights: await calibrateOn(graph, weights, layers, calibration ?? { seed }), layers,
      about: { ...trained, accuracy: null, judgedOn: null, quantization: `${describeQuantization(INT8_AFTER)}, ranges from ${from}`, note: share === null ? null : `accuracy in int8 was not measured; before, the trainer reported ${share.toFixed(2)} %` },
    };
  }
  if (accuracy.method !== 'train' && accuracy.method !== 'supernet') throw new Error(`expected a study that trains, got accuracy.method "${accuracy.method}"`);
  const found = await calibrate({ graph, weights, accuracy, seed });
  return { weights: found.weights, layers: quantizeOf(graph, found.quantize)!.layers, about: { ...trained, accuracy: found.accuracy, judgedOn: found.judgedOn, quantization: describeQuantization(found.quantize) } };
}

/** What the file's own metadata say. */
export function metadataOf(about: WeightsAbout): Record<string, string> {
  if (about.kind !== 'trained') return { weights: about.kind };
  const { input } = about;
  return {
    weights: about.kind, ...(input === null ? {} : { data: input.data, image: JSON.stringify(input.image), mean: JSON.stringify(input.mean), deviation: JSON.stringify(input.deviation) }),
    ...(input === null || input.classNames === null ? {} : { classes: JSON.stringify(input.classNames) }), ...(about.accuracy === null ? {} : { accuracy: about.accuracy.toFixed(2) }), ...(about.quantization === null ? {} : { quantization: about.quantization }),
  };
}

const whyInitial = (accuracy: StudySpec['accuracy']): string | null => (trains(accuracy) ? 'no trained weights of this trial are kept (accuracy.weights in the study says which are)' : null);

const firstAbout = (seed: number) => ({ kind: 'initial', seed, batchNormStatistics: 'one random batch', quantization: null }) as const;

const firstWeights = (graph: Graph, seed: number): ReadonlyMap<string, Weights> => withBatchStatistics(graph, initialWeights(graph, seed), randomInputs(graph, seed));

/** Standard normal values for every input, by the seed. */
function randomInputs(graph: Graph, seed: number): ReadonlyMap<string, Tensor> {
  const shapes = inferShapes(graph);
  return new Map(graph.nodes.filter((n) => isKind(n, 'input')).map((n) => {
    const shape = shapes.get(n.id)!;
    const rng = Rng.of(seed, 'export', n.id);
    return [n.id, tensor(shape, Float32Array.from({ length: elements(shape) }, () => rng.normal()))];
  }));
}

