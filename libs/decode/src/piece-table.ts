import { graphBuilder, type OpAttrs, type OpKind, type Piece, type Shape } from '@app/graph';

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

/** Where a key may go on. */
export interface Branch {
  next: Map<number, Branch> | null;
  known: KnownPiece | null;
}

const newBranch = (): Branch => ({ next: null, known: null });

/**
 * Pieces under all that tells them apart, as numbers: a tree with a branch for each. Bounded: when it is full all are forgotten.
 */
export class PieceTable {
  hits = 0;
  misses = 0;
  size = 0;
  private root = newBranch();
  private readonly shapes = new Map<string, number>();
  private readonly words = new Map<string, number>();

  /** @param capacity  pieces kept at the most, at least 1 */
  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`capacity: expected an integer of at least 1, got ${capacity}`);
  }

  /** Where keys begin. Called before a network is built, never within. */
  begin(): Branch {
    if (this.size >= this.capacity) {
      this.root = newBranch();
      this.shapes.clear();
      this.size = 0;
    }
    return this.root;
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

  private add(at: Branch, nodes: readonly PieceNode[], taken: readonly Shape[]): KnownPiece {
    this.misses++;
    this.size++;
    const b = graphBuilder(nodes[0]!.kind);
    const takes = taken.map((shape, j) => b.input(shape, `taken${j}`));
    let last = '';
    nodes.forEach(({ kind, attrs, inputs }, i) => (last = b.node(kind, i > 0 ? [last] : inputs.map((j) => takes[j]!), attrs)));
    b.output(last);
    const shape = b.shape(last);
    const known: KnownPiece = { piece: { graph: b.build(), takes }, nodes, taken, shape, shapeNumber: numberIn(this.shapes, shape.join()), next: null, known: null };
    at.known = known;
    return known;
  }
}

function numberIn(numbers: Map<string, number>, text: string): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size));
  return number;
}
