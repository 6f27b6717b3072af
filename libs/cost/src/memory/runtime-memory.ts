/** RAM and flash of a network as the runtime of a device uses them. */
import type { Graph } from '@app/graph';
import { BYTES_PER_ELEMENT, planOnce, type ExecutionPlan } from '../plan.js';
import type { DeviceProfile, Precision } from '../types.js';
import { planArena, type PlannerEffort } from './arena-planner.js';
import { overlayProgram } from './overlay.js';
import { overwritingPeak, tinyEngineBuffer } from './overwriting.js';
import { lifetimes, peakOf } from './program.js';
import { reorderOperators } from './reorder.js';
import { lowerToTflm } from './tflm-lowering.js';
import { TFLM_ALIGNMENT, tfliteMetadataBytes, tflmArena, type TflmNetwork } from './tflm.js';

/**
 * How a runtime uses memory: `tflm` and `tflm-cmsis-nn` simulate TensorFlow Lite Micro with its own or Arm's kernels; `overlay` is code
 * generated for the network, with in-place element-wise and depthwise operators; `tinyengine` and `cube-ai-7` write over smaller and
 * larger inputs too (`overwritingPeak`); `live-set` the plain sum of live activations.
 */
export type MemoryRule = 'tflm' | 'tflm-cmsis-nn' | 'overlay' | 'tinyengine' | 'cube-ai-7' | 'live-set';

/** By the name of the profile's runtime. */
export function memoryRuleOf(runtime: string): MemoryRule {
  if (/tensorflow lite (for )?micro|tflm|^cmsis-nn/i.test(runtime)) return /cmsis/i.test(runtime) ? 'tflm-cmsis-nn' : 'tflm';
  if (/tinyengine/i.test(runtime)) return 'tinyengine';
  if (/x-cube-ai 7/i.test(runtime)) return 'cube-ai-7';
  return /x-cube-ai|cube\.ai/i.test(runtime) ? 'overlay' : 'live-set';
}

export interface RuntimeMemory {
  /** B of RAM that depends on the network: activations, scratch buffers, structures the runtime keeps */
  readonly ram: number;
  /** B of activations and scratch buffers within that, as placed */
  readonly activations: number;
  /** B of the model in flash besides its weights; null: the profile's figure a channel stands for it */
  readonly metadata: number | null;
}

const computed = new WeakMap<ExecutionPlan, Map<string, RuntimeMemory>>();

/**
 * Null for `live-set`, which `peakMemory` answers. One pass and the greedy planner, no search; kept with the plan, since several
 * devices of a study have the same runtime.
 */
export function runtimeMemory(plan: ExecutionPlan, rule: MemoryRule, precision: Precision): RuntimeMemory | null {
  if (rule === 'live-set') return null;
  let known = computed.get(plan);
  if (known === undefined) computed.set(plan, (known = new Map()));
  const key = `${rule} ${precision}`;
  const memory = known.get(key) ?? memoryOf(plan, rule, precision);
  known.set(key, memory);
  return memory;
}

function memoryOf(plan: ExecutionPlan, rule: Exclude<MemoryRule, 'live-set'>, precision: Precision): RuntimeMemory {
  const bytesPerElement = BYTES_PER_ELEMENT[precision];
  if (!isArenaRule(rule)) {
    const activations = generatedPeak(plan, rule, bytesPerElement) + generatedBuffer(plan, rule, bytesPerElement);
    return { ram: activations, activations, metadata: null };
  }
  const network = tflmNetwork(plan, rule, precision);
  const arena = tflmArena(network);
  return { ram: arena.total, activations: arena.nonPersistent, metadata: tfliteMetadataBytes(network) };
}

export type ArenaRule = 'tflm' | 'tflm-cmsis-nn';
/** Rules of code generated for the network. */
export type GeneratedRule = Exclude<MemoryRule, ArenaRule | 'live-set'>;

export function isArenaRule(rule: MemoryRule): rule is ArenaRule {
  return rule === 'tflm' || rule === 'tflm-cmsis-nn';
}

/** B of activations, and spare planes, of generated code: the most that any operator needs while it runs. */
export function generatedPeak(plan: ExecutionPlan, rule: GeneratedRule, bytesPerElement: number): number {
  if (rule === 'overlay') return peakOf(lifetimes(overlayProgram(plan, { bytesPerElement, depthwiseInPlace: true })).buffers);
  return overwritingPeak(plan, { bytesPerElement, pointwise: rule === 'cube-ai-7' });
}

/** B of a buffer that the operators share, as large as the greediest of them asks for. */
export function generatedBuffer(plan: ExecutionPlan, rule: GeneratedRule, bytesPerElement: number): number {
  return rule === 'tinyengine' ? tinyEngineBuffer(plan, bytesPerElement) : 0;
}

/** `runtimeMemory` of a graph by the runtime's name. @throws GraphError if the graph breaks a rule */
export function networkMemory(graph: Graph, runtime: string, precision: Precision): RuntimeMemory | null {
  return runtimeMemory(planOnce(graph), memoryRuleOf(runtime), precision);
}

export interface MemorySchedule {
  readonly rule: MemoryRule;
  /** B of activations in the graph's order as the runtime's own planner places them */
  readonly activations: number;
  /** B, the same in the best order */
  readonly reordered: number;
  /** B, largest working set in the graph's order and in the best one */
  readonly workingSet: number;
  readonly reorderedWorkingSet: number;
  /** B, no order has a smaller working set */
  readonly lowerBound: number;
  /** the best order is proven to be the best */
  readonly optimal: boolean;
  /** B, the better of both orders placed by our planner */
  readonly planned: number;
  /** ids in the order kept */
  readonly order: readonly string[];
}

/**
 * What another order of execution and a better arena planner would save on a device. The order that is kept is the one with the
 * smaller arena under the runtime's own planner: a smaller working set may leave holes.
 *
 * @param maxStates  states of the search for the order; see `reorderOperators`
 * @throws GraphError if the graph breaks a rule
 */
export function memorySchedule(graph: Graph, device: DeviceProfile, precision: Precision = device.defaultPrecision, maxStates = 20_000, effort: PlannerEffort = {}): MemorySchedule {
  const rule = memoryRuleOf(device.runtime.name);
  const plan = planOnce(graph);
  const bytesPerElement = BYTES_PER_ELEMENT[precision];
  const tflm = isArenaRule(rule);
  const network = tflm ? tflmNetwork(plan, rule, precision) : null;
  const program = network?.program ?? overlayProgram(plan, { bytesPerElement, depthwiseInPlace: rule !== 'live-set' });
  const alignment = tflm ? TFLM_ALIGNMENT : 1;
  const best = reorderOperators(program, maxStates, alignment);
  const arena = (order?: readonly number[]): number => (network === null ? peakOf(lifetimes(program, order).buffers) : tflmArena(network, order).nonPersistent);
  const activations = arena();
  const inBestOrder = arena(best.order);
  const keep = inBestOrder > activations;
  const planned = [best.order, ...(best.peak < best.before ? [undefined] : [])].map((order) => planArena(lifetimes(program, order, alignment).buffers, effort).size);
  return {
    rule,
    activations,
    reordered: keep ? activations : inBestOrder,
    workingSet: best.before,
    reorderedWorkingSet: best.peak,
    lowerBound: best.lowerBound,
    optimal: best.optimal,
    planned: Math.min(...planned),
    order: keep ? program.ops.map((op) => op.id) : best.order.map((k) => program.ops[k]!.id),
  };
}

/** TensorFlow Lite Micro has no half precision: it computes in single. */
export function tflmNetwork(plan: ExecutionPlan, rule: ArenaRule, precision: Precision): TflmNetwork {
  return lowerToTflm(plan, { bytesPerElement: precision === 'int8' ? 1 : 4, kernels: rule === 'tflm-cmsis-nn' ? 'cmsis-nn' : 'reference' });
}
