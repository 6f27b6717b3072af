import type { Section } from '@app/graph';

export interface CachedSection {
  readonly section: Section;
  /** of the square map that leaves it */
  readonly side: number;
}

/** Different widths that have a number at one time. */
const MOST_WIDTHS = 1024;

/**
 * Sections under numbers that say all they depend on. Bounded: of two generations of half the capacity the older goes when the younger is
 * full, and what is asked for moves to the younger, so that the sections used last stay.
 */
export class SectionCache {
  hits = 0;
  misses = 0;
  private young = new Map<number, CachedSection>();
  private old = new Map<number, CachedSection>();
  private readonly widths = new Map<number, number>();

  /** @param capacity  sections kept at the most, at least 2 */
  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 2) throw new RangeError(`capacity: expected an integer of at least 2, got ${capacity}`);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: number): CachedSection | undefined {
    const young = this.young.get(key);
    if (young !== undefined) {
      this.hits++;
      return young;
    }
    const known = this.old.get(key);
    if (known === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.old.delete(key);
    return this.add(key, known);
  }

  add(key: number, section: CachedSection): CachedSection {
    if (this.young.size >= this.capacity >> 1) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, section);
    return section;
  }

  /** A number from 0 to 1023 for a width multiplier. When all are given away, all sections are forgotten. */
  numberOf(width: number): number {
    let number = this.widths.get(width);
    if (number === undefined) {
      if (this.widths.size === MOST_WIDTHS) {
        this.widths.clear();
        this.young = new Map();
        this.old = new Map();
      }
      this.widths.set(width, (number = this.widths.size));
    }
    return number;
  }
}
