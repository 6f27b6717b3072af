/**
 * Scores of untrained networks that tend to rise with the accuracy they will have. Weights are the first ones of the seed.
 *
 * naswot: log det of how alike the images of a batch switch the units (Mellor et al. 2021, eq. 3). synflow: log Σ θ·∂R/∂θ with |θ|,
 * R the sum of the logits of an all-ones image, batch norms passing on (Tanaka et al. 2020, alg. 1). snip: Σ |θ·∂L/∂θ| (Lee et al.
 * 2019, eq. 6). grasp: −Σ θ·Hg (Wang et al. 2020, eq. 8), the product with the Hessian by a central difference of gradients.
 * grad-norm: Σ over layers of ‖∂L/∂θ‖ (Abdelfattah et al. 2021, § 3.1). The last four look at weights of layers only.
 */
import type { ProxyName } from '@app/contracts';
import { elements, gradientGraph, initialWeights, packWeights, switchingGraph, type Graph, type PackedWeights, type ProbeGraph } from '@app/graph';
import { cholesky, logDiagonal, Rng } from '@app/numeric';
import { BatchWriter, NO_AUGMENTATION } from '../data/batches.js';
import type { Dataset } from '../data/image-set.js';
import { openProgram } from '../training/program-session.js';
import { UnfitData } from '../training/trainer.js';

export interface ProxyRequest {
  readonly graph: Graph;
  readonly data: Dataset;
  readonly batch: number;
  readonly seed: number;
}

/** Length of a GraSP difference, relative to the weights: well above rounding, well below the curvature's own scale. */
const STEP_SHARE = 1e-2;

/** @returns the score, higher being better; not finite where single precision overflows. @throws UnfitData, GraphError */
export async function proxyScore(proxy: ProxyName, request: ProxyRequest): Promise<number> {
  switch (proxy) {
    case 'naswot':
      return naswot(request);
    case 'synflow':
      return synflow(request);
    case 'snip':
      return withGradient(request, async (gradientAt, weights, layers) => {
        const g = await gradientAt(weights.parameters);
        return layers.reduce((sum, { from, to }) => sum + total(from, to, (i) => Math.abs(weights.parameters[i]! * g[i]!)), 0);
      });
    case 'grad-norm':
      return withGradient(request, async (gradientAt, weights, layers) => {
        const g = await gradientAt(weights.parameters);
        return layers.reduce((sum, { from, to }) => sum + Math.sqrt(total(from, to, (i) => g[i]! ** 2)), 0);
      });
    case 'grasp':
      return withGradient(request, grasp);
  }
}

/**
 * Operators that answer c·x with c times what they answer x, c > 0 (biases and shifts begin at 0). A network of these alone has a flow
 * proportional to the image, so a dim one serves where single precision overflows.
 */
const HOMOGENEOUS: ReadonlySet<string> = new Set([
  'input', 'conv2d', 'batchNorm', 'linear', 'relu', 'leaky-relu', 'prelu-shared', 'neg', 'abs', 'add', 'sub', 'maximum', 'concat', 'slice', 'padChannels', 'maxPool', 'avgPool',
  'globalAvgPool', 'flatten', 'reshape', 'transpose', 'headReduce', 'quantizationNoise', 'zeros', 'identity', 'resize',
]);
/** far above 1e-30, below which the slope of a rectifier on a tape is no step any more */
const DIM = 2 ** -60;

interface Layer {
  readonly from: number;
  readonly to: number;
}

type GradientAt = (parameters: Float32Array) => Promise<Float32Array>;

const total = (from: number, to: number, of: (i: number) => number): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += of(i);
  return sum;
};

const layersOf = ({ packing }: ProbeGraph): Layer[] => packing.parameters.filter((s) => s.decayed && s.name === 'weight').map((s) => ({ from: s.offset, to: s.offset + elements(s.shape) }));

function batchOf({ data, batch, seed }: ProxyRequest, { imageShape, classes }: ProbeGraph): BatchWriter {
  if (imageShape[1] !== data.train.channels || classes !== data.classes || data.train.count < batch) {
    throw new UnfitData(`data "${data.name}": expected ${imageShape[1]} channels, ${classes} classes and at least ${batch} images, got ${data.train.channels}, ${data.classes} and ${data.train.count}`);
  }
  const writer = new BatchWriter(data, batch, imageShape[2]!, imageShape[3]!);
  const order = Rng.of(seed, 'proxy').shuffle(Array.from({ length: data.train.count }, (_, i) => i));
  writer.augmented(data.train, order, 0, NO_AUGMENTATION, Rng.of(seed));
  return writer;
}

async function naswot(request: ProxyRequest): Promise<number> {
  const probe = switchingGraph(request.graph, request.batch);
  const { images } = batchOf(request, probe);
  const session = await openProgram(probe.program);
  try {
    const { agreement } = await session.run({ ...packWeights(probe.packing, initialWeights(request.graph, request.seed)), images });
    // images that switch alike make the matrix singular; the factor then takes a little jitter
    return 2 * logDiagonal(cholesky(Float64Array.from(agreement!), request.batch).L, request.batch);
  } finally {
    await session.close();
  }
}

async function synflow({ graph, seed }: ProxyRequest): Promise<number> {
  const probe = gradientGraph(graph, 1, 'sum');
  const { parameters, statistics } = packWeights(probe.packing, initialWeights(graph, seed));
  const positive = parameters.map(Math.abs);
  const homogeneous = graph.nodes.every(({ kind, attrs }) => HOMOGENEOUS.has(kind === 'activation' ? (attrs as { fn: string }).fn : kind));
  const session = await openProgram(probe.program);
  /** log of the flow, worked out with image and logits both made smaller by the factor */
  const flow = async (by: number): Promise<number> => {
    const { gradient } = await session.run({ parameters: positive, statistics, images: new Float32Array(elements(probe.imageShape)).fill(by), weight: Float32Array.of(by) });
    return Math.log(layersOf(probe).reduce((sum, { from, to }) => sum + total(from, to, (i) => Math.abs(positive[i]! * gradient![i]!)), 0)) - 2 * Math.log(by);
  };
  try {
    const score = await flow(1);
    return Number.isFinite(score) || !homogeneous ? score : await flow(DIM);
  } finally {
    await session.close();
  }
}

async function withGradient(request: ProxyRequest, score: (gradientAt: GradientAt, weights: PackedWeights, layers: readonly Layer[]) => Promise<number>): Promise<number> {
  const probe = gradientGraph(request.graph, request.batch, 'loss');
  const { images, targets } = batchOf(request, probe);
  const weights = packWeights(probe.packing, initialWeights(request.graph, request.seed));
  const session = await openProgram(probe.program);
  try {
    return await score(async (parameters) => (await session.run({ parameters, statistics: weights.statistics, images, targets }))['gradient']!, weights, layersOf(probe));
  } finally {
    await session.close();
  }
}

async function grasp(gradientAt: GradientAt, { parameters }: PackedWeights, layers: readonly Layer[]): Promise<number> {
  const g = await gradientAt(parameters);
  const norm = (values: Float32Array): number => Math.sqrt(total(0, values.length, (i) => values[i]! ** 2));
  const by = (STEP_SHARE * norm(parameters)) / norm(g);
  const ahead = await gradientAt(parameters.map((w, i) => w + by * g[i]!));
  const behind = await gradientAt(parameters.map((w, i) => w - by * g[i]!));
  return -layers.reduce((sum, { from, to }) => sum + total(from, to, (i) => (parameters[i]! * (ahead[i]! - behind[i]!)) / (2 * by)), 0);
}
