import { createHash } from 'node:crypto';
import type { ExportFormat, MetricValue } from '@app/contracts';
import { priceByDefault } from '@app/cost';
import { decode } from '@app/decode';
import { elements, inferShapes, initialWeights, isKind, tensor, totals, withBatchStatistics, type Graph, type Tensor } from '@app/graph';
import { Rng } from '@app/numeric';
import { toOnnx } from '@app/onnx';
import { toPyTorch } from '@app/pytorch';
import type { Point } from '@app/space';
import { deviceMetrics, type StudyDefinition } from '@app/study';
import { verifyExport } from '@app/train';

/** Opset of exported models: the newest whose operators every runtime we name in the docs has. */
export const OPSET = 17;

const ENDINGS: Readonly<Record<ExportFormat, string>> = { onnx: 'onnx', pytorch: 'py', json: 'graph.json' };

/** Largest difference from the reference interpreter that an export may show, as a share of its largest output (of 1, if that is less). */
const TOLERANCE = 1e-4;

export interface BundleRequest {
  readonly definition: Pick<StudyDefinition, 'space' | 'devices' | 'spec'>;
  readonly point: Point;
  readonly format: ExportFormat;
  /** seed of the initial weights */
  readonly seed: number;
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
  readonly weights: { readonly kind: 'initial'; readonly seed: number; readonly batchNormStatistics: 'one random batch' };
  readonly trial: { readonly studyId: string; readonly id: string; readonly number: number } | null;
  readonly network: { readonly macs: number; readonly params: number; readonly inputShape: readonly number[] };
  readonly onnx: { readonly opset: number; readonly verified: { readonly runtime: string; readonly maxAbsoluteDifference: number; readonly maxAbsoluteReference: number; readonly tolerance: number; readonly seed: number } } | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

/**
 * A network as a file that runs, with a manifest that says where it is from. An ONNX file is loaded in onnxruntime and compared with
 * our own reference of the graph before it is handed out.
 *
 * @throws DecodeError if the space has no network; Error if the runtime differs from the reference by more than 1e-4 of the largest output
 */
export async function buildBundle(request: BundleRequest): Promise<Bundle> {
  const { definition, point, format, seed } = request;
  const { space, spec, devices } = definition;
  const graph = decode(space, point, spec.task);
  const { macs, params } = totals(graph);
  const input = graph.nodes.find((n) => n.kind === 'input')!;
  const inputShape = (input.attrs as { shape: readonly number[] }).shape;
  const priced = Object.assign({}, ...devices.map((d) => deviceMetrics(priceByDefault(graph, d)))) as Record<string, MetricValue>;
  const metrics = { ...priced, ...request.trial?.metrics };
  let content: Uint8Array;
  let onnx: Manifest['onnx'] = null;
  if (format === 'onnx') {
    const weights = withBatchStatistics(graph, initialWeights(graph, seed), randomInputs(graph, seed));
    content = toOnnx(graph, weights, { producer: `caddis ${request.version}`, opset: OPSET });
    const { maxAbsoluteDifference, maxAbsoluteReference, runtime } = await verifyExport(content, graph, weights, seed);
    const allowed = TOLERANCE * Math.max(1, maxAbsoluteReference);
    if (!(maxAbsoluteDifference <= allowed)) {
      throw new Error(`the exported network differs from the reference by ${maxAbsoluteDifference}; at most ${allowed} is due, its outputs reaching ${maxAbsoluteReference}`);
    }
    onnx = { opset: OPSET, verified: { runtime, maxAbsoluteDifference, maxAbsoluteReference, tolerance: allowed, seed } };
  } else if (format === 'pytorch') {
    content = Buffer.from(toPyTorch(graph));
  } else {
    content = Buffer.from(JSON.stringify({ space: space.name, family: space.family, point, task: spec.task, graph }, null, 1));
  }
  const sha256 = createHash('sha256').update(content).digest('hex');
  const stem = request.trial ? `${space.name}-trial-${request.trial.number}` : space.name;
  const fileName = `${stem}.${ENDINGS[format]}`;
  const trial = request.trial ? { studyId: request.trial.studyId, id: request.trial.id, number: request.trial.number } : null;
  return {
    fileName, content, sha256,
    manifest: {
      caddis: request.version, format, file: fileName, sha256, space: space.name, family: space.family, point, task: spec.task, weights: { kind: 'initial', seed, batchNormStatistics: 'one random batch' }, trial,
      network: { macs, params, inputShape }, onnx, metrics,
    },
  };
}

/** Standard normal values for every input, by the seed. */
function randomInputs(graph: Graph, seed: number): ReadonlyMap<string, Tensor> {
  const shapes = inferShapes(graph);
  return new Map(graph.nodes.filter((n) => isKind(n, 'input')).map((n) => {
    const shape = shapes.get(n.id)!;
    const rng = Rng.of(seed, 'export', n.id);
    return [n.id, tensor(shape, Float32Array.from({ length: elements(shape) }, () => rng.normal()))];
  }));
}
