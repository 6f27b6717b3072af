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
 * O(n²) for n buffers.
 */
export function greedyPlacement(buffers: readonly Buffer[]): Placement {
  const order = Array.from(buffers.keys()).sort((a, b) => buffers[b]!.size - buffers[a]!.size || b - a);
  return placeInOrder(buffers, order);
}

/** Places each buffer, in the order given, at the lowest gap that holds it. */
export function placeInOrder(buffers: readonly Buffer[], order: readonly number[]): Placement {
  const offsets = new Array<number>(buffers.length).fill(0);
  /** placed buffers by offset */
  const placed: number[] = [];
  let size = 0;
  for (const id of order) {
    const { size: wanted, first, last } = buffers[id]!;
    let candidate = 0;
    for (const other of placed) {
      const b = buffers[other]!;
      if (b.first > last || b.last < first) continue;
      if (offsets[other]! - candidate >= wanted) break;
      candidate = Math.max(candidate, offsets[other]! + b.size);
    }
    offsets[id] = candidate;
    let at = placed.length;
    while (at > 0 && offsets[placed[at - 1]!]! > candidate) at--;
    placed.splice(at, 0, id);
    size = Math.max(size, candidate + wanted);
  }
  return { offsets, size };
}
