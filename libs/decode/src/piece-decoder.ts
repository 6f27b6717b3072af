import { GraphError, type Graph, type PiecedGraph } from '@app/graph';
import type { Point } from '@app/space';
import { checkTask, decode, familyOf, type SpaceLike } from './decode.js';
import type { DecodeContext, Family, Task } from './family.js';
import { PieceBuilder } from './piece-builder.js';
import { PieceTable } from './piece-table.js';
import { PointReader, SettingsReader } from './readers.js';

/** Pieces that are kept for one space. */
export const PIECES_KEPT = 65_536;

/**
 * Points of one space as networks in pieces, for pricing: what acts in training only is left out, and equal operators are one object as
 * long as they are kept. Networks that can't be told in pieces come as graphs.
 */
export class PieceDecoder {
  readonly table: PieceTable;
  private readonly family: Family;
  private readonly context: DecodeContext<PiecedGraph | null>;

  /**
   * @param keptAfter  see PieceTable
   * @throws DecodeError as `decode` for space and task
   */
  constructor(private readonly space: SpaceLike, task: Task, capacity = PIECES_KEPT, keptAfter?: number) {
    this.family = familyOf(space);
    checkTask(task);
    this.table = new PieceTable(capacity, keptAfter);
    this.context = { task, settings: new SettingsReader(space.settings, this.family.settings), network: (name, options) => new PieceBuilder(name, this.table, options) };
  }

  /** @throws DecodeError as `decode`; GraphError if a rule of the graph is broken */
  decode(point: Point): Graph | PiecedGraph {
    return this.inPieces(point) ?? decode(this.space, point, this.context.task);
  }

  private inPieces(point: Point): PiecedGraph | null {
    try {
      return this.family.decode(new PointReader(point, this.family.parameters), this.context);
    } catch (error) {
      // the graph names the node at fault
      if (error instanceof GraphError) return null;
      throw error;
    }
  }
}
