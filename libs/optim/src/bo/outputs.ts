/**
 * Outcomes of a metric made fit for a Gaussian process: the worst clipped, a long tail of bad ones bent in, mean 0, deviation 1.
 *
 *   bent(v) = b + u log(1 + λ (v - b)/u)/λ above the best b, v below it; u: median - best
 *
 * λ of {0, ½, 1, 2, 4, 8} by the likelihood of a normal distribution (Box and Cox 1964), 0 being no bend. The slope is 1 at the best and
 * falls from there: small differences among good points then weigh as much as large ones among bad points.
 */
import { mean, quantile, standardDeviation } from '@app/numeric';

export interface Scaling {
  readonly centre: number;
  readonly scale: number;
  /** Larger values count as this. */
  readonly top: number;
  readonly bend: Bend;
}

export interface Bend {
  readonly best: number;
  readonly unit: number;
  /** λ; 0: straight */
  readonly strength: number;
}

const STRAIGHT: Bend = { best: 0, unit: 1, strength: 0 };
const STRENGTHS = [0.5, 1, 2, 4, 8];
/** Fewer outcomes tell nothing of a tail. */
const LEAST_BENT = 8;

/** Values this many half-spreads (median to best) above the median carry no more information than "bad". */
const OBJECTIVE_REACH = 5;
/** The same for constraints, in quartile distances above the median. */
const CONSTRAINT_REACH = 5;

/**
 * One absurd outcome must not squeeze all others together: clipped on the worse side at median + 5·(median - best).
 * @param bending  Whether a tail may be bent in. Improvements are then measured in bent units, which slights the far ends of a front:
 *                 worth it in spaces of categories, where a few operations spoil a network and set the scale for all others, and not where
 *                 a smooth function has to be followed to its ends.
 */
export function objectiveScaling(values: readonly number[], bending: boolean): Scaling {
  const [best, median] = [quantile(values, 0), quantile(values, 0.5)];
  const top = median > best ? median + OBJECTIVE_REACH * (median - best) : Infinity;
  return scalingOf(values, top, !bending ? STRAIGHT : bendOf(values.map((v) => Math.min(v, top)), best, median - best));
}

/** Clipped far on the infeasible side only, so that 0 stays the border. */
export function constraintScaling(values: readonly number[]): Scaling {
  const [median, spread] = [quantile(values, 0.5), quantile(values, 0.75) - quantile(values, 0.25)];
  const top = median + CONSTRAINT_REACH * spread;
  return scalingOf(values, spread > 0 && top > 0 ? top : Infinity, STRAIGHT);
}

/** For what no process learns. */
export function plainScaling(values: readonly number[]): Scaling {
  return scalingOf(values, Infinity, STRAIGHT);
}

export function scaled(value: number, { centre, scale, top, bend }: Scaling): number {
  return (bent(Math.min(value, top), bend) - centre) / scale;
}

export function unscaled(value: number, { centre, scale, bend }: Scaling): number {
  const v = centre + value * scale;
  const { best, unit, strength } = bend;
  return strength === 0 || v <= best ? v : best + (unit * Math.expm1((strength * (v - best)) / unit)) / strength;
}

function bent(v: number, { best, unit, strength }: Bend): number {
  return strength === 0 || v <= best ? v : best + (unit * Math.log1p((strength * (v - best)) / unit)) / strength;
}

/** Profile likelihood of a normal distribution of the bent values: -n/2 log variance + Σ log slope. */
function bendOf(values: readonly number[], best: number, unit: number): Bend {
  if (values.length < LEAST_BENT || !(unit > 0)) return STRAIGHT;
  const likelihood = (bend: Bend): number => {
    const slopes = values.reduce((sum, v) => sum - Math.log1p((bend.strength * (v - best)) / unit), 0);
    return slopes - values.length * Math.log(standardDeviation(values.map((v) => bent(v, bend))));
  };
  let [choice, top] = [STRAIGHT, likelihood(STRAIGHT)];
  for (const strength of STRENGTHS) {
    const bend = { best, unit, strength };
    const own = likelihood(bend);
    if (own > top) [choice, top] = [bend, own];
  }
  return choice;
}

function scalingOf(values: readonly number[], top: number, bend: Bend): Scaling {
  const fit = values.map((v) => bent(Math.min(v, top), bend));
  const deviation = standardDeviation(fit);
  const centre = mean(fit);
  // Equal values differ by rounding at most; such noise is not worth a unit.
  return { centre, scale: deviation > 1e-12 * Math.max(Math.abs(centre), 1e-300) ? deviation : 1, top, bend };
}
