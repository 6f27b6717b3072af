import { z } from 'zod';

const folder = z.string().min(1).max(1000).describe('folder of the files; a relative one is looked for from the directory the service runs in');

const common = {
  validation: z.number().min(0.01).max(0.5).default(0.1).describe('share of the training images of each class that is held out; trials are judged on it'),
  share: z.number().gt(0).max(1).default(1).describe('share of the remaining images of each class that is trained on'),
  splitSeed: z.int().min(0).default(0).describe('draws the split: all trials see the same images'),
};

const side = z.int().min(1).max(1024);

/** Labelled images, recordings or series to train on. */
export const datasetSchema = z.discriminatedUnion('format', [
  z.strictObject({ ...common, format: z.literal('idx'), directory: folder.describe('folder of train-images-idx3-ubyte, train-labels-idx1-ubyte and, if there is a test part, t10k-…; .gz is fine (MNIST, Fashion-MNIST)') }),
  z.strictObject({ ...common, format: z.literal('cifar10'), directory: folder.describe('folder of data_batch_1.bin … 5 and test_batch.bin') }),
  z.strictObject({ ...common, format: z.literal('cifar100'), directory: folder.describe('folder of train.bin and test.bin; the fine labels count') }),
  z.strictObject({ ...common, format: z.literal('class-json'), directory: folder.describe('folder of 0.json, 1.json, …: {"data": [[…]]}, one file a class'), height: z.int().min(1).max(1024).default(28), width: z.int().min(1).max(1024).default(28) }),
  z.strictObject({
    ...common, format: z.literal('image-folder'),
    directory: folder.describe('a folder a class with its images (PNG, JPEG, WebP, GIF, TIFF), or such folders under train/ and test/'),
    height: side.describe('images are scaled to this, whatever their shape'), width: side, channels: z.union([z.literal(1), z.literal(3)]).default(3).describe('1: grey'),
  }),
  z.strictObject({
    ...common, format: z.literal('npz'),
    file: folder.describe('NumPy archive with images [n, h, w], [n, h, w, c] or [n, c, h, w] and labels [n]; unsigned bytes are 0 … 255, floats stand for themselves'),
    images: z.string().min(1).default('x_train'), labels: z.string().min(1).default('y_train'), testImages: z.string().min(1).default('x_test'), testLabels: z.string().min(1).default('y_test'),
    layout: z.enum(['nhwc', 'nchw']).default('nhwc').describe('of arrays of four dimensions'),
  }),
  z.strictObject({
    ...common, format: z.literal('wav'),
    directory: folder.describe('a folder a class with its .wav files; names that begin with _ are left out; testing_list.txt, if it is there, names the test part'),
    sampleRate: z.int().min(1000).max(192_000).default(16_000).describe('Hz; files of another rate are refused'),
    seconds: z.number().positive().max(60).default(1).describe('recordings are cut or filled with silence at their end'),
    windowMs: z.number().positive().max(1000).default(40), strideMs: z.number().positive().max(1000).default(20),
    bands: z.int().min(4).max(256).default(40).describe('mel bands from lowHz to highHz'), lowHz: z.number().min(0).default(20), highHz: z.number().positive().default(4000),
    coefficients: z.int().min(1).max(256).optional().describe('that many cepstral coefficients (MFCC) in place of the log-mel bands'),
  }),
  z.strictObject({
    ...common, format: z.literal('csv'),
    file: folder.describe('CSV with a head; a row is a sample, its columns in order the values of one moment after another'),
    testFile: folder.optional(), label: z.string().min(1).default('label').describe('column of the class, any text'),
    channels: z.int().min(1).max(256).default(1).describe('values a moment, side by side'),
  }),
  z.strictObject({ ...common, format: z.literal('synthetic'), classes: z.int().min(2).max(100).default(4), images: z.int().min(16).max(100_000).default(1000), size: z.int().min(4).max(256).default(16), channels: z.int().min(1).max(4).default(1) }),
]);
export type DatasetSpec = z.output<typeof datasetSchema>;

const levels = z.union([
  z.strictObject({ bits: z.int().min(1).max(16) }),
  z.strictObject({ levels: z.int().min(2).max(65_536) }),
]).describe('bits, or a number of levels that need not be a power of two');
export type LevelsSpec = z.output<typeof levels>;
const layerLevels = { weights: levels.optional().describe('left out: not quantised'), activations: levels.optional().describe('of what enters a layer; left out: not quantised') };

/** Quantisation of trained networks. */
export const quantizeSchema = z.strictObject({
  when: z.enum(['aware', 'after']).default('aware').describe('aware: trained as it will run, gradients passing straight through the rounding; after: ranges are taken from some batches once the network is trained'),
  scheme: z.enum(['affine', 'dorefa']).default('affine').describe('affine: as integer runtimes do, weights a channel at a time; dorefa: tanh for weights, clip to [0, 1] for activations'),
  ...layerLevels,
  ends: z.enum(['int8', 'same', 'float']).default('int8').describe('the first and the last layer'),
  blocks: z.record(z.string().min(1), z.strictObject(layerLevels)).default({}).describe('other levels for layers whose block begins with the name'),
  batches: z.int().min(1).max(1000).default(8).describe('when: after, batches that the ranges are taken from'),
});
export type QuantizeSpec = z.output<typeof quantizeSchema>;

export const trainingRecipeSchema = z.strictObject({
  optimizer: z.enum(['sgd', 'nesterov', 'adamw']).default('nesterov'),
  learningRate: z.number().positive().max(10).default(0.05),
  momentum: z.number().min(0).lt(1).default(0.9).describe('for adamw: β1'),
  weightDecay: z.number().min(0).max(1).default(1e-4).describe('of layer weights; batch norms, biases and slopes do not decay'),
  schedule: z.enum(['cosine', 'step', 'constant']).default('cosine'),
  stepAt: z.array(z.number().gt(0).lt(1)).max(10).default([0.5, 0.75]).describe('schedule "step": shares of the training at which the rate is multiplied by stepFactor'),
  stepFactor: z.number().gt(0).lt(1).default(0.1),
  warmupEpochs: z.number().min(0).max(100).default(0).describe('the rate grows linearly from 0'),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  clipNorm: z.number().positive().optional().describe('largest norm of the whole gradient'),
  averageDecay: z.number().gt(0).lt(1).optional().describe('decay a step of an average of the weights, which is then what is judged'),
  annealFrom: z.number().positive().max(1000).default(10).describe('temperature of softmaxes over heads at the first step; it falls to the network\'s own along half a cosine (FlyNet: from 10 to 1); one that is no higher than the network\'s own changes nothing'),
  noiseAbove: z.number().min(0).default(1_600_000).describe('quantisation noise acts in networks of more parameters than this (thesis, § 8.5)'),
  flip: z.boolean().default(false).describe('mirror left to right, half the time'),
  shift: z.int().min(0).max(64).default(0).describe('shift by up to so many pixels each way, black coming in'),
  crop: z.number().gt(0).max(1).default(1).describe('smallest share of the area that a random crop keeps; 1: no crop'),
  cutout: z.int().min(0).max(128).default(0).describe('side of a square that is blanked out, pixels'),
  timeShift: z.int().min(0).max(4096).default(0).describe('recordings and series: shift by up to so many frames (moments) either way, the mean coming in'),
  inputNoise: z.number().min(0).max(10).default(0).describe('deviation of normal noise on the normalised input'),
  mixup: z.number().min(0).max(1).default(0).describe('α of the Beta distribution that pairs of images are mixed by; 0: not mixed'),
});
export type TrainingRecipe = z.output<typeof trainingRecipeSchema>;

const skip = z.strictObject({
  confidence: z.number().min(0.5).lt(1).default(0.95).describe('of being dominated, below which a candidate is evaluated'),
  after: z.int().min(5).max(10_000).default(20).describe('evaluated trials before any candidate is passed over'),
}).optional().describe('pass over candidates that the trials so far foretell to be dominated');
export type SkipSpec = NonNullable<z.output<typeof skip>>;

const prior = z.strictObject({
  studies: z.union([z.enum(['all', 'none']), z.array(z.uuid()).min(1).max(16).refine((ids) => new Set(ids).size === ids.length, 'expected each study once')])
    .describe('all: those of the same task when the study is made, the newest first; ids: these, or the study is refused'),
}).optional().describe('other studies of the same task whose evaluated trials help to foretell those of this one (see skip): at most 400 trials, fixed when the study is made; default: all');

const stop = z.strictObject({
  after: z.int().min(3).max(10_000).default(10).describe('full trainings whose curves are known before any is ended'),
  from: z.number().gt(0).lt(1).default(0.3).describe('share of the epochs that every candidate is given'),
}).optional().describe('end trainings that, by the largest gain of earlier ones, can only be dominated');

const proxyName = z.enum(['naswot', 'synflow', 'snip', 'grasp', 'grad-norm', 'jacob-cov', 'zen']);

const prefilter = z.strictObject({
  proxy: proxyName.default('naswot'),
  keep: z.number().gt(0).lt(1).default(0.5).describe('share of the candidates that are trained'),
  among: z.int().min(4).max(10_000).default(40).describe('scored candidates that a new one is compared with, the latest told'),
  after: z.int().min(3).max(10_000).default(10).describe('scored candidates before any is passed over'),
  batch: z.int().min(2).max(1024).default(32).describe('images that a score is taken of'),
}).optional().describe('score every candidate untrained and train the better part, by score and by what is computed');
export type PrefilterSpec = NonNullable<z.output<typeof prefilter>>;

const weights = z.strictObject({
  of: z.enum(['front', 'all', 'none']).default('front').describe('front: of trials on the front, others are forgotten once they are told; all: of every completed trial'),
  mebibytes: z.number().positive().max(1_048_576).default(512).describe('of one study; weights that would be more are not kept'),
}).optional().describe('trained weights that are kept for exports; default: of the front, 512 MiB');
export type KeptWeightsSpec = NonNullable<z.output<typeof weights>>;

/** `accuracy: {method: train}`: every candidate is trained from scratch and judged on held-out images. */
export const trainAccuracySchema = z.strictObject({
  method: z.literal('train'),
  dataset: datasetSchema,
  epochs: z.int().min(1).max(10_000).default(10),
  batch: z.int().min(2).max(4096).default(64),
  recipe: trainingRecipeSchema.prefault({}),
  quantize: z.union([z.enum(['auto', 'none']), quantizeSchema]).default('auto').describe('auto: 8 bits after training, if the study prices an int8 device; the accuracy is then that of the quantised network'),
  skip,
  prior,
  stop,
  prefilter,
  weights,
});
export type TrainAccuracy = z.output<typeof trainAccuracySchema>;

/** `accuracy: {method: supernet}`: one network that holds all candidates' weights is trained once; candidates inherit from it. */
export const supernetAccuracySchema = z.strictObject({
  method: z.literal('supernet'),
  dataset: datasetSchema,
  epochs: z.int().min(1).max(10_000).default(20).describe('of the supernet; a candidate is not trained itself'),
  batch: z.int().min(2).max(4096).default(64),
  recipe: trainingRecipeSchema.prefault({}),
  switches: z.int().min(1).max(64).default(8).describe('networks drawn anew for each epoch; every step trains the largest, the smallest and two of these, in turn; each takes memory while the epoch lasts'),
  calibration: z.int().min(1).max(10_000).default(16).describe('batches of training images that a candidate\'s batch-norm statistics are taken from'),
  standAlone: z.int().min(0).max(100).refine((n) => n !== 1 && n !== 2, 'expected 0, or at least 3').default(0).describe('networks that are also trained alone, as by method "train", to find how far inherited accuracies are off; the intervals then hold that error'),
  quantize: z.union([z.enum(['auto', 'none']), quantizeSchema]).default('auto').describe('as of method "train"; aware: the networks that learn from the largest one are trained quantised'),
  weights,
  checkpoints: folder.optional().describe('folder of the supernet, which workers may share; default: one among the temporary files'),
});
export type SupernetAccuracy = z.output<typeof supernetAccuracySchema>;

/** `accuracy: {method: proxy}`: a score of the untrained network, metric `proxy`, stands in for its accuracy. */
export const proxyAccuracySchema = z.strictObject({
  method: z.literal('proxy'),
  proxy: proxyName.default('naswot'),
  dataset: datasetSchema,
  batch: z.int().min(2).max(1024).default(32),
});
export type ProxyAccuracy = z.output<typeof proxyAccuracySchema>;
export type ProxyName = ProxyAccuracy['proxy'];

const networkForm = z.enum(['onnx', 'pytorch', 'graph']).describe('onnx: initial weights; pytorch: a module, as readable code; graph: our own JSON');
export type NetworkForm = z.output<typeof networkForm>;
const reported = z.array(z.string().min(1).max(64)).min(1).describe('metric names that every answer has');
const send = z.array(networkForm).max(3).refine((forms) => new Set(forms).size === forms.length, 'expected each form once').default([]).describe('forms of the network that a question carries');

/** `accuracy: {method: command}`: a program of the user's, JSON lines each way. */
export const commandAccuracySchema = z.strictObject({
  method: z.literal('command'),
  command: z.array(z.string().min(1)).min(1),
  metrics: reported,
  send,
  checkpoints: folder.optional().describe('folder in which each candidate has one of its own, the same at every fidelity'),
  skip,
  prior,
  stop,
  weights,
});
export type CommandAccuracy = z.output<typeof commandAccuracySchema>;

/** `accuracy: {method: http}`: a trainer of the user's at an address. */
export const httpAccuracySchema = z.strictObject({
  method: z.literal('http'),
  url: z.url({ protocol: /^https?$/ }).max(2000),
  metrics: reported,
  send: send.default(['pytorch']),
  timeout: z.number().positive().max(604_800).default(3600).describe('s until its silence is an accident'),
  tokenFrom: z.string().regex(/^[A-Z][A-Z0-9_]*$/).optional().describe('environment variable of the workers that holds a bearer token'),
  skip,
  prior,
  weights,
});
export type HttpAccuracy = z.output<typeof httpAccuracySchema>;
