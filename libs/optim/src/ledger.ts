import type { Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { Candidate, Json, SearchProblem, Told } from './contract.js';
import { findMeeting, knownExcess } from './screen.js';

/** Draws tried before the unseen points are listed, and the largest space that is listed in full; the second where every point is computed. */
const TRIES = 64;
const LISTED_UP_TO = 1_000_000;
const COMPUTED_UP_TO = 20_000;
/** Where draws break computable limits, so many more are tried, each set of 64 followed by a search from the nearest of them. */
const SEARCHES = 4;
/** The latest told points that meet the limits, as marks to search towards. */
const MARKS = 50;

/** The next candidate's genes, or null if there is none, and the step that made it. */
export type Draw = () => readonly [genes: Genes | null, proposedBy: string];

/**
 * What has been asked and told: the part every optimizer shares. Knows which points are taken, hands out the start points first, and
 * finds an unseen point that breaks no computable limit for as long as there is one, or, in spaces too large to compute throughout, for
 * as long as one is found.
 */
export class Ledger {
  readonly space: SearchSpace;
  /** told, in order; a point told a second time counts once, as first told */
  readonly history: Told[] = [];
  readonly #problem: SearchProblem;
  readonly #seen = new Map<string, number>();
  readonly #pending = new Map<string, Candidate>();
  #startIndex = 0;
  #screened = 0;
  /** a cache only: the unseen in the order of enumeration, made when first needed */
  #unseen: { genes: Genes; key: string }[] | null = null;

  /** @param state  from `pendingState` of a snapshot; null or empty: a fresh one */
  constructor(problem: SearchProblem, state: Json = null, history: readonly Told[] = []) {
    this.#problem = problem;
    this.space = problem.space;
    for (const told of history) this.settle(told);
    const { open = [], screened = 0 } = (state ?? {}) as unknown as { readonly open?: readonly Candidate[]; readonly screened?: number };
    for (const c of open) this.#register(c);
    this.#screened = screened;
  }

  /** Asked or told. */
  has(key: string): boolean {
    return this.#seen.has(key) || this.#pending.has(key);
  }

  /** Neither taken nor known to break a limit. */
  isOpen(genes: Genes): boolean {
    return !this.has(this.space.key(genes)) && this.excess(genes) === 0;
  }

  /** As `isOpen`, for a candidate that was about to be asked: one that breaks a limit is counted as screened. */
  admit(genes: Genes): boolean {
    if (this.has(this.space.key(genes))) return false;
    const meets = this.excess(genes) === 0;
    if (!meets) this.#screened++;
    return meets;
  }

  /** Σ max(0, g_j)² over the limits that can be computed; 0: none is known to be broken. */
  excess(genes: Genes): number {
    return knownExcess(this.#problem, genes);
  }

  /** Candidates passed over because they break a computable limit. */
  get screened(): number {
    return this.#screened;
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

  /** Up to n candidates: the start points first, then what is drawn, until nothing is. */
  ask(n: number, draw: Draw): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const start = this.nextStart();
      const [genes, proposedBy] = start === null ? draw() : [start, 'start'];
      if (genes === null) break;
      out.push(this.propose(genes, proposedBy));
    }
    return out;
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
   * First draw of `next` that is not taken and breaks no computable limit. If 64 draws gave none, or at once when three quarters of a small
   * space are taken: a random point of all such. Where the space is too large for that and draws broke limits: a point found from the
   * nearest of them by a search on the computed violations. Null: there is none, or none was found.
   */
  drawUnseen(rng: Rng, next: () => Genes): Genes | null {
    if (this.exhausted) return null;
    const { cardinality } = this.space;
    const listed = cardinality <= (this.#problem.known ? COMPUTED_UP_TO : LISTED_UP_TO);
    const taken = this.#seen.size + this.#pending.size;
    if (!listed || 4 * taken < 3 * cardinality) {
      const drawn = this.#draw(next);
      if (drawn.open) return drawn.genes;
      if (!listed) return this.#search(rng, next, drawn.genes);
    }
    this.#unseen ??= Array.from(this.space.enumerate(), (genes) => ({ genes, key: this.space.key(genes) })).filter((p) => this.excess(p.genes) === 0);
    this.#unseen = this.#unseen.filter((p) => !this.has(p.key));
    return this.#unseen.length === 0 ? null : rng.pick(this.#unseen).genes;
  }

  /** @returns an open point of 64 draws, or the one nearest to meeting the limits */
  #draw(next: () => Genes): { readonly open: boolean; readonly genes: Genes } {
    let nearest = { genes: next(), excess: Infinity };
    for (let t = 0, genes = nearest.genes; t < TRIES; t++, genes = next()) {
      if (this.admit(genes)) return { open: true, genes };
      const excess = this.excess(genes);
      if (excess < nearest.excess) nearest = { genes, excess };
    }
    return { open: false, genes: nearest.genes };
  }

  /** Phase one: from the nearest of the draws, and of fresh ones, down the computed violations. */
  #search(rng: Rng, next: () => Genes, from: Genes): Genes | null {
    const marks = this.history.slice(-MARKS).flatMap((t) => (this.excess(t.genes) === 0 ? [t.genes] : []));
    let start = from;
    for (let s = 0; s < SEARCHES; s++) {
      const { genes, screened } = findMeeting(this.#problem, rng, start, marks, (key) => this.has(key));
      this.#screened += screened;
      if (genes !== null) return genes;
      const drawn = this.#draw(next);
      if (drawn.open) return drawn.genes;
      start = drawn.genes;
    }
    return null;
  }

  /** Uniform over the values of each parameter, unseen. */
  drawRandom(rng: Rng): Genes | null {
    return this.drawUnseen(rng, () => this.space.fromUnit(Float64Array.from({ length: this.space.dimension }, () => rng.next())));
  }

  /** Asked-but-untold candidates and the count of the screened, as data. */
  pendingState(): Json {
    const open = [...this.#pending.values()].map((c): Json => ({ genes: [...c.genes], key: c.key, proposedBy: c.proposedBy, ...(c.note === undefined ? {} : { note: c.note }) }));
    return { open, screened: this.#screened };
  }

  #register(candidate: Candidate): void {
    this.#pending.set(candidate.key, candidate);
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
