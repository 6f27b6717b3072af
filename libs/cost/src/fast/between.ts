/** Tensors between the runs of a network: which run makes each, which reads it last, and what of that a run sees. */
import { Indices } from './lists.js';
import type { RunNetwork } from './run.js';

/** Bits that a state has room for. */
const MOST_BITS = 30;
/** Last needed behind a run: in no operator of it, at no time. */
export const NEVER = 2 ** 31 - 1;

export class Between {
  /** inputs of the network are its first tensors */
  inputs = 0;
  /** by tensor, the run that reads it last; the number of runs where the network gives it */
  readonly last = new Indices();
  /** by tensor, its number in the run that makes it */
  readonly sources = new Indices();
  /** tensors run r takes: taken.at[starts[r]] …, as the network's `reads` */
  readonly taken = new Indices();
  /** the first tensor that run r makes: those that leave it follow each other */
  readonly firsts = new Indices();
  /**
   * By run, what it sees of the others. Of the j-th tensor it takes bit 2j: no run behind it reads that; bit 2j + 1: no other run does; then a bit
   * for each tensor it makes that leaves: a run behind it reads that.
   */
  readonly states = new Indices();
  /** once asked for, tensors made before run r that it or one behind it reads: alive.at[aliveStarts.at[r]] …, in the order they were made in */
  readonly alive = new Indices();
  readonly aliveStarts = new Indices();
  /** by tensor, runs that read it */
  readonly readers = new Indices();
  private readonly made = new Indices();

  /**
   * @param which  as sums over tensors see the operators, or as TensorFlow Lite Micro runs them
   * @returns whether it can be told: no run takes one tensor under two names, or so many that their bits have no room
   */
  of({ runs, reads, starts, output }: RunNetwork, which: 'set' | 'lowered'): boolean {
    const { last, taken, firsts, sources, states, readers, made } = this;
    last.length = taken.length = firsts.length = sources.length = states.length = readers.length = made.length = 0;
    this.inputs = 0;
    for (let r = 0; r < runs.length; r++) {
      const begin = starts[r]!;
      const own = starts[r + 1]! - begin;
      if (own === 0) this.inputs++;
      for (let j = 0; j < own; j++) {
        const t = made.at[reads[begin + j]!]!;
        if (last.at[t] === r) return false;
        taken.push(t);
        readers.at[t]!++;
        last.at[t] = r;
      }
      const first = last.length;
      firsts.push(first);
      const { outputs } = runs[r]!.shape[which];
      if (2 * own + outputs.length > MOST_BITS) return false;
      for (let i = 0; i < outputs.length; i++) this.leave(r, outputs[i]!, begin, own, first);
    }
    last.at[made.at[output]!] = runs.length;
    firsts.push(last.length);
    this.findStates(starts);
    return true;
  }

  /** A tensor of run r is one it takes, or one it makes, for the first time or again. */
  private leave(r: number, out: number, begin: number, own: number, first: number): void {
    const { last, sources, made, readers } = this;
    if (out < own) {
      made.push(this.taken.at[begin + out]!);
      return;
    }
    let t = first;
    while (t < last.length && sources.at[t] !== out) t++;
    made.push(t);
    if (t < last.length) return;
    last.push(r);
    readers.push(0);
    sources.push(out);
  }

  private findStates(starts: readonly number[]): void {
    const { last, taken, firsts, states, readers } = this;
    for (let r = 0; r + 1 < firsts.length; r++) {
      let state = 0;
      let bit = 1;
      for (let i = starts[r]!; i < starts[r + 1]!; i++, bit <<= 2) {
        const t = taken.at[i]!;
        if (last.at[t] === r) state |= bit;
        if (readers.at[t] === 1) state |= bit << 1;
      }
      for (let t = firsts.at[r]!; t < firsts.at[r + 1]!; t++, bit <<= 1) if (last.at[t]! > r) state |= bit;
      states.push(state);
    }
  }

  /** Fills `alive`. */
  findAlive(): void {
    const { last, firsts, alive, aliveStarts } = this;
    const runs = firsts.length - 1;
    alive.length = aliveStarts.length = 0;
    let before = 0;
    for (let r = 0; r < runs; r++) {
      aliveStarts.push(alive.length);
      const end = alive.length;
      for (let i = before; i < end; i++) if (last.at[alive.at[i]!]! >= r) alive.push(alive.at[i]!);
      if (r > 0) for (let t = firsts.at[r - 1]!; t < firsts.at[r]!; t++) if (last.at[t]! >= r) alive.push(t);
      before = end;
    }
    aliveStarts.push(alive.length);
  }
}

/** What was noted of a run in a state. */
export function noted<T extends { readonly state: number }>(notes: readonly T[], state: number): T | undefined {
  for (let i = 0; i < notes.length; i++) if (notes[i]!.state === state) return notes[i];
  return undefined;
}
