/** What pricing needs to know of a section of a network, found once, by the functions that price whole networks. */
import { isKind, liveNodes, type Node, type OpKind, type Section } from '@app/graph';
import { outsideOf, rangeOf } from '../latency-model.js';
import type { RuntimeRules } from '../latency-rules.js';
import { stepsOf } from '../latency-steps.js';
import { workOfSteps } from '../latency-terms.js';
import { generatedBuffer, generatedPeak, tflmNetwork, type ArenaRule, type GeneratedRule } from '../memory/runtime-memory.js';
import { memoryOfPlan } from '../peak-memory.js';
import { planExecution, type ExecutionPlan, type Unit } from '../plan.js';
import { rooflineSeconds } from '../price-network.js';
import { sumsOf, type NetworkSums } from '../sums.js';
import type { DeviceProfile, FittedModel, Precision } from '../types.js';
import { MOST_ENDS, sectionArena, type SectionArena } from './section-arena.js';

/** What the devices at hand ask of a section; each thing once, however many devices ask. */
export interface Questions {
  readonly runtimes: readonly RuntimeRules[];
  /** what fitted models have seen; `runtime` is a place in `runtimes` */
  readonly ranges: readonly { readonly runtime: number; readonly range: FittedModel['range'] }[];
  readonly rooflines: readonly { readonly device: DeviceProfile; readonly precision: Precision }[];
  readonly arenas: readonly { readonly rule: ArenaRule; readonly precision: Precision }[];
  readonly generated: readonly { readonly rule: GeneratedRule; readonly bytesPerElement: number }[];
}

export interface RuntimeWork {
  /** [TERMS.length]; the first, one inference, counts once a network */
  readonly work: readonly number[];
  readonly extent: FittedModel['range'];
}

/**
 * How the tensors at a section's ends are read by its neighbours, in bits: j, the section before reads the j-th tensor it hands over
 * itself; MOST_ENDS + j, the j-th tensor that leaves is read afterwards or is an output of the network.
 */
export type Context = number;

export class CompiledSection {
  readonly sums: NetworkSums;
  readonly works: readonly RuntimeWork[];
  /** by range: all its windows are among those the model has seen */
  readonly inside: readonly boolean[];
  /** by roofline, s of each unit */
  readonly seconds: readonly (readonly number[])[];
  readonly arenas: readonly SectionArena[];
  /** by generated code, B of the buffer its operators share */
  readonly buffers: readonly number[];
  /** for each tensor that leaves: is read in the section too; by an operator that may be merged with an equal one */
  readonly readsOwn: readonly boolean[];
  readonly mergesOwn: readonly boolean[];
  /** likewise for each tensor that the section before hands over */
  readonly reads: readonly boolean[];
  readonly merges: readonly boolean[];
  private readonly plan: ExecutionPlan;
  private readonly peaks = new Map<Context, readonly number[]>();

  /** @throws RangeError if the section's ends are such that it can't be looked at by itself; GraphError if it breaks a rule */
  constructor(private readonly section: Section, isFirst: boolean, private readonly questions: Questions) {
    const { graph, takes } = section;
    this.plan = planExecution(graph);
    checkSection(section, this.plan, isFirst);
    this.sums = sumsOf(this.plan);
    // a section holds no zeros: runtimes that differ in nothing else run it alike
    const runs = new Map<string, RuntimeWork>();
    this.works = questions.runtimes.map((rules) => {
      const key = JSON.stringify({ ...rules, zeros: 'kept' });
      let run = runs.get(key);
      if (run === undefined) {
        const steps = stepsOf(graph, rules);
        runs.set(key, (run = { work: [...workOfSteps(steps)], extent: rangeOf([steps]) }));
      }
      return run;
    });
    this.inside = questions.ranges.map(({ runtime, range }) => outsideOf({ ...this.works[runtime]!.extent, macs: range.macs }, range).length === 0);
    this.seconds = questions.rooflines.map(({ device, precision }) => [...rooflineSeconds(this.plan, device, precision)]);
    const inputs = graph.nodes.filter((node) => node.kind === 'input').map((node) => node.id);
    this.arenas = questions.arenas.map(({ rule, precision }) => sectionArena(tflmNetwork(this.plan, rule, precision), takes.map((id) => (id === null ? -1 : inputs.indexOf(id))), isFirst));

    this.buffers = questions.generated.map(({ rule, bytesPerElement }) => generatedBuffer(this.plan, rule, bytesPerElement));

    const readers = new Map<string, Node[]>();
    for (const node of graph.nodes) for (const id of node.inputs) readers.set(id, [...(readers.get(id) ?? []), node]);
    const merges = (id: string): boolean => readers.get(id)?.some((node) => node.kind !== 'conv2d' && node.kind !== 'linear') ?? false;
    this.readsOwn = graph.outputs.map((id) => readers.has(id));
    this.mergesOwn = graph.outputs.map(merges);
    this.reads = takes.map((id) => id !== null && readers.has(id));
    this.merges = takes.map((id) => id !== null && merges(id));
  }

  /** Largest working set of the section's operators in elements, then for each generated code in B. */
  peaksIn(context: Context): readonly number[] {
    let peaks = this.peaks.get(context);
    if (peaks === undefined) {
      const plan = planIn(this.plan, this.section, context);
      this.peaks.set(context, (peaks = [memoryOfPlan(plan, 1).peak, ...this.questions.generated.map(({ rule, bytesPerElement }) => generatedPeak(plan, rule, bytesPerElement))]));
    }
    return peaks;
  }
}

/** The section's plan with the readers its neighbours are: one for each tensor that the section before reads itself, outputs for what is read later. */
function planIn(plan: ExecutionPlan, { takes }: Section, context: Context): ExecutionPlan {
  const readBefore = takes.filter((id, j): id is string => id !== null && (context & (1 << j)) !== 0);
  const inputs = plan.units.filter((unit) => unit.node.kind === 'input');
  const rest = plan.units.filter((unit) => unit.node.kind !== 'input');
  return { ...plan, units: [...inputs, ...readBefore.map(readerOf), ...rest], outputs: new Set([...plan.outputs].filter((_, j) => (context & (1 << (MOST_ENDS + j))) !== 0)) };
}

function readerOf(id: string): Unit {
  const node: Node<'opaque'> = { id: `reader of ${id}`, kind: 'opaque', inputs: [id], attrs: { opType: 'reader', shape: [0] } };
  return {
    id: node.id, node, inputs: [id], outputShape: [0], outputElements: 0, view: false, elementwise: false, activation: null, macs: 0, params: 0, madds: 0, elementOps: 0,
    weights: { elements: 0, biases: 0, channels: 0, convChannels: 0 },
  };
}

/** What may run as part of an operator before it, or vanish with it: its reader and its producer must be looked at together. */
const JOINS_PRODUCER: ReadonlySet<OpKind> = new Set<OpKind>(['batchNorm', 'activation', 'flatten', 'reshape']);

/**
 * A section can be priced by itself if nothing at its ends may be joined with what lies beyond, and nothing in it may turn out dead,
 * zero or constant.
 */
function checkSection({ graph, takes }: Section, plan: ExecutionPlan, isFirst: boolean): void {
  const refuse = (what: string): never => {
    throw new RangeError(`section "${graph.name}": ${what}`);
  };
  const [main] = graph.outputs;
  if (main === undefined || graph.outputs.length > MOST_ENDS || takes.length > MOST_ENDS) refuse(`expected 1 to ${MOST_ENDS} tensors at each end, got ${takes.length} and ${graph.outputs.length}`);
  const live = liveNodes({ ...graph, outputs: [main!] });
  const ends = new Set([...graph.outputs, ...(isFirst ? [] : takes)]);
  let operators = false;
  for (const node of graph.nodes) {
    if (isKind(node, 'input')) {
      if (operators || !takes.includes(node.id)) refuse(`expected inputs that are taken, before all operators, got "${node.id}"`);
      if (!live.has(node.id)) refuse(`expected inputs that are read, got "${node.id}"`);
      continue;
    }
    operators = true;
    if (!live.has(node.id)) refuse(`expected nodes that "${main}" needs, got "${node.id}"`);
    if (node.kind === 'zeros' || node.kind === 'constant' || node.kind === 'opaque') refuse(`expected no ${node.kind}, got "${node.id}"`);
    if (JOINS_PRODUCER.has(node.kind) && ends.has(node.inputs[0]!)) refuse(`expected no ${node.kind} behind a tensor at an end, got "${node.id}"`);
  }
  const made = [...plan.outputs].map((id) => plan.units.find((unit) => unit.id === id)!);
  if (made.length < graph.outputs.length || made.some((unit) => unit.view || unit.node.kind === 'input')) refuse(`expected outputs that it makes, each one tensor, got ${graph.outputs.join(', ')}`);
}
