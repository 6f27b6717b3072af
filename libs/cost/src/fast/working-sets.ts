/** Largest working sets of a network in pieces, by one walk over its operators: the figures of `memoryOfPlan`, `overlayProgram` and `overwritingPeak`. */
import type { PiecedGraph } from '@app/graph';
import type { CompiledPiece } from './compiled-piece.js';

/** A list of numbers that is used again and grows where it must. */
export class Numbers {
  at = new Float64Array(256);
  length = 0;

  push(value: number): void {
    if (this.length === this.at.length) this.reserve(2 * this.length);
    this.at[this.length++] = value;
  }

  /** Room for so many. */
  reserve(length: number): void {
    if (length <= this.at.length) return;
    const more = new Float64Array(2 * length);
    more.set(this.at);
    this.at = more;
  }
}

export class WorkingSetWalk {
  /** elements: live sets; with planned overlays; writing over inputs of any size, without and with pointwise convolutions */
  live = 0;
  overlay = 0;
  overwriting = 0;
  overwritingPointwise = 0;
  /** of each tensor: elements, readers, the last of them */
  private readonly elements = new Numbers();
  private readonly readers = new Numbers();
  private readonly last = new Numbers();
  /** tensor that leaves each piece */
  private readonly made = new Numbers();

  walk({ pieces, reads, starts, output }: PiecedGraph, compiled: readonly CompiledPiece[]): void {
    this.number(reads, starts, compiled);
    // the output stays to the end
    const kept = this.made.at[output]!;
    let inputs = 0;
    for (let p = 0; p < pieces.length && compiled[p]!.set.starts.length === 1; p++) inputs += this.elements.at[p]!;
    // what lives is the same for all: they differ in what it takes to get from one operator to the next
    let living = inputs;
    this.live = this.overlay = this.overwriting = this.overwritingPointwise = inputs;
    let unit = 0;
    let tensor = 0;
    for (let p = 0; p < pieces.length; p++) {
      const { set } = compiled[p]!;
      const operators = set.starts.length - 1;
      if (operators === 0) tensor++;
      const first = tensor;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      for (let k = 0; k < operators; k++, unit++, tensor++) {
        const size = this.elements.at[tensor]!;
        let inPlace = false;
        let overlaid = false;
        let dying = 0;
        let most = 0;
        for (let i = set.starts[k]!; i < set.starts[k + 1]!; i++) {
          const local = set.reads[i]!;
          const t = local < taken ? this.made.at[reads[begin + local]!]! : first + local - taken;
          if (t === kept || this.last.at[t] !== unit) continue;
          const bit = 1 << (i - set.starts[k]!);
          if ((set.inPlace[k]! & bit) !== 0 && this.readers.at[t] === 1) inPlace = true;
          if ((set.overlaid[k]! & bit) !== 0) overlaid = true;
          dying += this.elements.at[t]!;
          most = Math.max(most, this.elements.at[t]!);
        }
        // what is written over is of the size of what is written
        const inPlaceSize = inPlace ? 0 : size;
        const overlaidSize = overlaid ? 0 : size;
        this.live = Math.max(this.live, living + inPlaceSize);
        this.overlay = Math.max(this.overlay, living + overlaidSize + set.plane[k]!);
        const kind = set.overwriting[k]!;
        this.overwriting = Math.max(this.overwriting, living + Math.max(0, size - ((kind & 1) !== 0 ? most : 0)));
        this.overwritingPointwise = Math.max(this.overwritingPointwise, living + Math.max(0, size - ((kind & 2) !== 0 ? most : 0)));
        living += size - dying;
      }
    }
  }

  private number(reads: readonly number[], starts: readonly number[], compiled: readonly CompiledPiece[]): void {
    const { elements, readers, last, made } = this;
    elements.length = readers.length = last.length = made.length = 0;
    let unit = 0;
    for (let p = 0; p < compiled.length; p++) {
      const { set } = compiled[p]!;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      const first = elements.length;
      for (let k = 0; k < set.elements.length; k++) {
        elements.push(set.elements[k]!);
        readers.push(0);
        last.push(-1);
      }
      for (let k = 0; k + 1 < set.starts.length; k++, unit++) {
        for (let i = set.starts[k]!; i < set.starts[k + 1]!; i++) {
          const local = set.reads[i]!;
          const t = local < taken ? made.at[reads[begin + local]!]! : first + local - taken;
          readers.at[t]!++;
          last.at[t] = unit;
        }
      }
      made.push(taken === 0 ? first : set.output < taken ? made.at[reads[begin + set.output]!]! : first + set.output - taken);
    }
  }
}
