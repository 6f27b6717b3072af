/**
 * Sobol points with nested uniform (Owen) scrambling, each reachable by its index.
 *
 * Sobol (1967) in the natural order of the index; Owen, Randomly permuted (t,m,s)-nets, 1995: bit b of a coordinate is flipped by a
 * coin that depends on the bits before it. The coin is a hash of (seed, dimension, b, those bits), so nothing is stored. Scrambling
 * keeps the net: among the first 2^k points every elementary interval holds as many as before.
 *
 * Beyond 128 dimensions there are no direction numbers here; each further coordinate is a van der Corput sequence of its own,
 * visited in an order scrambled the same way (padding, Kollig & Keller 2002). Every single coordinate stays stratified;
 * pairs of such coordinates are as random points are.
 */
import { mix32 } from './rng.js';
import { SOBOL_TABLE_DIMENSIONS, sobolDirections } from './sobol-directions.js';

export class Sobol {
  readonly dimension: number;
  readonly seed: number;
  readonly #directions: Int32Array;
  /** one scramble key a dimension */
  readonly #keys: Uint32Array;

  /**
   * @param seed  any finite number; equal seeds give equal points
   * @throws RangeError unless dimension is a positive integer and the seed finite
   */
  constructor(dimension: number, seed: number) {
    if (!Number.isSafeInteger(dimension) || dimension < 1) throw new RangeError(`expected a positive number of dimensions, got ${dimension}`);
    if (!Number.isFinite(seed)) throw new RangeError(`expected a finite seed, got ${seed}`);
    this.dimension = dimension;
    this.seed = seed;
    this.#directions = sobolDirections(Math.min(dimension, SOBOL_TABLE_DIMENSIONS));
    const high = mix32(Math.floor(seed / 0x100000000));
    const fraction = mix32((seed - Math.floor(seed)) * 0x100000000);
    const start = mix32((seed | 0) ^ high ^ Math.imul(fraction, 3));
    this.#keys = Uint32Array.from({ length: dimension }, (_, d) => mix32((start + Math.imul(d + 1, 0x9e3779b9)) | 0));
  }

  /**
   * Point of an index, coordinates in (0, 1).
   * @param index  integer from 0 to 2^32 - 1
   */
  point(index: number): Float64Array {
    if (!Number.isInteger(index) || index < 0 || index > 0xffffffff) throw new RangeError(`expected an index from 0 to 2^32 - 1, got ${index}`);
    const out = new Float64Array(this.dimension);
    for (let d = 0; d < this.dimension; d++) {
      const key = this.#keys[d]!;
      const word = d < SOBOL_TABLE_DIMENSIONS ? this.#word(index, d) : reverseBits(owenScramble(reverseBits(index), mix32(key ^ 0x5bd1e995)));
      out[d] = (owenScramble(word, key) + 0.5) / 0x100000000;
    }
    return out;
  }

  /** Points start … start + count - 1. */
  points(count: number, start = 0): Float64Array[] {
    return Array.from({ length: count }, (_, i) => this.point(start + i));
  }

  #word(index: number, d: number): number {
    let word = 0;
    for (let rest = index >>> 0, j = d * 32; rest !== 0; rest >>>= 1, j++) if (rest & 1) word ^= this.#directions[j]!;
    return word >>> 0;
  }
}

/** Nested uniform scramble of the 32 bits, highest first. */
function owenScramble(word: number, key: number): number {
  let out = 0;
  for (let b = 31; b >= 0; b--) {
    // The prefix with a marker bit above it, so that prefixes of different length differ.
    const prefix = b === 31 ? 1 : (word >>> (b + 1)) | (1 << (31 - b));
    const coin = mix32(key ^ mix32((prefix + 0x9e3779b9) | 0)) & 1;
    out |= (((word >>> b) & 1) ^ coin) << b;
  }
  return out >>> 0;
}

function reverseBits(word: number): number {
  let w = word;
  w = ((w >>> 1) & 0x55555555) | ((w & 0x55555555) << 1);
  w = ((w >>> 2) & 0x33333333) | ((w & 0x33333333) << 2);
  w = ((w >>> 4) & 0x0f0f0f0f) | ((w & 0x0f0f0f0f) << 4);
  w = ((w >>> 8) & 0x00ff00ff) | ((w & 0x00ff00ff) << 8);
  return ((w >>> 16) | (w << 16)) >>> 0;
}
