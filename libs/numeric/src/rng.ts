/**
 * Seeded pseudo-random generator whose whole state is four 32-bit words.
 *
 * Small Fast Counter (sfc32) of Doty-Humphrey's PractRand: three chaotic words and a counter, so every cycle has at least 2^32 draws and
 * the mean one about 2^127. Seeds and stream names go through a 32-bit avalanche hash and 16 warm-up rounds.
 */

/** A seed or the name of a stream. Numbers and texts that look alike (7 and '7') give different streams. */
export type StreamKey = number | string;

export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  private constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#counter] = state;
  }

  /**
   * Generator for a seed, and within it for a path of streams: `Rng.of(seed, 'poll', 12)`. Equal arguments give equal sequences, different
   * ones unrelated sequences; drawing from one moves no other.
   * @throws RangeError if the seed or a numeric stream is not finite
   */
  static of(seed: number, ...streams: readonly StreamKey[]): Rng {
    const words = hashKeys([seed, ...streams]);
    const rng = new Rng([words[0], words[1], words[2], 1]);
    for (let i = 0; i < 16; i++) rng.nextUint32();
    return rng;
  }

  /** @throws RangeError unless the state is four integers from 0 to 2^32 - 1 */
  static fromState(state: readonly number[]): Rng {
    const [a, b, c, counter] = state;
    if (state.length !== 4 || state.some((w) => !(Number.isInteger(w) && w >= 0 && w <= 0xffffffff))) {
      throw new RangeError(`expected a generator state of 4 unsigned 32-bit integers, got ${JSON.stringify(state)}`);
    }
    return new Rng([a! | 0, b! | 0, c! | 0, counter! | 0]);
  }

  /** Four unsigned 32-bit words; `fromState` continues from there. */
  state(): number[] {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#counter >>> 0];
  }

  /** Uniform over 0 … 2^32 - 1. */
  nextUint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /**
   * Uniform over 0 … n - 1, exactly (by rejection).
   * @throws RangeError unless n is an integer from 1 to 2^53 - 1
   */
  int(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`expected a count from 1 to 2^53 - 1, got ${n}`);
    const range = n <= 0x100000000 ? 0x100000000 : 0x20000000000000;
    const limit = range - (range % n);
    for (;;) {
      const draw = range === 0x100000000 ? this.nextUint32() : this.next() * range;
      if (draw < limit) return draw % n;
    }
  }

  /** Standard normal; Marsaglia's polar method, one value a call so that the state stays four words. */
  normal(): number {
    for (;;) {
      const u = 2 * this.next() - 1;
      const v = 2 * this.next() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s);
    }
  }

  /** @throws RangeError on an empty list */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('expected a list with at least one item, got none');
    return items[this.int(items.length)]!;
  }

  /** A new list in uniformly random order (Fisher–Yates); the input stays as it was. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}

/** Avalanche of a 32-bit word (the finaliser of MurmurHash3). */
export function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Three words that depend on every bit of every key, and on where one key ends. */
function hashKeys(keys: readonly StreamKey[]): [number, number, number] {
  const lanes: [number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
  const absorb = (word: number): void => {
    for (let i = 0; i < 3; i++) lanes[i] = mix32((Math.imul(lanes[i]!, 5) + word + 0x9e3779b9 * (i + 1)) | 0);
  };
  const double = new DataView(new ArrayBuffer(8));
  for (const key of keys) {
    if (typeof key === 'number') {
      if (!Number.isFinite(key)) throw new RangeError(`expected a finite seed or stream number, got ${key}`);
      double.setFloat64(0, key === 0 ? 0 : key);
      absorb(1);
      absorb(double.getInt32(0));
      absorb(double.getInt32(4));
    } else {
      absorb(2);
      for (let i = 0; i < key.length; i++) absorb(key.charCodeAt(i));
      absorb(key.length);
    }
  }
  return lanes;
}
