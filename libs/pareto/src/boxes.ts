/**
 * Box decomposition of the region below the reference point that a front does not dominate, as expected hypervolume improvement
 * integrates over it. Objectives minimised; lower sides may be -Infinity, upper sides end at front coordinates or the reference.
 */
import { paretoFront } from './dominance.js';
import { below } from './hypervolume.js';
import type { Objectives } from './vectors.js';

export interface Boxes {
  readonly count: number;
  /** m */
  readonly objectives: number;
  /** [count, m] row-major; -Infinity where the box is open */
  readonly lower: Float64Array;
  /** [count, m] row-major, finite */
  readonly upper: Float64Array;
}

/** One box as lower sides, then upper sides: [2m]. */
type Box = readonly number[];

/**
 * Disjoint boxes whose union is { y < reference : no point dominates y }.
 *
 * n + 1 boxes for two objectives, at most 2n + 1 for three (a sweep along the third); for m ≥ 4 slabs along the last objective, each
 * with the boxes of m - 1, equal boxes of adjoining slabs joined: some n^(m/2), thousands for 100 points at m = 4.
 * @param points     any order; dominated points and points not strictly below the reference change nothing
 * @param reference  [m], finite
 * @throws RangeError on NaN, -Infinity, or lengths that differ
 */
export function nonDominatedBoxes(points: readonly Objectives[], reference: Objectives): Boxes {
  const m = reference.length;
  const boxes = decompose(below(points, reference), reference, m);
  const lower = new Float64Array(boxes.length * m);
  const upper = new Float64Array(boxes.length * m);
  boxes.forEach((box, k) => {
    for (let j = 0; j < m; j++) {
      lower[k * m + j] = box[j]!;
      upper[k * m + j] = box[m + j]!;
    }
  });
  return { count: boxes.length, objectives: m, lower, upper };
}

function decompose(points: readonly Objectives[], r: Objectives, m: number): Box[] {
  const heads = points.map((p) => Array.from(p).slice(0, m));
  const front = paretoFront(heads).map((i) => heads[i]!);
  if (m === 1) return [[-Infinity, front[0]?.[0] ?? r[0]!]];
  if (m === 2) return columns(front, r);
  if (m === 3) return sweep(front, r);
  return slabs(front, r, m);
}

function columns(front: readonly number[][], r: Objectives): Box[] {
  const sorted = [...front].sort((a, b) => a[0]! - b[0]!).filter((p, i, all) => i === 0 || p[0] !== all[i - 1]![0]);
  const boxes: Box[] = [];
  let [left, top] = [-Infinity, r[1]!];
  for (const p of sorted) {
    boxes.push([left, -Infinity, p[0]!, top]);
    [left, top] = [p[0]!, p[1]!];
  }
  boxes.push([left, -Infinity, r[0]!, top]);
  return boxes;
}

/** A strip lo1 < f1 < up1, f2 < up2 of the free area, open since f3 = birth. */
interface Strip {
  readonly lo1: number;
  readonly up1: number;
  readonly up2: number;
  readonly birth: number;
}

function sweep(front: readonly number[][], r: Objectives): Box[] {
  const boxes: Box[] = [];
  const close = (s: Strip, level: number): void => {
    if (s.birth < level) boxes.push([s.lo1, -Infinity, s.birth, s.up1, s.up2, level]);
  };
  let strips: Strip[] = [{ lo1: -Infinity, up1: r[0]!, up2: r[1]!, birth: -Infinity }];
  for (const [x, y, z] of [...front].sort((a, b) => a[2]! - b[2]!) as [number, number, number][]) {
    const next: Strip[] = [];
    const add = (s: Strip): void => {
      const last = next.at(-1);
      if (last && last.up2 === s.up2 && last.birth === s.birth && last.up1 === s.lo1) next[next.length - 1] = { ...last, up1: s.up1 };
      else next.push(s);
    };
    for (const s of strips) {
      if (!(s.up1 > x && s.up2 > y)) {
        add(s);
        continue;
      }
      close(s, z);
      if (s.lo1 < x) add({ ...s, up1: x, birth: z });
      add({ lo1: Math.max(s.lo1, x), up1: s.up1, up2: y, birth: z });
    }
    strips = next;
  }
  for (const s of strips) close(s, r[2]!);
  return boxes;
}

function slabs(front: readonly number[][], r: Objectives, m: number): Box[] {
  const levels = [...new Set(front.map((p) => p[m - 1]!))].sort((a, b) => a - b);
  const boxes: Box[] = [];
  let open = new Map<string, { readonly base: Box; readonly from: number }>();
  const closeExcept = (kept: ReadonlyMap<string, unknown>, level: number): void => {
    for (const [key, { base, from }] of open) {
      if (!kept.has(key)) boxes.push([...base.slice(0, m - 1), from, ...base.slice(m - 1), level]);
    }
  };
  for (const level of [-Infinity, ...levels]) {
    const next = new Map<string, { readonly base: Box; readonly from: number }>();
    for (const base of decompose(front.filter((p) => p[m - 1]! <= level), r, m - 1)) {
      const key = base.join();
      next.set(key, open.get(key) ?? { base, from: level });
    }
    closeExcept(next, level);
    open = next;
  }
  closeExcept(new Map(), r[m - 1]!);
  return boxes;
}
