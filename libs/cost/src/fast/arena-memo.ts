/**
 * How high the buffers of a run end in greedy arenas, known from networks in which the run had the same neighbours. It depends on what lives
 * in the times that `ArenaWalk` names; where these lie within some runs, it is the same wherever those stand in the same order, read
 * the same of each other, and begin beside tensors of the same sizes.
 */

import { KeyTable } from '@app/numeric';
import type { ArenaBounds } from './arena-bounds.js';
import type { Between } from './between.js';
import type { Run, RunNetwork } from './run.js';

/** Numbers of a key, and heights that are kept, at the most. */
const [MOST_NUMBERS, MOST_HEIGHTS] = [256, 32_768];

/** Runs before and behind another, up to which more is known. */
interface Window {
  readonly before: number;
  readonly behind: number;
}

/** B by arena: the highest end where that is above a height, else that height. */
export interface Heights {
  readonly above: readonly number[];
  readonly ends: readonly number[];
}

export class ArenaMemo {
  private readonly table = new KeyTable<Heights | Window>();
  private runs: readonly Run[] = [];
  private starts: readonly number[] = [];
  private first = 0;
  private last = 0;

  constructor(private readonly between: Between, private readonly bounds: ArenaBounds) {}

  /** Turns to a network, which the bounds are of. */
  begin({ runs, starts }: RunNetwork): void {
    [this.runs, this.starts] = [runs, starts];
    if (this.table.size >= MOST_HEIGHTS) this.table.clear();
  }

  /** Highest ends of the buffers of run r, B by arena, those at or below the given ones left out; null where they are not known. */
  find(r: number, above: Float64Array): readonly number[] | null {
    this.look(r, 1, 1);
    while (this.tell(r)) {
      const entry = this.table.find();
      if (entry < 0) return null;
      const known = this.table.get(entry);
      if (!('before' in known)) return isKnownAbove(known, above) ? known.ends : null;
      this.look(r, known.before, known.behind);
    }
    return null;
  }

  /**
   * What was just not found.
   *
   * @param first  the first run, and the last, that it depends on
   */
  keep(r: number, heights: Heights, first: number, last: number): void {
    if (!this.tell(r)) return;
    if (first < this.first || last > this.last) {
      const window = { before: r - Math.min(first, this.first), behind: Math.max(last, this.last) - r };
      this.put(window);
      this.look(r, window.before, window.behind);
      if (!this.tell(r)) return;
    }
    this.put(heights);
  }

  private put(value: Heights | Window): void {
    const entry = this.table.find();
    if (entry < 0) this.table.insert(value);
    else this.table.set(entry, value);
  }

  private look(r: number, before: number, behind: number): void {
    this.first = Math.max(0, r - before);
    this.last = Math.min(this.runs.length - 1, r + behind);
  }

  /** Begins the key of the window of a run. @returns whether it has room */
  private tell(r: number): boolean {
    const { table, runs, starts, first, last, between: { alive, aliveStarts, taken, states, firsts }, bounds: { sizes, arenas } } = this;
    const [begin, end, from] = [aliveStarts.at[first]!, aliveStarts.at[first + 1]!, firsts.at[first]!];
    if (4 + (end - begin) * (1 + arenas) + 2 * (last - first + 1) + starts[last + 1]! - starts[first]! > MOST_NUMBERS) return false;
    table.begin();
    table.add(r - first);
    table.add(last - first);
    table.add(last === runs.length - 1 ? 1 : 0);
    table.add(end - begin);
    for (let i = begin; i < end; i++) {
      table.add(Math.min(this.between.last.at[alive.at[i]!]!, last + 1) - first);
      for (let a = 0; a < arenas; a++) table.add(sizes.at[alive.at[i]! * arenas + a]!);
    }
    for (let run = first; run <= last; run++) {
      table.add(runs[run]!.number);
      table.add(states.at[run]!);
      for (let i = starts[run]!; i < starts[run + 1]!; i++) {
        const t = taken.at[i]!;
        if (t >= from) table.add(t - from);
        else {
          let place = begin;
          while (alive.at[place] !== t) place++;
          table.add(begin - place - 1);
        }
      }
    }
    return true;
  }
}

function isKnownAbove({ above, ends }: Heights, heights: Float64Array): boolean {
  for (let a = 0; a < heights.length; a++) if (ends[a]! <= above[a]! && above[a]! > heights[a]!) return false;
  return true;
}
