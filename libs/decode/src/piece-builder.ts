/**
 * Networks as pieces in place of graphs, for pricing: an operator is found by numbers that say all it depends on, and no node, id or
 * shape is made anew for one that has been seen; nor are the pieces of a section gone through again.
 */
import { OPS, type OpAttrs, type OpKind, type PiecedGraph, type Section, type Shape } from '@app/graph';
import { NetworkBuilder, type BuilderOptions, type Feature } from './network-builder.js';
import type { KnownPiece, KnownSection, PieceTable } from './piece-table.js';

class MadeFeature implements Feature {
  /**
   * @param frame  where it is read
   * @param at  its number there
   * @param known  the piece that makes it, and what that was then
   * @param isOwn  its piece stands in the frame itself, where operators may join it
   */
  constructor(readonly frame: Frame, readonly at: number, readonly known: KnownPiece, readonly isOwn: boolean) {}

  get id(): string {
    return '';
  }

  get channels(): number {
    return this.known.channels;
  }

  get height(): number {
    return this.known.height;
  }

  get width(): number {
    return this.known.width;
  }
}

/** The network, or a section of it: tensors are what the section takes and what its parts make. */
class Frame {
  readonly tensors: MadeFeature[] = [];
  readonly readers: number[] = [];
  readonly reads: number[] = [];
  readonly starts: number[] = [0];
  readonly merging: { readonly x: number; readonly known: KnownPiece }[] = [];
  readonly sections: Section[] = [];

  feature(known: KnownPiece, isOwn: boolean, at = this.tensors.length): MadeFeature {
    return new MadeFeature(this, at, known, isOwn);
  }

  place(known: KnownPiece, isOwn: boolean, readers = 0): MadeFeature {
    const feature = this.feature(known, isOwn);
    this.tensors.push(feature);
    this.readers.push(readers);
    return feature;
  }

  read(at: number): void {
    this.reads.push(at);
    this.readers[at]!++;
  }
}

/** What may run as part of the operator before it, or vanish with it, where nothing else reads that one. */
const JOINS: ReadonlySet<OpKind> = new Set<OpKind>(['batchNorm', 'activation', 'flatten', 'reshape']);
/** Operators that some runtimes run once if two equal ones read the same tensor. */
const MERGES: ReadonlySet<OpKind> = new Set<OpKind>(['activation', 'maxPool', 'avgPool', 'globalAvgPool', 'slice', 'transpose', 'padChannels', 'resize', 'softmax']);
const VIEWS: ReadonlySet<OpKind> = new Set<OpKind>(['flatten', 'reshape']);
const FOLDS: ReadonlySet<OpKind> = new Set<OpKind>(['zeros', 'constant', 'opaque']);
const KIND_NUMBER = new Map<OpKind, number>((Object.keys(OPS) as OpKind[]).map((kind, i) => [kind, i]));

/**
 * Finishes with null where a network can't be told in pieces: an operator that may be folded or run once for two, one that may join another which
 * does not stand right before it or in another section, several outputs, dead ends.
 */
export class PieceBuilder extends NetworkBuilder<PiecedGraph | null> {
  private readonly outer = new Frame();
  private frame = this.outer;
  private isWhole = false;

  constructor(private readonly name: string, private readonly table: PieceTable, options?: BuilderOptions) {
    super(options);
    table.begin();
  }

  begin(): void {}

  input(channels: number, height: number, width = height): Feature {
    return this.takeIn([1, channels, height, width]);
  }

  vectorInput(features: number): Feature {
    return this.takeIn([1, features]);
  }

  finish(...outputs: readonly Feature[]): PiecedGraph | null {
    const [output] = outputs as readonly MadeFeature[];
    const { tensors, readers, reads, starts, sections } = this.outer;
    if (this.isWhole || output === undefined || outputs.length > 1 || this.isStale(output) || output.known.taken.length === 0) return null;
    for (let t = 0; t < tensors.length; t++) if (readers[t] === 0 && t !== output.at) return null;
    return { name: this.name, sections, reads, starts, output: output.at };
  }

  /** A section is gone through until it is kept; one within another is part of that. */
  override section(key: readonly number[], inputs: readonly Feature[], build: (inputs: readonly Feature[]) => readonly Feature[]): readonly Feature[] {
    const made = inputs as readonly MadeFeature[];
    for (let i = 0; i < made.length; i++) if (this.isStale(made[i]!) || firstPlace(made, i) < i) return build(inputs);
    const { table } = this;
    this.sectionKey(key, made);
    const sighting = table.sight();
    if (typeof sighting === 'object') return this.placeSection(sighting, made);
    if (sighting === 'inseparable' || sighting < table.keptAfter) return build(inputs);
    const known = this.buildSection(made, build);
    this.sectionKey(key, made);
    table.keep(known);
    return known === null ? build(inputs) : this.placeSection(known, made);
  }

  protected node<K extends OpKind>(_part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature {
    const { frame } = this;
    const made = inputs as readonly MadeFeature[];
    const x = made[0]!;
    if (kind === 'quantizationNoise' || kind === 'identity') return x;
    if (FOLDS.has(kind)) this.isWhole = true;
    for (const input of made) {
      if (input.frame !== frame) throw new Error('a section reads a tensor that is not among its inputs');
      if (this.isStale(input)) this.isWhole = true;
    }
    // only behind a mean is a renaming one whatever reads it
    if (VIEWS.has(kind) && (!x.isOwn || x.known.nodes.at(-1)!.kind !== 'globalAvgPool')) this.isWhole = true;
    if (JOINS.has(kind) && frame.readers[x.at] === 0 && !(x.isOwn && x.known.taken.length === 0)) {
      if (x.isOwn && x.at === frame.tensors.length - 1) return this.join(x, kind, attrs);
      this.isWhole = true;
    }
    this.key(-1, kind, attrs);
    const { keys } = this.table;
    for (let i = 0; i < made.length; i++) {
      const place = firstPlace(made, i);
      keys.add(place < i ? -1 - place : made[i]!.known.shapeNumber);
      if (place === i) frame.read(made[i]!.at);
    }
    const known = this.table.single(kind, attrs, () => takenOf(made));
    if (MERGES.has(kind)) this.merge(x.at, known);
    return this.placed(known);
  }

  private join<K extends OpKind>({ at, known }: MadeFeature, kind: K, attrs: OpAttrs[K]): Feature {
    const { frame, table } = this;
    this.key(known.number, kind, attrs);
    const longer = table.longer(known, kind, attrs);
    if (frame === this.outer) frame.sections[frame.sections.length - 1] = longer.section;
    return (frame.tensors[at] = frame.feature(longer, true, at));
  }

  private takeIn(shape: Shape): Feature {
    if (this.frame !== this.outer || this.outer.tensors.some(({ known }) => known.taken.length > 0)) this.isWhole = true;
    const attrs = { shape };
    this.key(-1, 'input', attrs);
    return this.placed(this.table.single('input', attrs, () => ({ shapes: [], places: [] })));
  }

  private placed(known: KnownPiece): MadeFeature {
    const { frame } = this;
    if (frame === this.outer) frame.sections.push(known.section);
    frame.starts.push(frame.reads.length);
    return frame.place(known, true);
  }

  private merge(x: number, known: KnownPiece): void {
    const { merging } = this.frame;
    for (const other of merging) if (other.x === x && other.known === known) this.isWhole = true;
    merging.push({ x, known });
  }

  /** Null where it can't be told alone. */
  private buildSection(inputs: readonly MadeFeature[], build: (inputs: readonly Feature[]) => readonly Feature[]): KnownSection | null {
    const { frame: around, isWhole: before } = this;
    this.isWhole = false;
    const frame = (this.frame = new Frame());
    const results = build(inputs.map(({ known }) => frame.place(known, false))) as readonly MadeFeature[];
    this.frame = around;
    const first = inputs.length;
    const leaves: number[] = [];
    for (const result of results) {
      if (result.frame !== frame || frame.tensors[result.at] !== result) this.isWhole = true;
      else if (result.at >= first && !leaves.includes(result.at)) leaves.push(result.at);
    }
    for (let t = first; t < frame.tensors.length; t++) if (frame.readers[t] === 0 && !leaves.includes(t)) this.isWhole = true;
    const isAlone = !this.isWhole;
    this.isWhole = before;
    if (!isAlone) return null;
    const used = inputs.flatMap((_, i) => (frame.readers[i]! > 0 ? [i] : []));
    const now = (t: number): number => (t < first ? used.indexOf(t) : t - first + used.length);
    const pieces = frame.tensors.slice(first).map(({ known }) => known);
    return {
      section: { pieces, taken: used.length, reads: frame.reads.map(now), starts: frame.starts, leaves: leaves.map((t) => t - first), notes: [] },
      used,
      results: results.map(({ at }) => (at < first ? -1 - at : leaves.indexOf(at))),
      leaves: leaves.map((t) => ({ known: frame.tensors[t]!.known, isReadWithin: frame.readers[t]! > 0 })),
      merging: frame.merging.flatMap(({ x, known }) => (x < first ? [{ x: now(x), known }] : leaves.includes(x) ? [{ x: -1 - leaves.indexOf(x), known }] : [])),
    };
  }

  private placeSection(known: KnownSection, inputs: readonly MadeFeature[]): readonly Feature[] {
    const { frame } = this;
    const { section, used, results, merging } = known;
    const first = frame.tensors.length;
    const isOuter = frame === this.outer;
    if (section.pieces.length > 0) {
      if (isOuter) this.placeWhole(known, inputs);
      else this.placePieces(known, inputs);
    }
    for (let i = 0; i < merging.length; i++) {
      const { x, known: merged } = merging[i]!;
      this.merge(x < 0 ? first + (isOuter ? -1 - x : section.leaves[-1 - x]!) : inputs[used[x]!]!.at, merged);
    }
    const made = new Array<MadeFeature>(results.length);
    for (let i = 0; i < results.length; i++) {
      const r = results[i]!;
      made[i] = r < 0 ? inputs[-1 - r]! : frame.tensors[first + (isOuter ? r : section.leaves[r]!)]!;
    }
    return made;
  }

  /** Tensors are those that leave. */
  private placeWhole({ section, used, leaves }: KnownSection, inputs: readonly MadeFeature[]): void {
    const { frame } = this;
    frame.sections.push(section);
    for (let i = 0; i < used.length; i++) frame.read(inputs[used[i]!]!.at);
    frame.starts.push(frame.reads.length);
    for (let i = 0; i < leaves.length; i++) frame.place(leaves[i]!.known, false, leaves[i]!.isReadWithin ? 1 : 0);
  }

  private placePieces({ section: { reads, starts, pieces }, used }: KnownSection, inputs: readonly MadeFeature[]): void {
    const { frame } = this;
    const before = frame.tensors.length - used.length;
    for (let p = 0; p < pieces.length; p++) {
      for (let i = starts[p]!; i < starts[p + 1]!; i++) frame.read(reads[i]! < used.length ? inputs[used[reads[i]!]!]!.at : before + reads[i]!);
      frame.starts.push(frame.reads.length);
      frame.place(pieces[p]!, false);
    }
  }

  private sectionKey(key: readonly number[], inputs: readonly MadeFeature[]): void {
    const keys = this.table.sectionKeys;
    keys.begin();
    keys.add(key.length);
    for (let i = 0; i < key.length; i++) keys.add(key[i]!);
    for (let i = 0; i < inputs.length; i++) keys.add(inputs[i]!.known.shapeNumber);
  }

  /** Read as it was before an operator joined it. */
  private isStale({ frame, at, known }: MadeFeature): boolean {
    return frame.tensors[at]!.known !== known;
  }

  /** Begins the key of an operator: the piece it joins, −1 where it begins one, its kind and its attributes. */
  private key<K extends OpKind>(joined: number, kind: K, attrs: OpAttrs[K]): void {
    const { keys } = this.table;
    keys.begin();
    keys.add(joined);
    keys.add(KIND_NUMBER.get(kind)!);
    for (const name in attrs) {
      const value: unknown = attrs[name];
      if (typeof value === 'number') keys.add(value);
      else if (typeof value === 'string') keys.add(this.table.numberOf(value));
      else if (typeof value === 'boolean') keys.add(value ? 1 : 0);
      else {
        const list = value as readonly number[];
        keys.add(list.length);
        for (let i = 0; i < list.length; i++) keys.add(list[i]!);
      }
    }
  }
}

/** Shapes that an operator takes, each tensor once, and where among them its inputs are. */
function takenOf(made: readonly MadeFeature[]): { readonly shapes: readonly Shape[]; readonly places: readonly number[] } {
  const shapes: Shape[] = [];
  const places: number[] = [];
  made.forEach(({ known }, i) => {
    const place = firstPlace(made, i);
    places.push(place < i ? places[place]! : shapes.push(known.shape) - 1);
  });
  return { shapes, places };
}

/** Of the tensor that the i-th input is, the first place. */
function firstPlace(made: readonly MadeFeature[], i: number): number {
  let place = 0;
  while (place < i && made[place]!.at !== made[i]!.at) place++;
  return place;
}
