/**
 * How high the buffers of a network may end in its greedy arenas, from what is noted of its runs: the largest live sets, which no arena
 * undercuts, and how high the buffers that a run makes end at the most. These bounds are looser than those of `ArenaWalk`, which says why they hold.
 */
import { NEVER, noted, type Between } from './between.js';
import { Indices, Numbers } from './lists.js';
import type { Rows } from './rows.js';
import type { BoundsWithin, Run, RunNetwork, Wiring } from './run.js';

/** Figures of a run, B by arena: the largest live set; how high a buffer ends at the most that lives in no other run's time; sizes of the tensors that leave. */
const [LIVE, BOUND, FIGURES] = [0, 1, 2];

export class ArenaBounds {
  // of the network looked at last, B: by arena the largest live set; by run, [arenas], a bound of where the buffers end that it makes
  readonly live: Float64Array;
  readonly ends = new Numbers();
  /** of each tensor between runs, [arenas]: B */
  readonly sizes = new Numbers();
  private readonly within: BoundsWithin[] = [];
  /** by run, [arenas]: B of what lives beside it; how high its buffers end at the most that live in no other run's time */
  private readonly beside = new Numbers();
  private readonly inner = new Numbers();
  private readonly living: Float64Array;
  // of a run: by tensor, the time it is last needed; those that leave; tensors that live at each time: alive.at[aliveStarts.at[t]] …; sizes of tensors and scratch buffers
  private readonly last = new Indices();
  private readonly leaving = new Indices();
  private readonly alive = new Indices();
  private readonly aliveStarts = new Indices();
  private readonly size = new Numbers();

  constructor(readonly arenas: number, private readonly rows: Rows) {
    this.live = new Float64Array(arenas);
    this.living = new Float64Array(arenas);
  }

  /** @param between  tensors between runs as TensorFlow Lite Micro runs them */
  look(network: RunNetwork, between: Between): void {
    this.findLive(network, between);
    this.findEnds(network.runs.length, between);
  }

  /** The run whose buffers may end highest. */
  highest(): number {
    const { ends, arenas, live } = this;
    let [most, run] = [0, 0];
    for (let i = 0; i < ends.length; i++) {
      const a = i % arenas;
      const share = ends.at[i]! / live[a]!;
      if (share > most) [most, run] = [share, (i - a) / arenas];
    }
    return run;
  }

  private findLive({ runs, starts }: RunNetwork, between: Between): void {
    const { arenas, within, sizes, beside, living, live } = this;
    const { taken, last, firsts, states } = between;
    sizes.length = beside.length = 0;
    within.length = runs.length;
    living.fill(0);
    live.fill(0);
    for (let r = 0; r < runs.length; r++) {
      const [begin, end, first, next] = [starts[r]!, starts[r + 1]!, firsts.at[r]!, firsts.at[r + 1]!];
      const { row, at } = (within[r] = noted(runs[r]!.bounds, states.at[r]!) ?? this.note(runs[r]!, r, begin, end, between));
      const length = FIGURES + next - first;
      for (let a = 0, k = at; a < arenas; a++, k += length) {
        let around = living[a]!;
        for (let i = begin; i < end; i++) around -= sizes.at[taken.at[i]! * arenas + a]!;
        beside.push(around);
        live[a] = Math.max(live[a]!, around + row[k + LIVE]!);
        for (let i = begin; i < end; i++) if (last.at[taken.at[i]!] === r) living[a]! -= sizes.at[taken.at[i]! * arenas + a]!;
      }
      for (let t = first; t < next; t++) {
        for (let a = 0; a < arenas; a++) {
          const size = row[at + a * length + FIGURES + t - first]!;
          sizes.push(size);
          if (last.at[t]! > r) living[a]! += size;
        }
      }
    }
  }

  /**
   * A tensor between runs lies above buffers that live in one run's time alone by no more than those between runs that come before it and
   * a gap at each: nothing else lies there.
   */
  private findEnds(runs: number, { last, firsts, alive, aliveStarts }: Between): void {
    const { arenas, within, beside, ends, inner, sizes } = this;
    inner.length = ends.length = 0;
    for (let r = 0; r < runs; r++) {
      const { row, at } = within[r]!;
      const length = FIGURES + firsts.at[r + 1]! - firsts.at[r]!;
      // what lives beside comes before a buffer, and may leave a gap too small for it, only where it is no smaller
      for (let a = 0; a < arenas; a++) inner.push(row[at + a * length + BOUND]! + 2 * beside.at[r * arenas + a]!);
    }
    for (let r = 0; r < runs; r++) {
      for (let a = 0; a < arenas; a++) {
        let end = inner.at[r * arenas + a]!;
        for (let t = firsts.at[r]!; t < firsts.at[r + 1]!; t++) {
          if (last.at[t] === r) continue;
          const to = Math.min(last.at[t]!, runs - 1);
          const size = sizes.at[t * arenas + a]!;
          let own = size;
          for (let q = r; q <= to; q++) own = Math.max(own, size + inner.at[q * arenas + a]!);
          for (let i = aliveStarts.at[r]!; i < aliveStarts.at[r + 1]!; i++) own += above(sizes.at[alive.at[i]! * arenas + a]!, size);
          for (let other = firsts.at[r]!; other < firsts.at[to + 1]!; other++) if (other !== t) own += above(sizes.at[other * arenas + a]!, size);
          if (own > end) end = own;
        }
        ends.push(end);
      }
    }
  }

  private note(run: Run, r: number, begin: number, end: number, between: Between): BoundsWithin {
    const { arenas, size } = this;
    const { firsts, states } = between;
    const length = FIGURES + firsts.at[r + 1]! - firsts.at[r]!;
    const bounds = { state: states.at[r]!, ...this.rows.take(arenas * length) };
    this.findLast(run.shape.lowered, r, begin, end, between);
    this.findAlive(run.shape.lowered, end - begin);
    for (let a = 0; a < arenas; a++) {
      const at = bounds.at + a * length;
      size.length = 0;
      for (let i = begin; i < end; i++) size.push(this.sizes.at[between.taken.at[i]! * arenas + a]!);
      this.noteArena(run, a, bounds.row, at);
      for (let i = 0; i < this.leaving.length; i++) bounds.row[at + FIGURES + i] = size.at[this.leaving.at[i]!]!;
    }
    run.bounds.push(bounds);
    return bounds;
  }

  /** Operator k runs at time k + 1; what is needed behind the run is last needed never. */
  private findLast({ operators, starts, reads, outputs }: Wiring, r: number, begin: number, end: number, between: Between): void {
    const { last, leaving } = this;
    last.length = leaving.length = 0;
    for (let i = 0; i < outputs.length; i++) if (outputs[i]! >= end - begin && outputs.indexOf(outputs[i]!) === i) leaving.push(outputs[i]!);
    for (let i = begin; i < end; i++) last.push(between.last.at[between.taken.at[i]!]! > r ? NEVER : 0);
    for (let k = 0; k < operators; k++) last.push(k + 1);
    for (let i = 0; i < leaving.length; i++) {
      if (begin === end) last.push(0);
      if (between.last.at[between.firsts.at[r]! + i]! > r) last.at[leaving.at[i]!] = NEVER;
    }
    for (let k = 0; k < operators; k++) {
      for (let i = starts[k]!; i < starts[k + 1]!; i++) if (last.at[reads[i]!] !== NEVER) last.at[reads[i]!] = k + 1;
    }
  }

  private findAlive({ operators }: Wiring, taken: number): void {
    const { last, alive, aliveStarts } = this;
    alive.length = aliveStarts.length = 0;
    // an input of the network is there before anything runs
    for (let t = 0; t < last.length - operators; t++) alive.push(t);
    aliveStarts.push(0);
    for (let time = 1; time <= operators; time++) {
      const [begin, end] = [aliveStarts.at[time - 1]!, alive.length];
      aliveStarts.push(end);
      for (let i = begin; i < end; i++) if (last.at[alive.at[i]!]! >= time) alive.push(alive.at[i]!);
      alive.push(taken + time - 1);
    }
    aliveStarts.push(alive.length);
  }

  /** Sizes of what is taken given. */
  private noteArena({ shape, row, at }: Run, a: number, into: Float64Array, to: number): void {
    const { size, last, alive, aliveStarts } = this;
    const { operators } = shape.lowered;
    const { sizes: from, scratch, scratchStarts } = shape.arenas[a]!;
    const taken = size.length;
    for (let k = at + from; k < at + scratch; k++) size.push(row[k]!);
    const tensors = size.length;
    for (let i = 0; i < scratchStarts.at(-1)!; i++) size.push(row[at + scratch + i]!);
    let [live, bound] = [0, 0];
    for (let time = 0; time <= operators; time++) {
      let here = 0;
      for (let i = aliveStarts.at[time]!; i < aliveStarts.at[time + 1]!; i++) here += size.at[alive.at[i]!]!;
      if (time > 0) {
        const [first, next] = [tensors + scratchStarts[time - 1]!, tensors + scratchStarts[time]!];
        for (let b = first; b < next; b++) here += size.at[b]!;
        const made = taken + time - 1;
        if (last.at[made] !== NEVER) bound = Math.max(bound, this.boundOf(made, time, last.at[made]!, taken, tensors, scratchStarts));
        for (let b = first; b < next; b++) bound = Math.max(bound, this.boundOf(b, time, time, taken, tensors, scratchStarts));
      }
      live = Math.max(live, here);
    }
    into[to + LIVE] = live;
    into[to + BOUND] = bound;
  }

  /** As `ArenaWalk` bounds a buffer, without what lives beside the run. */
  private boundOf(b: number, from: number, to: number, taken: number, tensors: number, scratchStarts: readonly number[]): number {
    const { alive, aliveStarts, size: { at: sizes } } = this;
    const size = sizes[b]!;
    // it is among those of its time
    let end = size - above(size, size);
    for (let i = aliveStarts.at[from]!; i < aliveStarts.at[from + 1]!; i++) end += above(sizes[alive.at[i]!]!, size);
    for (let other = taken + from; other < taken + to; other++) end += above(sizes[other]!, size);
    for (let other = tensors + scratchStarts[from - 1]!; other < tensors + scratchStarts[to]!; other++) end += above(sizes[other]!, size);
    return end;
  }
}

/** B by which a buffer of some size may come to lie higher for another of its time: that one, and a gap it does not fit in. */
function above(other: number, size: number): number {
  return other >= size ? other + size : 0;
}
