/**
 * Scores of untrained networks that tend to rise with the accuracy they will have. Weights are the first ones of the seed.
 *
 * naswot: log det of how alike the images of a batch switch the units (Mellor et al. 2021, eq. 3). synflow: log Σ θ·∂R/∂θ with |θ|,
 * R the sum of the logits of an all-ones image, batch norms passing on (Tanaka et al. 2020, alg. 1). snip: Σ |θ·∂L/∂θ| (Lee et al.
 * 2019, eq. 6). grasp: −Σ θ·Hg (Wang et al. 2020, eq. 8), H and g of layer weights alone, the product with the Hessian by a central difference of gradients.
 * grad-norm: Σ over layers of ‖∂L/∂θ‖ (Abdelfattah et al. 2021, § 3.1). These four look at weights of layers only.
 *
 * jacob-cov: −Σ log(v + k) + 1/(v + k), k = 1e-5, over the eigenvalues v of the correlations between images of the gradients of the
 * summed logits by the image (Mellor et al. 2020, Neural Architecture Search without Training, version 1, eq. 3; Abdelfattah et al.
 * 2021, § 3.2). zen: log E‖f(x) − f(x + αe)‖ + Σ over batch norms of log σ̄, weights, x and e standard normal, f the last feature map,
 * α = 0.01 (Lin et al. 2021, Zen-NAS, alg. 1). Departure: residual links stay, as a cell of many branches has none to tell apart.
 */
import type { ProxyName } from '@app/contracts';
import { elements, featureGraph, gradientGraph, imageGradientGraph, initialWeights, packWeights, switchingGraph, type Graph, type PackedWeights, type ProbeGraph } from '@app/graph';
import { cholesky, choleskyInverse, logDiagonal, Rng } from '@app/numeric';
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
    case 'jacob-cov':
      return jacobianCovariance(request);
    case 'zen':
      return zen(request);
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

/**
 * θ·Hg = g·Hθ: the Hessian is symmetric, and along θ a rectified network keeps its corners and a normalised layer its values, so that the difference is
 * exact to second order. Along g the corners that switch would drown it.
 */
async function grasp(gradientAt: GradientAt, { parameters }: PackedWeights, layers: readonly Layer[]): Promise<number> {
  const g = await gradientAt(parameters);
  const scaled = (by: number): Float32Array => {
    const moved = parameters.slice();
    for (const { from, to } of layers) for (let i = from; i < to; i++) moved[i]! *= by;
    return moved;
  };
  const ahead = await gradientAt(scaled(1 + STEP_SHARE));
  const behind = await gradientAt(scaled(1 - STEP_SHARE));
  return -layers.reduce((sum, { from, to }) => sum + total(from, to, (i) => (g[i]! * (ahead[i]! - behind[i]!)) / (2 * STEP_SHARE)), 0);
}

/** What keeps an eigenvalue from 0. */
const EIGEN_SHIFT = 1e-5;

async function jacobianCovariance(request: ProxyRequest): Promise<number> {
  const probe = imageGradientGraph(request.graph, request.batch);
  const { images } = batchOf(request, probe);
  const session = await openProgram(probe.program);
  try {
    const { gradient } = await session.run({ ...packWeights(probe.packing, initialWeights(request.graph, request.seed)), images });
    return spreadOf(correlations(gradient!, request.batch));
  } finally {
    await session.close();
  }
}

/** Pearson correlations [n, n] between the n rows of x; not finite where a row is constant. */
export function correlations(x: ArrayLike<number>, n: number): Float64Array {
  const length = x.length / n;
  const rows = Array.from({ length: n }, (_, r) => {
    const row = Float64Array.from({ length }, (_, i) => x[r * length + i]!);
    const mean = row.reduce((a, b) => a + b, 0) / length;
    const centred = row.map((v) => v - mean);
    const norm = Math.sqrt(centred.reduce((s, v) => s + v * v, 0));
    return centred.map((v) => v / norm);
  });
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [rows[i]!, rows[j]!];
      let dot = 0;
      for (let k = 0; k < length; k++) dot += a[k]! * b[k]!;
      result[i * n + j] = result[j * n + i] = dot;
    }
  }
  return result;
}

/** −Σ log(v + k) + 1/(v + k) over the eigenvalues v of C, by log det and trace of the inverse of C + kI. NaN if C is not finite. */
export function spreadOf(C: Float64Array): number {
  const n = Math.sqrt(C.length);
  if (!C.every(Number.isFinite)) return NaN;
  const shifted = C.map((v, i) => (i % (n + 1) === 0 ? v + EIGEN_SHIFT : v));
  const { L } = cholesky(shifted, n);
  const inverse = choleskyInverse(L, n);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += inverse[i * (n + 1)]!;
  return -(2 * logDiagonal(L, n) + trace);
}

/** Draws of weights and images whose scores are averaged, and length of the disturbance. */
const ZEN_DRAWS = 4;
const ZEN_STEP = 1e-2;

async function zen({ graph, batch, seed }: ProxyRequest): Promise<number> {
  const probe = featureGraph(graph, batch);
  const first = packWeights(probe.packing, initialWeights(graph, seed));
  const session = await openProgram(probe.program);
  let score = 0;
  try {
    for (let draw = 0; draw < ZEN_DRAWS; draw++) {
      const rng = Rng.of(seed, 'zen', draw);
      const parameters = first.parameters.slice();
      for (const { from, to } of layersOf(probe)) for (let i = from; i < to; i++) parameters[i] = rng.normal();
      const images = Float32Array.from({ length: elements(probe.imageShape) }, () => rng.normal());
      const disturbed = images.map((v) => v + ZEN_STEP * rng.normal());
      const { features, variances } = await session.run({ parameters, statistics: first.statistics, images });
      const { features: moved } = await session.run({ parameters, statistics: first.statistics, images: disturbed });
      const length = features!.length / batch;
      let distance = 0;
      for (let b = 0; b < batch; b++) distance += Math.sqrt(total(b * length, (b + 1) * length, (i) => (features![i]! - moved![i]!) ** 2)) / batch;
      score += (Math.log(distance) + variances!.reduce((sum, v) => sum + 0.5 * Math.log(v), 0)) / ZEN_DRAWS;
    }
    return score;
  } finally {
    await session.close();
  }
}
