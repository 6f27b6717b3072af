import type { Point } from '@app/space';
import type { BuilderOptions, NetworkBuilder } from './network-builder.js';
import type { PointReader, SettingsReader } from './readers.js';

export interface Task {
  readonly numClasses: number;
  readonly inputChannels: number;
}

/** T: what networks are built as */
export interface DecodeContext<T = unknown> {
  readonly task: Task;
  readonly settings: SettingsReader;
  /** begins the network */
  readonly network: (name: string, options?: BuilderOptions) => NetworkBuilder<T>;
}

/** A kind of network: what it reads of a point, and the graph it makes of it. */
export interface Family {
  readonly name: string;
  /** parameters a point must have, all of them and no others */
  readonly parameters: readonly string[];
  /** settings a space may give; each has a default */
  readonly settings: readonly string[];
  /** @throws DecodeError if a value is outside what the family can build */
  decode<T>(point: PointReader, context: DecodeContext<T>): T;
  /** The point that an architecture code of the literature stands for, in families that have one. @throws DecodeError on anything else */
  readonly fromCode?: (code: string) => Point;
  /** What its structure foretells, for models that learn over a space of the family: see `SearchSpace.features`. */
  readonly features?: (point: Point) => readonly number[];
}
