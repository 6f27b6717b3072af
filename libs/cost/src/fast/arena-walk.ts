/**
 * The greedy arena of a network in pieces, exact and without placing most of its buffers.
 *
 * The greedy planner takes buffers by falling size, of equal ones the later first, and puts each at the lowest gap between those before it
 * that live at the same time (`greedyPlacement`). A buffer's place so depends only on those of its time that come before it: the walk
 * places a buffer, and before it those, where it might end above what the arena has already. A buffer of size s whose neighbours before it
 * are of sizes sⱼ ≥ s ends at or below s + Σ (sⱼ + s), as each gap it passes is smaller than itself; where that is no more than the arena
 * has, or than the largest live set, which no arena undercuts, it can't raise the answer.
 */
import type { PiecedGraph } from '@app/graph';
import type { CompiledPiece } from './compiled-piece.js';
import { Numbers } from './working-sets.js';

export class ArenaWalk {
  /** the network's */
  inputs = 0;
  /** inputs first, then one an operator; operator k runs at time k + 1 */
  private tensors = 0;
  private readonly last = new Numbers();
  private readonly made = new Numbers();
  /** tensors that live at each time: alive[aliveStarts[t]] … */
  private readonly alive = new Numbers();
  private readonly aliveStarts = new Numbers();
  private readonly living = new Numbers();

  /** of the arena at hand, by buffer: tensors, then scratch buffers */
  private readonly size = new Numbers();
  private readonly offset = new Numbers();
  private readonly time = new Numbers();
  /** first scratch buffer of each time */
  private readonly scratchStarts = new Numbers();
  /** B that begin to live at a time or before */
  private readonly born = new Numbers();
  private readonly liveAt = new Numbers();
  private readonly neighbourOffsets: number[] = [];
  private readonly neighbourEnds: number[] = [];
  private neighbours = 0;
  private top = 0;

  /** Lifetimes, the same for all arenas. */
  begin({ reads, starts, output }: PiecedGraph, compiled: readonly CompiledPiece[]): void {
    const { last, made, alive, aliveStarts, living } = this;
    last.length = made.length = alive.length = aliveStarts.length = living.length = 0;
    this.inputs = 0;
    let time = 0;
    for (let p = 0; p < compiled.length; p++) {
      const { lowered } = compiled[p]!;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      if (taken === 0) {
        this.inputs++;
        made.push(last.length);
        last.push(0);
        continue;
      }
      const first = last.length;
      for (let k = 0; k + 1 < lowered.starts.length; k++) {
        last.push(++time);
        for (let i = lowered.starts[k]!; i < lowered.starts[k + 1]!; i++) {
          const local = lowered.reads[i]!;
          last.at[local < taken ? made.at[reads[begin + local]!]! : first + local - taken] = time;
        }
      }
      made.push(lowered.output < taken ? made.at[reads[begin + lowered.output]!]! : first + lowered.output - taken);
    }
    this.tensors = last.length;
    last.at[made.at[output]!] = time;
    for (let t = 0; t < this.inputs; t++) living.push(t);
    for (let at = 0; at <= time; at++) {
      if (at > 0) living.push(this.inputs + at - 1);
      aliveStarts.push(alive.length);
      let kept = 0;
      for (let i = 0; i < living.length; i++) {
        const t = living.at[i]!;
        alive.push(t);
        if (last.at[t]! > at) living.at[kept++] = t;
      }
      living.length = kept;
    }
    aliveStarts.push(alive.length);
  }

  /** B of the arena that `greedyPlacement` makes, of arena `a` of those asked for. */
  arena(compiled: readonly CompiledPiece[], a: number): number {
    this.measure(compiled, a);
    const { size, top } = this;
    this.top = top;
    for (let b = 0; b < size.length; b++) {
      const s = size.at[b]!;
      const from = this.firstOf(b);
      const to = this.lastOf(b);
      const others = this.liveAt.at[from]! - s + this.born.at[to]! - this.born.at[from]!;
      if (s + 2 * others > this.top && this.offset.at[b]! < 0 && this.boundOf(b, from, to) > this.top) this.place(b);
    }
    return this.top;
  }

  private measure(compiled: readonly CompiledPiece[], a: number): void {
    const { size, offset, time, scratchStarts, born, liveAt, alive, aliveStarts } = this;
    size.length = time.length = scratchStarts.length = born.length = liveAt.length = 0;
    for (let p = 0; p < compiled.length; p++) {
      const { sizes } = compiled[p]!.arenas[a]!;
      for (let k = 0; k < sizes.length; k++) size.push(sizes[k]!);
    }
    scratchStarts.push(size.length);
    let at = 0;
    for (let p = 0; p < compiled.length; p++) {
      const { scratch, scratchStarts: own } = compiled[p]!.arenas[a]!;
      for (let k = 0; k + 1 < own.length; k++) {
        scratchStarts.push(size.length);
        at++;
        for (let i = own[k]!; i < own[k + 1]!; i++) {
          size.push(scratch[i]!);
          time.push(at);
        }
      }
    }
    scratchStarts.push(size.length);
    offset.reserve(size.length);
    offset.length = size.length;
    offset.at.fill(-1, 0, size.length);
    this.top = 0;
    let total = 0;
    for (let t = 0; t <= at; t++) {
      let live = 0;
      for (let i = aliveStarts.at[t]!; i < aliveStarts.at[t + 1]!; i++) live += size.at[alive.at[i]!]!;
      for (let b = scratchStarts.at[t]!; b < scratchStarts.at[t + 1]!; b++) {
        live += size.at[b]!;
        total += size.at[b]!;
      }
      if (t > 0) total += size.at[this.inputs + t - 1]!;
      born.push(total);
      liveAt.push(live);
      if (live > this.top) this.top = live;
    }
  }

  private firstOf(b: number): number {
    return b >= this.tensors ? this.time.at[b - this.tensors]! : b < this.inputs ? 0 : b - this.inputs + 1;
  }

  private lastOf(b: number): number {
    return b >= this.tensors ? this.time.at[b - this.tensors]! : this.last.at[b]!;
  }

  /** Does buffer b come before one of size s and number c? */
  private isBefore(b: number, s: number, c: number): boolean {
    const own = this.size.at[b]!;
    return own > s || (own === s && b > c);
  }

  private boundOf(b: number, from: number, to: number): number {
    const s = this.size.at[b]!;
    let bound = s;
    for (let i = this.aliveStarts.at[from]!; i < this.aliveStarts.at[from + 1]!; i++) {
      const other = this.alive.at[i]!;
      if (other !== b && this.isBefore(other, s, b)) bound += this.size.at[other]! + s;
    }
    for (let other = this.inputs + from; other < this.inputs + to; other++) if (this.isBefore(other, s, b)) bound += this.size.at[other]! + s;
    for (let other = this.scratchStarts.at[from]!; other < this.scratchStarts.at[to + 1]!; other++) if (other !== b && this.isBefore(other, s, b)) bound += this.size.at[other]! + s;
    return bound;
  }

  private place(b: number): void {
    if (this.offset.at[b]! >= 0) return;
    const s = this.size.at[b]!;
    const from = this.firstOf(b);
    const to = this.lastOf(b);
    const aliveFrom = this.aliveStarts.at[from]!;
    const aliveTo = this.aliveStarts.at[from + 1]!;
    const scratchFrom = this.scratchStarts.at[from]!;
    const scratchTo = this.scratchStarts.at[to + 1]!;
    for (let i = aliveFrom; i < aliveTo; i++) if (this.alive.at[i] !== b && this.isBefore(this.alive.at[i]!, s, b)) this.place(this.alive.at[i]!);
    for (let other = this.inputs + from; other < this.inputs + to; other++) if (this.isBefore(other, s, b)) this.place(other);
    for (let other = scratchFrom; other < scratchTo; other++) if (other !== b && this.isBefore(other, s, b)) this.place(other);
    this.neighbours = 0;
    for (let i = aliveFrom; i < aliveTo; i++) if (this.alive.at[i] !== b && this.isBefore(this.alive.at[i]!, s, b)) this.meet(this.alive.at[i]!);
    for (let other = this.inputs + from; other < this.inputs + to; other++) if (this.isBefore(other, s, b)) this.meet(other);
    for (let other = scratchFrom; other < scratchTo; other++) if (other !== b && this.isBefore(other, s, b)) this.meet(other);
    this.offset.at[b] = this.lowestGap(s);
  }

  /** By rising offset. */
  private meet(b: number): void {
    const { neighbourOffsets, neighbourEnds } = this;
    const offset = this.offset.at[b]!;
    let at = this.neighbours++;
    for (; at > 0 && neighbourOffsets[at - 1]! > offset; at--) {
      neighbourOffsets[at] = neighbourOffsets[at - 1]!;
      neighbourEnds[at] = neighbourEnds[at - 1]!;
    }
    neighbourOffsets[at] = offset;
    neighbourEnds[at] = offset + this.size.at[b]!;
  }

  private lowestGap(size: number): number {
    let candidate = 0;
    for (let k = 0; k < this.neighbours; k++) {
      if (this.neighbourOffsets[k]! - candidate >= size) break;
      candidate = Math.max(candidate, this.neighbourEnds[k]!);
    }
    this.top = Math.max(this.top, candidate + size);
    return candidate;
  }
}
