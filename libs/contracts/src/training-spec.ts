import { z } from 'zod';

const folder = z.string().min(1).max(1000).describe('folder of the files; a relative one is looked for from the directory the service runs in');

const common = {
  validation: z.number().min(0.01).max(0.5).default(0.1).describe('share of the training images of each class that is held out; trials are judged on it'),
  share: z.number().gt(0).max(1).default(1).describe('share of the remaining images of each class that is trained on'),
  splitSeed: z.int().min(0).default(0).describe('draws the split: all trials see the same images'),
};

/** Labelled images to train on. */
export const datasetSchema = z.discriminatedUnion('format', [
  z.strictObject({ ...common, format: z.literal('idx'), directory: folder.describe('folder of train-images-idx3-ubyte, train-labels-idx1-ubyte and, if there is a test part, t10k-…; .gz is fine (MNIST, Fashion-MNIST)') }),
  z.strictObject({ ...common, format: z.literal('cifar10'), directory: folder.describe('folder of data_batch_1.bin … 5 and test_batch.bin') }),
  z.strictObject({ ...common, format: z.literal('cifar100'), directory: folder.describe('folder of train.bin and test.bin; the fine labels count') }),
  z.strictObject({ ...common, format: z.literal('class-json'), directory: folder.describe('folder of 0.json, 1.json, …: {"data": [[…]]}, one file a class'), height: z.int().min(1).max(1024).default(28), width: z.int().min(1).max(1024).default(28) }),
  z.strictObject({ ...common, format: z.literal('synthetic'), classes: z.int().min(2).max(100).default(4), images: z.int().min(16).max(100_000).default(1000), size: z.int().min(4).max(256).default(16), channels: z.int().min(1).max(4).default(1) }),
]);
export type DatasetSpec = z.output<typeof datasetSchema>;

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
  noiseAbove: z.number().min(0).default(1_600_000).describe('quantisation noise acts in networks of more parameters than this (thesis, § 8.5)'),
  flip: z.boolean().default(false).describe('mirror left to right, half the time'),
  shift: z.int().min(0).max(64).default(0).describe('shift by up to so many pixels each way, black coming in'),
  crop: z.number().gt(0).max(1).default(1).describe('smallest share of the area that a random crop keeps; 1: no crop'),
  cutout: z.int().min(0).max(128).default(0).describe('side of a square that is blanked out, pixels'),
  mixup: z.number().min(0).max(1).default(0).describe('α of the Beta distribution that pairs of images are mixed by; 0: not mixed'),
});
export type TrainingRecipe = z.output<typeof trainingRecipeSchema>;

/** `accuracy: {method: train}`: every candidate is trained from scratch and judged on held-out images. */
export const trainAccuracySchema = z.strictObject({
  method: z.literal('train'),
  dataset: datasetSchema,
  epochs: z.int().min(1).max(10_000).default(10),
  batch: z.int().min(2).max(4096).default(64),
  recipe: trainingRecipeSchema.prefault({}),
});
export type TrainAccuracy = z.output<typeof trainAccuracySchema>;


/** `accuracy: {method: proxy}`: a score of the untrained network, metric `proxy`, stands in for its accuracy. */
export const proxyAccuracySchema = z.strictObject({
  method: z.literal('proxy'),
  proxy: z.enum(['naswot', 'synflow', 'snip', 'grasp', 'grad-norm']).default('naswot'),
  dataset: datasetSchema,
  batch: z.int().min(2).max(1024).default(32),
});
export type ProxyAccuracy = z.output<typeof proxyAccuracySchema>;
export type ProxyName = ProxyAccuracy['proxy'];
