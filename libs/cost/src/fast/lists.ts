/** Lists that are used again and grow where they must. */

export class Numbers {
  at: Float64Array = new Float64Array(256);
  length = 0;

  push(value: number): void {
    if (this.length === this.at.length) this.reserve(this.length + 1);
    this.at[this.length++] = value;
  }

  /** Room for so many. */
  reserve(length: number): void {
    if (length <= this.at.length) return;
    const more = new Float64Array(2 * length);
    more.set(this.at);
    this.at = more;
  }

  /** So many of one value, what was there before forgotten. */
  fill(value: number, length: number): void {
    this.reserve(length);
    this.length = length;
    this.at.fill(value, 0, length);
  }
}

/** Of integers below 2^31. */
export class Indices {
  at: Int32Array = new Int32Array(256);
  length = 0;

  push(value: number): void {
    if (this.length === this.at.length) this.reserve(this.length + 1);
    this.at[this.length++] = value;
  }

  /** Room for so many. */
  reserve(length: number): void {
    if (length <= this.at.length) return;
    const more = new Int32Array(2 * length);
    more.set(this.at);
    this.at = more;
  }
}
