import type { Graph, SectionedGraph } from '@app/graph';
import type { Point } from '@app/space';
import type { PointReader, SettingsReader } from './readers.js';
import type { SectionCache } from './section-cache.js';

export interface Task {
  readonly numClasses: number;
  readonly inputChannels: number;
}

export interface DecodeContext {
  readonly task: Task;
  readonly settings: SettingsReader;
}

/** A kind of network: what it reads of a point, and the graph it makes of it. */
export interface Family {
  readonly name: string;
  /** parameters a point must have, all of them and no others */
  readonly parameters: readonly string[];
  /** settings a space may give; each has a default */
  readonly settings: readonly string[];
  /** @throws DecodeError if a value is outside what the family can build */
  decode(point: PointReader, context: DecodeContext): Graph;
  /** The same network for pricing, in sections that repeat from point to point; families whose networks share little have none. @throws DecodeError as `decode` */
  readonly sections?: (point: PointReader, context: DecodeContext, cache: SectionCache) => SectionedGraph;
  /** The point that an architecture code of the literature stands for, in families that have one. @throws DecodeError on anything else */
  readonly fromCode?: (code: string) => Point;
}
