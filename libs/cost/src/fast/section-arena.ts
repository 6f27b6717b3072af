/**
 * The greedy arena of a network in sections, exact and without planning it as a whole.
 *
 * The greedy planner takes buffers by falling size and puts each at the lowest gap between those before it that live at the same time
 * (`greedyPlacement`). Buffers inside a section meet only each other and the tensors that enter or leave it. So each section keeps its
 * buffers sorted, with for each the ones before it that it meets, and a network costs only the walk.
 *
 * The walk is by need: before a buffer is placed, the tensors at its section's ends that come before it are, and before such a tensor the
 * buffers of both its sections that come before it. Most buffers are never placed: a buffer that meets k others before it, of sizes sⱼ,
 * ends at or below Σ sⱼ + (k + 1) · s, as each gap it passes is smaller than itself; where that is no more than the arena has already, or
 * than the largest live set, which no arena undercuts, it can't raise the answer.
 */
import { greedyOrder } from '../memory/greedy-planner.js';
import { lifetimes, liveBytes, type Buffer } from '../memory/program.js';
import { keptSums, TFLM_ALIGNMENT, type KeptSums, type TflmNetwork } from '../memory/tflm.js';

/** A tensor at an end of a section, as this section sees it. Times count the section's operators from 1. */
interface End {
  /** its place among the tensors of the section */
  readonly tensor: number;
  /** B */
  readonly size: number;
  /** buffers of the section that come before it */
  readonly rank: number;
  readonly first: number;
  /** last operator of the section that reads it; where it is made, if none does */
  readonly last: number;
  /** what the buffers before it that it meets add to the bound of its end, B */
  readonly bound: number;
}

/** Plain arrays: thousands are kept, and every typed array longer than some bytes is a buffer of its own for the collector. */
export interface SectionArena {
  readonly kept: KeptSums;
  /** time after the last operator */
  readonly end: number;
  /** largest set of buffers that live at one time whatever comes after, B */
  readonly live: number;
  /** by what the section before hands on; null: not read */
  readonly entering: readonly (End | null)[];
  readonly leaving: readonly End[];
  /** buffers inside, in the planner's order: sizes and lifetimes */
  readonly size: readonly number[];
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** met[start[p] … start[p + 1]): buffers before p that it meets */
  readonly start: readonly number[];
  readonly met: readonly number[];
  /** no buffer from p on ends above, B */
  readonly bound: readonly number[];
}

/**
 * @param takes    for each tensor handed over by the section before, its place among the program's inputs; −1: not read
 * @param isFirst  its inputs are the network's and belong to it
 */
export function sectionArena(network: TflmNetwork, takes: readonly number[], isFirst: boolean): SectionArena {
  const { program } = network;
  const { buffers, bufferOf } = lifetimes(program, undefined, TFLM_ALIGNMENT);
  const lastRead = new Int32Array(program.tensors.length).fill(-1);
  program.ops.forEach((op, k) => op.inputs.forEach((t) => (lastRead[t] = k + 1)));
  const outputs = program.outputs.map((t) => bufferOf[t]!);
  const inputs = program.inputs.map((t) => bufferOf[t]!);
  const atEnds = new Set([...outputs, ...inputs]);
  const inside = greedyOrder(buffers).filter((b) => !atEnds.has(b));
  const size = inside.map((b) => buffers[b]!.size);
  const first = inside.map((b) => buffers[b]!.first);
  const last = inside.map((b) => buffers[b]!.last);
  const end = (t: number, from: number, to: number, until: number, isInput: boolean): End => {
    const b = bufferOf[t]!;
    const { size: own } = buffers[b]!;
    let rank = 0;
    while (rank < inside.length && (size[rank]! > own || (size[rank] === own && (isInput || inside[rank]! > b)))) rank++;
    let bound = 0;
    for (let p = 0; p < rank; p++) if (first[p]! <= until && last[p]! >= from) bound += size[p]! + own;
    return { tensor: t, size: own, rank, first: from, last: to, bound };
  };
  const leaving = program.outputs.map((t) => end(t, buffers[bufferOf[t]!]!.first, Math.max(lastRead[t]!, buffers[bufferOf[t]!]!.first), program.ops.length, false));
  const entering = takes.map((place) => (place < 0 || lastRead[program.inputs[place]!]! < 0 ? null : end(program.inputs[place]!, 0, lastRead[program.inputs[place]!]!, lastRead[program.inputs[place]!]!, true)));
  const ends = [...leaving.map((e) => ({ ...e, until: program.ops.length })), ...entering.filter((e) => e !== null).map((e) => ({ ...e, until: e.last }))];
  const start = [0];
  const met: number[] = [];
  const bound: number[] = [];
  for (let p = 0; p < inside.length; p++) {
    let most = size[p]!;
    for (let q = 0; q < p; q++) {
      if (first[q]! > last[p]! || last[q]! < first[p]!) continue;
      met.push(q);
      most += size[q]! + size[p]!;
    }
    for (const e of ends) if (e.rank <= p && e.first <= last[p]! && e.until >= first[p]!) most += e.size + size[p]!;
    start.push(met.length);
    bound.push(most);
  }
  for (let p = inside.length - 2; p >= 0; p--) bound[p] = Math.max(bound[p]!, bound[p + 1]!);
  const certain: Buffer[] = buffers.map((b, k) => (outputs.includes(k) ? { ...b, last: leaving[outputs.indexOf(k)]!.last } : b));
  return {
    kept: keptSums(network, program.tensors.length - (isFirst ? 0 : program.inputs.length)),
    end: program.ops.length, live: liveBytes(certain).reduce((a, b) => Math.max(a, b), 0),
    entering, leaving, size, first, last, start, met, bound,
  };
}

/** Tensors a section may hand over. */
export const MOST_ENDS = 4;

/** Plans arenas one after another in memory of its own. */
export class SectionedArenaPlanner {
  private sections: readonly SectionArena[] = [];
  /** of each section: buffers placed so far, and where its offsets begin */
  private placed = new Int32Array(0);
  private base = new Int32Array(0);
  private offsets = new Float64Array(0);
  /** of each tensor between sections, the network's inputs first; −1: not placed */
  private endOffsets = new Float64Array(0);
  private readonly neighbourOffsets: number[] = [];
  private readonly neighbourEnds: number[] = [];
  private neighbours = 0;
  private top = 0;

  /** B of the arena that `greedyPlacement` makes of the whole network. */
  size(sections: readonly SectionArena[]): number {
    this.begin(sections);
    for (let s = 0; s < sections.length; s++) {
      const { bound, size } = sections[s]!;
      while (this.placed[s]! < size.length && bound[this.placed[s]!]! > this.top) this.advance(s, this.placed[s]! + 1);
    }
    for (let s = -1; s < sections.length; s++) {
      for (let j = 0; j < this.handedOver(s); j++) if (this.boundOf(s, j) > this.top) this.placeEnd(s, j);
    }
    return this.top;
  }

  private begin(sections: readonly SectionArena[]): void {
    this.sections = sections;
    if (this.placed.length < sections.length) {
      this.placed = new Int32Array(2 * sections.length);
      this.base = new Int32Array(2 * sections.length);
      this.endOffsets = new Float64Array((2 * sections.length + 1) * MOST_ENDS);
    }
    this.top = 0;
    let buffers = 0;
    for (let s = 0; s < sections.length; s++) {
      this.placed[s] = 0;
      this.base[s] = buffers;
      buffers += sections[s]!.size.length;
      this.top = Math.max(this.top, sections[s]!.live);
    }
    this.endOffsets.fill(-1, 0, (sections.length + 1) * MOST_ENDS);
    if (this.offsets.length < buffers) this.offsets = new Float64Array(2 * buffers);
  }

  /** Tensors section s hands over; the network's inputs for −1. */
  private handedOver(s: number): number {
    return s < 0 ? this.sections[0]!.entering.length : this.sections[s]!.leaving.length;
  }

  /** Tensor j that leaves section s, as the next section sees it. */
  private taken(s: number, j: number): End | null {
    return s + 1 < this.sections.length ? (this.sections[s + 1]!.entering[j] ?? null) : null;
  }

  /** Last time of section s at which its j-th tensor is needed. */
  private lastOf(s: number, j: number): number {
    const isNeededAfter = s === this.sections.length - 1 || this.taken(s, j) !== null;
    return isNeededAfter ? this.sections[s]!.end : this.sections[s]!.leaving[j]!.last;
  }

  private sizeOf(s: number, j: number): number {
    return s < 0 ? (this.sections[0]!.entering[j]?.size ?? 0) : this.sections[s]!.leaving[j]!.size;
  }

  /** Does tensor j of section s come before tensor i of section r? Of equal sizes the later one. */
  private isBefore(s: number, j: number, r: number, i: number): boolean {
    const [a, b] = [this.sizeOf(s, j), this.sizeOf(r, i)];
    return a !== b ? a > b : s !== r ? s > r : this.tensorOf(s, j) > this.tensorOf(r, i);
  }

  private tensorOf(s: number, j: number): number {
    return s < 0 ? (this.sections[0]!.entering[j]?.tensor ?? -1) : this.sections[s]!.leaving[j]!.tensor;
  }

  private boundOf(s: number, j: number): number {
    const own = this.sizeOf(s, j);
    let bound = own + (s < 0 ? 0 : this.sections[s]!.leaving[j]!.bound) + (this.taken(s, j)?.bound ?? 0);
    for (let r = s - 1; r <= s + 1; r++) {
      if (r < -1 || r >= this.sections.length) continue;
      for (let i = 0; i < this.handedOver(r); i++) if (r !== s || i !== j) bound += this.sizeOf(r, i) + own;
    }
    return bound;
  }

  /** Places the buffers of section s up to the first `count`. */
  private advance(s: number, count: number): void {
    const section = this.sections[s]!;
    for (let p = this.placed[s]!; p < count; p = this.placed[s]!) {
      for (let j = 0; j < section.leaving.length; j++) if (section.leaving[j]!.rank <= p) this.placeEnd(s, j);
      for (let j = 0; j < section.entering.length; j++) if (section.entering[j] && section.entering[j]!.rank <= p) this.placeEnd(s - 1, j);
      this.placeInside(s, p);
      this.placed[s] = p + 1;
    }
  }

  private placeInside(s: number, p: number): void {
    const { size, first, last, start, met, leaving, entering } = this.sections[s]!;
    const base = this.base[s]!;
    this.neighbours = 0;
    for (let m = start[p]!; m < start[p + 1]!; m++) this.meet(this.offsets[base + met[m]!]!, size[met[m]!]!);
    for (let j = 0; j < leaving.length; j++) {
      if (last[p]! >= leaving[j]!.first && first[p]! <= this.lastOf(s, j)) this.meetEnd(s, j);
    }
    for (let j = 0; j < entering.length; j++) if (entering[j] && first[p]! <= entering[j]!.last) this.meetEnd(s - 1, j);
    this.offsets[base + p] = this.lowestGap(size[p]!);
  }

  private placeEnd(s: number, j: number): void {
    const at = (s + 1) * MOST_ENDS + j;
    if (this.endOffsets[at]! >= 0) return;
    const here = s < 0 ? null : this.sections[s]!.leaving[j]!;
    const next = this.taken(s, j);
    if (here === null && next === null) return;
    for (let r = s - 1; r <= s + 1; r++) {
      if (r < -1 || r >= this.sections.length) continue;
      for (let i = 0; i < this.handedOver(r); i++) if ((r !== s || i !== j) && this.isBefore(r, i, s, j)) this.placeEnd(r, i);
    }
    if (here !== null) this.advance(s, here.rank);
    if (next !== null) this.advance(s + 1, next.rank);
    // what it meets: buffers placed of both sections, and the other tensors at their ends
    this.neighbours = 0;
    if (here !== null) {
      this.meetInside(s, here.first, this.lastOf(s, j));
      this.meetEndsOf(s, here.first, this.lastOf(s, j), at);
    }
    if (next !== null) {
      this.meetInside(s + 1, 0, next.last);
      this.meetEndsOf(s + 1, 0, next.last, at);
    }
    this.endOffsets[at] = this.lowestGap(this.sizeOf(s, j));
  }

  private meetInside(s: number, from: number, to: number): void {
    const { size, first, last } = this.sections[s]!;
    const base = this.base[s]!;
    for (let p = 0; p < this.placed[s]!; p++) if (first[p]! <= to && last[p]! >= from) this.meet(this.offsets[base + p]!, size[p]!);
  }

  /** Tensors at the ends of section s that are placed and live at some time from … to, but for one. */
  private meetEndsOf(s: number, from: number, to: number, but: number): void {
    const { leaving, entering } = this.sections[s]!;
    for (let j = 0; j < leaving.length; j++) {
      if ((s + 1) * MOST_ENDS + j !== but && leaving[j]!.first <= to && this.lastOf(s, j) >= from) this.meetEnd(s, j);
    }
    for (let j = 0; j < entering.length; j++) if (s * MOST_ENDS + j !== but && entering[j] && entering[j]!.last >= from) this.meetEnd(s - 1, j);
  }

  private meetEnd(s: number, j: number): void {
    const offset = this.endOffsets[(s + 1) * MOST_ENDS + j]!;
    if (offset >= 0) this.meet(offset, this.sizeOf(s, j));
  }

  /** By rising offset. */
  private meet(offset: number, size: number): void {
    const { neighbourOffsets, neighbourEnds } = this;
    let at = this.neighbours++;
    for (; at > 0 && neighbourOffsets[at - 1]! > offset; at--) {
      neighbourOffsets[at] = neighbourOffsets[at - 1]!;
      neighbourEnds[at] = neighbourEnds[at - 1]!;
    }
    neighbourOffsets[at] = offset;
    neighbourEnds[at] = offset + size;
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
