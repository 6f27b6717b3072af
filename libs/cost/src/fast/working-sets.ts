/**
 * Largest working sets of a network: the figures of `memoryOfPlan`, `overlayProgram` and `overwritingPeak`. What a run takes besides what lives
 * on either side of it is the same wherever the same of its tensors are read on: it is found once, by a walk over its operators, and a network's by a walk over its runs.
 */
import { NEVER, noted, type Between } from './between.js';
import { Indices, Numbers } from './lists.js';
import type { Run, RunNetwork, SetsWithin } from './run.js';

export class WorkingSetWalk {
  /** of the network walked last, elements: live sets; with planned overlays; writing over inputs of any size, without and with pointwise convolutions */
  live = 0;
  overlay = 0;
  overwriting = 0;
  overwritingPointwise = 0;
  /** of each tensor between runs, elements */
  private readonly sizes = new Numbers();
  /** of each tensor of a run: elements, readers, the last of them */
  private readonly elements = new Numbers();
  private readonly readers = new Indices();
  private readonly last = new Indices();

  /** @param between  as the set has it */
  walk({ runs, starts }: RunNetwork, between: Between): void {
    const { sizes } = this;
    const { taken, last, firsts, sources, states } = between;
    sizes.length = 0;
    this.live = this.overlay = this.overwriting = this.overwritingPointwise = 0;
    let living = 0;
    for (let r = 0; r < runs.length; r++) {
      const run = runs[r]!;
      const { shape, row, at } = run;
      const [begin, end] = [starts[r]!, starts[r + 1]!];
      for (let t = firsts.at[r]!; t < firsts.at[r + 1]!; t++) sizes.push(row[at + shape.elements + sources.at[t]! - (end - begin)]!);
      let reads = 0;
      let dying = 0;
      for (let i = begin; i < end; i++) {
        const size = sizes.at[taken.at[i]!]!;
        reads += size;
        if (last.at[taken.at[i]!] === r) dying += size;
      }
      this.raise(living - reads, noted(run.sets, states.at[r]!) ?? this.note(run, r, begin, end, between));
      living -= dying;
      for (let t = firsts.at[r]!; t < firsts.at[r + 1]!; t++) if (last.at[t]! > r) living += sizes.at[t]!;
    }
  }

  private raise(beside: number, { live, overlay, overwriting, overwritingPointwise }: SetsWithin): void {
    if (beside + live > this.live) this.live = beside + live;
    if (beside + overlay > this.overlay) this.overlay = beside + overlay;
    if (beside + overwriting > this.overwriting) this.overwriting = beside + overwriting;
    if (beside + overwritingPointwise > this.overwritingPointwise) this.overwritingPointwise = beside + overwritingPointwise;
  }

  private note(run: Run, r: number, begin: number, end: number, between: Between): SetsWithin {
    this.number(run, r, begin, end, between);
    const sets = this.look(run, end - begin, between.states.at[r]!);
    run.sets.push(sets);
    return sets;
  }

  private number({ shape: { set, elements: from, plane: to }, row, at }: Run, r: number, begin: number, end: number, between: Between): void {
    const { elements, readers, last, sizes } = this;
    elements.length = readers.length = last.length = 0;
    for (let i = begin; i < end; i++) {
      const t = between.taken.at[i]!;
      elements.push(sizes.at[t]!);
      readers.push(between.readers.at[t]! - 1);
      last.push(between.last.at[t]! > r ? NEVER : -1);
    }
    for (let k = at + from; k < at + to; k++) {
      elements.push(row[k]!);
      readers.push(0);
      last.push(-1);
    }
    for (let t = between.firsts.at[r]!; t < between.firsts.at[r + 1]!; t++) if (between.last.at[t]! > r) last.at[between.sources.at[t]!] = NEVER;
    for (let k = 0; k < set.operators; k++) {
      for (let i = set.starts[k]!; i < set.starts[k + 1]!; i++) {
        const t = set.reads[i]!;
        readers.at[t]!++;
        if (last.at[t] !== NEVER) last.at[t] = k;
      }
    }
  }

  private look({ shape: { set, plane }, row, at }: Run, taken: number, state: number): SetsWithin {
    const { elements, readers, last } = this;
    // an input of the network lives before anything runs
    const before = set.operators === 0 ? elements.length : taken;
    let living = 0;
    for (let t = 0; t < before; t++) living += elements.at[t]!;
    let [live, overlay, overwriting, overwritingPointwise] = [living, living, living, living];
    // what lives is the same for all: they differ in what it takes to get from one operator to the next
    for (let k = 0; k < set.operators; k++) {
      const size = elements.at[taken + k]!;
      let inPlace = false;
      let overlaid = false;
      let dying = 0;
      let most = 0;
      for (let i = set.starts[k]!, bit = 1; i < set.starts[k + 1]!; i++, bit <<= 1) {
        const t = set.reads[i]!;
        if (last.at[t] !== k) continue;
        if ((set.inPlace[k]! & bit) !== 0 && readers.at[t] === 1) inPlace = true;
        if ((set.overlaid[k]! & bit) !== 0) overlaid = true;
        dying += elements.at[t]!;
        most = Math.max(most, elements.at[t]!);
      }
      // what is written over is of the size of what is written
      live = Math.max(live, living + (inPlace ? 0 : size));
      overlay = Math.max(overlay, living + (overlaid ? 0 : size) + row[at + plane + k]!);
      const kind = set.overwriting[k]!;
      overwriting = Math.max(overwriting, living + Math.max(0, size - ((kind & 1) !== 0 ? most : 0)));
      overwritingPointwise = Math.max(overwritingPointwise, living + Math.max(0, size - ((kind & 2) !== 0 ? most : 0)));
      living += size - dying;
    }
    return { state, live, overlay, overwriting, overwritingPointwise };
  }
}
