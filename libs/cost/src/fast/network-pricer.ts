/**
 * Prices networks on a fixed set of devices: `priceNetwork` without its layers, many times as fast where networks come in pieces that
 * have been seen before.
 *
 * Of a piece is kept, as long as it lives: sums of its work, its tensors and how it reads and overwrites them. Of a section: the sums of its
 * pieces, its working sets, and what it asks of arenas. A network is then sums and maxima over its sections, and placing those buffers
 * that may end highest. The figures equal those of `priceNetwork` to the last bit: sums are of integers, or run over the operators in
 * the same order.
 */
import { isPieced, totals, wholeSection, type Graph, type Piece, type PiecedGraph, type Section } from '@app/graph';
import { isOtherSize, outsideOf, priceOfWork, workOfNetwork } from '../latency-model.js';
import { TERMS } from '../latency-terms.js';
import { generatedBuffer, generatedPeak, isArenaRule, runtimeMemory } from '../memory/runtime-memory.js';
import { metadataBytes, persistentBytes } from '../memory/tflm.js';
import { memoryOfPlan } from '../peak-memory.js';
import { planOnce } from '../plan.js';
import { fittedEstimate, plainEstimate, rooflineSeconds, warningsOf } from '../price-network.js';
import { energyOfSums, flashOfSums, NetworkSums, ramOfSums, readSums, sumsOf } from '../sums.js';
import type { DeviceProfile, FittedModel, NetworkCost } from '../types.js';
import { ArenaWalk } from './arena-walk.js';
import { CompiledPiece, KEPT, Layout, type Questions } from './compiled-piece.js';
import { CompiledSection, SectionCompiler } from './compiled-section.js';
import { SectionChain } from './section-chain.js';
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
  private readonly pieces = new WeakMap<Piece, CompiledPiece>();
  private readonly compiler: SectionCompiler;

  // of the network priced last
  private readonly chain = new SectionChain();
  private readonly arenaWalk = new ArenaWalk(this.chain);
  private readonly sums = new NetworkSums();
  private readonly works: readonly Float64Array[];
  /** by runtime: MACs it runs */
  private readonly macs: Float64Array;
  private readonly inside: Uint8Array;
  private readonly seconds: Float64Array;
  private readonly layout: Layout;
  private readonly figures: Float64Array;
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
    this.layout = new Layout(questions);
    this.compiler = new SectionCompiler(questions, this.layout);
    this.figures = new Float64Array(this.layout.length);
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
   * @throws GraphError if a graph breaks a rule
   */
  price(network: Graph | PiecedGraph): void {
    if (isPieced(network)) this.lookAtPieces(network);
    else this.lookAtGraph(network);
    this.targets.forEach(this.priceTarget);
  }

  /** Prices a network with words: model, precision, warnings. */
  estimates(network: Graph | PiecedGraph): NetworkEstimates[] {
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
    for (const piece of this.chain.sections.flatMap(({ pieces }) => pieces)) {
      for (const [kind, most] of Object.entries(piece.extents[runtime]!.taps)) taps[kind] = Math.max(taps[kind] ?? 0, most);
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

  private lookAtPieces(network: PiecedGraph): void {
    const { chain } = this;
    this.graph = null;
    this.warnings = [];
    chain.sections.length = network.sections.length;
    for (let s = 0; s < network.sections.length; s++) chain.sections[s] = this.sectionOf(network.sections[s]!);
    if (!chain.arrange(network)) {
      const section = wholeSection(network);
      chain.sections.length = 1;
      chain.sections[0] = this.compile(section);
      chain.arrange({ reads: [], starts: [0, 0], output: 0 });
    }
    this.addFigures(chain.sections);
    this.findPeaks(chain);
    for (let k = 0; k < this.arenaBytes.length; k++) this.planArena(k);
  }

  private sectionOf(section: Section): CompiledSection {
    let known = section.known?.get(this) as CompiledSection | undefined;
    if (known === undefined) section.known?.set(this, (known = this.compile(section)));
    return known ?? this.compile(section);
  }

  private compile(section: Section): CompiledSection {
    const pieces = section.pieces.map((piece) => {
      let known = this.pieces.get(piece);
      if (known === undefined) this.pieces.set(piece, (known = new CompiledPiece(piece, this.questions, this.layout)));
      return known;
    });
    return new CompiledSection(section, pieces, this.compiler);
  }

  private addFigures(sections: readonly CompiledSection[]): void {
    const { layout } = this;
    const total = this.figures.fill(0);
    const rooflines = this.seconds.fill(0).length;
    for (let s = 0; s < sections.length; s++) {
      const { figures, seconds } = sections[s]!;
      for (let k = 0; k < total.length; k++) total[k]! += figures[k]!;
      for (let at = 0; at < seconds.length; at += rooflines) for (let k = 0; k < rooflines; k++) this.seconds[k]! += seconds[at + k]!;
    }
    readSums(total, this.sums);
    for (let r = 0; r < this.works.length; r++) {
      const way = layout.wayOf[r]!;
      const sum = this.works[r]!;
      for (let k = 1; k < sum.length; k++) sum[k] = total[layout.works + way * sum.length + k]!;
      sum[0] = 1;
      this.macs[r] = total[layout.macs + way]!;
    }
    for (let k = 0; k < this.inside.length; k++) this.inside[k] = total[layout.outside + k] === 0 ? 1 : 0;
  }

  private findPeaks({ sections, memories }: SectionChain): void {
    const { generated } = this.questions;
    this.peak = 0;
    this.peaks.fill(0);
    this.buffers.fill(0);
    for (let s = 0; s < sections.length; s++) {
      const { live, overlay, overwriting, overwritingPointwise } = memories[s]!.sets;
      const { buffers } = sections[s]!;
      this.peak = Math.max(this.peak, live);
      for (let k = 0; k < generated.length; k++) {
        const { rule, bytesPerElement } = generated[k]!;
        const elements = rule === 'overlay' ? overlay : rule === 'cube-ai-7' ? overwritingPointwise : overwriting;
        this.peaks[k] = Math.max(this.peaks[k]!, elements * bytesPerElement);
        this.buffers[k] = Math.max(this.buffers[k]!, buffers[k]!);
      }
    }
  }

  private planArena(k: number): void {
    const at = this.layout.kept + KEPT * k;
    const kept = { structures: this.figures[at]!, data: this.figures[at + 1]!, scratchBuffers: this.figures[at + 2]!, tables: this.figures[at + 3]! };
    let inputs = 0;
    for (const { section } of this.chain.sections) for (const { takes } of section.pieces) if (takes.length === 0) inputs++;
    this.arenaBytes[k] = this.arenaWalk.arena(k) + persistentBytes(kept, inputs + 1, this.questions.arenas[k]!.precision === 'int8');
    this.metadata[k] = metadataBytes(kept);
  }
}
