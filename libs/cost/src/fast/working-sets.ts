/** Largest working sets of a network, by one walk over its operators: the figures of `memoryOfPlan`, `overlayProgram` and `overwritingPeak`. */
import { Indices, Numbers } from './lists.js';
import type { RunNetwork } from './run.js';

/** no operator */
const NEVER = 2 ** 31 - 1;

export class WorkingSetWalk {
  /** of the network walked last, elements: live sets; with planned overlays; writing over inputs of any size, without and with pointwise convolutions */
  live = 0;
  overlay = 0;
  overwriting = 0;
  overwritingPointwise = 0;
  /** of each tensor: elements, readers, the last of them */
  private readonly elements = new Numbers();
  private readonly readers = new Indices();
  private readonly last = new Indices();
  /** by tensor between runs */
  private readonly made = new Indices();
  /** tensors the operators read, in order */
  private readonly read = new Indices();

  walk(network: RunNetwork): void {
    this.number(network);
    const { elements, readers, last, read } = this;
    const { runs } = network;
    // what lives is the same for all: they differ in what it takes to get from one operator to the next
    let living = 0;
    let tensor = 0;
    let p = 0;
    for (; p < runs.length && runs[p]!.shape.set.operators === 0; p++) living += elements.at[tensor++]!;
    let [live, overlay, overwriting, overwritingPointwise] = [living, living, living, living];
    for (let unit = 0, i = 0; p < runs.length; p++) {
      const { shape: { set, plane }, row, at } = runs[p]!;
      for (let k = 0; k < set.operators; k++, unit++, tensor++) {
        const size = elements.at[tensor]!;
        let inPlace = false;
        let overlaid = false;
        let dying = 0;
        let most = 0;
        for (let j = set.starts[k]!, bit = 1; j < set.starts[k + 1]!; j++, i++, bit <<= 1) {
          const t = read.at[i]!;
          if (last.at[t] !== unit) continue;
          if ((set.inPlace[k]! & bit) !== 0 && readers.at[t] === 1) inPlace = true;
          if ((set.overlaid[k]! & bit) !== 0) overlaid = true;
          dying += elements.at[t]!;
          most = Math.max(most, elements.at[t]!);
        }
        // what is written over is of the size of what is written
        const inPlaceSize = inPlace ? 0 : size;
        const overlaidSize = overlaid ? 0 : size;
        live = Math.max(live, living + inPlaceSize);
        overlay = Math.max(overlay, living + overlaidSize + row[at + plane + k]!);
        const kind = set.overwriting[k]!;
        overwriting = Math.max(overwriting, living + Math.max(0, size - ((kind & 1) !== 0 ? most : 0)));
        overwritingPointwise = Math.max(overwritingPointwise, living + Math.max(0, size - ((kind & 2) !== 0 ? most : 0)));
        living += size - dying;
      }
    }
    [this.live, this.overlay, this.overwriting, this.overwritingPointwise] = [live, overlay, overwriting, overwritingPointwise];
  }

  private number({ runs, reads, starts, output }: RunNetwork): void {
    const { elements, readers, last, made, read } = this;
    elements.length = readers.length = last.length = made.length = read.length = 0;
    let unit = 0;
    for (let p = 0; p < runs.length; p++) {
      const { shape: { set, elements: from, plane: to }, row, at } = runs[p]!;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      const first = elements.length;
      for (let k = at + from; k < at + to; k++) {
        elements.push(row[k]!);
        readers.push(0);
        last.push(-1);
      }
      for (let k = 0; k < set.operators; k++, unit++) {
        for (let i = set.starts[k]!; i < set.starts[k + 1]!; i++) {
          const local = set.reads[i]!;
          const t = local < taken ? made.at[reads[begin + local]!]! : first + local - taken;
          read.push(t);
          readers.at[t]!++;
          last.at[t] = unit;
        }
      }
      for (let i = 0; i < set.outputs.length; i++) {
        const out = set.outputs[i]!;
        made.push(out < taken ? made.at[reads[begin + out]!]! : first + out - taken);
      }
    }
    last.at[made.at[output]!] = NEVER;
  }
}
