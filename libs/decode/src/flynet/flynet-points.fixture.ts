import fc from 'fast-check';
import type { Point } from '@app/space';
import { EXCITATIONS, KERNELS, NO_NOISE, REDUCTIONS, STATISTICS } from './genes.js';
import { STAGES } from './layout.js';
import { HIGH_RESIDUALS, LOW_RESIDUALS } from './residuals.js';

const perStage = <T>(name: string, values: fc.Arbitrary<T>): Record<string, fc.Arbitrary<T>> => Object.fromEntries(STAGES.map((_, s) => [`${name}${s + 1}`, values]));

/** Points all over the family, and beyond what the catalog's space holds. */
export const flynetPoints: fc.Arbitrary<Point> = fc.record({
  width: fc.constantFrom(0.05, 0.3, 0.35, 0.5, 0.75, 1, 1.4),
  resolution: fc.constantFrom(32, 33, 48, 50, 64, 96),
  reduction: fc.constantFrom(...REDUCTIONS),
  attentionStatistics: fc.constantFrom(...STATISTICS),
  excitation: fc.constantFrom(...EXCITATIONS),
  lowResidual: fc.constantFrom(...LOW_RESIDUALS),
  highResidual: fc.constantFrom(...HIGH_RESIDUALS),
  noiseHead: fc.constantFrom(4, NO_NOISE),
  ...perStage('depth', fc.integer({ min: 1, max: 4 })),
  ...perStage('heads', fc.integer({ min: 1, max: 5 })),
  ...perStage('kernel', fc.constantFrom(...KERNELS)),
  ...perStage('noise', fc.constantFrom(8, NO_NOISE)),
}) as fc.Arbitrary<Point>;
