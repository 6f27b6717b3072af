import { mean, standardDeviation } from '@app/numeric';
import { Z_90 } from '../training/train-evaluator.js';

/** Accuracies of one network, %: with inherited weights, and trained alone. */
export interface Compared {
  readonly inherited: number;
  /** null: it diverged */
  readonly alone: number | null;
}

/**
 * By how many points the accuracy of a network trained alone lies above the inherited one: 90 % prediction interval for one more
 * network, by the differences of those that were compared (normal, of unknown mean and variance).
 *
 * @returns null for fewer than 3
 */
export function inheritanceError(compared: readonly Compared[]): readonly [number, number] | null {
  const differences = compared.flatMap(({ inherited, alone }) => (alone === null ? [] : [alone - inherited]));
  const n = differences.length;
  if (n < 3) return null;
  const centre = mean(differences);
  // t · s · √(1 + 1/n), s with divisor n − 1
  const half = studentQuantile95(n - 1) * standardDeviation(differences) * Math.sqrt((n + 1) / (n - 1));
  return [centre - half, centre + half];
}

/** 95 % quantile of Student's t (Abramowitz & Stegun 26.7.5); 1.2 % low at 2 degrees of freedom, below 0.1 % from 5 on. */
function studentQuantile95(degrees: number): number {
  const z = Z_90;
  const terms = [z, (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96, (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384];
  return terms.reduce((sum, term, k) => sum + term / degrees ** k, 0);
}
