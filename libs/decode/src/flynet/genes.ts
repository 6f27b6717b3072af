/** The genes of a FlyNet point, read and checked. */
import type { OpAttrs } from '@app/graph';
import type { PointReader, SettingsReader } from '../readers.js';
import { STAGES } from './layout.js';
import { HIGH_RESIDUALS, LOW_RESIDUALS, type HighResidual, type LowResidual } from './residuals.js';

/** levels of quantisation noise that stand for none */
export const NO_NOISE = 2 ** 32;
export const REDUCTIONS = ['maxout', 'sum-relu', 'funnel'] as const;
export const STATISTICS = ['mean', 'mean-variance'] as const;
export const EXCITATIONS = ['sigmoid', 'softmax'] as const;
export const KERNELS = [3, 5, 7] as const;

const STAGE_PARAMETERS = STAGES.map((_, s) => ({ depth: `depth${s + 1}`, heads: `heads${s + 1}`, kernel: `kernel${s + 1}`, noise: `noise${s + 1}` }));

export const PARAMETERS: readonly string[] = [
  'width', 'resolution', 'reduction', 'attentionStatistics', 'excitation', 'lowResidual', 'highResidual', 'noiseHead',
  ...(['depth', 'heads', 'kernel', 'noise'] as const).flatMap((name) => STAGE_PARAMETERS.map((names) => names[name])),
];

/** What all blocks of a network share. */
export interface Style {
  readonly width: number;
  readonly reduction: OpAttrs['headReduce']['reduction'];
  readonly statistics: OpAttrs['channelAttention']['statistics'];
  readonly excitation: OpAttrs['channelAttention']['excitation'];
  readonly temperature: number;
  readonly low: LowResidual;
  readonly high: HighResidual;
  /** tells the choices apart, of all but width and temperature */
  readonly number: number;
}

export interface StageShape {
  readonly depth: number;
  readonly heads: number;
  readonly kernel: (typeof KERNELS)[number];
  readonly noise: number;
}

export interface Genes {
  readonly style: Style;
  readonly resolution: number;
  readonly stages: readonly StageShape[];
  readonly noiseHead: number;
}

/** @throws DecodeError naming the parameter */
export function readGenes(point: PointReader, settings: SettingsReader): Genes {
  const width = point.number('width', 0.05, 4);
  const reduction = point.choice('reduction', REDUCTIONS);
  const statistics = point.choice('attentionStatistics', STATISTICS);
  const excitation = point.choice('excitation', EXCITATIONS);
  const temperature = settings.number('temperature', 1e-3, 1e3, 1);
  const low = point.choice('lowResidual', LOW_RESIDUALS);
  const high = point.choice('highResidual', HIGH_RESIDUALS);
  let number = REDUCTIONS.indexOf(reduction);
  number = number * STATISTICS.length + STATISTICS.indexOf(statistics);
  number = number * EXCITATIONS.length + EXCITATIONS.indexOf(excitation);
  number = number * LOW_RESIDUALS.length + LOW_RESIDUALS.indexOf(low);
  number = number * HIGH_RESIDUALS.length + HIGH_RESIDUALS.indexOf(high);
  return {
    style: { width, reduction, statistics, excitation, temperature, low, high, number },
    resolution: point.integer('resolution', 8, 2048),
    stages: STAGE_PARAMETERS.map(({ depth, heads, kernel, noise }): StageShape => ({
      depth: point.integer(depth, 1, 16), heads: point.integer(heads, 1, 16), kernel: point.choice(kernel, KERNELS), noise: point.integer(noise, 2, NO_NOISE),
    })),
    noiseHead: point.integer('noiseHead', 2, NO_NOISE),
  };
}
