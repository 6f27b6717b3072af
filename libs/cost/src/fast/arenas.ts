/**
 * Greedy arenas of a network: as high as the highest end of a buffer, and that run by run. A run whose buffers end no higher than the arena
 * already is by what is noted of it is passed over; else they are asked of networks seen before, or placed.
 */
import { ArenaBounds } from './arena-bounds.js';
import { ArenaMemo } from './arena-memo.js';
import { ArenaWalk } from './arena-walk.js';
import type { Between } from './between.js';
import { Lifetimes } from './lifetimes.js';
import { Rows } from './rows.js';
import type { Run, RunNetwork } from './run.js';

/** Networks of more runs are looked at as a whole: they have parts that were not seen before, and so would most neighbours be. */
const MOST_RUNS = 24;

export class Arenas {
  private readonly bounds: ArenaBounds;
  private readonly memo: ArenaMemo;
  private readonly lifetimes = new Lifetimes();
  private readonly walks: readonly ArenaWalk[];
  private isBegun = false;

  /** @param between  tensors between runs, as TensorFlow Lite Micro runs them */
  constructor(count: number, private readonly between: Between) {
    this.bounds = new ArenaBounds(count, new Rows());
    this.memo = new ArenaMemo(between, this.bounds);
    this.walks = Array.from({ length: count }, (_, a) => new ArenaWalk(this.lifetimes, a));
  }

  /** @param into  B by arena */
  plan(network: RunNetwork, into: Float64Array): void {
    const { bounds, memo, lifetimes, walks } = this;
    if (network.runs.length > MOST_RUNS) {
      lifetimes.of(network);
      for (let a = 0; a < walks.length; a++) into[a] = walks[a]!.begin(network.runs).whole();
      return;
    }
    this.between.findAlive();
    bounds.look(network, this.between);
    memo.begin(network);
    this.isBegun = false;
    into.set(bounds.live);
    const highest = bounds.highest();
    this.raise(network, highest, into);
    for (let r = 0; r < network.runs.length; r++) if (r !== highest) this.raise(network, r, into);
  }

  private raise(network: RunNetwork, r: number, into: Float64Array): void {
    if (!this.mayRaise(r, into)) return;
    const ends = this.memo.find(r, into) ?? this.place(network, r, into);
    for (let a = 0; a < into.length; a++) into[a] = Math.max(into[a]!, ends[a]!);
  }

  private mayRaise(r: number, heights: Float64Array): boolean {
    const { arenas, ends } = this.bounds;
    for (let a = 0; a < arenas; a++) if (ends.at[r * arenas + a]! > heights[a]!) return true;
    return false;
  }

  private place(network: RunNetwork, r: number, into: Float64Array): readonly number[] {
    const { lifetimes, walks } = this;
    if (!this.isBegun) {
      lifetimes.of(network);
      for (const walk of walks) walk.begin(network.runs);
      this.isBegun = true;
    }
    const to = endOf(network.runs, r);
    const from = to - network.runs[r]!.shape.lowered.operators + (network.starts[r] === network.starts[r + 1] ? 0 : 1);
    const above = [...into];
    const ends = walks.map((walk, a) => walk.highest(from, to, above[a]!));
    const [first, last] = [Math.min(...walks.map((walk) => walk.first)), Math.max(...walks.map((walk) => walk.last))];
    this.memo.keep(r, { above, ends }, runAt(network.runs, first), runAt(network.runs, last));
    return ends;
  }
}

/** The time of the last operator up to a run. */
function endOf(runs: readonly Run[], last: number): number {
  let time = 0;
  for (let r = 0; r <= last; r++) time += runs[r]!.shape.lowered.operators;
  return time;
}

/** The run that a time falls in; inputs are there at time 0. */
function runAt(runs: readonly Run[], time: number): number {
  let r = 0;
  for (let end = runs[0]!.shape.lowered.operators; end < time; r++) end += runs[r + 1]!.shape.lowered.operators;
  return r;
}
