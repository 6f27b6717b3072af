/** Largest working sets of a section, by one walk over its operators: the figures of `memoryOfPlan`, `overlayProgram` and `overwritingPeak`. */
import type { Section } from '@app/graph';
import type { CompiledPiece } from './compiled-piece.js';
import { Indices, Numbers } from './lists.js';
import { isReadElsewhere, leafLivesOn, takenLivesOn } from './section-context.js';

/** Elements: live sets; with planned overlays; writing over inputs of any size, without and with pointwise convolutions. */
export interface WorkingSets {
  readonly live: number;
  readonly overlay: number;
  readonly overwriting: number;
  readonly overwritingPointwise: number;
}

/** no operator */
const NEVER = 2 ** 31 - 1;

export class WorkingSetWalk {
  /** of each tensor: elements, readers, the last of them */
  private readonly elements = new Numbers();
  private readonly readers = new Indices();
  private readonly last = new Indices();
  /** what the section takes, then the tensor that leaves each piece */
  private readonly made = new Indices();

  walk(section: Section, compiled: readonly CompiledPiece[], context: number): WorkingSets {
    this.number(section, compiled, context);
    const { elements, readers, last, made } = this;
    const { takes, reads, starts } = section;
    // what lives is the same for all: they differ in what it takes to get from one operator to the next
    let living = 0;
    for (let t = 0; t < takes.length; t++) living += takes[t]!;
    let tensor = takes.length;
    let p = 0;
    for (; p < compiled.length && compiled[p]!.set.starts.length === 1; p++) living += elements.at[tensor++]!;
    let [live, overlay, overwriting, overwritingPointwise] = [living, living, living, living];
    let unit = 0;
    for (; p < compiled.length; p++) {
      const { set } = compiled[p]!;
      const operators = set.starts.length - 1;
      const first = tensor;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      for (let k = 0; k < operators; k++, unit++, tensor++) {
        const size = elements.at[tensor]!;
        let inPlace = false;
        let overlaid = false;
        let dying = 0;
        let most = 0;
        for (let i = set.starts[k]!; i < set.starts[k + 1]!; i++) {
          const local = set.reads[i]!;
          const t = local < taken ? made.at[reads[begin + local]!]! : first + local - taken;
          if (last.at[t] !== unit) continue;
          const bit = 1 << (i - set.starts[k]!);
          if ((set.inPlace[k]! & bit) !== 0 && readers.at[t] === 1) inPlace = true;
          if ((set.overlaid[k]! & bit) !== 0) overlaid = true;
          dying += elements.at[t]!;
          most = Math.max(most, elements.at[t]!);
        }
        // what is written over is of the size of what is written
        const inPlaceSize = inPlace ? 0 : size;
        const overlaidSize = overlaid ? 0 : size;
        live = Math.max(live, living + inPlaceSize);
        overlay = Math.max(overlay, living + overlaidSize + set.plane[k]!);
        const kind = set.overwriting[k]!;
        overwriting = Math.max(overwriting, living + Math.max(0, size - ((kind & 1) !== 0 ? most : 0)));
        overwritingPointwise = Math.max(overwritingPointwise, living + Math.max(0, size - ((kind & 2) !== 0 ? most : 0)));
        living += size - dying;
      }
    }
    return { live, overlay, overwriting, overwritingPointwise };
  }

  private number({ takes, reads, starts, leaves }: Section, compiled: readonly CompiledPiece[], context: number): void {
    const { elements, readers, last, made } = this;
    elements.length = readers.length = last.length = made.length = 0;
    for (let t = 0; t < takes.length; t++) {
      elements.push(takes[t]!);
      readers.push(isReadElsewhere(context, t) ? 1 : 0);
      last.push(-1);
      made.push(t);
    }
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
    for (let t = 0; t < takes.length; t++) if (takenLivesOn(context, t)) last.at[t] = NEVER;
    for (let i = 0; i < leaves.length; i++) if (leafLivesOn(context, takes.length, i)) last.at[made.at[takes.length + leaves[i]!]!] = NEVER;
  }
}
