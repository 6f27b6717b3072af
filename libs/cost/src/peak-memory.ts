import type { Graph } from '@app/graph';
import { planExecution, type ExecutionPlan, type Unit } from './plan.js';

export interface MemoryProfile {
  /** B, the largest entry of `live`; 0 for a graph without nodes */
  readonly peak: number;
  /** unit ids in the order they run */
  readonly order: readonly string[];
  /** live[k]: bytes alive while order[k] runs */
  readonly live: readonly number[];
}

/**
 * Bytes of activations alive while each operator runs (formulas F-C13): at operator k, the tensors already there that k or a later
 * operator still reads, plus k's output. Network inputs are there from the start until their last use, network outputs stay to the end.
 *
 * Exact for a runtime that merges batch norm and activation into the convolution before them, hands renamed tensors on without a
 * copy, and lets an element-wise operator write over an input that nobody else reads (of several such inputs the first). Constants lie in the weight store and take none.
 *
 * @param bytesPerElement  size of an activation, B
 * @param order  unit ids (nodes that are not merged into another, dead ones left out), each once, after those they read; default: the graph's order
 * @throws RangeError if bytesPerElement is not a finite number above 0, or the order is not such an order, naming the node
 * @throws GraphError as `planExecution`
 */
export function peakMemory(graph: Graph, bytesPerElement: number, order?: readonly string[]): MemoryProfile {
  return memoryOfPlan(planExecution(graph), bytesPerElement, order);
}

export function memoryOfPlan(plan: ExecutionPlan, bytesPerElement: number, order?: readonly string[]): MemoryProfile {
  if (!Number.isFinite(bytesPerElement) || bytesPerElement <= 0) throw new RangeError(`bytes per element: expected a finite number above 0, got ${bytesPerElement}`);
  const units = order === undefined ? plan.units : inOrder(plan.units, order);
  const { bufferOf, size } = buffers(plan, units);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  units.forEach((unit, k) => {
    const own = bufferOf.get(unit.id)!;
    if (!first.has(own)) first.set(own, unit.node.kind === 'input' ? 0 : k);
    for (const buffer of [own, ...unit.inputs.map((id) => bufferOf.get(id)!)]) last.set(buffer, k);
  });
  for (const id of plan.outputs) last.set(bufferOf.get(id)!, units.length - 1);

  // difference array: +size where a buffer comes, −size behind its last use
  const change = new Float64Array(units.length + 1);
  first.forEach((k, buffer) => {
    change[k]! += size[buffer]!;
    change[last.get(buffer)! + 1]! -= size[buffer]!;
  });
  let alive = 0;
  const live = units.map((_, k) => (alive += change[k]!) * bytesPerElement);
  return { peak: live.reduce((a, b) => Math.max(a, b), 0), order: units.map((u) => u.id), live };
}

/** Which units share memory, and how many elements each buffer has. */
function buffers(plan: ExecutionPlan, units: readonly Unit[]): { bufferOf: ReadonlyMap<string, number>; size: readonly number[] } {
  const byId = new Map(units.map((u) => [u.id, u]));
  /** the unit whose tensor this one only renames, to the end of the chain */
  const source = (id: string): string => {
    const unit = byId.get(id)!;
    return unit.view ? source(unit.inputs[0]!) : id;
  };
  // readers of a tensor under all its names; renamings read nothing
  const readers = new Map<string, number>();
  for (const unit of units) if (!unit.view) for (const id of new Set(unit.inputs.map(source))) readers.set(id, (readers.get(id) ?? 0) + 1);
  const kept = new Set([...plan.outputs].map(source));

  const bufferOf = new Map<string, number>();
  const size: number[] = [];
  for (const unit of units) {
    const over = unit.view ? unit.inputs[0]! : overwritable(unit, (id) => byId.get(source(id))!, (id) => readers.get(source(id)) === 1 && !kept.has(source(id)));
    if (over !== undefined) bufferOf.set(unit.id, bufferOf.get(over)!);
    else bufferOf.set(unit.id, size.push(unit.node.kind === 'constant' ? 0 : unit.outputElements) - 1);
  }
  return { bufferOf, size };
}

function overwritable(unit: Unit, producer: (id: string) => Unit, free: (id: string) => boolean): string | undefined {
  return unit.elementwise ? unit.inputs.find((id) => producer(id).node.kind !== 'constant' && producer(id).outputElements === unit.outputElements && free(id)) : undefined;
}

function inOrder(units: readonly Unit[], order: readonly string[]): readonly Unit[] {
  const byId = new Map(units.map((u) => [u.id, u]));
  const seen = new Set<string>();
  const ordered = order.map((id) => {
    const unit = byId.get(id);
    if (!unit) throw new RangeError(`order: "${id}" is not a node that runs on its own`);
    if (seen.has(id)) throw new RangeError(`order: "${id}" stands twice`);
    const missing = unit.inputs.find((input) => !seen.has(input));
    if (missing !== undefined) throw new RangeError(`order: "${id}" stands before "${missing}", which it reads`);
    seen.add(id);
    return unit;
  });
  const left = units.find((u) => !seen.has(u.id));
  if (left) throw new RangeError(`order: "${left.id}" is missing`);
  return ordered;
}
