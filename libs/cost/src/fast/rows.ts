/** Rows of figures, many in one array: what is read together lies together. An array lives as long as one of its rows. */
export class Rows {
  private chunk = new Float64Array(CHUNK);
  private used = 0;

  /** A row of zeros. */
  take(length: number): Place {
    if (this.used + length > this.chunk.length) [this.chunk, this.used] = [new Float64Array(Math.max(CHUNK, length)), 0];
    const at = this.used;
    this.used += length;
    return { row: this.chunk, at };
  }

  add(figures: readonly number[]): Place {
    const place = this.take(figures.length);
    place.row.set(figures, place.at);
    return place;
  }
}

interface Place {
  readonly row: Float64Array;
  readonly at: number;
}

const CHUNK = 2 ** 14;

/** Equal things as one object. */
export class Shared<T> {
  private readonly things = new Map<string, T>();

  of(key: string, make: () => T): T {
    let thing = this.things.get(key);
    if (thing !== undefined) return thing;
    if (this.things.size >= MOST) this.things.clear();
    this.things.set(key, (thing = make()));
    return thing;
  }
}

const MOST = 4096;
