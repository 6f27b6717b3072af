import { ParetoArchive } from '@app/pareto';
import type { Told } from '../contract.js';

/** The latest trials of a method that its success is judged by. */
const WINDOW = 40;
const LEAST_SHARE = 0.1;

/** How often the latest candidates of each method came on the front. Follows from the told trials alone. */
export class Progress {
  readonly #front = new ParetoArchive<number>();
  readonly #recent = new Map<string, boolean[]>();
  #told = 0;

  /** The method is what `proposedBy` begins with, up to the colon. */
  tell(told: Told): void {
    const complete = told.state === 'completed' && told.objectives.every((v) => v !== null);
    const better = complete && this.#front.insert(this.#told++, told.objectives as readonly number[]).added;
    const method = told.proposedBy.split(':')[0]!;
    const recent = this.#recent.get(method) ?? [];
    this.#recent.set(method, [...recent, better].slice(-WINDOW));
  }

  /** Shares of the asks in proportion to the rates of success, (s + 1)/(n + 2), each a tenth at least; they add up to 1. */
  shares(methods: readonly string[]): number[] {
    const rates = methods.map((name) => {
      const recent = this.#recent.get(name) ?? [];
      return (recent.filter(Boolean).length + 1) / (recent.length + 2);
    });
    const total = rates.reduce((a, b) => a + b, 0);
    const free = 1 - LEAST_SHARE * methods.length;
    return rates.map((r) => LEAST_SHARE + (free * r) / total);
  }
}
