import { createHash } from 'node:crypto';
import type { ExportFormat, MetricValue } from '@app/contracts';
import { priceByDefault } from '@app/cost';
import { decode } from '@app/decode';
import { inferShapes, initialWeights, totals, weightsOf, type Graph, type Weights } from '@app/graph';
import { toOnnx, toQuantizedOnnx } from '@app/onnx';
import { stateDict, torchFile, toPyTorch } from '@app/pytorch';
import type { Point } from '@app/space';
import { deviceMetrics, type StudyDefinition } from '@app/study';
import { verifyExport, verifyQuantized } from '@app/train';
import { floatWeights, metadataOf, quantizedWeights, type CarriedRequest, type WeightsAbout } from './carried-weights.js';

/** Opset of exported models: the newest whose operators every runtime we name in the docs has. */
export const OPSET = 17;

const ENDINGS: Readonly<Record<ExportFormat, string>> = { onnx: 'onnx', 'onnx-int8': 'int8.onnx', pytorch: 'py', 'state-dict': 'pt', json: 'graph.json' };

/** Largest difference from the reference that an export may show, as a share of its largest output (of 1, if that is less). */
const TOLERANCE = 1e-4;
/** The same of a trained network that is quantised, in the middle of several inputs: values between two levels fall to either side. */
const QUANTIZED_TOLERANCE = 0.1;

export interface BundleRequest {
  readonly definition: Pick<StudyDefinition, 'space' | 'devices' | 'spec'>;
  readonly point: Point;
  readonly format: ExportFormat;
  /** seed of the initial weights, where no trained ones are kept */
  readonly seed: number;
  /** what the trial was trained to, as its study keeps it; null, left out: nothing is kept */
  readonly weights?: Uint8Array | null | undefined;
  /** where the point is from, if from a study */
  readonly trial?: { readonly studyId: string; readonly id: string; readonly number: number; readonly metrics: Readonly<Record<string, MetricValue>> } | undefined;
  readonly version: string;
}

export interface Bundle {
  readonly fileName: string;
  readonly content: Uint8Array;
  readonly sha256: string;
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly caddis: string;
  readonly format: ExportFormat;
  readonly file: string;
  readonly sha256: string;
  readonly space: string;
  readonly family: string;
  readonly point: Point;
  readonly task: { readonly numClasses: number; readonly inputChannels: number };
  readonly weights: WeightsAbout;
  readonly trial: { readonly studyId: string; readonly id: string; readonly number: number } | null;
  readonly network: { readonly macs: number; readonly params: number; readonly inputShape: readonly number[] };
  readonly onnx: { readonly opset: number; readonly verified: Verified } | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

export interface Verified {
  readonly runtime: string;
  readonly maxAbsoluteDifference: number;
  readonly maxAbsoluteReference: number;
  /** null: the difference was found, and nothing asked of it */
  readonly tolerance: number | null;
  readonly seed: number;
}

/** A file, what its weights are, and how it was checked. */
interface Written {
  readonly content: Uint8Array;
  readonly weights: WeightsAbout;
  readonly verified?: Verified;
}

/**
 * A network as a file that runs, with a manifest that says where it is from. It carries the weights its trial was trained to where they are
 * kept, else first weights by the seed. An ONNX file is loaded in onnxruntime and compared with our own form of the network before it is
 * handed out.
 *
 * @throws DecodeError if the space has no network; Error if the runtime differs from our form by more than 1e-4 of the largest output (a tenth, of
 *   a quantised trained network); as `quantizedWeights`
 */
export async function buildBundle(request: BundleRequest): Promise<Bundle> {
  const { definition, point, format } = request;
  const { space, spec, devices } = definition;
  const graph = decode(space, point, spec.task);
  const { macs, params } = totals(graph);
  const input = graph.nodes.find((n) => n.kind === 'input')!;
  const inputShape = (input.attrs as { shape: readonly number[] }).shape;
  const priced = Object.assign({}, ...devices.map((d) => deviceMetrics(priceByDefault(graph, d)))) as Record<string, MetricValue>;
  const metrics = { ...priced, ...request.trial?.metrics };
  const { content, weights, verified } = await written(request, graph);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const stem = request.trial ? `${space.name}-trial-${request.trial.number}` : space.name;
  const fileName = `${stem}.${ENDINGS[format]}`;
  const trial = request.trial ? { studyId: request.trial.studyId, id: request.trial.id, number: request.trial.number } : null;
  return {
    fileName, content, sha256,
    manifest: {
      caddis: request.version, format, file: fileName, sha256, space: space.name, family: space.family, point, task: spec.task, weights, trial,
      network: { macs, params, inputShape }, onnx: verified === undefined ? null : { opset: OPSET, verified }, metrics,
    },
  };
}

async function written({ definition: { space, spec }, point, format, seed, weights, version }: BundleRequest, graph: Graph): Promise<Written> {
  const carried: CarriedRequest = { graph, kept: weights ?? null, accuracy: spec.accuracy, seed };
  const options = { producer: `caddis ${version}`, opset: OPSET };
  switch (format) {
    case 'onnx': {
      const { weights: own, about } = floatWeights(carried);
      const content = toOnnx(graph, own, { ...options, metadata: metadataOf(about) });
      const { maxAbsoluteDifference, maxAbsoluteReference, runtime } = await verifyExport(content, graph, own, seed);
      return { content, weights: about, verified: within({ runtime, maxAbsoluteDifference, maxAbsoluteReference, tolerance: TOLERANCE * Math.max(1, maxAbsoluteReference), seed }) };
    }
    case 'onnx-int8': {
      const { weights: own, layers, about } = await quantizedWeights(carried);
      const content = toQuantizedOnnx(graph, own, layers, { ...options, metadata: metadataOf(about) });
      const { medianDifference, maxAbsoluteReference, runtime } = await verifyQuantized(content, graph, layers, own, seed);
      // a network that was not trained may answer anything to a value that falls to the other side
      const tolerance = about.kind === 'trained' ? QUANTIZED_TOLERANCE * Math.max(1, maxAbsoluteReference) : null;
      return { content, weights: about, verified: within({ runtime, maxAbsoluteDifference: medianDifference, maxAbsoluteReference, tolerance, seed }) };
    }
    case 'pytorch':
      return { content: Buffer.from(toPyTorch(graph)), weights: { kind: 'none' } };
    case 'state-dict': {
      const { weights: own, about } = floatWeights(carried);
      return { content: torchFile(stateDict(graph, moduleWeights(graph, own, seed))), weights: about };
    }
    case 'json':
      return { content: Buffer.from(JSON.stringify({ space: space.name, family: space.family, point, task: spec.task, graph }, null, 1)), weights: { kind: 'none' } };
  }
}

/** What the module has places for: no ranges of quantised inputs, and first values for layers that no output depends on, which training leaves out. */
function moduleWeights(graph: Graph, weights: ReadonlyMap<string, Weights>, seed: number): ReadonlyMap<string, Weights> {
  const shapes = inferShapes(graph);
  const first = initialWeights(graph, seed);
  return new Map(graph.nodes.map((node) => [node.id, Object.fromEntries(weightsOf(node, shapes).map(({ name }) => [name, (weights.get(node.id) ?? first.get(node.id)!)[name]!]))]));
}

function within(verified: Verified): Verified {
  const { maxAbsoluteDifference, maxAbsoluteReference, tolerance } = verified;
  if (!Number.isFinite(maxAbsoluteDifference) || (tolerance !== null && !(maxAbsoluteDifference <= tolerance))) {
    throw new Error(`the exported network differs from the reference by ${maxAbsoluteDifference}; at most ${tolerance ?? 'a number'} is due, its outputs reaching ${maxAbsoluteReference}`);
  }
  return verified;
}
