/**
 * RAM and model file of a network under TensorFlow Lite for Microcontrollers, on a 32-bit target.
 *
 * The arena has two ends. At its head lie activations and scratch buffers, as the greedy planner places them, sizes rounded up to 16 B.
 * From its tail grow what the interpreter keeps: structures per operator and tensor, parsed attributes, operator data, requantisation
 * multipliers. Sizes of the structures are those of the sources (tensorflow/tflite-micro, `micro_allocator.cc`, `c_api_types.h`, `kernels/`);
 * the constants that cover the allocators' own objects are from the measured arenas of built networks, which they meet to the byte. Files
 * of other origin may hold constants that operators share, or tensors nothing reads: 12 B each.
 */
import { greedyPlacement, type Placement } from './greedy-planner.js';
import { alignUp, lifetimes, peakOf, type MemoryProgram } from './program.js';

export type TflmKind =
  | 'conv' | 'dwconv' | 'fc' | 'avg_pool' | 'max_pool' | 'add' | 'sub' | 'mul' | 'maximum' | 'concat' | 'relu' | 'softmax' | 'reshape' | 'pad' | 'mean' | 'reduce'
  | 'quantize' | 'dequantize' | 'resize' | 'transpose' | 'slice' | 'elementwise' | 'other';

export interface TflmOperator {
  readonly kind: TflmKind;
  /** output channels of a convolution, plain or depthwise; else 0 */
  readonly channels: number;
  /** constant tensors among its inputs that no operator before it has: weights, bias, paddings, axes */
  readonly constants: number;
}

export interface TflmNetwork {
  /** operators as in `program.ops`; tensors in the order of the model file, on which the planner's ties depend */
  readonly operators: readonly TflmOperator[];
  readonly program: MemoryProgram;
  /** network inputs and outputs that are quantised */
  readonly quantized: boolean;
}

export interface TflmArena {
  /** B, what `arena_used_bytes` says */
  readonly total: number;
  /** B, activations and scratch buffers */
  readonly nonPersistent: number;
  /** B, what the interpreter keeps */
  readonly persistent: number;
  /** B, largest set of buffers needed at one time: no planner does with less in this order */
  readonly lowerBound: number;
  readonly placement: Placement;
}

/** B, alignment of the arena's buffers */
export const TFLM_ALIGNMENT = 16;

/** @param order  index of the operator that runs at each step; default: as they stand */
export function tflmArena(network: TflmNetwork, order?: readonly number[]): TflmArena {
  const { buffers } = lifetimes(network.program, order, TFLM_ALIGNMENT);
  const placement = greedyPlacement(buffers);
  const persistent = persistentBytes(keptSums(network), network.program.inputs.length + network.program.outputs.length, network.quantized);
  return { total: placement.size + persistent, nonPersistent: placement.size, persistent, lowerBound: peakOf(buffers), placement };
}

/** B of parsed attributes (`TfLiteConvParams` …) and of the kernel's data, the latter in steps of 16. Kinds beside the measured ones go by their structures. */
const OPERATOR: Readonly<Record<TflmKind, { readonly attributes: number; readonly data: number }>> = {
  conv: { attributes: 28, data: 64 },
  dwconv: { attributes: 28, data: 64 },
  fc: { attributes: 16, data: 48 },
  avg_pool: { attributes: 40, data: 32 },
  max_pool: { attributes: 40, data: 32 },
  add: { attributes: 8, data: 64 },
  sub: { attributes: 8, data: 64 },
  mul: { attributes: 4, data: 48 },
  maximum: { attributes: 0, data: 0 },
  concat: { attributes: 8, data: 32 },
  relu: { attributes: 0, data: 32 },
  softmax: { attributes: 4, data: 64 },
  reshape: { attributes: 36, data: 0 },
  pad: { attributes: 0, data: 64 },
  mean: { attributes: 4, data: 64 },
  reduce: { attributes: 4, data: 64 },
  quantize: { attributes: 0, data: 48 },
  dequantize: { attributes: 0, data: 48 },
  resize: { attributes: 4, data: 0 },
  transpose: { attributes: 0, data: 0 },
  slice: { attributes: 24, data: 112 },
  elementwise: { attributes: 0, data: 32 },
  other: { attributes: 8, data: 48 },
};

/** `NodeAndRegistration` and `TfLiteEvalTensor` */
const NODE = 32;
const EVAL_TENSOR = 12;
/** allocators, planner and graph of the interpreter */
const INTERPRETER = 244;
/** B of odds and ends: 4 in quantised models, 8 in others; and of every network input and output pointer 4, `TfLiteTensor` 36, quantisation 20 */
const TAIL = { quantized: 4, single: 8 } as const;
const IO_TENSOR = 40;
const IO_QUANTIZATION = 20;
const SCRATCH_HANDLE = 4;

/** What a network's operators and tensors add to what the interpreter keeps and to the model file; of a network in pieces, the sums of the pieces. */
export interface KeptSums {
  /** B of structures per operator and tensor */
  readonly structures: number;
  /** B of operator data */
  readonly data: number;
  readonly scratchBuffers: number;
  /** B of the model file's tables */
  readonly tables: number;
}

/** @param tensors  of them in the arena, those of the network's inputs included */
export function keptSums({ operators, program, quantized }: TflmNetwork, tensors = program.tensors.length): KeptSums {
  let [structures, data, scratchBuffers, tables] = [EVAL_TENSOR * tensors, 0, 0, 0];
  for (const op of operators) {
    const { attributes, data: own } = OPERATOR[op.kind];
    structures += NODE + attributes + EVAL_TENSOR * op.constants;
    // a multiplier and a shift of 4 B for each channel of a convolution
    data += own + 2 * alignUp(4 * op.channels, TFLM_ALIGNMENT);
    tables += FILE_BYTES[op.kind] + (quantized ? 24 * op.channels : 0);
  }
  for (const op of program.ops) scratchBuffers += op.scratch.length;
  return { structures, data, scratchBuffers, tables };
}

/** B the interpreter keeps. @param ends  inputs and outputs of the network */
export function persistentBytes({ structures, data, scratchBuffers }: KeptSums, ends: number, quantized: boolean): number {
  const io = ends * (IO_TENSOR + (quantized ? IO_QUANTIZATION : 0));
  return alignUp(INTERPRETER + structures, TFLM_ALIGNMENT) + data + SCRATCH_HANDLE * scratchBuffers + io + (quantized ? TAIL.quantized : TAIL.single);
}

/**
 * B of a .tflite file besides the weights: FlatBuffer tables of operators and tensors with names and quantisation, and, int8, 24 B for
 * each channel of a convolution (scale 4 and zero point 8, of weights and of bias). Least squares over 361 files written by one
 * converter, where it errs by 0.04 % of the file at the 95th percentile; files of other converters hold longer names, up to some 10 KB.
 */
export function tfliteMetadataBytes(network: TflmNetwork): number {
  return metadataBytes(keptSums(network));
}

export function metadataBytes({ tables }: KeptSums): number {
  return FILE_HEADER + tables;
}

const FILE_HEADER = 522;
const FILE_BYTES: Readonly<Record<TflmKind, number>> = {
  conv: 298, dwconv: 322, fc: 283, add: 128, sub: 128, mul: 128, maximum: 128, concat: 153, avg_pool: 140, max_pool: 155, relu: 110, elementwise: 110,
  softmax: 110, reshape: 180, pad: 180, mean: 180, reduce: 180, quantize: 110, dequantize: 110, resize: 180, transpose: 180, slice: 300, other: 140,
};

/** B the reference kernel of an operator asks for while it runs, given its output elements. */
export function referenceScratch(kind: TflmKind, outputElements: number, quantized: boolean): readonly number[] {
  // 32-bit sums
  return quantized && (kind === 'mean' || kind === 'reduce') ? [4 * outputElements] : [];
}

/** Shape of a kernel call, for its scratch buffer. */
export interface KernelCall {
  readonly kind: TflmKind;
  readonly inputChannels: number;
  readonly outputElements: number;
  /** kernel height · width */
  readonly kernelArea: number;
  /** reads each input pixel once where it lies: 1×1, no padding */
  readonly direct: boolean;
}

/**
 * The same with the int8 kernels of CMSIS-NN on a core with the DSP extension (Cortex-M4, M7): two columns of the patch matrix in 16 bit
 * for a convolution that is not 1×1 (`arm_convolve_s8_get_buffer_size`), one kernel's input in 16 bit for a depthwise one
 * (`arm_depthwise_conv_s8_opt_get_buffer_size`), 32-bit sums for average pooling.
 */
export function cmsisNnScratch(call: KernelCall, quantized: boolean): readonly number[] {
  if (!quantized) return [];
  const columns = 2 * call.inputChannels * call.kernelArea;
  if (call.kind === 'conv') return call.direct ? [] : [2 * columns];
  if (call.kind === 'dwconv') return [columns];
  if (call.kind === 'avg_pool') return [4 * call.inputChannels];
  return referenceScratch(call.kind, call.outputElements, quantized);
}
