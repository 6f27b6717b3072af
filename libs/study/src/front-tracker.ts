import { hypervolume, hypervolumeGain, ParetoArchive, RankedFronts, type Objectives } from '@app/pareto';
import type { HistoryEntry } from './records.js';

/** A told trial, as far as the front is concerned. */
export interface Placed {
  readonly id: string;
  readonly number: number;
  readonly objectives: readonly (number | null)[];
  readonly feasible: boolean | null;
}

/** Trials with all objectives known before the reference point is fixed, where the spec gives none. */
const REFERENCE_AFTER = 20;

/**
 * The front of a study, kept as trials are told: members, ranks, hypervolume and its history.
 *
 * The reference point is the spec's; without one it is fixed once, after 20 trials with all objectives known (or at the end):
 * the worst value seen in each objective plus a tenth of the range seen (a tenth of its size where the range is 0). It never moves
 * afterwards, so that the hypervolume of one study can be compared along its history.
 */
export class FrontTracker {
  private readonly archive = new ParetoArchive();
  private ranked = new RankedFronts();
  private readonly seen: (readonly number[])[] = [];
  private unmeasured: HistoryEntry[] = [];
  private frontsBeforeReference: (readonly Objectives[])[] = [];
  private readonly delta = { added: new Set<string>(), removed: new Set<string>(), ranks: new Map<string, number | null>(), history: [] as HistoryEntry[] };

  private constructor(
    readonly objectives: number,
    public reference: readonly number[] | null,
    public hypervolume: number | null,
  ) {}

  /** @param told  trials told before, in order of number */
  static of(objectives: number, reference: readonly number[] | null, volume: number | null, told: readonly Placed[]): FrontTracker {
    const tracker = new FrontTracker(objectives, reference, volume);
    if (reference === null) {
      // Not fixed yet: few trials, or none with all objectives known; their history is still to be measured.
      for (const t of told) tracker.tell(t.id, t.number, t.objectives, t.feasible === true);
      tracker.clearDelta();
      return tracker;
    }
    const feasible = told.filter((t) => t.feasible === true && t.objectives.every((v) => v !== null)).map((t) => ({ id: t.id, point: t.objectives as readonly number[] }));
    tracker.ranked = RankedFronts.from(feasible);
    for (const { id, point } of feasible) tracker.archive.insert(id, point);
    return tracker;
  }

  /** minimised objectives of its members */
  points(): number[][] {
    return this.archive.points().map((p) => Array.from(p));
  }

  get size(): number {
    return this.archive.size;
  }

  tell(id: string, number: number, values: readonly (number | null)[], feasible: boolean): void {
    if (!values.every((v) => v !== null)) return;
    const point = values as readonly number[];
    if (this.reference === null) this.seen.push(point);
    if (feasible) this.insert(id, number, point);
    if (this.reference === null && this.seen.length >= REFERENCE_AFTER) this.fixReference();
  }

  private insert(id: string, number: number, point: readonly number[]): void {
    for (const change of this.ranked.insert(id, point)) this.delta.ranks.set(change.id, change.rank);
    const before = this.archive.points();
    const { added, removed } = this.archive.insert(id, point);
    if (!added) return;
    this.delta.added.add(id);
    for (const gone of removed) {
      if (!this.delta.added.delete(gone)) this.delta.removed.add(gone);
    }
    if (this.reference === null) {
      this.unmeasured.push({ number, hypervolume: null, frontSize: this.archive.size });
      this.frontsBeforeReference.push(this.archive.points());
    } else {
      // Four objectives and more: the gain alone is much cheaper than the whole.
      this.hypervolume = this.objectives < 4 || this.hypervolume === null ? hypervolume(this.archive.points(), this.reference) : this.hypervolume + hypervolumeGain(point, before, this.reference);
      this.delta.history.push({ number, hypervolume: this.hypervolume, frontSize: this.archive.size });
    }
  }

  /** Fixes the reference point if it isn't yet and anything is known to fix it by; the study ends. */
  finish(): void {
    if (this.reference === null && this.seen.length > 0) this.fixReference();
  }

  private fixReference(): void {
    this.reference = Array.from({ length: this.objectives }, (_, j) => {
      const column = this.seen.map((p) => p[j]!);
      const worst = Math.max(...column);
      const range = worst - Math.min(...column);
      return worst + 0.1 * (range > 0 ? range : Math.abs(worst) || 1);
    });
    const measured = this.unmeasured.map((entry, i) => ({ ...entry, hypervolume: hypervolume(this.frontsBeforeReference[i]!, this.reference!) }));
    this.delta.history.push(...measured);
    this.hypervolume = measured.at(-1)?.hypervolume ?? null;
    this.unmeasured = [];
    this.frontsBeforeReference = [];
    this.seen.length = 0;
  }

  /** What changed since the last call. */
  takeDelta(): { added: string[]; removed: string[]; ranks: { id: string; rank: number | null }[]; history: HistoryEntry[] } {
    const { added, removed, ranks, history } = this.delta;
    const taken = { added: [...added], removed: [...removed], ranks: [...ranks].map(([id, rank]) => ({ id, rank })), history: [...history] };
    this.clearDelta();
    return taken;
  }

  private clearDelta(): void {
    this.delta.added.clear();
    this.delta.removed.clear();
    this.delta.ranks.clear();
    this.delta.history = [];
  }
}
