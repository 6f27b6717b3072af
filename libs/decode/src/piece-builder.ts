/**
 * Networks as pieces in place of graphs, for pricing: an operator is found by numbers that say all it depends on, and no node, id or
 * shape is made anew for one that has been seen.
 */
import { OPS, type OpAttrs, type OpKind, type PiecedGraph, type Piece, type Shape } from '@app/graph';
import { NetworkBuilder, type BuilderOptions, type Feature } from './network-builder.js';
import type { Branch, KnownPiece, PieceTable } from './piece-table.js';

interface MadeFeature extends Feature {
  /** the piece that makes it, and what that was then */
  readonly at: number;
  readonly known: KnownPiece;
}

/** What may run as part of the operator before it, or vanish with it, where nothing else reads that one. */
const JOINS: ReadonlySet<OpKind> = new Set<OpKind>(['batchNorm', 'activation', 'flatten', 'reshape']);
/** Operators that some runtimes run once if two equal ones read the same tensor. */
const MERGES: ReadonlySet<OpKind> = new Set<OpKind>(['activation', 'maxPool', 'avgPool', 'globalAvgPool', 'slice', 'transpose', 'padChannels', 'resize', 'softmax']);
const VIEWS: ReadonlySet<OpKind> = new Set<OpKind>(['flatten', 'reshape']);
const FOLDS: ReadonlySet<OpKind> = new Set<OpKind>(['zeros', 'constant', 'opaque']);
/** three numbers behind the 1, and a fourth */
const FULL = 4096 ** 4;
const KIND_NUMBER = new Map<OpKind, number>((Object.keys(OPS) as OpKind[]).map((kind, i) => [kind, i]));

/**
 * Finishes with null where a network can't be told in pieces: an operator that may be folded or run once for two, one that may join another which
 * does not stand right before it, several outputs, dead ends.
 */
export class PieceBuilder extends NetworkBuilder<PiecedGraph | null> {
  private readonly root: Branch;
  private readonly known: KnownPiece[] = [];
  private readonly readers: number[] = [];
  private readonly reads: number[] = [];
  private readonly starts: number[] = [0];
  private readonly merging: { readonly x: number; readonly branch: Branch }[] = [];
  private isWhole = false;
  private branch: Branch;
  private packed = 1;

  constructor(private readonly name: string, private readonly table: PieceTable, options?: BuilderOptions) {
    super(options);
    this.root = this.branch = table.begin();
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
    if (output === undefined || outputs.length > 1 || this.isStale(output) || this.known[output.at]!.taken.length === 0) return null;
    for (let p = 0; p < this.known.length; p++) if (this.readers[p] === 0 && p !== output.at) return null;
    return this.isWhole ? null : { name: this.name, pieces: this.known.map(({ piece }): Piece => piece), reads: this.reads, starts: this.starts, output: output.at };
  }

  protected node<K extends OpKind>(_part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature {
    const made = inputs as readonly MadeFeature[];
    const x = made[0]!;
    if (kind === 'quantizationNoise' || kind === 'identity') return x;
    if (FOLDS.has(kind)) this.isWhole = true;
    for (const input of made) if (this.isStale(input)) this.isWhole = true;
    // only behind a mean is a renaming one whatever reads it
    if (VIEWS.has(kind) && x.known.nodes.at(-1)!.kind !== 'globalAvgPool') this.isWhole = true;
    if (JOINS.has(kind) && this.readers[x.at] === 0 && x.known.taken.length > 0) {
      if (x.at === this.known.length - 1) return this.feature(x.at, (this.known[x.at] = this.table.longer(this.branchOf(x.known, kind, attrs, 0), x.known, kind, attrs)));
      this.isWhole = true;
    }
    let branch = this.branchOf(this.root, kind, attrs, x.known.shapeNumber);
    for (let i = 0; i < made.length; i++) {
      const { at, known } = made[i]!;
      const place = firstPlace(made, i);
      if (place < i) {
        branch = this.table.branch(branch, -1 - place);
        continue;
      }
      if (i > 0) branch = this.table.branch(branch, known.shapeNumber);
      this.reads.push(at);
      this.readers[at]!++;
    }
    if (MERGES.has(kind)) {
      for (const other of this.merging) if (other.x === x.at && other.branch === branch) this.isWhole = true;
      this.merging.push({ x: x.at, branch });
    }
    return this.placed(branch.known === null ? this.build(branch, kind, attrs, made) : this.table.hit(branch.known));
  }

  private build<K extends OpKind>(branch: Branch, kind: K, attrs: OpAttrs[K], made: readonly MadeFeature[]): KnownPiece {
    const taken: Shape[] = [];
    const places: number[] = [];
    made.forEach(({ known }, i) => {
      const place = firstPlace(made, i);
      places.push(place < i ? places[place]! : taken.push(known.shape) - 1);
    });
    return this.table.single(branch, kind, attrs, taken, places);
  }

  private takeIn(shape: Shape): Feature {
    if (this.known.some(({ taken }) => taken.length > 0)) this.isWhole = true;
    const attrs = { shape };
    return this.placed(this.table.single(this.branchOf(this.root, 'input', attrs, shape.length), 'input', attrs, [], []));
  }

  private placed(known: KnownPiece): MadeFeature {
    this.readers.push(0);
    this.starts.push(this.reads.length);
    return this.feature(this.known.push(known) - 1, known);
  }

  private feature(at: number, known: KnownPiece): MadeFeature {
    const { shape } = known;
    return { id: '', channels: shape[1] ?? 1, height: shape[2] ?? 1, width: shape[3] ?? 1, at, known };
  }

  /** Read as it was before an operator joined it. */
  private isStale({ at, known }: MadeFeature): boolean {
    return this.known[at] !== known;
  }

  /** Where the kind and its attributes lead; `shapeNumber`, of the first tensor it reads, goes along. */
  private branchOf<K extends OpKind>(from: Branch, kind: K, attrs: OpAttrs[K], shapeNumber: number): Branch {
    this.branch = from;
    this.packed = 1;
    this.key(KIND_NUMBER.get(kind)!);
    for (const name in attrs) {
      const value: unknown = attrs[name];
      if (typeof value === 'number') this.key(value);
      else if (typeof value === 'string') this.key(this.table.numberOf(value));
      else if (typeof value === 'boolean') this.key(value ? 1 : 0);
      else for (const size of value as readonly number[]) this.key(size);
    }
    this.key(shapeNumber);
    return this.table.branch(this.branch, this.packed);
  }

  /** Small numbers four to a key, behind a 1; others alone, below 0. */
  private key(value: number): void {
    if (value >= 0 && value < 4096 && Number.isInteger(value)) {
      if (this.packed >= FULL) {
        this.branch = this.table.branch(this.branch, this.packed);
        this.packed = 1;
      }
      this.packed = this.packed * 4096 + value;
    } else {
      this.branch = this.table.branch(this.table.branch(this.branch, this.packed), -1 - value);
      this.packed = 1;
    }
  }
}

/** Of the tensor that the i-th input is, the first place. */
function firstPlace(made: readonly MadeFeature[], i: number): number {
  let place = 0;
  while (place < i && made[place]!.at !== made[i]!.at) place++;
  return place;
}
