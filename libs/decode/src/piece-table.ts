import { elements, graphBuilder, type OpAttrs, type OpKind, type Piece, type Section, type Shape } from '@app/graph';

interface PieceNode {
  readonly kind: OpKind;
  readonly attrs: OpAttrs[OpKind];
  /** places of its inputs among what the piece takes; the nodes behind the first read the one before */
  readonly inputs: readonly number[];
}

/** A piece with what more may be known of it. */
export interface KnownPiece extends Branch {
  readonly piece: Piece;
  readonly nodes: readonly PieceNode[];
  readonly taken: readonly Shape[];
  readonly shape: Shape;
  /** number of the shape */
  readonly shapeNumber: number;
}

/** A section with what more may be known of it. */
export interface KnownSection {
  readonly section: Section;
  /** which of the inputs it was built with it takes */
  readonly used: readonly number[];
  /** what it was built to return: leaf r, or, below 0, input −1 − r as it came */
  readonly results: readonly number[];
  readonly leaves: readonly { readonly known: KnownPiece; readonly isReadWithin: boolean }[];
  /** operators of which a runtime may run one for two, by what they read: j-th of what the section takes, or, below 0, leaf −1 − j */
  readonly merging: readonly { readonly x: number; readonly branch: Branch }[];
}

/** Where a key may go on. */
export interface Branch {
  next: Map<number, Branch> | null;
  known: KnownPiece | null;
  section: KnownSection | 'seen' | null;
}

const newBranch = (): Branch => ({ next: null, known: null, section: null });

/** Pieces kept for one section that is kept. */
const PIECES_PER_SECTION = 16;

/**
 * Pieces and sections under all that tells them apart, as numbers: trees with a branch for each. A section is kept when it comes a second time.
 * Bounded: when one is full all of its kind are forgotten, and sections with pieces.
 */
export class PieceTable {
  hits = 0;
  misses = 0;
  size = 0;
  readonly sections = { capacity: 0, size: 0, seen: 0, hits: 0, misses: 0 };
  private root = newBranch();
  private sectionRoot = newBranch();
  private readonly alone = new WeakMap<KnownPiece, Section>();
  private readonly shapes = new Map<string, number>();
  private readonly words = new Map<string, number>();

  /** @param capacity  pieces kept at the most, at least 1 */
  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`capacity: expected an integer of at least 1, got ${capacity}`);
    this.sections.capacity = Math.ceil(capacity / PIECES_PER_SECTION);
  }

  /** Where keys of pieces and of sections begin. Called before a network is built, never within. */
  begin(): { readonly pieces: Branch; readonly sections: Branch } {
    const isFull = this.size >= this.capacity;
    if (isFull) {
      this.root = newBranch();
      this.shapes.clear();
      this.size = 0;
    }
    const { sections } = this;
    if (isFull || sections.size >= sections.capacity || sections.seen >= this.capacity) {
      this.sectionRoot = newBranch();
      sections.size = sections.seen = 0;
    }
    return { pieces: this.root, sections: this.sectionRoot };
  }

  branch(from: Branch, key: number): Branch {
    const next = (from.next ??= new Map());
    let branch = next.get(key);
    if (branch === undefined) next.set(key, (branch = newBranch()));
    return branch;
  }

  numberOf(word: string): number {
    return numberIn(this.words, word);
  }

  hit(known: KnownPiece): KnownPiece {
    this.hits++;
    return known;
  }

  /** A piece of one node. */
  single<K extends OpKind>(at: Branch, kind: K, attrs: OpAttrs[K], taken: readonly Shape[], inputs: readonly number[]): KnownPiece {
    return at.known !== null ? this.hit(at.known) : this.add(at, [{ kind, attrs, inputs }], taken);
  }

  /** The piece with one more node behind its last. */
  longer<K extends OpKind>(at: Branch, piece: KnownPiece, kind: K, attrs: OpAttrs[K]): KnownPiece {
    return at.known ?? this.add(at, [...piece.nodes, { kind, attrs, inputs: [] }], piece.taken);
  }

  hitSection(known: KnownSection): KnownSection {
    this.sections.hits++;
    return known;
  }

  /** Is the section to be kept? Not when it comes for the first time: most never come again. */
  isToKeep(at: Branch): boolean {
    this.sections.misses++;
    if (at.section !== null) return true;
    at.section = 'seen';
    this.sections.seen++;
    return false;
  }

  keepSection(at: Branch, known: KnownSection): void {
    this.sections.size++;
    at.section = known;
  }

  /** A piece as a section of its own. */
  sectionOf(known: KnownPiece): Section {
    let section = this.alone.get(known);
    if (section === undefined) {
      const reads = known.taken.map((_, j) => j);
      this.alone.set(known, (section = { known: new Map(), pieces: [known.piece], takes: known.taken.map(elements), reads, starts: [0, reads.length], leaves: [0] }));
    }
    return section;
  }

  private add(at: Branch, nodes: readonly PieceNode[], taken: readonly Shape[]): KnownPiece {
    this.misses++;
    this.size++;
    const b = graphBuilder(nodes[0]!.kind);
    const takes = taken.map((shape, j) => b.input(shape, `taken${j}`));
    let last = '';
    nodes.forEach(({ kind, attrs, inputs }, i) => (last = b.node(kind, i > 0 ? [last] : inputs.map((j) => takes[j]!), attrs)));
    b.output(last);
    const shape = b.shape(last);
    const known: KnownPiece = { piece: { graph: b.build(), takes }, nodes, taken, shape, shapeNumber: numberIn(this.shapes, shape.join()), next: null, known: null, section: null };
    at.known = known;
    return known;
  }
}

function numberIn(numbers: Map<string, number>, text: string): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size));
  return number;
}
