/** Operators of a network in a row as pricing sees them: what they add up to, their tensors and their buffers. */
import type { PiecedGraph } from '@app/graph';
import type { RuntimeRules } from '../latency-rules.js';
import { TERMS } from '../latency-terms.js';
import type { ArenaRule, GeneratedRule } from '../memory/runtime-memory.js';
import { SUMS } from '../sums.js';
import type { DeviceProfile, FittedModel, Precision } from '../types.js';

/** What the devices at hand ask of a network; each thing once, however many devices ask. */
export interface Questions {
  readonly runtimes: readonly RuntimeRules[];
  /** what fitted models have seen; `runtime` is a place in `runtimes` */
  readonly ranges: readonly { readonly runtime: number; readonly range: FittedModel['range'] }[];
  readonly rooflines: readonly { readonly device: DeviceProfile; readonly precision: Precision }[];
  readonly arenas: readonly { readonly rule: ArenaRule; readonly precision: Precision }[];
  readonly generated: readonly { readonly rule: GeneratedRule; readonly bytesPerElement: number }[];
}

/** Places of sums in a row: of the network; works of each way to fuse, [ways, TERMS.length]; by range, pieces outside it; kept sums of each arena. */
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
 * Operators in order, each making one tensor. Tensors are numbered: what the run takes, in order, then what its operators make. A run
 * without operators is an input of the network and makes what would be its first tensor.
 */
export interface Wiring {
  readonly operators: number;
  /** tensors operator k reads, each once: reads[starts[k]] … */
  readonly reads: readonly number[];
  readonly starts: readonly number[];
  /** the tensors that leave */
  readonly outputs: readonly number[];
}

/** The operators as a sum over tensors sees them. */
export interface WorkingSet extends Wiring {
  /** bit i: may write over the i-th tensor it reads where it is the only reader; where it is the last, with a spare plane */
  readonly inPlace: readonly number[];
  readonly overlaid: readonly number[];
  /** 1: writes over inputs of any size; 2: where pointwise convolutions do */
  readonly overwriting: readonly number[];
}

/** All of a run but its figures, and where these stand in its row; shared by runs that are alike. */
export interface RunShape {
  /** where `Layout` places the figures that are not 0 and add up over the runs of a network; they begin the row */
  readonly places: readonly number[];
  /** by runtime, largest window of every kind of kernel, taps */
  readonly taps: readonly FittedModel['range']['taps'][];
  /** s of each unit, [units, rooflines]: from `seconds` to `buffers` */
  readonly seconds: number;
  /** by generated code, B of the buffer its operators share: from `buffers` to `elements` */
  readonly buffers: number;
  readonly set: WorkingSet;
  /** elements of what each operator of the set makes, and of the spare plane it takes to write over what it reads */
  readonly elements: number;
  readonly plane: number;
  /** operators of TensorFlow Lite Micro: the same for all arenas */
  readonly lowered: Wiring;
  /** as many tensors leave both, each made in the run and once: what lies between runs is then the same for both */
  readonly isEven: boolean;
  readonly arenas: readonly ArenaShape[];
  /** figures of the row */
  readonly length: number;
}

export interface ArenaShape {
  /** B of what each operator makes: from `sizes` to `scratch` */
  readonly sizes: number;
  /** B of scratch buffers, and which of them are those of operator k: from scratchStarts[k] */
  readonly scratch: number;
  readonly scratchStarts: readonly number[];
}

export interface Run {
  /** whose questions were asked */
  readonly by: object;
  /** among its runs */
  readonly number: number;
  readonly shape: RunShape;
  readonly row: Float64Array;
  /** first figure */
  readonly at: number;
  /** by state (`Between`), once asked for */
  readonly sets: SetsWithin[];
  readonly bounds: BoundsWithin[];
}

/** Elements a run takes at the most, without what lives beside it. */
export interface SetsWithin {
  readonly state: number;
  readonly live: number;
  readonly overlay: number;
  readonly overwriting: number;
  readonly overwritingPointwise: number;
}

/** Of a run's buffers in each arena, without those that live beside it. */
export interface BoundsWithin {
  readonly state: number;
  /** [arenas, …], see `ArenaBounds` */
  readonly row: Float64Array;
  readonly at: number;
}

/** A network as one run behind the other; tensors between them are numbered by what leaves each, in order. */
export interface RunNetwork extends Pick<PiecedGraph, 'reads' | 'starts' | 'output'> {
  readonly runs: readonly Run[];
}
