import type { Buffer } from './program.js';

export interface Placement {
  /** B from the start of the arena, one a buffer */
  readonly offsets: readonly number[];
  /** B, largest end of a buffer; 0 without buffers */
  readonly size: number;
}

/**
 * Offsets as TensorFlow Lite Micro's GreedyMemoryPlanner gives them: buffers by falling size, of equal ones the later first, each at
 * the lowest gap between the placed buffers that live at the same time (`greedy_memory_planner.cc`).
 *
 * @param buffers  sizes already aligned (16 B in TensorFlow Lite Micro)
 *
 * O(n) for n buffers whose lifetimes are short; O(n²) at worst but for the sort.
 */
export function greedyPlacement(buffers: readonly Buffer[]): Placement {
  return placeInOrder(buffers, greedyOrder(buffers));
}

/** Indices of the buffers in the order they are placed. */
export function greedyOrder(buffers: readonly Buffer[]): number[] {
  return Array.from(buffers.keys()).sort((a, b) => buffers[b]!.size - buffers[a]!.size || b - a);
}

/**
 * Places each buffer, in the order given, at the lowest gap that holds it. Only buffers of the same time are looked at: those in use when it
 * comes, and those that come while it is in use.
 */
export function placeInOrder(buffers: readonly Buffer[], order: readonly number[]): Placement {
  const offsets = new Array<number>(buffers.length).fill(0);
  const end = buffers.reduce((most, b) => Math.max(most, b.last), 0);
  /** placed buffers in use at each time, and those of them that come then */
  const inUse = Array.from({ length: end + 1 }, (): number[] => []);
  const coming = Array.from({ length: end + 1 }, (): number[] => []);
  const others: number[] = [];
  let size = 0;
  for (const id of order) {
    const wanted = buffers[id]!;
    others.length = 0;
    for (const other of inUse[wanted.first]!) insertByOffset(others, other, offsets);
    for (let t = wanted.first + 1; t <= wanted.last; t++) for (const other of coming[t]!) insertByOffset(others, other, offsets);
    let candidate = 0;
    for (const other of others) {
      const offset = offsets[other]!;
      if (offset - candidate >= wanted.size) break;
      candidate = Math.max(candidate, offset + buffers[other]!.size);
    }
    offsets[id] = candidate;
    coming[wanted.first]!.push(id);
    for (let t = wanted.first; t <= wanted.last; t++) inUse[t]!.push(id);
    size = Math.max(size, candidate + wanted.size);
  }
  return { offsets, size };
}

function insertByOffset(sorted: number[], id: number, offsets: readonly number[]): void {
  let at = sorted.length;
  sorted.push(id);
  for (; at > 0 && offsets[sorted[at - 1]!]! > offsets[id]!; at--) sorted[at] = sorted[at - 1]!;
  sorted[at] = id;
}
