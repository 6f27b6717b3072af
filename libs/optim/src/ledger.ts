import type { Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { Candidate, Json, SearchProblem, Told } from './contract.js';

/** Draws tried before the unseen points are listed, and the largest space that is listed in full. */
const TRIES = 64;
const LISTED_UP_TO = 1_000_000;

/**
 * What has been asked and told: the part every optimizer shares. Knows which points are taken, hands out the start points first, and
 * finds an unseen point for as long as there is one.
 */
export class Ledger {
  readonly space: SearchSpace;
  /** told, in order; a point told a second time counts once, as first told */
  readonly history: Told[] = [];
  readonly #problem: SearchProblem;
  readonly #seen = new Map<string, number>();
  readonly #pending = new Map<string, Candidate>();
  #startIndex = 0;
  /** a cache only: the unseen in the order of enumeration, made when first needed */
  #unseen: { genes: Genes; key: string }[] | null = null;

  /** @param pending  from `pendingState` of a snapshot */
  constructor(problem: SearchProblem, pending: Json = [], history: readonly Told[] = []) {
    this.#problem = problem;
    this.space = problem.space;
    for (const told of history) this.settle(told);
    for (const c of pending as unknown as readonly Candidate[]) this.#register(c);
  }

  /** Asked or told. */
  has(key: string): boolean {
    return this.#seen.has(key) || this.#pending.has(key);
  }

  /** The told point of a key. */
  told(key: string): Told | undefined {
    const index = this.#seen.get(key);
    return index === undefined ? undefined : this.history[index];
  }

  /** Place in `history`, or -1. */
  indexOf(key: string): number {
    return this.#seen.get(key) ?? -1;
  }

  get pending(): ReadonlyMap<string, Candidate> {
    return this.#pending;
  }

  /** Makes canonical genes a pending candidate. @throws RangeError if the point is taken */
  propose(genes: Genes, proposedBy: string, note?: Json): Candidate {
    const key = this.space.key(genes);
    if (this.has(key)) throw new RangeError(`point ${key} was asked or told before`);
    const candidate: Candidate = note === undefined ? { genes, key, proposedBy } : { genes, key, proposedBy, note };
    this.#register(candidate);
    return candidate;
  }

  /** @returns false if the point had been told before and nothing changed */
  settle(told: Told): boolean {
    this.#pending.delete(told.key);
    if (this.#seen.has(told.key)) return false;
    this.#seen.set(told.key, this.history.length);
    this.history.push(told);
    return true;
  }

  /** The next start point that is not taken, or null. */
  nextStart(): Genes | null {
    const start = this.#problem.start ?? [];
    for (; this.#startIndex < start.length; this.#startIndex++) {
      const genes = this.space.canonical(start[this.#startIndex]!);
      if (!this.has(this.space.key(genes))) return genes;
    }
    return null;
  }

  /** All points are taken. */
  get exhausted(): boolean {
    return this.#seen.size + this.#pending.size >= this.space.cardinality;
  }

  /**
   * First draw of `next` that is not taken; a random point of the unseen ones if 64 draws were all taken, or at once when three quarters
   * of a small space are; null: the space is exhausted.
   */
  drawUnseen(rng: Rng, next: () => Genes): Genes | null {
    if (this.exhausted) return null;
    const { cardinality } = this.space;
    const taken = this.#seen.size + this.#pending.size;
    if (cardinality > LISTED_UP_TO || 4 * taken < 3 * cardinality) {
      for (let t = 0; t < TRIES; t++) {
        const genes = next();
        if (!this.has(this.space.key(genes))) return genes;
      }
    }
    if (cardinality > LISTED_UP_TO) return this.#firstUnseen();
    this.#unseen = (this.#unseen ?? Array.from(this.space.enumerate(), (genes) => ({ genes, key: this.space.key(genes) }))).filter((p) => !this.has(p.key));
    return this.#unseen.length === 0 ? null : rng.pick(this.#unseen).genes;
  }

  /** Uniform over the values of each parameter, unseen. */
  drawRandom(rng: Rng): Genes | null {
    return this.drawUnseen(rng, () => this.space.fromUnit(Float64Array.from({ length: this.space.dimension }, () => rng.next())));
  }

  /** Asked-but-untold candidates as data. */
  pendingState(): Json {
    return [...this.#pending.values()].map((c): Json => ({ genes: [...c.genes], key: c.key, proposedBy: c.proposedBy, ...(c.note === undefined ? {} : { note: c.note }) }));
  }

  #register(candidate: Candidate): void {
    this.#pending.set(candidate.key, candidate);
  }

  #firstUnseen(): Genes | null {
    for (const genes of this.space.enumerate()) if (!this.has(this.space.key(genes))) return genes;
    return null;
  }
}

/** The fields of a snapshot of the given version. @throws RangeError on anything else */
export function readSnapshot(snapshot: Json, optimizer: string, version: number): Readonly<Record<string, Json>> {
  if (snapshot === null || typeof snapshot !== 'object' || Array.isArray(snapshot)) throw new RangeError(`expected a snapshot of ${optimizer}, got ${JSON.stringify(snapshot)}`);
  const fields = snapshot as Readonly<Record<string, Json>>;
  if (fields['optimizer'] !== optimizer || fields['version'] !== version) {
    throw new RangeError(`expected a snapshot of ${optimizer} version ${version}, got ${String(fields['optimizer'])} version ${String(fields['version'])}`);
  }
  return fields;
}

/** @throws RangeError naming the first setting that is not among the known */
export function refuseUnknownSettings(settings: Readonly<Record<string, unknown>> | undefined, known: readonly string[]): void {
  for (const name of Object.keys(settings ?? {})) {
    if (!known.includes(name)) throw new RangeError(`settings.${name}: unknown setting; ${known.length === 0 ? 'there are none' : `known: ${known.join(', ')}`}`);
  }
}
