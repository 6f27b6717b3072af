/** Numbers in one key, at the most. */
const LONGEST = 256;

/** Values under keys of several numbers: a hash table with open addressing, its keys one behind the other in one array. */
export class KeyTable<T> {
  size = 0;
  /** of each place the number of its entry, and 1 (0: none), and the entry's hash */
  private slots: Int32Array = new Int32Array(2048);
  /** key of entry e: keys[ends[e − 1]] … keys[ends[e] − 1] */
  private keys: Int32Array = new Int32Array(4096);
  private ends: Int32Array = new Int32Array(512);
  private readonly values: T[] = [];
  /** fractions, and integers beyond 2^30, by numbers of their own */
  private readonly others = new Map<number, number>();
  private readonly key = new Int32Array(LONGEST);
  private length = 0;

  clear(): void {
    this.size = this.values.length = 0;
    this.slots.fill(0);
  }

  begin(): void {
    this.length = 0;
  }

  /** @throws RangeError beyond 256 numbers */
  add(value: number): void {
    if (this.length === LONGEST) throw new RangeError(`key: expected at most ${LONGEST} numbers`);
    this.key[this.length++] = (value | 0) === value && value > -(2 ** 30) ? value : this.other(value);
  }

  /** Entry under the key told since `begin`; below 0: none, −1 − the place where it may go. */
  find(): number {
    const { slots, keys, ends, key, length } = this;
    const hash = this.hash();
    const mask = slots.length / 2 - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = slots[2 * at]! - 1;
      if (entry < 0) return -1 - at;
      if (slots[2 * at + 1] !== hash) continue;
      const begin = entry === 0 ? 0 : ends[entry - 1]!;
      if (ends[entry]! - begin !== length) continue;
      let i = 0;
      while (i < length && keys[begin + i] === key[i]) i++;
      if (i === length) return entry;
    }
  }

  get(entry: number): T {
    return this.values[entry]!;
  }

  set(entry: number, value: T): void {
    this.values[entry] = value;
  }

  /** Puts a value under the key that `find` has just not found. @returns its entry */
  insert(value: T): number {
    if (4 * (this.size + 1) > this.slots.length) this.grow();
    const place = -1 - this.find();
    const entry = this.size++;
    const begin = entry === 0 ? 0 : this.ends[entry - 1]!;
    if (begin + this.length > this.keys.length) this.keys = widened(this.keys);
    for (let i = 0; i < this.length; i++) this.keys[begin + i] = this.key[i]!;
    this.ends[entry] = begin + this.length;
    this.slots[2 * place] = entry + 1;
    this.slots[2 * place + 1] = this.hash();
    this.values.push(value);
    return entry;
  }

  private hash(): number {
    let hash = this.length;
    for (let i = 0; i < this.length; i++) {
      hash = Math.imul(hash ^ this.key[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  private other(value: number): number {
    let number = this.others.get(value);
    if (number === undefined) this.others.set(value, (number = this.others.size));
    return -(2 ** 30) - 1 - number;
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new Int32Array(2 * before.length);
    this.ends = widened(this.ends);
    const mask = this.slots.length / 2 - 1;
    for (let i = 0; i < before.length; i += 2) {
      if (before[i] === 0) continue;
      let at = before[i + 1]! & mask;
      while (this.slots[2 * at] !== 0) at = (at + 1) & mask;
      this.slots[2 * at] = before[i]!;
      this.slots[2 * at + 1] = before[i + 1]!;
    }
  }
}

function widened(array: Int32Array): Int32Array {
  const wide = new Int32Array(2 * array.length);
  wide.set(array);
  return wide;
}
