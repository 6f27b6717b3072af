/** What pricing needs to know of a piece of a network, found once, by the functions that price whole networks. */
import type { Piece } from '@app/graph';
import { outsideOf, rangeOf } from '../latency-model.js';
import type { RuntimeRules } from '../latency-rules.js';
import { stepsOf } from '../latency-steps.js';
import { TERMS, workOfSteps } from '../latency-terms.js';
import { overlayProgram } from '../memory/overlay.js';
import { overwrites } from '../memory/overwriting.js';
import { alignUp, type MemoryProgram } from '../memory/program.js';
import { generatedBuffer, tflmNetwork, type ArenaRule, type GeneratedRule } from '../memory/runtime-memory.js';
import { keptSums, TFLM_ALIGNMENT } from '../memory/tflm.js';
import { planExecution, type ExecutionPlan } from '../plan.js';
import { rooflineSeconds } from '../price-network.js';
import { SUMS, sumsOf, writeSums } from '../sums.js';
import type { DeviceProfile, FittedModel, Precision } from '../types.js';

/** What the devices at hand ask of a piece; each thing once, however many devices ask. */
export interface Questions {
  readonly runtimes: readonly RuntimeRules[];
  /** what fitted models have seen; `runtime` is a place in `runtimes` */
  readonly ranges: readonly { readonly runtime: number; readonly range: FittedModel['range'] }[];
  readonly rooflines: readonly { readonly device: DeviceProfile; readonly precision: Precision }[];
  readonly arenas: readonly { readonly rule: ArenaRule; readonly precision: Precision }[];
  readonly generated: readonly { readonly rule: GeneratedRule; readonly bytesPerElement: number }[];
}

/** Places of figures in a row: sums of the network; works of each way to fuse, [ways, TERMS.length]; by range, pieces outside it; kept sums of each arena. */
export class Layout {
  /** ways to fuse that differ, and that of each runtime: pieces hold no zeros and no equal operators, so runtimes that differ in nothing else run them alike */
  readonly fusions: readonly RuntimeRules['fusion'][];
  readonly wayOf: readonly number[];
  readonly works = SUMS;
  readonly macs: number;
  readonly outside: number;
  readonly kept: number;
  readonly length: number;

  constructor({ runtimes, ranges, arenas }: Questions) {
    this.fusions = [...new Set(runtimes.map(({ fusion }) => fusion))];
    this.wayOf = runtimes.map(({ fusion }) => this.fusions.indexOf(fusion));
    this.macs = this.works + this.fusions.length * TERMS.length;
    this.outside = this.macs + this.fusions.length;
    this.kept = this.outside + ranges.length;
    this.length = this.kept + KEPT * arenas.length;
  }
}

/** Figures of an arena's kept sums: structures, data, scratch buffers, tables. */
export const KEPT = 4;

/**
 * Operators in order, each making one tensor. Tensors are numbered: what the piece takes, in order, then what its operators make. A piece
 * without operators is an input of the network and makes what would be its first tensor.
 */
export interface Wiring {
  /** tensors operator k reads, each once: reads[starts[k]] … */
  readonly reads: readonly number[];
  readonly starts: readonly number[];
  /** the tensor that leaves */
  readonly output: number;
}

/** The operators as a sum over tensors sees them. */
export interface WorkingSet extends Wiring {
  /** elements of what each operator makes */
  readonly elements: readonly number[];
  /** bit i: may write over the i-th tensor it reads where it is the only reader; where it is the last, with a spare plane of so many elements */
  readonly inPlace: readonly number[];
  readonly overlaid: readonly number[];
  readonly plane: readonly number[];
  /** 1: writes over inputs of any size; 2: where pointwise convolutions do */
  readonly overwriting: readonly number[];
}

export interface ArenaPart {
  /** B of what each operator makes */
  readonly sizes: readonly number[];
  /** B of scratch buffers, and where those of each operator begin */
  readonly scratch: readonly number[];
  readonly scratchStarts: readonly number[];
}

export class CompiledPiece {
  /** all that adds up over the pieces of a network: figures that are not 0, and where `Layout` places them */
  readonly figures: readonly number[];
  readonly places: readonly number[];
  /** by runtime */
  readonly extents: readonly FittedModel['range'][];
  /** s of each unit, [units, rooflines] */
  readonly seconds: readonly number[];
  /** by generated code, B of the buffer its operators share */
  readonly buffers: readonly number[];
  readonly set: WorkingSet;
  /** operators of TensorFlow Lite Micro: the same for all arenas */
  readonly lowered: Wiring;
  readonly arenas: readonly ArenaPart[];

  /** @throws GraphError if it breaks a rule */
  constructor({ graph, takes }: Piece, questions: Questions, layout: Layout) {
    const plan = planExecution(graph);
    const isInput = takes.length === 0;
    const figures = new Float64Array(layout.length);
    writeSums(sumsOf(plan), figures);
    const ways = layout.fusions.map((fusion, w) => {
      const steps = stepsOf(graph, { zeros: 'folded', merge: false, fusion });
      const extent = rangeOf([steps]);
      figures.set(workOfSteps(steps), layout.works + w * TERMS.length);
      figures[layout.macs + w] = extent.macs[0];
      return extent;
    });
    this.extents = layout.wayOf.map((w) => ways[w]!);
    questions.ranges.forEach(({ runtime, range }, k) => {
      figures[layout.outside + k] = outsideOf({ ...this.extents[runtime]!, macs: range.macs }, range).length > 0 ? 1 : 0;
    });
    const seconds = questions.rooflines.map(({ device, precision }) => rooflineSeconds(plan, device, precision));
    this.seconds = plan.units.flatMap((_, u) => (seconds.every((s) => s[u] === 0) ? [] : seconds.map((s) => s[u]!)));
    this.buffers = questions.generated.map(({ rule, bytesPerElement }) => generatedBuffer(plan, rule, bytesPerElement));
    this.set = workingSet(plan);
    const networks = questions.arenas.map(({ rule, precision }) => tflmNetwork(plan, rule, precision));
    this.lowered = networks.length === 0 ? { reads: [], starts: [0], output: 0 } : wiringOf(networks[0]!.program);
    this.arenas = networks.map((network, a): ArenaPart => {
      const { tensors, ops, inputs } = network.program;
      const scratch: number[] = [];
      const scratchStarts = [0];
      for (const op of ops) {
        for (const bytes of op.scratch) scratch.push(alignUp(bytes, TFLM_ALIGNMENT));
        scratchStarts.push(scratch.length);
      }
      const made = isInput ? tensors : ops.map((op) => tensors[op.outputs[0]!]!);
      const { structures, data, scratchBuffers, tables } = keptSums(network, tensors.length - (isInput ? 0 : inputs.length));
      figures.set([structures, data, scratchBuffers, tables], layout.kept + KEPT * a);
      return { sizes: made.map((bytes) => alignUp(bytes, TFLM_ALIGNMENT)), scratch, scratchStarts };
    });
    this.places = [...figures.keys()].filter((k) => figures[k] !== 0);
    this.figures = this.places.map((k) => figures[k]!);
  }
}

/** Tensors renumbered: inputs first, then what the operators make. @throws RangeError if an output is no operator's */
function wiringOf({ tensors, ops, inputs, outputs }: MemoryProgram): Wiring & { readonly numbers: readonly number[] } {
  const numbers = new Array<number>(tensors.length).fill(-1);
  inputs.forEach((t, j) => (numbers[t] = j));
  ops.forEach((op, k) => (numbers[op.outputs[0]!] = inputs.length + k));
  const reads: number[] = [];
  const starts = [0];
  for (const op of ops) {
    for (const t of op.inputs) reads.push(numbers[t]!);
    starts.push(reads.length);
  }
  return { reads, starts, output: numbers[outputs[0]!]!, numbers };
}

function workingSet(plan: ExecutionPlan): WorkingSet {
  const elementwise = overlayProgram(plan, { bytesPerElement: 1, depthwiseInPlace: false });
  const depthwise = overlayProgram(plan, { bytesPerElement: 1, depthwiseInPlace: true });
  const unitOf = new Map(plan.units.map((unit) => [unit.id, unit]));
  const bits = ({ ops }: MemoryProgram): number[] => ops.map(({ inputs, overwrites: over }) => inputs.reduce((mask, t, i) => (over.includes(t) ? mask | (1 << i) : mask), 0));
  const isInput = elementwise.ops.length === 0;
  const { reads, starts, output } = wiringOf(elementwise);
  return {
    reads, starts, output,
    elements: isInput ? elementwise.tensors : elementwise.ops.map((op) => elementwise.tensors[op.outputs[0]!]!),
    inPlace: bits(elementwise), overlaid: bits(depthwise), plane: depthwise.ops.map((op) => op.scratch[0] ?? 0),
    overwriting: elementwise.ops.map(({ id }) => {
      const unit = unitOf.get(id)!;
      return (overwrites(unit, { pointwise: false }) ? 1 : 0) | (overwrites(unit, { pointwise: true }) ? 2 : 0);
    }),
  };
}
