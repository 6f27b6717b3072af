import { decode, DecodeError } from '@app/decode';
import { totals } from '@app/graph';
import type { Point } from '@app/space';
import { EvaluatorError, type AccuracyEvaluator, type AccuracyRequest } from '@app/study';
import { ablationEffects, fitResolution, fitScaling, leaveOneOut, logit, percentOf, scalingLogit } from './fit.js';
import { NO_NOISE, RESOLUTION_ROWS, RESOLUTION_SIDES } from './published.js';

const BASE_DEPTHS = [1, 2, 3, 2, 3] as const;
const BASE_KERNELS = [3, 3, 5, 5, 5] as const;
/** 90 % of a normal distribution lie within this many standard deviations. */
const Z90 = 1.645;
/** ImageNet top-1 moves by some 0.2 points from one training to the next: in logits at 60 %. */
const SEED_DEVIATION = 0.2 / 24;

export const FLYNET_SURROGATE = 'flynet-surrogate-1';

interface Quantity {
  readonly name: string;
  readonly range: string;
  /** logits; our judgement where nothing is published */
  readonly deviation: number;
}

/**
 * Top-1 on ImageNet (1,000 classes) of a FlyNet, estimated from the thesis' printed tables; see `fit.ts` for the model. Each value has a
 * 90 % interval. Where the point leaves what the tables cover, the interval is wider and a warning names the quantity and the range
 * covered. Settings without a printed effect (attention statistics, high residual, noise of the stages) move nothing but the interval;
 * more or fewer blocks and other kernels count as the width that has the same MACs.
 */
export function flynetSurrogate(): AccuracyEvaluator {
  const scaling = fitScaling();
  const effects = ablationEffects();
  const resolution = fitResolution();
  const errors = leaveOneOut();
  const rms = (values: readonly number[]): number => Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
  const own = Math.hypot(rms(errors.map((e) => e.logit)), SEED_DEVIATION);
  const trend = rms(Object.keys(RESOLUTION_ROWS).flatMap((w) => RESOLUTION_SIDES.slice(1).map((side, i) => {
    const u = Math.log(side / 224);
    return (logit(RESOLUTION_ROWS[w]![i + 1]!) - logit(RESOLUTION_ROWS[w]![0]!) - resolution[0] * u - resolution[1] * u * u) / u;
  })));
  const source = `${FLYNET_SURROGATE}: fitted on thesis Tables 8.1 to 8.6, leave-one-out error ${rms(errors.map((e) => e.points)).toFixed(1)} points (root mean square of ten rows)`;

  return {
    id: FLYNET_SURROGATE,
    secondsPerTrial: 0.01,
    metrics: ['accuracy', 'error'],
    evaluate: async (request) => {
      request.signal.throwIfAborted();
      if (request.space.family !== 'flynet') throw new EvaluatorError('unsupported', `family is "${request.space.family}"; the surrogate knows "flynet"`);
      const point = readPoint(request.point);
      const capacity = capacityOf(request, point);
      const u = Math.log(point.resolution / 224);
      const severalHeads = point.heads.filter((h) => h > 1).length / point.heads.length;
      const effect = (name: string, value: number | string): number => effects.get(`${name}=${value}`) ?? 0;
      const value =
        scalingLogit(scaling, { width: point.width * capacity, meanLogHeads: mean(point.heads.map(Math.log)) }) +
        severalHeads * (effect('reduction', point.reduction) + effect('excitation', point.excitation)) +
        effect('lowResidual', point.lowResidual) + effect('noiseHead', point.noiseHead) +
        resolution[0] * u + resolution[1] * u * u;
      const outside = quantitiesOutside(request, point, scaling.width * Math.log(capacity), u, trend);
      const half = Z90 * Math.hypot(own, ...outside.map((q) => q.deviation));
      const warnings = outside.map((q) => `${q.name}: the tables cover ${q.range}; interval widened`);
      const common = { unit: '%', provenance: 'estimated' as const, source, ...(warnings.length > 0 ? { warnings } : {}) };
      const [low, middle, high] = [value - half, value, value + half].map(percentOf) as [number, number, number];
      return {
        accuracy: { value: middle, interval: [low, high], ...common },
        error: { value: 100 - middle, interval: [100 - high, 100 - low], ...common },
      };
    },
    close: async () => undefined,
  };
}

interface FlynetPoint {
  readonly width: number;
  readonly resolution: number;
  readonly heads: readonly number[];
  readonly depths: readonly number[];
  readonly kernels: readonly number[];
  readonly noises: readonly number[];
  readonly noiseHead: number;
  readonly reduction: string;
  readonly excitation: string;
  readonly lowResidual: string;
  readonly highResidual: string;
  readonly attentionStatistics: string;
}

function readPoint(point: Point): FlynetPoint {
  const positive = (name: string): number => {
    const value = point[name];
    if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) throw new EvaluatorError('unsupported', `parameter "${name}": expected a number above 0, got ${JSON.stringify(value)}`);
    return value;
  };
  const text = (name: string): string => {
    const value = point[name];
    if (typeof value !== 'string') throw new EvaluatorError('unsupported', `parameter "${name}": expected a word, got ${JSON.stringify(value)}`);
    return value;
  };
  const stages = (name: string): number[] => BASE_DEPTHS.map((_, i) => positive(`${name}${i + 1}`));
  return {
    width: positive('width'), resolution: positive('resolution'), heads: stages('heads'), depths: stages('depth'), kernels: stages('kernel'), noises: stages('noise'), noiseHead: positive('noiseHead'),
    reduction: text('reduction'), excitation: text('excitation'), lowResidual: text('lowResidual'), highResidual: text('highResidual'), attentionStatistics: text('attentionStatistics'),
  };
}

const differs = (a: readonly number[], b: readonly number[]): boolean => a.some((v, i) => v !== b[i]);

/**
 * Width factor with the MACs of this depth and these kernels: MACs grow by the power MACS_PER_WIDTH of the width, so it is the ratio of
 * MACs to those of the base's depths and kernels, to the power 1 / MACS_PER_WIDTH.
 */
function capacityOf({ space, point, task }: AccuracyRequest, { depths, kernels }: FlynetPoint): number {
  if (!differs(depths, BASE_DEPTHS) && !differs(kernels, BASE_KERNELS)) return 1;
  const base = Object.fromEntries(BASE_DEPTHS.flatMap((d, i) => [[`depth${i + 1}`, d], [`kernel${i + 1}`, BASE_KERNELS[i]!]]));
  try {
    const macs = (p: Point): number => totals(decode(space, p, task)).macs;
    return (macs(point) / macs({ ...point, ...base })) ** (1 / MACS_PER_WIDTH);
  } catch (error) {
    if (error instanceof DecodeError) throw new EvaluatorError('unsupported', error.message, { cause: error });
    throw error;
  }
}

/** ln(71.72 / 20.68) / ln(1.0 / 0.4), conv MACs of FlyNet-h3 1.0× and 0.4× with mdw-concat residuals. */
const MACS_PER_WIDTH = 1.357;

function quantitiesOutside({ task, space }: AccuracyRequest, p: FlynetPoint, capacityEffect: number, u: number, trend: number): Quantity[] {
  const found: Quantity[] = [];
  const outside = (name: string, range: string, deviation: number): void => void found.push({ name, range, deviation });
  if (p.resolution !== 224) {
    outside(`resolution ${p.resolution}`, '224 (trend of MobileNetV2 from 224 down to 96 extrapolated to FlyNet)', (trend + 0.05) * Math.abs(u) + (p.resolution < 96 ? 0.5 * Math.log(96 / p.resolution) : 0) + (u > 0 ? 0.3 * u : 0));
  }
  if (p.width < 0.4 || p.width > 1) outside(`width ${p.width}`, '0.4 to 1', 0.3 * Math.abs(Math.log(p.width < 0.4 ? p.width / 0.4 : p.width)));
  if (differs(p.heads, p.heads.map(() => p.heads[0]!))) outside(`heads ${p.heads.join(' ')}`, 'the same number in every stage', 0.03);
  else if (p.heads[0] !== 3 && p.width !== 0.5) outside(`${p.heads[0]} heads at width ${p.width}`, '1 to 5 heads at width 0.5, 3 at others', 0.02);
  if (p.heads.some((h) => h > 5)) outside(`heads ${Math.max(...p.heads)}`, '1 to 5', 0.1);
  if (differs(p.depths, BASE_DEPTHS) || differs(p.kernels, BASE_KERNELS)) {
    outside(`depths ${p.depths.join(' ')}, kernels ${p.kernels.join(' ')}`, `depths ${BASE_DEPTHS.join(' ')}, kernels ${BASE_KERNELS.join(' ')}`, 0.05 + 0.5 * Math.abs(capacityEffect));
  }
  if (p.attentionStatistics !== 'mean-variance') outside(`attentionStatistics ${p.attentionStatistics}`, 'mean-variance', 0.05);
  if (p.highResidual !== 'crop-pad') outside(`highResidual ${p.highResidual}`, 'crop-pad', 0.05);
  if (p.lowResidual !== 'mdw-concat' && p.width !== 0.4) outside(`lowResidual ${p.lowResidual} at width ${p.width}`, 'width 0.4', 0.02);
  if ((p.reduction !== 'maxout' || p.excitation !== 'softmax') && (p.width !== 0.5 || p.heads.some((h) => h !== 3))) outside(`reduction ${p.reduction} with ${p.excitation}`, 'width 0.5 with 3 heads', 0.02);
  if (p.noises.some((q) => q !== NO_NOISE)) outside('noise of the stages', 'noise of the hidden layer', 0.1);
  if (p.noiseHead !== NO_NOISE && (p.width !== 1 || ![4, 6, 8, 16].includes(p.noiseHead))) outside(`noiseHead ${p.noiseHead} at width ${p.width}`, '16, 8, 6 or 4 levels at width 1', 0.05);
  if (task.numClasses !== 1000) outside(`numClasses ${task.numClasses}`, '1000 classes of ImageNet; the value is what the network would reach there', 0.7);
  if (task.inputChannels !== 3) outside(`inputChannels ${task.inputChannels}`, '3', 0.3);
  const { temperature } = space.settings;
  if (temperature !== undefined && temperature !== 1 && p.excitation === 'softmax') outside(`temperature ${JSON.stringify(temperature)}`, '1 after annealing', 0.03);
  return found;
}

const mean = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length;
