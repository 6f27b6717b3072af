/**
 * Prices networks on a fixed set of devices: `priceNetwork` without its layers, many times as fast where networks come in pieces that
 * have been seen before.
 *
 * Of a piece, and of a section of pieces, is kept, as long as it lives: sums of its work, its tensors and how it reads and overwrites them, and
 * what it takes besides what lives around it. A network is then sums over such runs, and its peaks are the highest of theirs. The figures equal
 * those of `priceNetwork` to the last bit: sums are of integers, or run over the operators in the same order.
 */
import { isPieced, joinPieces, totals, type Graph, type Piece, type PiecedGraph, type Section } from '@app/graph';
import { isOtherSize, outsideOf, priceOfWork, workOfNetwork } from '../latency-model.js';
import { TERMS } from '../latency-terms.js';
import { generatedBuffer, generatedPeak, isArenaRule, runtimeMemory } from '../memory/runtime-memory.js';
import { metadataBytes, persistentBytes } from '../memory/tflm.js';
import { memoryOfPlan } from '../peak-memory.js';
import { planOnce } from '../plan.js';
import { fittedEstimate, plainEstimate, rooflineSeconds, warningsOf } from '../price-network.js';
import { energyOfSums, flashOfSums, NetworkSums, ramOfSums, readSums, sumsOf } from '../sums.js';
import type { DeviceProfile, FittedModel, NetworkCost } from '../types.js';
import { Arenas } from './arenas.js';
import { Between } from './between.js';
import { mostOf } from './joint.js';
import { RunCompiler } from './run-compiler.js';
import { KEPT, Layout, type Questions, type Run, type RunNetwork } from './run.js';
import { targetsOf, type ModelOfTarget, type PricedDevice, type Target } from './targets.js';
import { WorkingSetWalk } from './working-sets.js';

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
  private readonly compiler: RunCompiler;

  // of the network priced last
  private readonly runs: Run[] = [];
  private readonly sets = new WorkingSetWalk();
  private readonly between = new Between();
  private readonly arenas: Arenas;
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
    this.compiler = new RunCompiler(this, questions, this.layout);
    this.figures = new Float64Array(this.layout.length);
    this.works = runtimes.map(() => new Float64Array(TERMS.length));
    this.macs = new Float64Array(runtimes.length);
    this.inside = new Uint8Array(ranges.length);
    this.seconds = new Float64Array(rooflines.length);
    [this.peaks, this.buffers] = [new Float64Array(generated.length), new Float64Array(generated.length)];
    this.arenaBytes = new Float64Array(arenas.length);
    this.arenas = new Arenas(arenas.length, this.between);
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
    for (let d = 0; d < this.targets.length; d++) this.priceTarget(this.targets[d]!, d);
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

  private priceTarget({ device, precision, rule, memory, time, energy, roofline }: Target, d: number): void {
    const { values, sums } = this;
    const at = d * FIGURES;
    values[at] = time === null ? this.seconds[roofline]! : priceOfWork(this.works[time.runtime]!, time.coefficients);
    values[at + 1] = energy === null ? energyOfSums(sums, device, precision, values[at]!) : priceOfWork(this.works[energy.runtime]!, energy.coefficients);
    const isArena = isArenaRule(rule);
    const used = isArena ? this.arenaBytes[memory]! : rule === 'live-set' ? null : this.peaks[memory]! + this.buffers[memory]!;
    values[at + 2] = ramOfSums(sums, device, precision, used, this.peak);
    values[at + 3] = flashOfSums(sums, device, precision, isArena ? this.metadata[memory]! : null);
    const { latency, energy: joules, memory: bytes } = device.uncertainty;
    this.spread(at, time, latency);
    this.spread(at + 1, energy, joules);
    this.spread(at + 2, null, bytes);
    this.spread(at + 3, null, bytes);
  }

  /** Ends of the interval of a figure. */
  private spread(at: number, model: ModelOfTarget | null, { value: uncertainty }: { readonly value: number }): void {
    const value = this.values[at]!;
    if (model === null) {
      this.lows[at] = value / (1 + uncertainty);
      this.highs[at] = value * (1 + uncertainty);
      return;
    }
    const { low, high } = this.isOutside(model) ? model.beyond : model.within;
    this.lows[at] = value * low;
    this.highs[at] = value * high;
  }

  private isOutside({ runtime, range, model }: ModelOfTarget): boolean {
    return this.inside[range] === 0 || isOtherSize(this.macs[runtime]!, model.range);
  }

  private extentOf(runtime: number): FittedModel['range'] {
    if (this.graph !== null) return workOfNetwork(this.graph, this.questions.runtimes[runtime]!).extent;
    return { macs: [this.macs[runtime]!, this.macs[runtime]!], taps: mostOf(this.runs.map(({ shape }) => shape.taps[runtime]!)) };
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

  private lookAtPieces(pieced: PiecedGraph): void {
    const { runs } = this;
    const { sections, reads, starts, output } = pieced;
    this.graph = null;
    this.warnings = NONE;
    runs.length = sections.length;
    for (let s = 0; s < sections.length; s++) runs[s] = this.runOf(sections[s]!);
    this.addFigures(runs);
    const network = { runs, reads, starts, output };
    if (!this.findPeaks(network) || !this.findArenas(network)) this.lookAtGraph(joinPieces(pieced));
  }

  private runOf(section: Section): Run {
    let run = this.noted(section.notes);
    if (run === undefined) section.notes.push((run = this.compiler.join(section, section.pieces.map((piece) => this.runOfPiece(piece)))));
    return run;
  }

  private runOfPiece(piece: Piece): Run {
    let run = this.noted(piece.notes);
    if (run === undefined) piece.notes.push((run = this.compiler.compile(piece)));
    return run;
  }

  /** What this pricer has noted, which notes nothing but runs. */
  private noted(notes: readonly { readonly by: object }[]): Run | undefined {
    for (let i = 0; i < notes.length; i++) if (notes[i]!.by === this) return notes[i] as Run;
    return undefined;
  }

  private addFigures(runs: readonly Run[]): void {
    const { layout } = this;
    const total = this.figures.fill(0);
    const rooflines = this.seconds.fill(0).length;
    for (let r = 0; r < runs.length; r++) {
      const { shape: { places, seconds: from, buffers: to }, row, at } = runs[r]!;
      for (let k = 0; k < places.length; k++) total[places[k]!]! += row[at + k]!;
      for (let unit = at + from; unit < at + to; unit += rooflines) for (let k = 0; k < rooflines; k++) this.seconds[k]! += row[unit + k]!;
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

  /** False where a run takes one tensor under two names, or very many. */
  private findPeaks(network: RunNetwork): boolean {
    const { sets, buffers, between } = this;
    const { generated } = this.questions;
    if (!between.of(network, 'set')) return false;
    sets.walk(network, between);
    this.peak = sets.live;
    buffers.fill(0);
    for (let r = 0; r < network.runs.length; r++) {
      const { shape, row, at } = network.runs[r]!;
      for (let k = 0; k < buffers.length; k++) {
        const own = row[at + shape.buffers + k]!;
        if (own > buffers[k]!) buffers[k] = own;
      }
    }
    for (let k = 0; k < generated.length; k++) {
      const { rule, bytesPerElement } = generated[k]!;
      this.peaks[k] = (rule === 'overlay' ? sets.overlay : rule === 'cube-ai-7' ? sets.overwritingPointwise : sets.overwriting) * bytesPerElement;
    }
    return true;
  }

  private findArenas(network: RunNetwork): boolean {
    const { between, arenaBytes, figures, layout } = this;
    if (arenaBytes.length === 0) return true;
    if (!this.runs.every(isEven) && !between.of(network, 'lowered')) return false;
    this.arenas.plan(network, arenaBytes);
    for (let k = 0; k < arenaBytes.length; k++) {
      const at = layout.kept + KEPT * k;
      const kept = { structures: figures[at]!, data: figures[at + 1]!, scratchBuffers: figures[at + 2]!, tables: figures[at + 3]! };
      arenaBytes[k]! += persistentBytes(kept, between.inputs + 1, this.questions.arenas[k]!.precision === 'int8');
      this.metadata[k] = metadataBytes(kept);
    }
    return true;
  }
}

const NONE: readonly string[] = [];
const isEven = ({ shape }: Run): boolean => shape.isEven;
