/**
 * Prices networks on a fixed set of devices: `priceNetwork` without its layers, many times as fast where networks come in sections that
 * have been seen before.
 *
 * Of a section is kept, as long as the section lives: sums of its work, its buffers in the planner's order, its largest working set. A
 * network is then sums and maxima over its sections, and the walk of the arena planner. The figures equal those of `priceNetwork` to the
 * last bit: sums are of integers, or run over the operators in the same order.
 */
import { totals, type Graph, type Section, type SectionedGraph } from '@app/graph';
import { isOtherSize, outsideOf, priceOfWork, workOfNetwork } from '../latency-model.js';
import { TERMS } from '../latency-terms.js';
import { generatedBuffer, generatedPeak, isArenaRule, runtimeMemory } from '../memory/runtime-memory.js';
import { metadataBytes, persistentBytes } from '../memory/tflm.js';
import { memoryOfPlan } from '../peak-memory.js';
import { planOnce } from '../plan.js';
import { fittedEstimate, plainEstimate, rooflineSeconds, warningsOf } from '../price-network.js';
import { energyOfSums, flashOfSums, NetworkSums, ramOfSums, sumsOf } from '../sums.js';
import type { DeviceProfile, FittedModel, NetworkCost } from '../types.js';
import { CompiledSection, type Questions } from './compiled-section.js';
import { MOST_ENDS, SectionedArenaPlanner, type SectionArena } from './section-arena.js';
import { targetsOf, type ModelOfTarget, type PricedDevice, type Target } from './targets.js';

export type { PricedDevice };

/** What `priceNetwork` says of a network but for its layers. */
export type NetworkEstimates = Omit<NetworkCost, 'layers' | 'order'>;

/** Latency (s), energy (J), peak RAM and flash (B), in this order in every row. */
export const FIGURES = 4;

export class NetworkPricer {
  /** of the network priced last, [devices, FIGURES] row-major: values and ends of the 90 % intervals */
  readonly values: Float64Array;
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  private readonly targets: readonly Target[];
  private readonly questions: Questions;
  private readonly mergesAny: boolean;
  private readonly compiled = new WeakMap<Section, CompiledSection>();
  private readonly planner = new SectionedArenaPlanner();

  // of the network priced last
  private readonly network: CompiledSection[] = [];
  private readonly arenas: SectionArena[] = [];
  private readonly sums = new NetworkSums();
  private readonly works: readonly Float64Array[];
  /** by runtime: MACs it runs */
  private readonly macs: Float64Array;
  private readonly inside: Uint8Array;
  private readonly seconds: Float64Array;
  /** elements */
  private peak = 0;
  /** by generated code: working sets and shared buffers; by arena: with what the interpreter keeps, and the model's tables; B */
  private readonly peaks: Float64Array;
  private readonly buffers: Float64Array;
  private readonly arenaBytes: Float64Array;
  private readonly metadata: Float64Array;
  private warnings: readonly string[] = [];
  private graph: Graph | null = null;

  /** @throws UnsupportedPrecision naming those the device has */
  constructor(devices: readonly PricedDevice[]) {
    const { targets, questions } = targetsOf(devices);
    const { runtimes, ranges, rooflines, arenas, generated } = questions;
    this.targets = targets;
    this.questions = questions;
    this.mergesAny = runtimes.some((rules) => rules.merge);
    this.works = runtimes.map(() => new Float64Array(TERMS.length));
    this.macs = new Float64Array(runtimes.length);
    this.inside = new Uint8Array(ranges.length);
    this.seconds = new Float64Array(rooflines.length);
    [this.peaks, this.buffers] = [new Float64Array(generated.length), new Float64Array(generated.length)];
    this.arenaBytes = new Float64Array(arenas.length);
    this.metadata = new Float64Array(arenas.length);
    const size = devices.length * FIGURES;
    [this.values, this.lows, this.highs] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  }

  /**
   * Fills `values`, `lows` and `highs`, which the next call overwrites.
   *
   * @throws RangeError naming the section that can't be priced by itself; GraphError if a graph breaks a rule
   */
  price({ sections }: SectionedGraph): void {
    if (sections.length === 1) this.lookAtGraph(sections[0]!.graph);
    else this.lookAtSections(sections);
    this.targets.forEach(this.priceTarget);
  }

  /** Prices a network with words: model, precision, warnings. */
  estimates(network: SectionedGraph): NetworkEstimates[] {
    this.price(network);
    const { macs, params, madds } = this.sums;
    return this.targets.map(({ device, precision, time, energy }, d) => {
      const plain = (figure: number, of: keyof DeviceProfile['uncertainty']) => plainEstimate(this.values[d * FIGURES + figure]!, device, of, this.warnings);
      const fitted = (figure: number, model: ModelOfTarget) => {
        const at = d * FIGURES + figure;
        const outside = this.isOutside(model) ? outsideOf(this.extentOf(model.runtime), model.model.range) : [];
        return fittedEstimate({ value: this.values[at]!, low: this.lows[at]!, high: this.highs[at]!, outside }, device, this.warnings);
      };
      return {
        device: device.id, precision,
        latency: time === null ? plain(0, 'latency') : fitted(0, time),
        energy: energy === null ? plain(1, 'energy') : fitted(1, energy),
        peakRam: plain(2, 'memory'),
        flash: plain(3, 'memory'),
        macs, params, madds,
      };
    });
  }

  /** Of the network priced last, nodes no output needs included. */
  counts(): { readonly macs: number; readonly params: number } {
    return this.graph === null ? this.sums : totals(this.graph);
  }

  private readonly priceTarget = ({ device, precision, rule, memory, time, energy, roofline }: Target, d: number): void => {
    const { values, sums } = this;
    const at = d * FIGURES;
    if (time === null) this.put(at, this.seconds[roofline]!, device.uncertainty.latency.value);
    else this.putFitted(at, time);
    if (energy === null) this.put(at + 1, energyOfSums(sums, device, precision, values[at]!), device.uncertainty.energy.value);
    else this.putFitted(at + 1, energy);
    const isArena = isArenaRule(rule);
    const used = isArena ? this.arenaBytes[memory]! : rule === 'live-set' ? null : this.peaks[memory]! + this.buffers[memory]!;
    this.put(at + 2, ramOfSums(sums, device, precision, used, this.peak), device.uncertainty.memory.value);
    this.put(at + 3, flashOfSums(sums, device, precision, isArena ? this.metadata[memory]! : null), device.uncertainty.memory.value);
  };

  private put(at: number, value: number, uncertainty: number): void {
    this.values[at] = value;
    this.lows[at] = value / (1 + uncertainty);
    this.highs[at] = value * (1 + uncertainty);
  }

  private putFitted(at: number, model: ModelOfTarget): void {
    const value = priceOfWork(this.works[model.runtime]!, model.coefficients);
    const { low, high } = this.isOutside(model) ? model.beyond : model.within;
    this.values[at] = value;
    this.lows[at] = value * low;
    this.highs[at] = value * high;
  }

  private isOutside({ runtime, range, model }: ModelOfTarget): boolean {
    return this.inside[range] === 0 || isOtherSize(this.macs[runtime]!, model.range);
  }

  private extentOf(runtime: number): FittedModel['range'] {
    if (this.graph !== null) return workOfNetwork(this.graph, this.questions.runtimes[runtime]!).extent;
    const taps: Record<string, number> = {};
    for (const section of this.network) {
      for (const [kind, most] of Object.entries(section.works[runtime]!.extent.taps)) taps[kind] = Math.max(taps[kind] ?? 0, most);
    }
    return { macs: [this.macs[runtime]!, this.macs[runtime]!], taps };
  }

  private lookAtGraph(graph: Graph): void {
    const { runtimes, ranges, rooflines, arenas, generated } = this.questions;
    const plan = planOnce(graph);
    this.graph = graph;
    this.sums.clear();
    this.sums.add(sumsOf(plan));
    runtimes.forEach((rules, r) => {
      const { total, extent } = workOfNetwork(graph, rules);
      this.works[r]!.set(total);
      this.macs[r] = extent.macs[0];
    });
    ranges.forEach(({ runtime, range }, k) => (this.inside[k] = outsideOf({ ...this.extentOf(runtime), macs: range.macs }, range).length === 0 ? 1 : 0));
    rooflines.forEach(({ device, precision }, k) => (this.seconds[k] = rooflineSeconds(plan, device, precision).reduce((a, b) => a + b, 0)));
    this.peak = memoryOfPlan(plan, 1).peak;
    generated.forEach(({ rule, bytesPerElement }, k) => {
      this.peaks[k] = generatedPeak(plan, rule, bytesPerElement);
      this.buffers[k] = generatedBuffer(plan, rule, bytesPerElement);
    });
    arenas.forEach(({ rule, precision }, k) => {
      const memory = runtimeMemory(plan, rule, precision)!;
      this.arenaBytes[k] = memory.ram;
      this.metadata[k] = memory.metadata!;
    });
    this.warnings = warningsOf(plan);
  }

  private lookAtSections(sections: readonly Section[]): void {
    const network = this.compile(sections);
    this.graph = null;
    this.warnings = [];
    this.sums.clear();
    for (const section of network) this.sums.add(section.sums);
    this.sumWorks(network);
    for (let k = 0; k < this.inside.length; k++) {
      this.inside[k] = 1;
      for (const section of network) if (!section.inside[k]!) this.inside[k] = 0;
    }
    for (let k = 0; k < this.seconds.length; k++) {
      let total = 0;
      for (const section of network) for (const s of section.seconds[k]!) total += s;
      this.seconds[k] = total;
    }
    this.findPeaks(network);
    for (let k = 0; k < this.arenaBytes.length; k++) this.planArenas(network, k);
  }

  private compile(sections: readonly Section[]): readonly CompiledSection[] {
    this.network.length = sections.length;
    for (let s = 0; s < sections.length; s++) {
      let known = this.compiled.get(sections[s]!);
      if (known === undefined) this.compiled.set(sections[s]!, (known = new CompiledSection(sections[s]!, s === 0, this.questions)));
      this.network[s] = known;
      if (s > 0) this.checkJoint(this.network[s - 1]!, known, s);
    }
    return this.network;
  }

  /** Nothing may turn out dead, or run once for two sections, where they meet. */
  private checkJoint(before: CompiledSection, after: CompiledSection, s: number): void {
    const refuse = (what: string): never => {
      throw new RangeError(`sections ${s - 1} and ${s}: ${what}`);
    };
    if (after.reads.length !== before.readsOwn.length) refuse(`expected one place for each of ${before.readsOwn.length} tensors, got ${after.reads.length}`);
    if (!after.reads[0]!) refuse('expected the first tensor that is handed over to be read');
    for (let j = 1; j < after.reads.length; j++) if (!after.reads[j]! && !before.readsOwn[j]!) refuse(`expected a reader of tensor ${j}, got none`);
    for (let j = 0; this.mergesAny && j < after.reads.length; j++) if (after.merges[j]! && before.mergesOwn[j]!) refuse(`expected no operators on both sides that may be merged, got some on tensor ${j}`);
  }

  private sumWorks(network: readonly CompiledSection[]): void {
    for (let r = 0; r < this.works.length; r++) {
      const sum = this.works[r]!.fill(0);
      let macs = 0;
      for (const section of network) {
        const { work, extent } = section.works[r]!;
        for (let k = 1; k < sum.length; k++) sum[k]! += work[k]!;
        macs += extent.macs[0];
      }
      sum[0] = 1;
      this.macs[r] = macs;
    }
  }

  private findPeaks(network: readonly CompiledSection[]): void {
    this.peak = 0;
    this.peaks.fill(0);
    this.buffers.fill(0);
    for (let s = 0; s < network.length; s++) {
      const [before, after] = [network[s - 1], network[s + 1]];
      let context = 0;
      for (let j = 0; before && j < before.readsOwn.length; j++) if (before.readsOwn[j]!) context |= 1 << j;
      for (let j = 0; j < network[s]!.readsOwn.length; j++) if (!after || after.reads[j]!) context |= 1 << (MOST_ENDS + j);
      const peaks = network[s]!.peaksIn(context);
      this.peak = Math.max(this.peak, peaks[0]!);
      for (let k = 0; k < this.peaks.length; k++) {
        this.peaks[k] = Math.max(this.peaks[k]!, peaks[k + 1]!);
        this.buffers[k] = Math.max(this.buffers[k]!, network[s]!.buffers[k]!);
      }
    }
  }

  private planArenas(network: readonly CompiledSection[], k: number): void {
    const { arenas } = this;
    arenas.length = network.length;
    let [structures, data, scratchBuffers, tables] = [0, 0, 0, 0];
    for (let s = 0; s < network.length; s++) {
      const arena = (arenas[s] = network[s]!.arenas[k]!);
      structures += arena.kept.structures;
      data += arena.kept.data;
      scratchBuffers += arena.kept.scratchBuffers;
      tables += arena.kept.tables;
    }
    const kept = { structures, data, scratchBuffers, tables };
    const ends = arenas[0]!.entering.length + arenas.at(-1)!.leaving.length;
    this.arenaBytes[k] = this.planner.size(arenas) + persistentBytes(kept, ends, this.questions.arenas[k]!.precision === 'int8');
    this.metadata[k] = metadataBytes(kept);
  }
}
