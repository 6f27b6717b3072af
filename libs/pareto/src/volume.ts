/**
 * Exact volume of a union of boxes [p, r], the core of the hypervolume. Points are flat rows, all strictly below r in every coordinate.
 *
 * m = 3: a sweep along the third coordinate over the staircase of the first two (Beume, Fonseca, López-Ibáñez, Paquete, Vahrenhold 2009),
 * O(n log n) comparisons. m = 4: slices along the fourth, each as thick as the exclusive volume of one point among those before it, one
 * sweep a point as in HV4D+ (Guerreiro, Fonseca 2018), O(n²) in the worst case. m ≥ 5: WFG (While, Bradstreet, Barone 2012) down to four,
 * where the rows before a point are limited to its box. Limiting keeps an order by a coordinate, so rows are sorted once, at the top.
 */
import { sortedBy } from './argsort.js';

/**
 * @param rows  [n, m] row-major, in any order
 * @param r     [m]
 */
export function volume(rows: Float64Array, n: number, m: number, r: Float64Array): number {
  if (n === 0) return 0;
  if (m === 1) return r[0]! - rows.subarray(0, n).reduce((least, v) => Math.min(least, v), Infinity);
  const sorted = gather(rows, sortedBy(rows, n, m, m === 2 ? 0 : m - 1), m);
  if (m === 2) return area(sorted, n, r);
  if (m === 3) return sweep(sorted, n, r);
  return new Slices(m, n, r).volume(sorted, n);
}

/** What point p adds to the union of the boxes of the rows; both strictly below r. @param p  [m] */
export function exclusiveVolume(p: Float64Array, rows: Float64Array, n: number, m: number, r: Float64Array): number {
  const limited = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) limited[i * m + j] = Math.max(rows[i * m + j]!, p[j]!);
  if (m < 3) return Math.max(0, box(p, 0, m, r) - volume(limited, n, m, r));
  const sorted = gather(limited, sortedBy(limited, n, m, m - 1), m);
  if (m > 3) return Math.max(0, box(p, 0, m, r) - new Slices(m, n, r).volume(sorted, n, p));
  const space = new Space(n, r);
  for (let i = 0; i < n; i++) space.append(sorted[3 * i]!, sorted[3 * i + 1]!, sorted[3 * i + 2]!);
  return Math.max(0, space.exclusive(p[0]!, p[1]!, p[2]!));
}

/** What each row adds to the union of the others: [n]. Repeated rows have 0. */
export function exclusiveVolumes(rows: Float64Array, n: number, m: number, r: Float64Array): Float64Array {
  const out = new Float64Array(n);
  const others = new Float64Array(Math.max(0, n - 1) * m);
  for (let i = 0; i < n; i++) {
    others.set(rows.subarray(0, i * m));
    others.set(rows.subarray((i + 1) * m, n * m), i * m);
    out[i] = exclusiveVolume(rows.subarray(i * m, (i + 1) * m), others, n - 1, m, r);
  }
  return out;
}

/** Product of r - p over the first d coordinates of the row that begins at `at`. */
function box(rows: Float64Array, at: number, d: number, r: Float64Array): number {
  let v = 1;
  for (let j = 0; j < d; j++) v *= r[j]! - rows[at + j]!;
  return v;
}

function gather(rows: Float64Array, order: Int32Array, m: number): Float64Array {
  const out = new Float64Array(order.length * m);
  for (let i = 0; i < order.length; i++) for (let j = 0; j < m; j++) out[i * m + j] = rows[order[i]! * m + j]!;
  return out;
}

/** m = 2, rows ascending in the first coordinate. */
function area(rows: Float64Array, n: number, r: Float64Array): number {
  let [sum, top] = [0, r[1]!];
  for (let i = 0; i < n; i++) {
    const y = rows[2 * i + 1]!;
    if (y >= top) continue;
    sum += (r[0]! - rows[2 * i]!) * (top - y);
    top = y;
  }
  return sum;
}

/** m = 3, rows ascending in the third coordinate: slabs between its values, each as high as the area of the staircase of the rows met. */
function sweep(rows: Float64Array, n: number, r: Float64Array): number {
  const stairs = new Staircase(n, r[0]!, r[1]!);
  let [sum, covered, level] = [0, 0, rows[2]!];
  for (let i = 0; i < n; i++) {
    const z = rows[3 * i + 2]!;
    const gain = stairs.add(rows[3 * i]!, rows[3 * i + 1]!);
    if (gain === 0) continue;
    sum += covered * (z - level);
    level = z;
    covered += gain;
  }
  return sum + covered * (r[2]! - level);
}

/** Corners of the area that points cover: xs ascending, ys descending. */
class Staircase {
  readonly #xs: Float64Array;
  readonly #ys: Float64Array;
  #length = 0;

  constructor(capacity: number, readonly right: number, readonly top: number) {
    this.#xs = new Float64Array(capacity + 1);
    this.#ys = new Float64Array(capacity + 1);
  }

  clear(): void {
    this.#length = 0;
  }

  /** @returns the area that only the new corner covers */
  add(x: number, y: number): number {
    const xs = this.#xs;
    const ys = this.#ys;
    const length = this.#length;
    const low = lowerBound(xs, length, x, false);
    let height = low > 0 ? ys[low - 1]! : this.top;
    if (y >= height || (low < length && xs[low]! === x && ys[low]! <= y)) return 0;
    let left = x;
    let gain = 0;
    let end = low;
    while (end < length && ys[end]! >= y) {
      gain += (xs[end]! - left) * (height - y);
      left = xs[end]!;
      height = ys[end]!;
      end++;
    }
    gain += ((end < length ? xs[end]! : this.right) - left) * (height - y);
    const shift = low + 1 - end;
    if (shift !== 0) {
      for (let k = shift > 0 ? length - 1 : end; k >= end && k < length; k += shift > 0 ? -1 : 1) {
        xs[k + shift] = xs[k]!;
        ys[k + shift] = ys[k]!;
      }
    }
    xs[low] = x;
    ys[low] = y;
    this.#length = length + shift;
    return gain;
  }
}

/** Points of three coordinates that do not dominate each other, ascending in the third. */
class Space {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #stairs: Staircase;
  #length = 0;

  constructor(capacity: number, readonly r: Float64Array) {
    this.#x = new Float64Array(capacity + 1);
    this.#y = new Float64Array(capacity + 1);
    this.#z = new Float64Array(capacity + 1);
    this.#stairs = new Staircase(capacity, r[0]!, r[1]!);
  }

  clear(): void {
    this.#length = 0;
  }

  /** A point no lower in the third coordinate than all before; need not be free of dominance. */
  append(x: number, y: number, z: number): void {
    const k = this.#length++;
    this.#x[k] = x;
    this.#y[k] = y;
    this.#z[k] = z;
  }

  /** Some point here is nowhere above this one. */
  covers(x: number, y: number, z: number): boolean {
    for (let i = lowerBound(this.#z, this.#length, z, true) - 1; i >= 0; i--) if (this.#x[i]! <= x && this.#y[i]! <= y) return true;
    return false;
  }

  /** The volume that all points here cover. */
  total(): number {
    const stairs = this.#stairs;
    stairs.clear();
    let [sum, covered, level] = [0, 0, 0];
    for (let i = 0; i < this.#length; i++) {
      const gain = stairs.add(this.#x[i]!, this.#y[i]!);
      if (gain === 0) continue;
      sum += covered * (this.#z[i]! - level);
      level = this.#z[i]!;
      covered += gain;
    }
    return sum + covered * (this.r[2]! - level);
  }

  /**
   * The volume that only this point covers. Those no higher in the third coordinate come first, from the nearest down: it is they that cover
   * most. A point here that is above in x alone caps the free part in x (in y alike), and whatever begins beyond a cap is passed over.
   */
  exclusive(px: number, py: number, pz: number): number {
    const xs = this.#x;
    const ys = this.#y;
    const zs = this.#z;
    const n = this.#length;
    const stairs = this.#stairs;
    const first = lowerBound(zs, n, pz, true);
    stairs.clear();
    let capX = this.r[0]!;
    let capY = this.r[1]!;
    let free = (capX - px) * (capY - py);
    for (let i = first - 1; i >= 0; i--) {
      const x = xs[i]!;
      const y = ys[i]!;
      if (x >= capX || y >= capY) continue;
      if (x <= px) {
        if (y <= py) return 0;
        capY = y;
        free -= stairs.add(px, y);
      } else if (y <= py) {
        capX = x;
        free -= stairs.add(x, py);
      } else free -= stairs.add(x, y);
    }
    let sum = 0;
    let level = pz;
    for (let i = first; i < n; i++) {
      const x = xs[i]!;
      const y = ys[i]!;
      if (x >= capX || y >= capY) continue;
      const gain = stairs.add(x > px ? x : px, y > py ? y : py);
      if (gain === 0) continue;
      const z = zs[i]!;
      sum += free * (z - level);
      level = z;
      if (x <= px) {
        // Covered altogether from here on.
        if (y <= py) return sum;
        capY = y;
      } else if (y <= py) capX = x;
      free -= gain;
    }
    return sum + free * (this.r[2]! - level);
  }

  /** Takes in a point that none here dominates; those it dominates go. */
  insert(x: number, y: number, z: number): void {
    const xs = this.#x;
    const ys = this.#y;
    const zs = this.#z;
    const n = this.#length;
    const low = lowerBound(zs, n, z, false);
    let kept = low;
    for (let k = low; k < n; k++) {
      if (xs[k]! >= x && ys[k]! >= y) continue;
      xs[kept] = xs[k]!;
      ys[kept] = ys[k]!;
      zs[kept] = zs[k]!;
      kept++;
    }
    for (let k = kept; k > low; k--) {
      xs[k] = xs[k - 1]!;
      ys[k] = ys[k - 1]!;
      zs[k] = zs[k - 1]!;
    }
    xs[low] = x;
    ys[low] = y;
    zs[low] = z;
    this.#length = kept + 1;
  }
}

/** Slices along the last of m ≥ 4 coordinates, and the room for all below it. */
class Slices {
  /** m = 4 */
  readonly #space: Space | null;
  /** m ≥ 5: of one coordinate less */
  readonly #below: Slices | null;
  /** m ≥ 5: numbers of the rows met that none met dominates in the first m - 1 coordinates, ascending in the one before the last */
  readonly #active: Int32Array;
  readonly #limited: Float64Array;
  readonly #caps: Float64Array;

  constructor(readonly m: number, capacity: number, readonly r: Float64Array) {
    this.#space = m === 4 ? new Space(capacity, r) : null;
    this.#below = m > 4 ? new Slices(m - 1, capacity, r) : null;
    this.#active = new Int32Array(m > 4 ? capacity : 0);
    this.#limited = new Float64Array(m > 4 ? capacity * (m - 1) : 0);
    this.#caps = new Float64Array(m - 1);
  }

  /**
   * @param rows    [n, m], ascending in the last coordinate
   * @param corner  rows of which the one at `place` is a point nowhere above a row here; once a row reaches it in all but the last coordinate, no later one adds anything
   */
  volume(rows: Float64Array, n: number, corner: Float64Array | null = null, place = 0): number {
    const { m, r } = this;
    const top = r[m - 1]!;
    let sum = 0;
    let base = 0;
    let count = 0;
    let first = 0;
    if (this.#space) {
      // All rows of the first value at once, by one sweep.
      this.#space.clear();
      for (const level = rows[3]!; first < n && rows[4 * first + 3] === level; first++) {
        const x = rows[4 * first]!;
        const y = rows[4 * first + 1]!;
        const z = rows[4 * first + 2]!;
        if (!this.#space.covers(x, y, z)) this.#space.insert(x, y, z);
      }
      base = this.#space.total();
      if (n > 0) sum = base * (top - rows[3]!);
    }
    for (let i = first; i < n; i++) {
      const at = i * m;
      if (corner !== null && reaches(rows, at, corner, place, m - 1)) return sum + (box(corner, place, m - 1, r) - base) * (top - rows[at + m - 1]!);
      let gain: number;
      if (this.#space) {
        const x = rows[at]!;
        const y = rows[at + 1]!;
        const z = rows[at + 2]!;
        gain = this.#space.exclusive(x, y, z);
        if (!(gain > 0)) continue;
        this.#space.insert(x, y, z);
      } else {
        gain = this.#exclusive(rows, at, count);
        if (!(gain > 0)) continue;
        count = this.#insert(rows, i, count);
      }
      base += gain;
      sum += gain * (top - rows[at + m - 1]!);
    }
    return sum;
  }

  /** What the row at `at` covers, in the first m - 1 coordinates, that the active ones do not. */
  #exclusive(rows: Float64Array, at: number, count: number): number {
    const { m, r } = this;
    const d = m - 1;
    const active = this.#active;
    const limited = this.#limited;
    const key = rows[at + d - 1]!;
    let level = 0;
    while (level < count && rows[active[level]! * m + d - 1]! <= key) level++;
    const caps = this.#caps;
    for (let j = 0; j < d; j++) caps[j] = r[j]!;
    let kept = 0;
    // Limited, those before `level` tie: the nearest first, it is they that cover most. One above in a single coordinate caps it.
    for (let k = 0; k < count; k++) {
      const q = active[k < level ? level - 1 - k : k]! * m;
      const to = kept * d;
      let above = 0;
      let last = 0;
      let beyond = false;
      for (let j = 0; j < d; j++) {
        const v = rows[q + j]!;
        const p = rows[at + j]!;
        if (v > p) {
          if (v >= caps[j]!) {
            beyond = true;
            break;
          }
          above++;
          last = j;
          limited[to + j] = v;
        } else limited[to + j] = p;
      }
      if (beyond) continue;
      if (above === 0) return 0;
      if (above === 1) caps[last] = limited[to + last]!;
      kept++;
    }
    return box(rows, at, d, r) - this.#below!.volume(limited, kept, rows, at);
  }

  /** Puts row i among the active ones, in their order, in place of those it dominates. @returns how many there are */
  #insert(rows: Float64Array, i: number, count: number): number {
    const { m } = this;
    const d = m - 1;
    const active = this.#active;
    const key = rows[i * m + d - 1]!;
    let kept = 0;
    let place = 0;
    for (let k = 0; k < count; k++) {
      const q = active[k]!;
      if (reaches(rows, i * m, rows, q * m, d)) continue;
      active[kept++] = q;
      if (rows[q * m + d - 1]! < key) place = kept;
    }
    active.copyWithin(place + 1, place, kept);
    active[place] = i;
    return kept + 1;
  }
}

/** How many of the first n ascending values are below v; with `equal`, those equal to it too. */
function lowerBound(values: Float64Array, n: number, v: number, equal: boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < v || (equal && values[middle]! === v)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row at `at` is nowhere above the one of p at `place` in the first d coordinates. */
function reaches(rows: Float64Array, at: number, p: Float64Array, place: number, d: number): boolean {
  for (let j = 0; j < d; j++) if (rows[at + j]! > p[place + j]!) return false;
  return true;
}
