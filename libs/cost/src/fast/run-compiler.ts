/** Finds what pricing needs to know: of a piece by the functions that price whole networks, of a section from its pieces. */
import type { Piece, Section } from '@app/graph';
import { outsideOf, rangeOf } from '../latency-model.js';
import { stepsByFusion, type Step } from '../latency-steps.js';
import { TERMS, workOfSteps } from '../latency-terms.js';
import { overlayProgram } from '../memory/overlay.js';
import { overwrites } from '../memory/overwriting.js';
import { alignUp, type MemoryProgram } from '../memory/program.js';
import { generatedBuffer, tflmNetwork } from '../memory/runtime-memory.js';
import { keptSums, TFLM_ALIGNMENT } from '../memory/tflm.js';
import { planExecution, type ExecutionPlan } from '../plan.js';
import { rooflineSeconds } from '../price-network.js';
import { sumsOf, writeSums } from '../sums.js';
import type { FittedModel } from '../types.js';
import { fill, isEven, jointOf, type Joint } from './joint.js';
import { Rows, Shared } from './rows.js';
import { KEPT, type ArenaShape, type Layout, type Questions, type Run, type RunShape, type Wiring, type WorkingSet } from './run.js';

export class RunCompiler {
  private readonly shapes = new Shared<RunShape>();
  private readonly joints = new Shared<Joint>();
  private readonly rows = new Rows();
  private readonly numbers = new WeakMap<RunShape, number>();
  private numbered = 0;
  private compiled = 0;

  constructor(private readonly by: object, private readonly questions: Questions, private readonly layout: Layout) {}

  /** @throws GraphError if it breaks a rule */
  compile(piece: Piece): Run {
    const { questions, layout } = this;
    const { graph, takes } = piece.graph();
    const plan = planExecution(graph);
    const isInput = takes.length === 0;
    const sums = new Float64Array(layout.length);
    writeSums(sumsOf(plan), sums);
    const works = new Map<readonly Step[], { readonly work: Float64Array; readonly extent: FittedModel['range'] }>();
    const ways = stepsByFusion(graph, layout.fusions).map((steps, w) => {
      const known = works.get(steps) ?? { work: workOfSteps(steps), extent: rangeOf([steps]) };
      works.set(steps, known);
      sums.set(known.work, layout.works + w * TERMS.length);
      sums[layout.macs + w] = known.extent.macs[0];
      return known.extent;
    });
    const extents = layout.wayOf.map((w) => ways[w]!);
    questions.ranges.forEach(({ runtime, range }, k) => {
      sums[layout.outside + k] = outsideOf({ ...extents[runtime]!, macs: range.macs }, range).length > 0 ? 1 : 0;
    });
    const networks = questions.arenas.map(({ rule, precision }) => tflmNetwork(plan, rule, precision));
    networks.forEach((network, a) => {
      const { structures, data, scratchBuffers, tables } = keptSums(network, network.program.tensors.length - (isInput ? 0 : network.program.inputs.length));
      sums.set([structures, data, scratchBuffers, tables], layout.kept + KEPT * a);
    });
    const places = [...sums.keys()].filter((k) => sums[k] !== 0);
    const row = places.map((k) => sums[k]!);
    const add = (figures: readonly number[]): number => row.push(...figures) - figures.length;
    const times = questions.rooflines.map(({ device, precision }) => rooflineSeconds(plan, device, precision));
    const seconds = add(plan.units.flatMap((_, u) => (times.every((s) => s[u] === 0) ? [] : times.map((s) => s[u]!))));
    const buffers = add(questions.generated.map(({ rule, bytesPerElement }) => generatedBuffer(plan, rule, bytesPerElement)));
    const { set, ...working } = workingSet(plan);
    const [elements, plane] = [add(working.elements), add(working.plane)];
    const arenas = networks.map(({ program: { tensors, ops } }): ArenaShape => {
      const made = isInput ? tensors : ops.map((op) => tensors[op.outputs[0]!]!);
      const scratchStarts = [0];
      for (const op of ops) scratchStarts.push(scratchStarts.at(-1)! + op.scratch.length);
      const aligned = (bytes: readonly number[]): number => add(bytes.map((b) => alignUp(b, TFLM_ALIGNMENT)));
      return { sizes: aligned(made), scratch: aligned(ops.flatMap((op) => op.scratch)), scratchStarts };
    });
    const lowered = networks.length === 0 ? { operators: 0, reads: [], starts: [0], outputs: [0] } : wiringOf(networks[0]!.program);
    const shape = { places, taps: extents.map(({ taps }) => taps), seconds, buffers, set, elements, plane, lowered, isEven: isEven(takes.length, set, lowered), arenas, length: row.length };
    return this.run(this.shapes.of(JSON.stringify(shape), () => shape), this.rows.add(row));
  }

  /** The run of a section, its pieces' given. */
  join(section: Section, runs: readonly Run[]): Run {
    const { reads, starts, leaves, taken } = section;
    if (runs.length === 1 && taken === reads.length && reads.every((t, j) => t === j)) return runs[0]!;
    const key = `${runs.map(({ shape }) => this.numberOf(shape)).join()} ${taken} ${reads.join()} ${starts.join()} ${leaves.join()}`;
    const { shape, slots } = this.joints.of(key, () => jointOf(section, runs.map((run) => run.shape)));
    const place = this.rows.take(shape.length);
    runs.forEach((run, r) => fill(shape, place.row, place.at, run, slots[r]!));
    return this.run(shape, place);
  }

  private run(shape: RunShape, { row, at }: Pick<Run, 'row' | 'at'>): Run {
    return { by: this.by, number: this.compiled++, shape, row, at, sets: [], bounds: [] };
  }

  private numberOf(shape: RunShape): number {
    let number = this.numbers.get(shape);
    if (number === undefined) this.numbers.set(shape, (number = this.numbered++));
    return number;
  }
}

/** Tensors renumbered: inputs first, then what the operators make. @throws RangeError if an output is no operator's */
function wiringOf({ tensors, ops, inputs, outputs }: MemoryProgram): Wiring {
  const numbers = new Array<number>(tensors.length).fill(-1);
  inputs.forEach((t, j) => (numbers[t] = j));
  ops.forEach((op, k) => (numbers[op.outputs[0]!] = inputs.length + k));
  const reads: number[] = [];
  const starts = [0];
  for (const op of ops) {
    for (const t of op.inputs) reads.push(numbers[t]!);
    starts.push(reads.length);
  }
  return { operators: ops.length, reads, starts, outputs: [numbers[outputs[0]!]!] };
}

function workingSet(plan: ExecutionPlan): { readonly set: WorkingSet; readonly elements: readonly number[]; readonly plane: readonly number[] } {
  const elementwise = overlayProgram(plan, { bytesPerElement: 1, depthwiseInPlace: false });
  const depthwise = overlayProgram(plan, { bytesPerElement: 1, depthwiseInPlace: true });
  const unitOf = new Map(plan.units.map((unit) => [unit.id, unit]));
  const bits = ({ ops }: MemoryProgram): number[] => ops.map(({ inputs, overwrites: over }) => inputs.reduce((mask, t, i) => (over.includes(t) ? mask | (1 << i) : mask), 0));
  const isInput = elementwise.ops.length === 0;
  return {
    set: {
      ...wiringOf(elementwise), inPlace: bits(elementwise), overlaid: bits(depthwise),
      overwriting: elementwise.ops.map(({ id }) => {
        const unit = unitOf.get(id)!;
        return (overwrites(unit, { pointwise: false }) ? 1 : 0) | (overwrites(unit, { pointwise: true }) ? 2 : 0);
      }),
    },
    elements: isInput ? elementwise.tensors : elementwise.ops.map((op) => elementwise.tensors[op.outputs[0]!]!),
    plane: depthwise.ops.map((op) => op.scratch[0] ?? 0),
  };
}
