import type { Told } from '../contract.js';

/** An outcome to learn from: a trial's, or one of its partial evaluations'. */
export interface Observation extends Told {
  /** of a full evaluation; absent: 1 */
  readonly share?: number | undefined;
}

/** Of a full evaluation. */
export const isFull = (o: Observation): boolean => (o.share ?? 1) === 1;

/** The told trials as observations: those with partial results (see `Told.partial`) as several, lowest first, the others as they are. */
export class Observations {
  readonly #list: Observation[] = [];
  #told = 0;
  #partial = false;

  /** Of a history that only ever grows; itself while nothing in it is partial. Observations keep their places. */
  of(history: readonly Told[]): readonly Observation[] {
    for (; this.#told < history.length; this.#told++) {
      const { partial, ...told } = history[this.#told]!;
      if (partial === undefined || partial.length === 0) {
        this.#list.push(told);
        continue;
      }
      this.#partial = true;
      for (const { fidelity, objectives, violations } of partial) {
        this.#list.push({ ...told, share: fidelity, objectives, violations, state: violations.some((g) => g !== null && g > 0) ? 'infeasible' : 'completed' });
      }
      if ((told.fidelity ?? 1) === 1 || told.state === 'failed') this.#list.push(told);
    }
    return this.#partial ? this.#list : history;
  }
}

/** Mean of what points gained from each share below 1 to the full evaluation; with no point known at both the difference of the medians, or 0. */
export function meanGains(observations: readonly { readonly key: string; readonly share: number; readonly value: number }[]): ReadonlyMap<number, number> {
  const full = new Map(observations.flatMap((o) => (o.share === 1 ? [[o.key, o.value]] : [])));
  const gains = new Map<number, number>();
  for (const share of new Set(observations.map((o) => o.share))) {
    if (share === 1) continue;
    const level = observations.filter((o) => o.share === share);
    const paired = level.flatMap((o) => (full.has(o.key) ? [full.get(o.key)! - o.value] : []));
    const gain = paired.length > 0 ? paired.reduce((a, b) => a + b, 0) / paired.length : full.size > 0 ? middle([...full.values()]) - middle(level.map((o) => o.value)) : 0;
    gains.set(share, gain);
  }
  return gains;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
