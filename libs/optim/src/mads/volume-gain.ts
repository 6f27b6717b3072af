/** What points would add to the hypervolume of a front, for many points against one front. */
import { hypervolumeGain, nonDominatedBoxes, type Boxes } from '@app/pareto';
import type { Rng } from '@app/numeric';
import type { Context } from './context.js';

/** Up to so many objectives the free region is cut into boxes once; above, each gain is computed by itself against a thinner front. */
const MOST_OBJECTIVES_BOXES = 3;
const MOST_FRONT = 200;
const MOST_FRONT_SLICED = 40;
/** Beyond this many objectives hypervolume is left alone. */
export const MOST_OBJECTIVES_VOLUME = 4;

export class VolumeGain {
  readonly front: readonly (readonly number[])[];
  readonly ideal: readonly number[];
  readonly reference: readonly number[];
  readonly #boxes: Boxes | null;

  constructor(context: Context, rng: Rng) {
    const m = context.problem.objectives;
    this.front = thinned(context.front().map((e) => e.f), m > MOST_OBJECTIVES_BOXES ? MOST_FRONT_SLICED : MOST_FRONT);
    ({ ideal: this.ideal, reference: this.reference } = acquisitionReference(context, this.front, rng));
    this.#boxes = m <= MOST_OBJECTIVES_BOXES && this.front.length > 0 ? nonDominatedBoxes(this.front, this.reference) : null;
  }

  /** ≥ 0. */
  of(y: readonly number[]): number {
    if (this.#boxes === null) return hypervolumeGain(y, this.front, this.reference);
    const { count, lower, upper } = this.#boxes;
    const m = y.length;
    let sum = 0;
    for (let b = 0; b < count; b++) {
      let volume = 1;
      for (let j = 0; j < m && volume > 0; j++) {
        const side = upper[b * m + j]! - Math.max(lower[b * m + j]!, y[j]!);
        volume = side > 0 ? volume * side : 0;
      }
      sum += volume;
    }
    return sum;
  }
}

/** At most so many of a front: the best in each objective and an even pick in lexicographic order. */
function thinned(front: readonly (readonly number[])[], most: number): readonly (readonly number[])[] {
  if (front.length <= most) return front;
  const sorted = [...front].sort((a, b) => a.reduce((order, v, j) => order || v - b[j]!, 0));
  const kept = new Set(sorted[0]!.map((_, j) => sorted.reduce((best, f) => (f[j]! < best[j]! ? f : best))));
  for (let k = 0; k < most; k++) kept.add(sorted[Math.floor((k * sorted.length) / most)]!);
  return [...kept];
}

/**
 * The user's reference point if a point of the front lies below it. Otherwise alternately just beyond the worst seen, which finds the
 * ends of the front, and just beyond the front, which fills it; always the former with fewer than m + 1 members.
 */
function acquisitionReference(context: Context, front: readonly (readonly number[])[], rng: Rng): { ideal: number[]; reference: number[] } {
  const m = context.problem.objectives;
  const column = (list: readonly (readonly number[])[], j: number): number[] => list.map((f) => f[j]!);
  const ideal = Array.from({ length: m }, (_, j) => Math.min(...column(front, j)));
  const given = context.problem.referencePoint;
  if (given && front.some((f) => f.every((v, j) => v < given[j]!))) return { ideal, reference: [...given] };
  const kind = front.length < m + 1 ? 0 : rng.int(4);
  if (kind >= 2) {
    const member = rng.pick(front);
    return { ideal, reference: ideal.map((low, j) => member[j]! + 0.05 * (Math.max(...column(front, j)) - low) + 1e-9 * Math.abs(member[j]!)) };
  }
  const wide = kind === 0;
  const told = wide ? context.ledger.history.filter((t) => t.objectives.every((v) => v !== null)).map((t) => t.objectives as readonly number[]) : front;
  const reference = ideal.map((low, j) => {
    const high = Math.max(low, ...column(told, j));
    return high + (0.1 * (high - low) || 1e-9 * Math.max(1, Math.abs(high)));
  });
  return { ideal, reference };
}
