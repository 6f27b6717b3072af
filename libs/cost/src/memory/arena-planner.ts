/**
 * Arena planning by our own means: several greedy orders, then the buffers at the top pulled forward, then branch and bound.
 *
 * Dynamic storage allocation is NP-hard (Garey & Johnson, SR2); the largest live set bounds it from below.
 */
import { placeInOrder, type Placement } from './greedy-planner.js';
import { peakOf, type Buffer } from './program.js';

export interface ArenaPlan extends Placement {
  /** B, no arena can be smaller */
  readonly lowerBound: number;
  /** the size is the smallest there is: it meets the bound, or the search was exhausted */
  readonly proven: boolean;
}

export interface PlannerEffort {
  /** rounds of pulling the highest buffers forward, fewer above 128 buffers; default 200 */
  readonly rounds?: number;
  /** nodes of branch and bound, one of n buffers counting for n / 64; default 20,000 */
  readonly nodes?: number;
}

/**
 * Smallest arena found for buffers with fixed lifetimes.
 *
 * @param buffers  sizes finite and ≥ 0, already aligned
 */
export function planArena(buffers: readonly Buffer[], effort: PlannerEffort = {}): ArenaPlan {
  const lowerBound = peakOf(buffers);
  let best: Placement | null = null;
  let bestOrder: readonly number[] = [];
  const offer = (order: readonly number[]): Placement => {
    const placement = placeInOrder(buffers, order);
    if (best === null || placement.size < best.size) [best, bestOrder] = [placement, order];
    return placement;
  };
  for (const order of greedyOrders(buffers)) if (offer(order).size === lowerBound) break;
  let found: Placement = best ?? { offsets: [], size: 0 };
  if (found.size > lowerBound) {
    pullForward(buffers, bestOrder, lowerBound, Math.ceil((effort.rounds ?? 200) / Math.ceil(buffers.length / 128)), offer);
    found = best ?? found;
  }
  if (found.size === lowerBound) return { ...found, lowerBound, proven: true };
  const search = branchAndBound(buffers, found.size, lowerBound, effort.nodes ?? 20_000);
  return { ...(search.placement ?? found), lowerBound: search.exhausted ? (search.placement ?? found).size : lowerBound, proven: search.exhausted };
}

function greedyOrders(buffers: readonly Buffer[]): number[][] {
  const span = (b: Buffer): number => b.last - b.first + 1;
  const keys: ((b: Buffer, id: number) => readonly number[])[] = [
    (b, id) => [-b.size, -id],
    (b, id) => [-b.size, id],
    (b, id) => [-b.size * span(b), id],
    (b, id) => [-span(b), -b.size, id],
    (b, id) => [b.first, -b.size, id],
    (b, id) => [-b.last, -b.size, id],
  ];
  return keys.map((key) => {
    const by = buffers.map(key);
    return Array.from(buffers.keys()).sort((x, y) => {
      const [a, b] = [by[x]!, by[y]!];
      const i = a.findIndex((v, at) => v !== b[at]);
      return i < 0 ? 0 : a[i]! - b[i]!;
    });
  });
}

/** Squeaky wheel: what sticks out at the top goes to the front of the order and is placed before what pushed it up. Joslin & Clements, JAIR 1999. */
function pullForward(buffers: readonly Buffer[], start: readonly number[], lowerBound: number, rounds: number, offer: (order: readonly number[]) => Placement): void {
  let order = start;
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const { offsets, size } = offer(order);
    if (size === lowerBound) return;
    const high = (id: number): boolean => offsets[id]! + buffers[id]!.size > lowerBound;
    order = [...order.filter(high), ...order.filter((id) => !high(id))];
    const key = order.join();
    if (seen.has(key)) return;
    seen.add(key);
  }
}

/**
 * Complete search. Push every buffer of a placement down as far as it goes, then take them by rising offset: each lies on top of the
 * placed ones that live at the same time. So the orders with rising offsets hold a best placement. A branch ends where the placed
 * and the still unplaced buffers of some time reach the best size known.
 */
function branchAndBound(buffers: readonly Buffer[], upper: number, lowerBound: number, nodes: number): { placement: Placement | null; exhausted: boolean } {
  const n = buffers.length;
  const end = buffers.reduce((m, b) => Math.max(m, b.last), 0);
  const top = new Float64Array(end + 1);
  const waiting = new Float64Array(end + 1);
  for (const b of buffers) for (let t = b.first; t <= b.last; t++) waiting[t]! += b.size;
  const offsets = new Array<number>(n).fill(-1);
  let best: number[] | null = null;
  let bound = upper;
  let left = nodes;
  const price = Math.ceil(n / 64);
  const onTop = (b: Buffer): number => {
    let offset = 0;
    for (let t = b.first; t <= b.last; t++) offset = Math.max(offset, top[t]!);
    return offset;
  };
  const visit = (placed: number, floor: number, height: number): void => {
    if (placed === n) {
      [best, bound] = [[...offsets], height];
      return;
    }
    const choices: { id: number; offset: number }[] = [];
    for (let id = 0; id < n; id++) {
      if (offsets[id]! >= 0) continue;
      const offset = onTop(buffers[id]!);
      if (offset >= floor) choices.push({ id, offset });
    }
    choices.sort((a, b) => a.offset - b.offset || buffers[b.id]!.size - buffers[a.id]!.size || a.id - b.id);
    for (const { id, offset } of choices) {
      if (bound === lowerBound || left <= 0) return;
      left -= price;
      const b = buffers[id]!;
      const before = top.slice(b.first, b.last + 1);
      let promising = offset + b.size < bound;
      for (let t = b.first; t <= b.last; t++) {
        top[t] = offset + b.size;
        waiting[t]! -= b.size;
        if (top[t]! + waiting[t]! >= bound) promising = false;
      }
      if (promising) {
        offsets[id] = offset;
        visit(placed + 1, offset, Math.max(height, offset + b.size));
        offsets[id] = -1;
      }
      for (let t = b.first; t <= b.last; t++) waiting[t]! += b.size;
      top.set(before, b.first);
    }
  };
  visit(0, 0, 0);
  return { placement: best === null ? null : { offsets: best, size: bound }, exhausted: left > 0 || bound === lowerBound };
}
