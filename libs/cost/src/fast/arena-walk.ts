/**
 * The greedy arena of a network in sections, exact and without placing most of its buffers.
 *
 * The greedy planner takes buffers by falling size, of equal ones the later first, and puts each at the lowest gap between those before it
 * that live at the same time (`greedyPlacement`). A buffer's place so depends only on those of its time that come before it: the walk
 * places a buffer, and before it those, where it might end above what the arena has already. A buffer of size s whose neighbours before it
 * are of sizes sⱼ ≥ s ends at or below s + Σ (sⱼ + s), as each gap it passes is smaller than itself; where that is no more than the arena
 * has, or than the largest live set, which no arena undercuts, it can't raise the answer.
 *
 * A buffer that depends, however indirectly, on none but buffers of its own section lies at the same place in every network: the section
 * keeps it.
 */
import { Indices, Numbers } from './lists.js';
import type { SectionArena } from './section-arena.js';
import type { SectionChain } from './section-chain.js';

export class ArenaWalk {
  /** place of the arena among those asked for */
  private at = 0;
  private top = 0;
  /** by buffer of the network, section by section, −1 where not known or the section keeps it; of tensors between sections */
  private readonly offsets = new Numbers();
  private readonly between = new Numbers();
  /** first buffer of each section */
  private readonly first = new Indices();
  /** a stack: of each buffer that is being placed, those met so far */
  private neighbours = 0;
  private readonly neighbourOffsets = new Numbers();
  private readonly neighbourEnds = new Numbers();

  constructor(private readonly chain: SectionChain) {}

  /** B of the arena that `greedyPlacement` makes for the network in the chain, of arena `a` of those asked for. */
  arena(a: number): number {
    const { memories, born, last } = this.chain;
    this.at = a;
    this.top = 0;
    this.first.length = 0;
    let buffers = 0;
    for (let s = 0; s < memories.length; s++) {
      const { live, sizes } = memories[s]!.arenas[a]!;
      if (live > this.top) this.top = live;
      this.first.push(buffers);
      buffers += sizes.length;
    }
    this.offsets.fill(-1, buffers);
    this.between.fill(-1, born.length);
    for (let s = 0; s < memories.length; s++) {
      const { candidates, bounds, sizes } = memories[s]!.arenas[a]!;
      for (let i = 0; i < candidates.length && bounds[i]! > this.top; i++) this.raise(this.offset(s, candidates[i]!) + sizes[candidates[i]!]!);
    }
    for (let t = 0; t < born.length; t++) if (last.at[t]! > born.at[t]! && this.boundBetween(t) > this.top) this.raise(this.offsetBetween(t) + this.sizeBetween(t));
    return this.top;
  }

  private raise(end: number): void {
    if (end > this.top) this.top = end;
  }

  /** Of buffer b of section s. */
  private offset(s: number, b: number): number {
    const { chain } = this;
    const { arenas, tensors: { roles } } = chain.memories[s]!;
    const role = b < roles.length ? roles[b]! : 0;
    if (role !== 0) return this.offsetBetween(role > 0 ? chain.reads[chain.starts[s]! + role - 1]! : chain.first.at[s]! - 1 - role);
    const arena = arenas[this.at]!;
    const kept = arena.offsets[b]!;
    if (kept >= 0) return kept;
    const place = this.first.at[s]! + b;
    const known = this.offsets.at[place]!;
    if (known >= 0) return known;
    const begin = this.neighbours;
    const isSame = this.meetOthers(begin, s, arena, b);
    const offset = this.lowestGap(begin, arena.sizes[b]!);
    if (isSame) arena.offsets[b] = offset;
    else this.offsets.at[place] = offset;
    return offset;
  }

  /** Of a tensor between sections: what comes before it may stand in each of them. */
  private offsetBetween(t: number): number {
    const known = this.between.at[t]!;
    if (known >= 0) return known;
    const { born, memories } = this.chain;
    const end = this.endOf(t);
    const begin = this.neighbours;
    for (let s = born.at[t]!; s <= end; s++) this.meetOthers(begin, s, memories[s]!.arenas[this.at]!, this.bufferOf(t, s));
    return (this.between.at[t] = this.lowestGap(begin, this.sizeBetween(t)));
  }

  private sizeBetween(t: number): number {
    const s = this.chain.born.at[t]!;
    return this.chain.memories[s]!.arenas[this.at]!.sizes[this.bufferOf(t, s)]!;
  }

  private boundBetween(t: number): number {
    const { born, memories } = this.chain;
    const end = this.endOf(t);
    let bound = this.sizeBetween(t);
    for (let s = born.at[t]!; s <= end; s++) bound += memories[s]!.arenas[this.at]!.room[this.bufferOf(t, s)]!;
    return bound;
  }

  /** The last section it lives in. */
  private endOf(t: number): number {
    return Math.min(this.chain.last.at[t]!, this.chain.memories.length - 1);
  }

  /** What tensor t is called in section s. */
  private bufferOf(t: number, s: number): number {
    const { born, first, memories, reads, starts } = this.chain;
    if (s === born.at[t]) return memories[s]!.tensors.leaves[t - first.at[s]!]!;
    let j = 0;
    while (reads[starts[s]! + j] !== t) j++;
    return j;
  }

  /**
   * Adds the buffers that come before b, by rising offset, to the neighbours from `begin` on. Those below belong to buffers whose own
   * neighbours are being placed.
   *
   * @returns whether all of them lie where they lie in every network
   */
  private meetOthers(begin: number, s: number, { others, starts, sizes, offsets: kept }: SectionArena, b: number): boolean {
    let isSame = true;
    for (let i = starts[b]!; i < starts[b + 1]!; i++) {
      const other = others[i]!;
      let offset = kept[other]!;
      if (offset < 0) {
        offset = this.offset(s, other);
        if (kept[other]! < 0) isSame = false;
      }
      this.addNeighbour(begin, offset, offset + sizes[other]!);
    }
    return isSame;
  }

  private addNeighbour(begin: number, offset: number, end: number): void {
    let at = this.neighbours++;
    this.neighbourOffsets.reserve(this.neighbours);
    this.neighbourEnds.reserve(this.neighbours);
    const offsets = this.neighbourOffsets.at;
    const ends = this.neighbourEnds.at;
    for (; at > begin && offsets[at - 1]! > offset; at--) {
      offsets[at] = offsets[at - 1]!;
      ends[at] = ends[at - 1]!;
    }
    offsets[at] = offset;
    ends[at] = end;
  }

  /** That holds so much, between the neighbours from `begin` on, which are done with. */
  private lowestGap(begin: number, size: number): number {
    const offsets = this.neighbourOffsets.at;
    const ends = this.neighbourEnds.at;
    let candidate = 0;
    for (let k = begin; k < this.neighbours && offsets[k]! - candidate < size; k++) if (ends[k]! > candidate) candidate = ends[k]!;
    this.neighbours = begin;
    this.raise(candidate + size);
    return candidate;
  }
}
