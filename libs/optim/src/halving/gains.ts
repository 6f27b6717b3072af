import type { Told } from '../contract.js';

type Values = readonly (number | null)[];

/** What objectives and violations gain on average from each fidelity to the full evaluation, over the points known at both. */
export class Gains {
  /** [level][objectives + constraints] */
  readonly #sums: Float64Array[];
  readonly #counts: Int32Array[];

  constructor(levels: number, private readonly objectives: number, constraints: number) {
    this.#sums = Array.from({ length: levels }, () => new Float64Array(objectives + constraints));
    this.#counts = Array.from({ length: levels }, () => new Int32Array(objectives + constraints));
  }

  learn(level: number, low: Told, full: Told): void {
    const [a, b] = [values(low), values(full)];
    a.forEach((v, j) => {
      if (v === null || b[j] === null) return;
      this.#sums[level]![j]! += b[j]! - v;
      this.#counts[level]![j]!++;
    });
  }

  /** The full evaluation of a point known at a level, as far as can be told; with nothing learned yet its own values. A failure stays one. */
  estimate(level: number, told: Told): Told {
    if (told.state === 'failed') return told;
    const moved = values(told).map((v, j) => (v === null || this.#counts[level]![j] === 0 ? v : v + this.#sums[level]![j]! / this.#counts[level]![j]!));
    const violations = moved.slice(this.objectives);
    return { ...told, objectives: moved.slice(0, this.objectives), violations, state: violations.some((g) => g !== null && g > 0) ? 'infeasible' : 'completed' };
  }
}

const values = (told: Told): Values => [...told.objectives, ...told.violations];
