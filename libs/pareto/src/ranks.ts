/**
 * Non-domination ranks: rank 0 is the front, rank k the front of what remains without ranks 0 … k-1. Equal points share a rank.
 */
import { dominates } from './dominance.js';
import { Skyline } from './skyline.js';
import { checkPoint, checkPoints, compareVectors, equalVectors, type Objectives } from './vectors.js';

/**
 * @returns rank of each point, 0 for the front
 * @throws RangeError on NaN or points of different length
 *
 * Efficient non-dominated sort with binary search (Zhang, Tian, Cheng, Jin 2015): in lexicographic order a point's rank is final when it
 * is placed, and "dominated by someone of rank k" is monotone in k. For two objectives the last of each rank decides, for three the
 * skyline of its second and third: O(n log² n). Otherwise at most n²/2 comparisons.
 */
export function nonDominatedSort(points: readonly Objectives[]): Int32Array {
  const m = checkPoints(points);
  const ranks = new Int32Array(points.length);
  const order = points.map((_, i) => i).sort((a, b) => compareVectors(points[a]!, points[b]!));
  const fronts = m === 3 ? skylines(points) : lists(points, m);
  order.forEach((i, k) => {
    const before = order[k - 1];
    // Equal points share a rank; the first of them stands for all.
    if (before !== undefined && equalVectors(points[before]!, points[i]!)) ranks[i] = ranks[before]!;
    else fronts.put(i, (ranks[i] = firstFree(fronts.count(), (rank) => fronts.dominate(rank, i))));
  });
  return ranks;
}

/** The ranks so far, of points that come in lexicographic order, none twice. */
interface Fronts {
  count(): number;
  /** Someone of the rank dominates the point. */
  dominate(rank: number, i: number): boolean;
  put(i: number, rank: number): void;
}

function skylines(points: readonly Objectives[]): Fronts {
  const fronts: Skyline[] = [];
  return {
    count: () => fronts.length,
    dominate: (rank, i) => fronts[rank]!.covers(points[i]![1]!, points[i]![2]!),
    put: (i, rank) => (fronts[rank] ??= new Skyline()).insert(points[i]![1]!, points[i]![2]!),
  };
}

function lists(points: readonly Objectives[], m: number): Fronts {
  const rows = new Float64Array(points.length * m);
  points.forEach((p, i) => rows.set(p, i * m));
  const fronts: number[][] = [];
  return {
    count: () => fronts.length,
    dominate: (rank, i) => {
      const front = fronts[rank]!;
      const at = i * m;
      // For up to two objectives the last has the least second one so far; the first one never decides.
      for (let k = front.length - 1; k >= (m <= 2 ? front.length - 1 : 0); k--) {
        const q = front[k]!;
        let j = 1;
        while (j < m && rows[q + j]! <= rows[at + j]!) j++;
        if (j >= m) return true;
      }
      return false;
    },
    put: (i, rank) => void (fronts[rank] ??= []).push(i * m),
  };
}

export interface RankChange<Id> {
  readonly id: Id;
  /** the rank it has now; 0 for the front */
  readonly rank: number;
}

interface Ranked<Id> {
  readonly id: Id;
  readonly point: Float64Array;
  rank: number;
}

/**
 * Ranks kept up to date point by point (efficient non-domination level update: Li, Deb, Zhang, Kwong 2014 and 2017).
 *
 * An insertion finds its rank by bisection; what it dominates in that rank moves one down and pushes in turn. Only ranks that
 * change are touched. The ranks are those of `nonDominatedSort` on the same points, whatever the order they came in.
 */
export class RankedFronts<Id extends string | number = string> {
  readonly #fronts: Ranked<Id>[][] = [];
  readonly #all = new Map<Id, Ranked<Id>>();
  #objectives = 0;

  /** The same as inserting one after the other, in the time of one sort. */
  static from<Id extends string | number>(entries: readonly { readonly id: Id; readonly point: Objectives }[]): RankedFronts<Id> {
    const out = new RankedFronts<Id>();
    for (const { id, point } of entries) out.#register(id, point);
    const ranks = nonDominatedSort(entries.map((e) => e.point));
    entries.forEach((e, i) => {
      const ranked = out.#all.get(e.id)!;
      ranked.rank = ranks[i]!;
      (out.#fronts[ranked.rank] ??= []).push(ranked);
    });
    return out;
  }

  /**
   * @returns the new point first, then every point whose rank changed (by one, downwards)
   * @throws RangeError on NaN, a point of another length than the first, or an id that is known already
   */
  insert(id: Id, point: Objectives): RankChange<Id>[] {
    const added = this.#register(id, point);
    added.rank = firstFree(this.#fronts.length, (k) => this.#fronts[k]!.some((r) => dominates(r.point, added.point)));
    const changes: RankChange<Id>[] = [{ id, rank: added.rank }];
    let moving: Ranked<Id>[] = [added];
    for (let k = added.rank; moving.length > 0; k++) {
      const front = this.#fronts[k] ?? [];
      const staying: Ranked<Id>[] = [];
      const pushed: Ranked<Id>[] = [];
      for (const r of front) (moving.some((s) => dominates(s.point, r.point)) ? pushed : staying).push(r);
      for (const s of moving) {
        if (s !== added) changes.push({ id: s.id, rank: k });
        s.rank = k;
        staying.push(s);
      }
      this.#fronts[k] = staying;
      moving = pushed;
    }
    return changes;
  }

  /** undefined: id unknown */
  rankOf(id: Id): number | undefined {
    return this.#all.get(id)?.rank;
  }

  /** Ids of a rank, in no particular order; empty beyond the last. */
  front(rank: number): Id[] {
    return (this.#fronts[rank] ?? []).map((r) => r.id);
  }

  /** number of ranks */
  get depth(): number {
    return this.#fronts.length;
  }

  get size(): number {
    return this.#all.size;
  }

  #register(id: Id, point: Objectives): Ranked<Id> {
    this.#objectives ||= point.length;
    checkPoint(point, this.#objectives, `point of ${JSON.stringify(id)}`);
    if (this.#all.has(id)) throw new RangeError(`id ${JSON.stringify(id)} is ranked already`);
    const ranked = { id, point: Float64Array.from(point), rank: 0 };
    this.#all.set(id, ranked);
    return ranked;
  }
}

/** Least k < n for which `taken` is false, n if there is none; `taken` holds up to some k and nowhere after. */
function firstFree(n: number, taken: (k: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (taken(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
