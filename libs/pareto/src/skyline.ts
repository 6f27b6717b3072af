/** Points of two coordinates that do not dominate each other, xs ascending, ys descending; answers in the logarithm of their number. Infinite values may pass. */
export class Skyline {
  #xs = new Float64Array(8);
  #ys = new Float64Array(8);
  #length = 0;

  /** Some point here is nowhere above (x, y). */
  covers(x: number, y: number): boolean {
    const place = this.#firstFrom(x);
    if (place > 0 && this.#ys[place - 1]! <= y) return true;
    return place < this.#length && this.#xs[place] === x && this.#ys[place]! <= y;
  }

  /** Takes in a point that none here covers; those it covers go. */
  insert(x: number, y: number): void {
    const place = this.#firstFrom(x);
    let end = place;
    while (end < this.#length && this.#ys[end]! >= y) end++;
    if (this.#length === this.#xs.length) this.#grow();
    this.#xs.copyWithin(place + 1, end, this.#length);
    this.#ys.copyWithin(place + 1, end, this.#length);
    this.#xs[place] = x;
    this.#ys[place] = y;
    this.#length += place + 1 - end;
  }

  #grow(): void {
    const [xs, ys] = [new Float64Array(2 * this.#xs.length), new Float64Array(2 * this.#xs.length)];
    xs.set(this.#xs);
    ys.set(this.#ys);
    [this.#xs, this.#ys] = [xs, ys];
  }

  #firstFrom(x: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#xs[middle]! < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
