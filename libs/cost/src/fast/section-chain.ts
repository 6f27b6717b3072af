/** Sections of a network one behind the other: which reads what, and what becomes of the tensors between them. */
import type { PiecedGraph } from '@app/graph';
import type { CompiledSection, SectionMemory } from './compiled-section.js';
import { Indices } from './lists.js';
import { CONTEXT_BITS, leafBit, takenBits } from './section-context.js';

export class SectionChain {
  readonly sections: CompiledSection[] = [];
  readonly memories: SectionMemory[] = [];
  reads: readonly number[] = [];
  starts: readonly number[] = [];
  /** by tensor: the section that makes it, and the last to read it; the output is read behind the last */
  readonly born = new Indices();
  readonly last = new Indices();
  /** first tensor of each section */
  readonly first = new Indices();
  private readonly readers = new Indices();
  private readonly taking = new Indices();

  /**
   * `sections` holds the network's. False, and what else is here is not of the network, where one hands on what it takes, or a tensor lives
   * through a section that does not read it.
   */
  arrange({ reads, starts, output }: Pick<PiecedGraph, 'reads' | 'starts' | 'output'>): boolean {
    const { sections, memories, born, last, first, readers, taking } = this;
    this.reads = reads;
    this.starts = starts;
    born.length = last.length = first.length = readers.length = taking.length = 0;
    for (let s = 0; s < sections.length; s++) {
      const { isPlain, isReadWithin } = sections[s]!;
      if (!isPlain && sections.length > 1) return false;
      first.push(born.length);
      for (let i = 0; i < isReadWithin.length; i++) {
        born.push(s);
        last.push(s);
        readers.push(isReadWithin[i]! ? 1 : 0);
        taking.push(0);
      }
      for (let i = starts[s]!; i < starts[s + 1]!; i++) {
        const t = reads[i]!;
        last.at[t] = s;
        readers.at[t]!++;
        taking.at[t]!++;
      }
    }
    last.at[output] = sections.length;
    taking.at[output]!++;
    for (let t = 0; t < born.length; t++) if (taking.at[t] !== last.at[t]! - born.at[t]!) return false;
    memories.length = sections.length;
    for (let s = 0; s < sections.length; s++) {
      const taken = starts[s + 1]! - starts[s]!;
      const leaves = sections[s]!.isReadWithin.length;
      if (2 * taken + leaves > CONTEXT_BITS) return false;
      let context = 0;
      for (let j = 0; j < taken; j++) {
        const t = reads[starts[s]! + j]!;
        context |= takenBits(j, readers.at[t]! > 1, last.at[t]! > s);
      }
      for (let i = 0; i < leaves; i++) if (last.at[first.at[s]! + i]! > s) context |= leafBit(taken, i);
      memories[s] = sections[s]!.memoryIn(context);
    }
    return true;
  }
}
