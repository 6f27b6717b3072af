/**
 * A network as a memory planner sees it: tensors with sizes, operators in an order, and from these the buffers with their lifetimes.
 *
 * Time runs from 0, when the inputs are written, over 1 … n, when the operators run.
 */

export interface MemoryOp {
  readonly id: string;
  /** tensors it reads, by index */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** B of each scratch buffer, needed while it runs */
  readonly scratch: readonly number[];
  /** inputs it can write its first output over, of the output's size, best first; used where it is the last to read one */
  readonly overwrites: readonly number[];
}

export interface MemoryProgram {
  /** B of each tensor in the arena; constants are not here */
  readonly tensors: readonly number[];
  /** in an order that can run */
  readonly ops: readonly MemoryOp[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A stretch of memory that is needed from `first` to `last`, both included. */
export interface Buffer {
  /** B */
  readonly size: number;
  readonly first: number;
  readonly last: number;
}

export interface Lifetimes {
  /** tensors first, in their order, then scratch buffers as the operators ask for them */
  readonly buffers: readonly Buffer[];
  /** buffer of each tensor; −1: never written */
  readonly bufferOf: readonly number[];
}

export function alignUp(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/**
 * Buffers and lifetimes of a program run in an order. A tensor lives from its producer to its last reader, an output to the end; one
 * written over its input shares that input's buffer.
 *
 * @param order      index of the operator that runs at each step; default: as they stand
 * @param alignment  B, sizes are rounded up to it
 * @throws RangeError if the order is not one of all operators, each after those it reads from
 */
export function lifetimes(program: MemoryProgram, order?: readonly number[], alignment = 1): Lifetimes {
  const { tensors } = program;
  const ops = order === undefined ? program.ops : inOrder(program, order);
  const first = new Int32Array(tensors.length).fill(-1);
  const last = new Int32Array(tensors.length).fill(-1);
  for (const t of program.inputs) first[t] = last[t] = 0;
  ops.forEach((op, k) => {
    for (const t of op.outputs) first[t] = last[t] = k + 1;
    for (const t of op.inputs) last[t] = k + 1;
  });
  for (const t of program.outputs) last[t] = ops.length;

  // representative of each tensor: the first tensor written to the same place
  const root = Int32Array.from(tensors.keys());
  const end = Int32Array.from(last);
  const kept = new Set(program.outputs);
  ops.forEach((op, k) => {
    const [out] = op.outputs;
    if (out === undefined) return;
    const over = op.overwrites.find((t) => first[t]! >= 0 && last[t] === k + 1 && !kept.has(t));
    if (over === undefined) return;
    root[out] = root[over]!;
    end[root[over]!] = last[out]!;
  });
  const buffers: Buffer[] = [];
  const bufferOf = new Array<number>(tensors.length).fill(-1);
  for (let t = 0; t < tensors.length; t++) {
    if (first[t]! >= 0 && root[t] === t) bufferOf[t] = buffers.push({ size: alignUp(tensors[t]!, alignment), first: first[t]!, last: end[t]! }) - 1;
  }
  for (let t = 0; t < tensors.length; t++) if (first[t]! >= 0) bufferOf[t] = bufferOf[root[t]!]!;
  ops.forEach((op, k) => {
    for (const bytes of op.scratch) buffers.push({ size: alignUp(bytes, alignment), first: k + 1, last: k + 1 });
  });
  return { buffers, bufferOf };
}

/** live[t]: B of all buffers needed at time t. Its largest entry is a lower bound of every arena. */
export function liveBytes(buffers: readonly Buffer[]): number[] {
  const end = buffers.reduce((m, b) => Math.max(m, b.last), 0);
  // difference array: +size where a buffer comes, −size behind its last use
  const change = new Float64Array(end + 2);
  for (const b of buffers) {
    change[b.first]! += b.size;
    change[b.last + 1]! -= b.size;
  }
  let alive = 0;
  return Array.from({ length: end + 1 }, (_, t) => (alive += change[t]!));
}

export function peakOf(buffers: readonly Buffer[]): number {
  return liveBytes(buffers).reduce((a, b) => Math.max(a, b), 0);
}

function inOrder(program: MemoryProgram, order: readonly number[]): MemoryOp[] {
  const { ops } = program;
  if (order.length !== ops.length) throw new RangeError(`order: expected ${ops.length} operators, got ${order.length}`);
  const written = new Uint8Array(program.tensors.length);
  const produced = new Set(ops.flatMap((op) => op.outputs));
  const ran = new Uint8Array(ops.length);
  return order.map((index) => {
    const op = ops[index];
    if (op === undefined) throw new RangeError(`order: ${index} is not one of ${ops.length} operators`);
    if (ran[index]) throw new RangeError(`order: "${op.id}" stands twice`);
    ran[index] = 1;
    const missing = op.inputs.find((t) => produced.has(t) && !written[t]);
    if (missing !== undefined) throw new RangeError(`order: "${op.id}" stands before "${ops.find((o) => o.outputs.includes(missing))!.id}", which it reads`);
    for (const t of op.outputs) written[t] = 1;
    return op;
  });
}
