/**
 * The greedy arena of a network, exact and without placing most of its buffers.
 *
 * The greedy planner takes buffers by falling size, of equal ones the later first, and puts each at the lowest gap between those before it
 * that live at the same time (`greedyPlacement`). A buffer's place so depends only on those of its time that come before it: the walk
 * places a buffer, and before it those, where it might end above what the arena has already. A buffer of size s whose neighbours before it
 * are of sizes sⱼ ≥ s ends at or below s + Σ (sⱼ + s), as each gap it passes is smaller than itself; where that is no more than the arena
 * has, or than the largest live set, which no arena undercuts, it can't raise the answer. Nor can one that would end no higher on top of
 * all its neighbours, ended as high as they may.
 */
import type { Lifetimes } from './lifetimes.js';
import { Indices, Numbers } from './lists.js';
import type { Run } from './run.js';

/** Buffers looked at for one, before it is placed. */
const MOST_LOOKS = 24;

/** Buffers are numbered: tensors as `Lifetimes` has them, then scratch buffers in the order of their operators. */
export class ArenaWalk {
  /** times that what was found last depends on, from the first to the last */
  first = 0;
  last = 0;
  private top = 0;
  /** B of the largest live set */
  private live = 0;
  /** B */
  private readonly size = new Numbers();
  /** of scratch buffers */
  private readonly time = new Indices();
  /** first scratch buffer of each time */
  private readonly scratchStarts = new Indices();
  /** B that live at a time; that begin to live then or before */
  private readonly liveAt = new Numbers();
  private readonly born = new Numbers();
  /** −1 where not known */
  private readonly offsets = new Numbers();
  private readonly bounds = new Numbers();
  /** of buffers looked at, the times that what is known of them depends on */
  private readonly firsts = new Indices();
  private readonly lasts = new Indices();
  private looks = 0;
  /** of the buffers asked for, those placed before them: others.at[othersFrom.at[b]] … */
  private readonly others = new Indices();
  private readonly othersFrom = new Indices();
  private readonly othersTo = new Indices();
  private readonly neighbourOffsets = new Numbers();
  private readonly neighbourEnds = new Numbers();

  /** @param arena  place among those asked for */
  constructor(private readonly lifetimes: Lifetimes, private readonly arena: number) {}

  /** Looks at the runs that the lifetimes are of. */
  begin(runs: readonly Run[]): this {
    this.live = this.measure(runs);
    const { size: { length }, offsets, bounds, others, othersFrom, othersTo, firsts, lasts } = this;
    offsets.fill(-1, length);
    bounds.fill(-1, length);
    others.length = 0;
    for (const list of [othersFrom, othersTo, firsts, lasts]) list.reserve(length);
    return this;
  }

  /** B of the arena. */
  whole(): number {
    return this.highest(0, this.lifetimes.end, this.live);
  }

  /**
   * B from the start of the arena that `greedyPlacement` makes to the highest end of a buffer that begins to live from one time to another, or
   * a height if none ends above it. `first` and `last` say what times that depends on; of others only sizes of what lives then too.
   */
  highest(from: number, to: number, height: number): number {
    const { scratchStarts, lifetimes: { before, last } } = this;
    this.top = height;
    [this.first, this.last] = [from, to];
    for (let t = from === 0 ? 0 : before + from - 1; t < before + to; t++) {
      this.last = Math.max(this.last, last.at[t]!);
      this.raise(t, t < before ? 0 : t - before + 1, last.at[t]!);
    }
    for (let b = scratchStarts.at[from]!; b < scratchStarts.at[to + 1]!; b++) this.raise(b, this.firstOf(b), this.firstOf(b));
    return this.top;
  }

  /** A buffer may end above if all others of its time come before it: those are no smaller, gaps between them are. */
  private raise(b: number, from: number, to: number): void {
    const { liveAt, born, scratchStarts, lifetimes: { aliveStarts } } = this;
    const size = this.size.at[b]!;
    const others = liveAt.at[from]! - size + born.at[to]! - born.at[from]!;
    const count = aliveStarts.at[from + 1]! - aliveStarts.at[from]! + to - from + scratchStarts.at[to + 1]! - scratchStarts.at[from]! - 1;
    if (size + others + Math.min(others, count * size) <= this.top) return;
    this.looks = MOST_LOOKS;
    if (this.offsets.at[b]! >= 0) {
      this.depend(b);
      this.top = Math.max(this.top, this.offsets.at[b]! + size);
    } else if (this.mayEndAbove(b, this.top)) this.place(b);
  }

  private depend(b: number): void {
    if (this.firsts.at[b]! < this.first) this.first = this.firsts.at[b]!;
    if (this.lasts.at[b]! > this.last) this.last = this.lasts.at[b]!;
  }

  /** Sizes of all buffers. @returns B of the largest live set */
  private measure(runs: readonly Run[]): number {
    const { arena: a, size, time, scratchStarts, liveAt, born, lifetimes: { dying, dyingStarts, before, tensors, end } } = this;
    let buffers = tensors;
    for (let r = 0; r < runs.length; r++) buffers += runs[r]!.shape.arenas[a]!.scratchStarts.at(-1)!;
    size.reserve(buffers);
    size.length = buffers;
    time.reserve(buffers - tensors);
    scratchStarts.reserve(end + 2);
    const [sizes, times, scratch] = [size.at, time.at, scratchStarts.at];
    let [tensor, buffer, now] = [0, tensors, 0];
    scratch[0] = tensors;
    for (let r = 0; r < runs.length; r++) {
      const { shape, row, at } = runs[r]!;
      const { sizes: from, scratch: to, scratchStarts: own } = shape.arenas[a]!;
      for (let k = at + from; k < at + to; k++) sizes[tensor++] = row[k]!;
      for (let k = 0; k + 1 < own.length; k++) {
        scratch[++now] = buffer;
        for (let i = own[k]!; i < own[k + 1]!; i++, buffer++) {
          sizes[buffer] = row[at + to + i]!;
          times[buffer - tensors] = now;
        }
      }
    }
    scratch[now + 1] = buffer;
    liveAt.reserve(end + 1);
    born.reserve(end + 1);
    let most = 0;
    let total = 0;
    let living = 0;
    for (let b = 0; b < before; b++) living += sizes[b]!;
    for (let t = 0; t <= end; t++) {
      let here = 0;
      for (let b = scratch[t]!; b < scratch[t + 1]!; b++) here += sizes[b]!;
      total += here;
      if (t > 0) {
        living += sizes[before + t - 1]!;
        total += sizes[before + t - 1]!;
      }
      born.at[t] = total;
      liveAt.at[t] = living + here;
      if (living + here > most) most = living + here;
      for (let i = dyingStarts.at[t]!; i < dyingStarts.at[t + 1]!; i++) living -= sizes[dying.at[i]!]!;
    }
    return most;
  }

  private firstOf(b: number): number {
    const { before, tensors } = this.lifetimes;
    return b >= tensors ? this.time.at[b - tensors]! : b < before ? 0 : b - before + 1;
  }

  private lastOf(b: number): number {
    const { last, tensors } = this.lifetimes;
    return b >= tensors ? this.time.at[b - tensors]! : last.at[b]!;
  }

  /** B that buffer b may end at: those before it and as many gaps that it does not fit in. */
  private bound(b: number): number {
    const known = this.bounds.at[b]!;
    if (known >= 0) {
      this.depend(b);
      return known;
    }
    this.findOthers(b);
    this.depend(b);
    const [sizes, others] = [this.size.at, this.others.at];
    const s = sizes[b]!;
    let end = s;
    for (let i = this.othersFrom.at[b]!; i < this.othersTo.at[b]!; i++) end += sizes[others[i]!]! + s;
    return (this.bounds.at[b] = end);
  }

  /** A buffer lies at the bottom or on top of one before it. True too where that takes too many looks. */
  private mayEndAbove(b: number, limit: number): boolean {
    const s = this.size.at[b]!;
    const offset = this.offsets.at[b]!;
    if (offset >= 0) {
      this.depend(b);
      return offset + s > limit;
    }
    if (this.bound(b) <= limit) return false;
    if (s > limit || --this.looks < 0) return true;
    for (let i = this.othersFrom.at[b]!; i < this.othersTo.at[b]!; i++) if (this.mayEndAbove(this.others.at[i]!, limit - s)) return true;
    return false;
  }

  /** B from the start of the arena to buffer b, found with all that it depends on. */
  private place(b: number): number {
    this.bound(b);
    const { offsets } = this;
    const begin = this.othersFrom.at[b]!;
    const end = this.othersTo.at[b]!;
    let [first, last] = [this.firsts.at[b]!, this.lasts.at[b]!];
    for (let i = begin; i < end; i++) {
      const other = this.others.at[i]!;
      if (offsets.at[other]! < 0) this.place(other);
      first = Math.min(first, this.firsts.at[other]!);
      last = Math.max(last, this.lasts.at[other]!);
    }
    [this.firsts.at[b], this.lasts.at[b]] = [first, last];
    this.depend(b);
    this.neighbourOffsets.reserve(end - begin);
    this.neighbourEnds.reserve(end - begin);
    const [from, to, known, sizes, others] = [this.neighbourOffsets.at, this.neighbourEnds.at, offsets.at, this.size.at, this.others.at];
    let count = 0;
    for (let i = begin; i < end; i++) {
      const other = others[i]!;
      const offset = known[other]!;
      let at = count++;
      for (; at > 0 && from[at - 1]! > offset; at--) {
        from[at] = from[at - 1]!;
        to[at] = to[at - 1]!;
      }
      from[at] = offset;
      to[at] = offset + sizes[other]!;
    }
    return (offsets.at[b] = this.lowestGap(count, sizes[b]!));
  }

  /** That holds so much between the neighbours. */
  private lowestGap(neighbours: number, size: number): number {
    const [offsets, ends] = [this.neighbourOffsets.at, this.neighbourEnds.at];
    let candidate = 0;
    for (let k = 0; k < neighbours && offsets[k]! - candidate < size; k++) if (ends[k]! > candidate) candidate = ends[k]!;
    if (candidate + size > this.top) this.top = candidate + size;
    return candidate;
  }

  /** The buffers of b's time that are placed before it. */
  private findOthers(b: number): void {
    const { others, size: { at: sizes }, scratchStarts: { at: scratch }, lifetimes: { alive, aliveStarts, before } } = this;
    const s = sizes[b]!;
    const from = this.firstOf(b);
    const to = this.lastOf(b);
    [this.firsts.at[b], this.lasts.at[b]] = [from, to];
    this.othersFrom.at[b] = others.length;
    for (let i = aliveStarts.at[from]!; i < aliveStarts.at[from + 1]!; i++) {
      const other = alive.at[i]!;
      if (sizes[other]! > s || (sizes[other] === s && other > b)) others.push(other);
    }
    for (let other = before + from; other < before + to; other++) if (sizes[other]! > s || (sizes[other] === s && other > b)) others.push(other);
    for (let other = scratch[from]!; other < scratch[to + 1]!; other++) if (sizes[other]! > s || (sizes[other] === s && other > b)) others.push(other);
    this.othersTo.at[b] = others.length;
  }
}
