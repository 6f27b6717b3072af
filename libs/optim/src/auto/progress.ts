import { hypervolumeGain, idealPoint, nadirPoint, ParetoArchive } from '@app/pareto';
import type { Told } from '../contract.js';

/** The latest trials of a method that it is judged by. */
const WINDOW = 40;
const LEAST_SHARE = 0.25;
/** Above, a gain costs too much to reckon; coming on the front counts instead. */
const MOST_OBJECTIVES = 4;
/** Gains below are no progress: shares then stay even, so that what might still find something has its turns. */
const LEAST_GAIN = 1e-5;

/** What the latest candidates of each method added to the hypervolume of the front. Follows from the told trials alone. */
export class Progress {
  readonly #front = new ParetoArchive<number>();
  readonly #recent = new Map<string, number[]>();
  #told = 0;

  /** The method is what `proposedBy` begins with, up to the colon. */
  tell(told: Told): void {
    const method = told.proposedBy.split(':')[0]!;
    const gain = told.state === 'completed' && told.objectives.every((v) => v !== null) ? this.#gain(told.objectives as readonly number[]) : 0;
    this.#recent.set(method, [...(this.#recent.get(method) ?? []), gain].slice(-WINDOW));
  }

  /** Shares of the asks in proportion to the mean gains, each a quarter at least; they add up to 1. */
  shares(methods: readonly string[]): number[] {
    const means = methods.map((name) => {
      const recent = this.#recent.get(name) ?? [];
      return LEAST_GAIN + (recent.length === 0 ? 0 : recent.reduce((a, b) => a + b, 0) / recent.length);
    });
    const total = means.reduce((a, b) => a + b, 0);
    const free = 1 - LEAST_SHARE * methods.length;
    return means.map((mean) => LEAST_SHARE + (free * mean) / total);
  }

  /** Part of the box between ideal and nadir, a tenth wider on the far side, of the front with the point; 1 for the first point. */
  #gain(point: readonly number[]): number {
    const before = this.#front.points();
    if (!this.#front.insert(this.#told++, point).added) return 0;
    if (before.length === 0 || point.length > MOST_OBJECTIVES) return 1;
    const all = [...before, point];
    const [ideal, nadir] = [idealPoint(all), point.length === 1 ? before[0]! : nadirPoint(all)];
    const reference = Array.from(nadir, (v, j) => v + 0.1 * (v - ideal[j]! || Math.abs(v) || 1));
    const box = reference.reduce((product, v, j) => product * (v - ideal[j]!), 1);
    return hypervolumeGain(point, before, reference) / box;
  }
}
