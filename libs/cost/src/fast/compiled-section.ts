/** What pricing needs to know of a section: sums of its pieces, found once, and its memory for each thing that may become of its tensors. */
import type { Section } from '@app/graph';
import type { CompiledPiece, Layout, Questions } from './compiled-piece.js';
import { SectionLifetimes, type SectionArena, type SectionTensors } from './section-arena.js';
import { WorkingSetWalk, type WorkingSets } from './working-sets.js';

export interface SectionMemory {
  readonly sets: WorkingSets;
  readonly tensors: SectionTensors;
  readonly arenas: readonly SectionArena[];
}

/** What walks sections, with the lists it takes for that. */
export class SectionCompiler {
  readonly workingSets = new WorkingSetWalk();
  readonly lifetimes = new SectionLifetimes();

  constructor(readonly questions: Questions, readonly layout: Layout) {}
}

export class CompiledSection {
  /** as `Layout` places it */
  readonly figures: Float64Array;
  /** s of each unit, [units, rooflines] */
  readonly seconds: readonly number[];
  /** by generated code, B */
  readonly buffers: readonly number[];
  /** which leaves are read within */
  readonly isReadWithin: readonly boolean[];
  /** none of its pieces hands on what it takes */
  readonly isPlain: boolean;
  private readonly memories = new Map<number, SectionMemory>();

  constructor(readonly section: Section, readonly pieces: readonly CompiledPiece[], private readonly compiler: SectionCompiler) {
    const { questions, layout } = compiler;
    const figures = (this.figures = new Float64Array(layout.length));
    const seconds: number[] = [];
    const buffers = questions.generated.map(() => 0);
    let isPlain = true;
    pieces.forEach((piece, p) => {
      for (let k = 0; k < piece.places.length; k++) figures[piece.places[k]!]! += piece.figures[k]!;
      for (let k = 0; k < piece.seconds.length; k++) seconds.push(piece.seconds[k]!);
      for (let k = 0; k < buffers.length; k++) buffers[k] = Math.max(buffers[k]!, piece.buffers[k]!);
      const taken = section.starts[p + 1]! - section.starts[p]!;
      if (piece.set.output < taken || (questions.arenas.length > 0 && piece.lowered.output < taken)) isPlain = false;
    });
    this.seconds = seconds;
    this.buffers = buffers;
    this.isPlain = isPlain;
    this.isReadWithin = section.leaves.map((leaf) => section.reads.includes(section.takes.length + leaf));
  }

  /** @param context  what becomes of its tensors */
  memoryIn(context: number): SectionMemory {
    let memory = this.memories.get(context);
    if (memory === undefined) this.memories.set(context, (memory = this.findMemory(context)));
    return memory;
  }

  private findMemory(context: number): SectionMemory {
    const { section, pieces } = this;
    const { questions, workingSets, lifetimes } = this.compiler;
    const sets = workingSets.walk(section, pieces, context);
    if (questions.arenas.length === 0) return { sets, tensors: { roles: [], leaves: [] }, arenas: [] };
    const tensors = lifetimes.begin(section, pieces, context);
    return { sets, tensors, arenas: questions.arenas.map(({ precision }, a) => lifetimes.arena(section.takes, pieces, a, precision === 'int8' ? 1 : 4)) };
  }
}
