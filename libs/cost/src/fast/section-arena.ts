/** A section's buffers as the greedy planner of TensorFlow Lite Micro meets them, whatever stands before and behind it. */
import type { Section } from '@app/graph';
import { alignUp } from '../memory/program.js';
import { TFLM_ALIGNMENT } from '../memory/tflm.js';
import type { CompiledPiece } from './compiled-piece.js';
import { Indices, Numbers } from './lists.js';
import { leafLivesOn, takenLivesOn } from './section-context.js';

/** Buffers are numbered: tensors the section takes, tensors it makes, scratch buffers. */
export interface SectionArena {
  /** B */
  readonly sizes: readonly number[];
  /**
   * others[starts[b]] …: buffers of the same time that are placed before b, where one of both begins in the section. Buffers smaller than
   * all candidates and all tensors that live outside come before none of these, and have none listed
   */
  readonly others: readonly number[];
  readonly starts: readonly number[];
  /** B, Σ (their size + that of b) */
  readonly room: readonly number[];
  /** B, largest live set */
  readonly live: number;
  /** buffers that live in the section alone and might end above `live`, and what they may end at; the latter falls */
  readonly candidates: readonly number[];
  readonly bounds: readonly number[];
  /** B from the start of the arena where that is the same in every network, found when first asked for; else −1 */
  readonly offsets: number[];
}

export interface SectionTensors {
  /** by tensor: 0, lives in the section alone; j + 1, the j-th taken; −1 − i, the i-th leaf, which lives on */
  readonly roles: readonly number[];
  /** of each leaf */
  readonly leaves: readonly number[];
}

export class SectionLifetimes {
  /** taken tensors and inputs of the network come first, then one an operator; operator k runs at time k + 1 */
  private before = 0;
  private taken = 0;
  private tensors = 0;
  private end = 0;
  private readonly last = new Indices();
  private readonly made = new Indices();
  /** tensors that live at each time: alive[aliveStarts[t]] … */
  private readonly alive = new Indices();
  private readonly aliveStarts = new Indices();
  private readonly living = new Indices();
  private roles: number[] = [];

  /** of the arena at hand */
  private readonly size = new Numbers();
  private readonly time = new Indices();
  /** first scratch buffer of each time */
  private readonly scratchStarts = new Indices();
  /** B that live at a time; that begin to live then or before */
  private readonly liveAt = new Numbers();
  private readonly born = new Numbers();

  /** The same for all arenas. */
  begin({ takes, reads, starts, leaves }: Section, compiled: readonly CompiledPiece[], context: number): SectionTensors {
    const { last, made } = this;
    last.length = made.length = 0;
    this.taken = takes.length;
    for (let t = 0; t < takes.length; t++) {
      last.push(0);
      made.push(t);
    }
    let time = 0;
    this.before = takes.length;
    for (let p = 0; p < compiled.length; p++) {
      const { lowered } = compiled[p]!;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      const first = last.length;
      if (taken === 0) {
        this.before++;
        made.push(first);
        last.push(0);
        continue;
      }
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
    this.end = time;
    this.roles = new Array<number>(last.length).fill(0);
    const leafTensors: number[] = [];
    for (let t = 0; t < takes.length; t++) {
      this.roles[t] = t + 1;
      if (takenLivesOn(context, t)) last.at[t] = time;
    }
    for (let i = 0; i < leaves.length; i++) {
      const t = made.at[takes.length + leaves[i]!]!;
      leafTensors.push(t);
      if (!leafLivesOn(context, takes.length, i)) continue;
      this.roles[t] = -1 - i;
      last.at[t] = time;
    }
    this.findAlive();
    return { roles: this.roles, leaves: leafTensors };
  }

  arena(takes: readonly number[], compiled: readonly CompiledPiece[], a: number, bytesPerElement: number): SectionArena {
    const live = this.measure(takes, compiled, a, bytesPerElement);
    const { size } = this;
    const smallest = this.smallestNeeded(live);
    const sizes = new Array<number>(size.length);
    const [others, starts, room]: [number[], number[], number[]] = [[], [0], []];
    const [candidates, bounds]: [number[], number[]] = [[], []];
    for (let b = 0; b < size.length; b++) {
      const s = (sizes[b] = size.at[b]!);
      let needed = 0;
      const from = others.length;
      if (s >= smallest) this.findOthers(b, others);
      for (let i = from; i < others.length; i++) needed += size.at[others[i]!]! + s;
      starts.push(others.length);
      room.push(needed);
      if (s < smallest || s + needed <= live || (b < this.tensors && this.roles[b] !== 0)) continue;
      let place = bounds.length;
      for (; place > 0 && bounds[place - 1]! < s + needed; place--) {
        bounds[place] = bounds[place - 1]!;
        candidates[place] = candidates[place - 1]!;
      }
      bounds[place] = s + needed;
      candidates[place] = b;
    }
    return { sizes, others, starts, room, live, candidates, bounds, offsets: new Array<number>(size.length).fill(-1) };
  }

  /** B: smaller buffers can't end above `live`, nor do tensors that live outside depend on them. */
  private smallestNeeded(live: number): number {
    const { size, tensors, roles, liveAt, born } = this;
    let smallest = Infinity;
    for (let b = 0; b < size.length; b++) {
      const s = size.at[b]!;
      if (s >= smallest) continue;
      const from = this.firstOf(b);
      // what comes before is no smaller
      const others = liveAt.at[from]! - s + born.at[this.lastOf(b)]! - born.at[from]!;
      if (s + 2 * others > live || (b < tensors && roles[b] !== 0)) smallest = s;
    }
    return smallest;
  }

  private firstOf(b: number): number {
    return b >= this.tensors ? this.time.at[b - this.tensors]! : b < this.before ? 0 : b - this.before + 1;
  }

  private lastOf(b: number): number {
    return b >= this.tensors ? this.time.at[b - this.tensors]! : this.last.at[b]!;
  }

  private findAlive(): void {
    const { alive, aliveStarts, living, last, before } = this;
    alive.length = aliveStarts.length = living.length = 0;
    for (let t = 0; t < before; t++) living.push(t);
    for (let time = 0; time <= this.end; time++) {
      if (time > 0) living.push(before + time - 1);
      aliveStarts.push(alive.length);
      let kept = 0;
      for (let i = 0; i < living.length; i++) {
        const t = living.at[i]!;
        alive.push(t);
        if (last.at[t]! > time) living.at[kept++] = t;
      }
      living.length = kept;
    }
    aliveStarts.push(alive.length);
  }

  /** Sizes of all buffers. @returns B of the largest live set */
  private measure(takes: readonly number[], compiled: readonly CompiledPiece[], a: number, bytesPerElement: number): number {
    const { size, time, scratchStarts, alive, aliveStarts, liveAt, born } = this;
    size.length = time.length = scratchStarts.length = 0;
    for (let t = 0; t < takes.length; t++) size.push(alignUp(takes[t]! * bytesPerElement, TFLM_ALIGNMENT));
    for (let p = 0; p < compiled.length; p++) {
      const { sizes } = compiled[p]!.arenas[a]!;
      for (let k = 0; k < sizes.length; k++) size.push(sizes[k]!);
    }
    scratchStarts.push(size.length);
    let now = 0;
    for (let p = 0; p < compiled.length; p++) {
      const { scratch, scratchStarts: own } = compiled[p]!.arenas[a]!;
      for (let k = 0; k + 1 < own.length; k++) {
        scratchStarts.push(size.length);
        now++;
        for (let i = own[k]!; i < own[k + 1]!; i++) {
          size.push(scratch[i]!);
          time.push(now);
        }
      }
    }
    scratchStarts.push(size.length);
    liveAt.length = born.length = 0;
    let most = 0;
    let total = 0;
    for (let t = 0; t <= this.end; t++) {
      let live = 0;
      for (let i = aliveStarts.at[t]!; i < aliveStarts.at[t + 1]!; i++) live += size.at[alive.at[i]!]!;
      for (let b = scratchStarts.at[t]!; b < scratchStarts.at[t + 1]!; b++) {
        live += size.at[b]!;
        total += size.at[b]!;
      }
      if (t > 0) total += size.at[this.before + t - 1]!;
      born.push(total);
      liveAt.push(live);
      if (live > most) most = live;
    }
    return most;
  }

  /** Adds the buffers of b's time that are placed before it. Two tensors that the section takes meet where the later one is made. */
  private findOthers(b: number, others: number[]): void {
    const { before, alive, aliveStarts, scratchStarts } = this;
    const from = this.firstOf(b);
    const to = this.lastOf(b);
    if (b >= this.taken) for (let i = aliveStarts.at[from]!; i < aliveStarts.at[from + 1]!; i++) this.addBefore(alive.at[i]!, b, others);
    for (let other = before + from; other < before + to; other++) this.addBefore(other, b, others);
    for (let other = scratchStarts.at[from]!; other < scratchStarts.at[to + 1]!; other++) this.addBefore(other, b, others);
  }

  private addBefore(other: number, b: number, others: number[]): void {
    const own = this.size.at[other]!;
    const s = this.size.at[b]!;
    if (own > s || (own === s && other > b)) others.push(other);
  }
}
