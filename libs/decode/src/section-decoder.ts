import { asOneSection, type SectionedGraph } from '@app/graph';
import type { Point } from '@app/space';
import { checkTask, decode, familyOf, type SpaceLike } from './decode.js';
import type { DecodeContext, Family, Task } from './family.js';
import { PointReader, SettingsReader } from './readers.js';
import { SectionCache } from './section-cache.js';

/** Sections that are kept for one space; with what pricing on twelve devices knows of them some 33 KB each, measured on FlyNet: 70 MB at the most. */
export const SECTIONS_KEPT = 2048;

/**
 * Points of one space as networks in sections, for pricing: what acts in training only is left out, and equal sections of different
 * networks are one object as long as they are kept. Families that know no sections give one.
 */
export class SectionDecoder {
  private readonly family: Family;
  private readonly context: DecodeContext;
  readonly cache: SectionCache;

  /** @throws DecodeError as `decode` for space and task */
  constructor(private readonly space: SpaceLike, task: Task, capacity = SECTIONS_KEPT) {
    this.family = familyOf(space);
    checkTask(task);
    this.context = { task, settings: new SettingsReader(space.settings, this.family.settings) };
    this.cache = new SectionCache(capacity);
  }

  /** @throws DecodeError as `decode` */
  decode(point: Point): SectionedGraph {
    if (this.family.sections === undefined) return asOneSection(decode(this.space, point, this.context.task));
    return this.family.sections(new PointReader(point, this.family.parameters), this.context, this.cache);
  }
}
