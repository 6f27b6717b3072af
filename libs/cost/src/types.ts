import type { RuntimeRules } from './latency-rules.js';

/** A figure with unit and source, as every number in a hardware profile has. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  /** where it is from: document and place, or how it was derived */
  readonly source: string;
}

export type Precision = 'fp32' | 'fp16' | 'int8';

export interface PrecisionProfile {
  /** peak multiply-accumulates, unit MAC/s */
  readonly peakMacs: Figure;
  /** share of the peak a dense convolution reaches, unit 1 */
  readonly utilisation: Figure;
  /** energy of one multiply-accumulate, unit J */
  readonly energyPerMac: Figure;
}

/** How a device holds weights of fewer than 8 bits. */
export interface WeightBits {
  /** widest weights this form takes */
  readonly bits: number;
  /** of one weight in its store, unit bit */
  readonly storage: Figure;
  /** extra time of one product for unpacking; 0 where the multiplier takes them as they are; unit s/MAC */
  readonly unpack: Figure;
}

export interface DeviceProfile {
  readonly id: string;
  readonly title: string;
  readonly class: 'cloud' | 'mobile' | 'mcu' | 'accelerator';
  readonly description?: string | undefined;
  readonly precisions: Partial<Record<Precision, PrecisionProfile | undefined>>;
  readonly defaultPrecision: Precision;
  readonly memory: {
    /** working memory for activations, unit B */
    readonly ram: Figure;
    /** storage for weights and code, unit B; null where it does not bind (cloud) */
    readonly flash: Figure | null;
    /** bandwidth of the memory that activations and weights stream through, unit B/s */
    readonly bandwidth: Figure;
    /** energy to move one byte of working memory (activations) and of weight storage, unit J/B */
    readonly energyPerByte: Figure;
    readonly weightEnergyPerByte: Figure;
  };
  /** time to start one operator, unit s */
  readonly operatorOverhead: Figure;
  /** power drawn while idle or leaking during an inference, unit W */
  readonly staticPower: Figure;
  /** power when running, unit W */
  readonly activePower: Figure | null;
  /** slowdown of an operator kind against the dense-convolution roofline, unit 1, ≥ 1 */
  readonly operatorFactors: Partial<Record<'depthwise' | 'grouped' | 'pointwise' | 'linear' | 'elementwise' | 'pool' | 'attention', Figure | undefined>>;
  /** flash taken by the runtime and its code, and RAM it takes besides activations, unit B */
  readonly runtime: {
    readonly name: string;
    readonly flash: Figure;
    readonly ram: Figure;
    /** RAM the runtime keeps for each output channel of a convolution in int8 (requantisation multipliers), unit B */
    readonly ramPerChannel?: Figure | undefined;
    /** storage its model format takes for each output channel of a convolution besides weights, bias and scale, unit B */
    readonly flashPerChannel?: Figure | undefined;
  };
  /** relative half-width of the 90 % interval of a prediction until it is calibrated, unit 1 */
  readonly uncertainty: { readonly latency: Figure; readonly energy: Figure; readonly memory: Figure };
  /** fitted to measurements; where a precision has one it prices latency (energy) instead of the roofline */
  readonly latencyModel?: FittedModel | undefined;
  readonly energyModel?: FittedModel | undefined;
  /** packed forms of weights below 8 bits; where there is none they are stored and computed as int8 */
  readonly weightBits?: readonly WeightBits[] | undefined;
  /** bits of a weight in which a study prices the device, 1 … 8, with int8 as its default precision; absent: as the precision has them */
  readonly defaultWeightBits?: number | undefined;
  /** price of the part, unit USD */
  readonly price?: Figure | undefined;
  /** metrics that studies have measured on the device instead of predicted */
  readonly measure?: MeasureSettings | undefined;
  readonly notes?: readonly string[] | undefined;
}

/** Who measures and how; the words of the study file. */
export interface MeasureSettings {
  /** `host`: the machine that evaluates the trial; otherwise a program or an address that reaches the device */
  readonly agent: 'host' | { readonly command: readonly string[] } | { readonly url: string };
  readonly metrics: readonly ('latency' | 'energy' | 'peakRam')[];
  /** runs before those that count, and those at the least */
  readonly warmup: number;
  readonly repeats: number;
  readonly threads: number;
  /** s */
  readonly timeout: number;
}

/** Coefficients of the terms of a network's work (latency-terms.ts), with what is needed to trust them. */
export interface FittedModel {
  readonly precision: Precision;
  readonly runtime: RuntimeRules;
  /** terms not listed cost nothing; unit s or J for one unit of the term's work, source says what it is */
  readonly coefficients: readonly (Figure & { readonly term: string })[];
  /** 90 % of measurements lie from prediction · low to prediction · high, by cross-validation */
  readonly interval: { readonly low: number; readonly high: number };
  /** what the fit has seen; beyond it a prediction carries a warning and the profile's uncertainty */
  readonly range: {
    /** MACs of the smallest and the largest network */
    readonly macs: readonly [smallest: number, largest: number];
    /** largest window, in taps, of every kind of kernel that ran */
    readonly taps: Readonly<Record<string, number>>;
  };
  readonly fit: {
    readonly rows: number;
    readonly networks: string;
    /** mean absolute relative error, share within 10 % and rank correlation in cross-validation, unit 1 */
    readonly meanError: number;
    readonly within10: number;
    readonly rankCorrelation: number | null;
    readonly validation: string;
    readonly source: string;
    readonly licence: string;
    /** SHA-256 of the measurements as sorted lines "network value" */
    readonly dataHash: string;
    /** ISO date */
    readonly date: string;
  };
}

/** A predicted quantity with its 90 % interval. Units: s, J, B. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** model and profile that made it */
  readonly model: string;
  readonly warnings: readonly string[];
}

export interface LayerCost {
  readonly node: string;
  readonly kind: string;
  readonly block: string | null;
  readonly outputShape: readonly number[];
  readonly macs: number;
  readonly params: number;
  readonly weightBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** bytes of activations alive while it runs */
  readonly liveBytes: number;
  /** s */
  readonly latency: number;
  /** J */
  readonly energy: number;
  /** what limits it on this device */
  readonly bound: 'compute' | 'memory' | 'overhead' | 'free';
}

export interface NetworkCost {
  readonly device: string;
  readonly precision: Precision;
  /** of weights in fewer bits than the precision has */
  readonly weightBits?: number | undefined;
  readonly latency: Estimate;
  readonly energy: Estimate;
  readonly peakRam: Estimate;
  readonly flash: Estimate;
  readonly macs: number;
  readonly params: number;
  readonly madds: number;
  readonly layers: readonly LayerCost[];
  /** node ids in the order they run, one entry a layer; layers[i].liveBytes belongs to order[i] */
  readonly order: readonly string[];
}
