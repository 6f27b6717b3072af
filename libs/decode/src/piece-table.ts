import { graphBuilder, inferNode, type OpAttrs, type OpKind, type Piece, type Section, type Shape } from '@app/graph';
import { KeyTable } from '@app/numeric';

interface PieceNode {
  readonly kind: OpKind;
  readonly attrs: OpAttrs[OpKind];
  /** places of its inputs among what the piece takes; the nodes behind the first read the one before */
  readonly inputs: readonly number[];
}

/** A piece with what more may be known of it. */
export class KnownPiece implements Piece {
  readonly notes: { readonly by: object }[] = [];
  /** of the shape, as a feature has them */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** the piece as a section of its own */
  readonly section: Section;

  /**
   * @param number  in the table
   * @param taken  shapes of the tensors it takes
   * @param shapeNumber  number of `shape`, which is that of what it makes
   */
  constructor(readonly number: number, readonly nodes: readonly PieceNode[], readonly taken: readonly Shape[], readonly shape: Shape, readonly shapeNumber: number) {
    const [, channels = 1, height = 1, width = 1] = shape;
    [this.channels, this.height, this.width] = [channels, height, width];
    const reads = taken.map((_, j) => j);
    this.section = { pieces: [this], taken: taken.length, reads, starts: [0, reads.length], leaves: [0], notes: [] };
  }

  get operators(): number {
    return this.nodes.length;
  }

  graph(): ReturnType<Piece['graph']> {
    const b = graphBuilder(this.nodes[0]!.kind);
    const takes = this.taken.map((shape, j) => b.input(shape, `taken${j}`));
    let last = '';
    this.nodes.forEach(({ kind, attrs, inputs }, i) => (last = b.node(kind, i > 0 ? [last] : inputs.map((j) => takes[j]!), attrs)));
    b.output(last);
    return { graph: b.build(), takes };
  }
}

/** A section with what more may be known of it. */
export interface KnownSection {
  readonly section: Section & { readonly pieces: readonly KnownPiece[] };
  /** which of the inputs it was built with it takes */
  readonly used: readonly number[];
  /** what it was built to return: leaf r, or, below 0, input −1 − r as it came */
  readonly results: readonly number[];
  readonly leaves: readonly { readonly known: KnownPiece; readonly isReadWithin: boolean }[];
  /** operators of which a runtime may run one for two, by what they read: j-th of what the section takes, or, below 0, leaf −1 − j */
  readonly merging: readonly { readonly x: number; readonly known: KnownPiece }[];
}

/** What is known of a section under its key: how often it came before, itself, that it can't be told alone. */
export type Sighting = number | KnownSection | 'inseparable';

/**
 * Pieces and sections under all that tells them apart, as numbers. A section is kept once it came `keptAfter` times. Bounded: when one kind is
 * full all of it are forgotten, and sections with pieces.
 */
export class PieceTable {
  hits = 0;
  misses = 0;
  readonly keys = new KeyTable<KnownPiece>();
  readonly sectionKeys = new KeyTable<Sighting>();
  readonly sections = { size: 0, hits: 0, misses: 0 };
  private readonly shapes = new Map<string, number>();
  private readonly words = new Map<string, number>();

  /**
   * @param capacity  pieces kept at the most, half as many sections, and twice as many that came; at least 1
   * @param keptAfter  a section is kept when it came so often before: joining its pieces costs more than going through it again, and most come once or twice
   */
  constructor(readonly capacity: number, readonly keptAfter = 3) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`capacity: expected an integer of at least 1, got ${capacity}`);
  }

  get size(): number {
    return this.keys.size;
  }

  /** Makes room. Called before a network is built, never within. */
  begin(): void {
    const { keys, sectionKeys, sections } = this;
    const isFull = keys.size >= this.capacity;
    if (isFull) {
      keys.clear();
      this.shapes.clear();
    }
    if (isFull || sections.size >= this.capacity / 2 || sectionKeys.size >= 2 * this.capacity) {
      sectionKeys.clear();
      sections.size = 0;
    }
  }

  numberOf(word: string): number {
    return numberIn(this.words, word);
  }

  /** The piece of one node under the key told to `keys`. @param taken  shapes it takes, asked for where the piece is new */
  single<K extends OpKind>(kind: K, attrs: OpAttrs[K], taken: () => { readonly shapes: readonly Shape[]; readonly places: readonly number[] }): KnownPiece {
    const known = this.keys.find();
    if (known >= 0) {
      this.hits++;
      return this.keys.get(known);
    }
    const { shapes, places } = taken();
    return this.add([{ kind, attrs, inputs: places }], shapes, shapeOf(kind, attrs, places.map((j) => shapes[j]!)));
  }

  /** The piece under the key told: `piece` with one more node behind its last. */
  longer<K extends OpKind>(piece: KnownPiece, kind: K, attrs: OpAttrs[K]): KnownPiece {
    const known = this.keys.find();
    return known >= 0 ? this.keys.get(known) : this.add([...piece.nodes, { kind, attrs, inputs: [] }], piece.taken, shapeOf(kind, attrs, [piece.shape]));
  }

  /** What is known under the key told to `sectionKeys`; that it came is counted. */
  sight(): Sighting {
    const { sectionKeys, sections } = this;
    const entry = sectionKeys.find();
    const sighting = entry < 0 ? 0 : sectionKeys.get(entry);
    if (typeof sighting === 'object') sections.hits++;
    else sections.misses++;
    if (entry < 0) sectionKeys.insert(1);
    else if (typeof sighting === 'number') sectionKeys.set(entry, sighting + 1);
    return sighting;
  }

  /** Puts what came of it under the key told to `sectionKeys`, which came before. */
  keep(section: KnownSection | null): void {
    const { sectionKeys, sections } = this;
    sectionKeys.set(sectionKeys.find(), section ?? 'inseparable');
    if (section !== null) sections.size++;
  }

  private add(nodes: readonly PieceNode[], taken: readonly Shape[], shape: Shape): KnownPiece {
    this.misses++;
    const known = new KnownPiece(this.keys.size, nodes, taken, shape, numberIn(this.shapes, shape.join()));
    this.keys.insert(known);
    return known;
  }
}

/** @throws GraphError */
function shapeOf<K extends OpKind>(kind: K, attrs: OpAttrs[K], inputs: readonly Shape[]): Shape {
  const shapes = new Map(inputs.map((shape, j) => [`taken${j}`, shape]));
  return inferNode({ id: kind, kind, inputs: [...shapes.keys()], attrs }, shapes);
}

function numberIn(numbers: Map<string, number>, text: string): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size));
  return number;
}
