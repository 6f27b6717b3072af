/**
 * Weights that a trainer of the user's hands back: a safetensors file, or a NumPy archive (`numpy.savez`), of every tensor of the candidate's network by the names of
 * its PyTorch module's `state_dict`, or by ours (`<node>.<tensor>`, as in its JSON and ONNX). Besides, it may hold `calibration`, [n, C, H, W]: inputs as the network gets them,
 * which the ranges of an int8 export are taken from.
 */
import type { Metrics } from '@app/contracts';
import { inferShapes, isKind, packingOf, weightsOf, type Graph, type Shape, type Tensor, type Weights } from '@app/graph';
import { torchName } from '@app/pytorch';
import { EvaluatorError } from '@app/study';
import { unzipSync } from 'fflate';
import { parseNpy } from '../data/npz.js';
import { encodeTrainedWeights } from '../training/trained-weights.js';
import { readSafetensors } from './safetensors.js';

/** Reason of trials whose trainer handed back weights that are not the network's. */
export const INVALID_WEIGHTS = 'invalid-weights';

/** Inputs that are kept for calibration. */
const MOST_CALIBRATION = 64;
const CALIBRATION = 'calibration';
/** Counts batches in PyTorch; no weight. */
const COUNTER = /(^|\.)num_batches_tracked$/;
/** Names that a message lists at the most. */
const MOST_NAMED = 5;

/** Where a tensor belongs. */
interface Place {
  readonly node: string;
  readonly name: string;
  readonly shape: Shape;
  /** of no layer that an output depends on: it may be missing */
  readonly idle: boolean;
  readonly isVariance: boolean;
}

/**
 * The file as a trial's weights are kept.
 *
 * @param accuracy  %, as the trainer reported it; null: it reported none
 * @throws EvaluatorError `invalid-weights`, naming the tensor: no such file, cut off, missing, of no layer, of another shape or type, not finite, a negative variance
 */
export function handedWeights(bytes: Uint8Array, graph: Graph, accuracy: number | null): Uint8Array {
  const given = new Map([...readTensors(bytes)].filter(([name]) => !COUNTER.test(name)));
  const calibration = given.get(CALIBRATION);
  given.delete(CALIBRATION);
  const weights = assigned(given, graph);
  return encodeTrainedWeights({
    about: { by: 'trainer', quantize: null, accuracy, floatAccuracy: null, judgedOn: null, input: null },
    weights, ...(calibration && { calibration: inputsOf(calibration(), graph) }),
  });
}

const fault = (text: string): EvaluatorError => new EvaluatorError(INVALID_WEIGHTS, `weights of the trainer: ${text}`);

/** What `read` gives; a fault of the weights leaves the metrics that came with them. */
export function checked<T>(metrics: Metrics, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EvaluatorError) throw new EvaluatorError(error.reason, error.message, { metrics, cause: error });
    throw error;
  }
}

/** Values are looked at once their name is known to be due. */
type Reading = () => Tensor;

function readTensors(bytes: Uint8Array): ReadonlyMap<string, Reading> {
  // a ZIP archive begins so
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return readArchive(bytes);
  const { tensors } = readSafetensors(bytes, (why) => fault(`expected a safetensors file or a NumPy archive, got ${bytes.length} bytes ${why}`));
  return new Map([...tensors].map(([name, { dtype, shape, bytes: content }]) => [name, () => {
    const size = { F32: 4, F64: 8 }[dtype];
    if (size === undefined) throw fault(`"${name}": expected F32 or F64, got ${dtype}`);
    const count = shape.reduce((a, b) => a * b, 1);
    if (content.length !== count * size) throw fault(`"${name}": expected ${count * size} bytes for shape ${shown(shape)}, got ${content.length}`);
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    return { shape, data: Float32Array.from({ length: count }, (_, i) => (size === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true))) };
  }]));
}

function readArchive(bytes: Uint8Array): ReadonlyMap<string, Reading> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes);
  } catch (error) {
    throw fault(`expected a NumPy archive: ${(error as Error).message}`);
  }
  return new Map(Object.entries(files).map(([file, content]) => {
    const name = file.replace(/\.npy$/, '');
    return [name, () => {
      const { shape, values } = parseNpy(content, (text) => fault(`"${name}": ${text}`));
      if (!(values instanceof Float32Array || values instanceof Float64Array)) throw fault(`"${name}": expected float32 or float64, got ${values.constructor.name}`);
      return { shape, data: Float32Array.from(values) };
    }];
  }));
}

/** Every tensor in its place, in the order of the network. */
function assigned(given: ReadonlyMap<string, Reading>, graph: Graph): ReadonlyMap<string, Weights> {
  const [torch, own] = placesOf(graph);
  const hits = (places: ReadonlyMap<string, Place>): number => [...given.keys()].filter((name) => places.has(name)).length;
  const places = hits(own) > hits(torch) ? own : torch;
  const named = (names: readonly string[]): string => `${names.slice(0, MOST_NAMED).map((n) => `"${n}"`).join(', ')}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`;
  const extra = [...given.keys()].filter((name) => !places.has(name));
  const missing = [...places].filter(([name, { idle }]) => !idle && !given.has(name)).map(([name]) => name);
  const faults = [...(missing.length > 0 ? [`${named(missing)} missing`] : []), ...(extra.length > 0 ? [`no tensor ${named(extra)} in the network`] : [])];
  if (faults.length > 0) throw fault(faults.join('; '));
  const weights = new Map<string, Record<string, Tensor>>();
  for (const [key, { node, name, shape, isVariance }] of places) {
    const tensor = given.get(key)?.();
    if (tensor === undefined) continue;
    if (tensor.shape.join() !== shape.join()) throw fault(`"${key}": expected shape ${shown(shape)}, got ${shown(tensor.shape)}`);
    expectFinite(key, tensor);
    const negative = isVariance ? tensor.data.findIndex((v) => v < 0) : -1;
    if (negative >= 0) throw fault(`"${key}": expected variances of at least 0, got ${tensor.data[negative]} at place ${negative}`);
    weights.set(node, { ...weights.get(node), [name]: tensor });
  }
  return weights;
}

/** By the names of the PyTorch module, and by ours. */
function placesOf(graph: Graph): readonly [ReadonlyMap<string, Place>, ReadonlyMap<string, Place>] {
  const shapes = inferShapes(graph);
  const { parameters, statistics } = packingOf(graph);
  const live = new Set([...parameters, ...statistics].map((s) => s.node));
  const torch = torchName(graph);
  const places = graph.nodes.flatMap((node) => weightsOf(node, shapes).map(({ name, shape }): Place => ({ node: node.id, name, shape, idle: !live.has(node.id), isVariance: isKind(node, 'batchNorm') && name === 'variance' })));
  return [new Map(places.map((p) => [torch(p.node, p.name), p])), new Map(places.map((p) => [`${p.node}.${p.name}`, p]))];
}

function inputsOf(tensor: Tensor, graph: Graph): Tensor {
  const inputs = graph.nodes.filter((n) => isKind(n, 'input'));
  const due = inferShapes(graph).get(inputs[0]!.id)!.slice(1);
  const [n = 0, ...rest] = tensor.shape;
  if (inputs.length !== 1 || n < 1 || rest.join() !== due.join()) throw fault(`"${CALIBRATION}": expected inputs [n, ${due.join(', ')}], n at least 1, got ${shown(tensor.shape)}`);
  expectFinite(CALIBRATION, tensor);
  const kept = Math.min(n, MOST_CALIBRATION);
  return { shape: [kept, ...due], data: tensor.data.slice(0, (tensor.data.length / n) * kept) };
}

function expectFinite(key: string, { data }: Tensor): void {
  const wrong = data.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw fault(`"${key}": expected finite values, got ${data[wrong]} at place ${wrong}`);
}

const shown = (shape: Shape): string => `[${shape.join(', ')}]`;
