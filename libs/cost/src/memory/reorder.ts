/**
 * The execution order with the smallest working set (Liberis & Lane, "Neural networks on microcontrollers: saving memory at inference
 * via operator reordering", arXiv 1910.05110), by best-first search instead of their full dynamic program.
 *
 * A state is the set of operators that ran; which tensors are alive follows from the set alone, so a state need be reached once, by
 * its smallest peak so far. States are taken by rising peak (Dijkstra with maximum in place of sum): the first complete one is
 * optimal, and the peak at which the search stands is a lower bound whenever it is cut short.
 *
 * Three things keep it small:
 * - An operator that everything else precedes or follows cuts the graph; the parts are searched one after another.
 * - No order is below the largest need of a single operator, nor below the optimum of another part: peaks up to there cost nothing.
 * - An operator that stays below the peak so far and leaves no more memory in use than before runs at once: taking it forward in any
 *   completion raises no step.
 */
import { alignUp, lifetimes, peakOf, type MemoryProgram } from './program.js';

export interface Reordering {
  /** index of the operator that runs at each step */
  readonly order: readonly number[];
  /** B, largest working set of that order */
  readonly peak: number;
  /** B, in the order given */
  readonly before: number;
  /** B, no order has a smaller one */
  readonly lowerBound: number;
  /** peak = lowerBound */
  readonly optimal: boolean;
}

/**
 * @param maxStates  states looked at in all, one of a part of n operators counting for n / 64; with more needed, the result carries a gap
 * @param alignment  B, tensor sizes are rounded up to it
 */
export function reorderOperators(program: MemoryProgram, maxStates = 50_000, alignment = 1): Reordering {
  const memory = memoryStates(program, alignment);
  const before = peakOf(lifetimes(program, undefined, alignment).buffers);
  const n = program.ops.length;
  const order: number[] = [];
  let floor = memory.leastPeak();
  let lowerBound = floor;
  let left = maxStates;
  for (const part of partsOf(program)) {
    const found = orderPart(memory, part, floor, left);
    for (const op of found.order) memory.run(op);
    order.push(...found.order);
    floor = Math.max(floor, found.peak);
    lowerBound = Math.max(lowerBound, found.lowerBound);
    left -= found.states;
  }
  const peak = n === 0 ? before : peakOf(lifetimes(program, order, alignment).buffers);
  if (peak >= before) return { order: Array.from({ length: n }, (_, k) => k), peak: before, before, lowerBound: Math.min(lowerBound, before), optimal: before <= lowerBound };
  return { order, peak, before, lowerBound, optimal: peak === lowerBound };
}

interface MemoryStates {
  /** B of the current state, with nothing running */
  live(): number;
  ready(op: number): boolean;
  /** B while it runs from the current state, and after */
  step(op: number): { during: number; after: number };
  run(op: number): void;
  undo(op: number): void;
  leastPeak(): number;
}

/** Memory in use by the set of operators that ran; running and undoing are O(operands). */
function memoryStates(program: MemoryProgram, alignment: number): MemoryStates {
  const { ops } = program;
  const size = program.tensors.map((bytes) => alignUp(bytes, alignment));
  const pending = new Int32Array(size.length);
  for (const op of ops) for (const t of op.inputs) pending[t]!++;
  for (const t of program.outputs) pending[t]!++;
  const producer = new Int32Array(size.length).fill(-1);
  ops.forEach((op, k) => op.outputs.forEach((t) => (producer[t] = k)));
  const done = new Uint8Array(ops.length);
  const scratch = ops.map((op) => op.scratch.reduce((sum, bytes) => sum + alignUp(bytes, alignment), 0));
  const made = ops.map((op) => op.outputs.reduce((sum, t) => sum + size[t]!, 0));
  const initial = program.inputs.reduce((sum, t) => sum + (pending[t]! > 0 ? size[t]! : 0), 0);
  let live = initial;
  const own = (op: number, last: (t: number) => boolean): number => {
    const over = ops[op]!.overwrites.find(last);
    return made[op]! - (over === undefined ? 0 : size[ops[op]!.outputs[0]!]!);
  };
  const freed = (op: number): number => ops[op]!.inputs.reduce((sum, t) => sum + (pending[t] === 1 ? size[t]! : 0), 0);
  const kept = (op: number): number => ops[op]!.outputs.reduce((sum, t) => sum + (pending[t]! > 0 ? size[t]! : 0), 0);
  return {
    live: () => live,
    ready: (op) => !done[op] && ops[op]!.inputs.every((t) => producer[t]! < 0 || done[producer[t]!] === 1),
    step: (op) => ({ during: live + own(op, (t) => pending[t] === 1) + scratch[op]!, after: live - freed(op) + kept(op) }),
    run(op) {
      live += kept(op) - freed(op);
      done[op] = 1;
      for (const t of ops[op]!.inputs) pending[t]!--;
    },
    undo(op) {
      for (const t of ops[op]!.inputs) pending[t]!++;
      done[op] = 0;
      live -= kept(op) - freed(op);
    },
    leastPeak: () => ops.reduce((least, op, k) => {
      const read = op.inputs.reduce((sum, t) => sum + size[t]!, 0);
      return Math.max(least, read + own(k, () => true) + scratch[k]!);
    }, Math.max(program.inputs.reduce((sum, t) => sum + size[t]!, 0), program.outputs.reduce((sum, t) => sum + size[t]!, 0))),
  };
}

/** Operators in stretches that every order runs one after another, each ending with one that all the others precede or follow. */
function partsOf(program: MemoryProgram): number[][] {
  const n = program.ops.length;
  const words = (n + 31) >> 5;
  const producer = new Map<number, number>();
  program.ops.forEach((op, k) => op.outputs.forEach((t) => producer.set(t, k)));
  const before = Array.from({ length: n }, () => new Uint32Array(words));
  const after = new Int32Array(n);
  const precede = new Int32Array(n);
  program.ops.forEach((op, k) => {
    const own = before[k]!;
    for (const t of op.inputs) {
      const p = producer.get(t);
      if (p === undefined) continue;
      before[p]!.forEach((word, i) => (own[i]! |= word));
      own[p >> 5]! |= 1 << (p & 31);
    }
    for (let j = 0; j < k; j++) {
      if ((own[j >> 5]! >>> (j & 31)) & 1) {
        after[j]!++;
        precede[k]!++;
      }
    }
  });
  const parts: number[][] = [];
  let part: number[] = [];
  for (let k = 0; k < n; k++) {
    part.push(k);
    // the graph's order is topological: what precedes a cut stands before it
    if (precede[k]! + after[k]! === n - 1) {
      parts.push(part);
      part = [];
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

interface PartOrder {
  readonly order: readonly number[];
  readonly peak: number;
  /** B that no order of the part stays below; 0 where it only needs what the rest needs anyway */
  readonly lowerBound: number;
  readonly states: number;
}

/** A set of operators that ran, as a path of steps from the empty one. */
interface State {
  readonly from: State | null;
  /** operators that ran since `from` */
  readonly ran: readonly number[];
  /** operators that ran in all */
  readonly count: number;
  readonly peak: number;
}

interface Found {
  readonly done: readonly number[];
  readonly peak: number;
}

function pathOf(state: State): number[] {
  const steps: (readonly number[])[] = [];
  for (let at: State | null = state; at !== null; at = at.from) steps.push(at.ran);
  return steps.reverse().flat();
}

/** Best order of a part from the memory's current state, which is left as it was. Peaks up to `floor` count as `floor`. */
function orderPart(memory: MemoryStates, part: readonly number[], floor: number, maxStates: number): PartOrder {
  const given = peakOfOrder(memory, part, floor);
  if (given <= floor) return { order: part, peak: floor, lowerBound: 0, states: 0 };
  let upper: Found = { done: part, peak: given };
  const greedy = greedyOrder(memory, part, floor);
  if (greedy.peak < upper.peak) upper = greedy;
  const queue = new StateQueue();
  const reached = new Map<string, number>();
  const place = new Map(part.map((op, i) => [op, i]));
  queue.push({ from: null, ran: [], count: 0, peak: floor });
  let states = 0;
  const price = Math.ceil(part.length / 64);
  for (let state = queue.pop(); state !== undefined && state.peak < upper.peak; state = queue.pop()) {
    if (states >= maxStates) return { order: upper.done, peak: upper.peak, lowerBound: state.peak > floor ? state.peak : 0, states };
    states += price;
    const path = pathOf(state);
    for (const op of path) memory.run(op);
    const harmless = runHarmless(memory, part, state.peak);
    const done = [...path, ...harmless];
    if (done.length === part.length) upper = { done, peak: state.peak };
    else if (isNew(reached, keyOf(done, place), state.peak)) {
      const from: State = harmless.length === 0 ? state : { from: state, ran: harmless, count: done.length, peak: state.peak };
      for (const op of part) {
        if (!memory.ready(op)) continue;
        const peak = Math.max(state.peak, memory.step(op).during);
        if (peak < upper.peak) queue.push({ from, ran: [op], count: done.length + 1, peak });
      }
    }
    for (let i = done.length - 1; i >= 0; i--) memory.undo(done[i]!);
  }
  return { order: upper.done, peak: upper.peak, lowerBound: upper.peak > floor ? upper.peak : 0, states };
}

/** The set as bits, sixteen a character. */
function keyOf(done: readonly number[], place: ReadonlyMap<number, number>): string {
  const bits = new Uint16Array((place.size >> 4) + 1);
  for (const op of done) {
    const i = place.get(op)!;
    bits[i >> 4]! |= 1 << (i & 15);
  }
  return String.fromCharCode(...bits);
}

function isNew(reached: Map<string, number>, key: string, peak: number): boolean {
  const known = reached.get(key);
  if (known !== undefined && known <= peak) return false;
  reached.set(key, peak);
  return true;
}

/** Runs operators that stay within the peak and leave no more in use than before, until there is none. */
function runHarmless(memory: MemoryStates, part: readonly number[], peak: number): number[] {
  const ran: number[] = [];
  for (;;) {
    const next = part.find((op) => {
      if (!memory.ready(op)) return false;
      const { during, after } = memory.step(op);
      return during <= peak && after <= memory.live();
    });
    if (next === undefined) return ran;
    memory.run(next);
    ran.push(next);
  }
}

function peakOfOrder(memory: MemoryStates, order: readonly number[], floor: number): number {
  let peak = floor;
  for (const op of order) {
    peak = Math.max(peak, memory.step(op).during);
    memory.run(op);
  }
  for (let i = order.length - 1; i >= 0; i--) memory.undo(order[i]!);
  return peak;
}

/** At each step the ready operator that leaves least in use, of equal ones the one that needs least. */
function greedyOrder(memory: MemoryStates, part: readonly number[], floor: number): Found {
  const done: number[] = [];
  let peak = floor;
  while (done.length < part.length) {
    let best = -1;
    let cost = { during: Infinity, after: Infinity };
    for (const op of part) {
      if (!memory.ready(op)) continue;
      const step = memory.step(op);
      if (step.after < cost.after || (step.after === cost.after && step.during < cost.during)) [best, cost] = [op, step];
    }
    peak = Math.max(peak, cost.during);
    memory.run(best);
    done.push(best);
  }
  for (let i = done.length - 1; i >= 0; i--) memory.undo(done[i]!);
  return { done, peak };
}

/** Smallest peak first, of equal ones the furthest. */
class StateQueue {
  private readonly heap: State[] = [];

  push(state: State): void {
    const { heap } = this;
    heap.push(state);
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i]!, heap[parent]!)) break;
      [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
      i = parent;
    }
  }

  pop(): State | undefined {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      if (least === i) return first;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }
}

function before(a: State, b: State): boolean {
  return a.peak !== b.peak ? a.peak < b.peak : a.count > b.count;
}
