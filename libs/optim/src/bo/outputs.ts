/** Outcomes of a metric made fit for a Gaussian process: the worst clipped, mean 0, deviation 1. */
import { mean, quantile, standardDeviation } from '@app/numeric';

export interface Scaling {
  readonly centre: number;
  readonly scale: number;
  /** Larger values count as this. */
  readonly top: number;
}

/** Values this many half-spreads (median to best) above the median carry no more information than "bad". */
const OBJECTIVE_REACH = 5;
/** The same for constraints, in quartile distances above the median. */
const CONSTRAINT_REACH = 5;

/** One absurd outcome must not squeeze all others together: clipped on the worse side at median + 5·(median - best). */
export function objectiveScaling(values: readonly number[]): Scaling {
  const [best, median] = [quantile(values, 0), quantile(values, 0.5)];
  return scalingOf(values, median > best ? median + OBJECTIVE_REACH * (median - best) : Infinity);
}

/** Clipped far on the infeasible side only, so that 0 stays the border. */
export function constraintScaling(values: readonly number[]): Scaling {
  const [median, spread] = [quantile(values, 0.5), quantile(values, 0.75) - quantile(values, 0.25)];
  const top = median + CONSTRAINT_REACH * spread;
  return scalingOf(values, spread > 0 && top > 0 ? top : Infinity);
}

export function scaled(value: number, { centre, scale, top }: Scaling): number {
  return (Math.min(value, top) - centre) / scale;
}

export function unscaled(value: number, { centre, scale }: Scaling): number {
  return centre + value * scale;
}

function scalingOf(values: readonly number[], top: number): Scaling {
  const clipped = values.map((v) => Math.min(v, top));
  const deviation = standardDeviation(clipped);
  const centre = mean(clipped);
  // Equal values differ by rounding at most; such noise is not worth a unit.
  return { centre, scale: deviation > 1e-12 * Math.max(Math.abs(centre), 1e-300) ? deviation : 1, top };
}
