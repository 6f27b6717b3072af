/** Tensor shape with batch: [N, C, H, W] or [N, C]; N is 1 in decoded networks. */
export type Shape = readonly number[];

/** Dense float tensor, row-major. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export type ActivationFn =
  | 'relu' | 'relu6' | 'hswish' | 'hsigmoid' | 'sigmoid' | 'tanh' | 'silu' | 'gelu' | 'leaky-relu' | 'elu' | 'prelu-shared' | 'exp' | 'sqrt' | 'neg' | 'abs';

/** [top, left, bottom, right] */
export type Padding = readonly [number, number, number, number];
export type Pair = readonly [number, number];

/** Attributes of each op kind. Padding, stride and kernel are [height, width]. */
export interface OpAttrs {
  input: { readonly shape: Shape };
  conv2d: { readonly outChannels: number; readonly kernel: Pair; readonly stride: Pair; readonly padding: Padding; readonly dilation: Pair; readonly groups: number; readonly bias: boolean };
  batchNorm: { readonly epsilon: number };
  linear: { readonly outFeatures: number; readonly bias: boolean };
  activation: { readonly fn: ActivationFn; readonly alpha?: number };
  /** element-wise with numpy broadcasting of two inputs */
  add: Record<never, never>;
  mul: Record<never, never>;
  sub: Record<never, never>;
  maximum: Record<never, never>;
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  /** zeros appended to the channel axis (axis 1) */
  padChannels: { readonly before: number; readonly after: number };
  maxPool: { readonly kernel: Pair; readonly stride: Pair; readonly padding: Padding };
  avgPool: { readonly kernel: Pair; readonly stride: Pair; readonly padding: Padding; readonly countIncludePad: boolean };
  globalAvgPool: Record<never, never>;
  flatten: Record<never, never>;
  reshape: { readonly shape: Shape };
  transpose: { readonly perm: readonly number[] };
  softmax: { readonly axis: number };
  /** MDW heads (channel i, head j at i·heads + j) down to one per channel. `funnel` takes the un-headed input as a second input. */
  headReduce: { readonly heads: number; readonly reduction: 'maxout' | 'sum-relu' | 'funnel' };
  /** ECA with mean or mean and variance (flynet-spec § 5). `softmax` normalises over the `heads` of each channel at `temperature`. */
  channelAttention: { readonly kernel: number; readonly statistics: 'mean' | 'mean-variance'; readonly excitation: 'sigmoid' | 'softmax'; readonly heads: number; readonly temperature: number };
  /** training-time regulariser (formulas F-N1); identity at inference. `levels` 2^32 = none */
  quantizationNoise: { readonly levels: number };
  zeros: Record<never, never>;
  identity: Record<never, never>;
  resize: { readonly scale: Pair; readonly mode: 'nearest' | 'linear' };
  /** stored values that enter the network as an operand; no inputs. Its one weight is `value`. */
  constant: { readonly shape: Shape };
  /** operator of an imported model that we do not know: only its output shape is stated. Priced as one scalar operation per output element, never evaluated. */
  opaque: { readonly opType: string; readonly shape: Shape };
}

export type OpKind = keyof OpAttrs;

/** One op with one output; the node's id names that tensor. */
export interface Node<K extends OpKind = OpKind> {
  readonly id: string;
  readonly kind: K;
  readonly inputs: readonly string[];
  readonly attrs: OpAttrs[K];
  /** stage or block it belongs to, for drawings and per-block sums */
  readonly block?: string | undefined;
}

/** Nodes stand in a topological order: the order of execution unless a schedule says otherwise. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  /** counted as a parameter (running statistics are not) */
  readonly trainable: boolean;
  readonly init: 'kaiming-normal' | 'zeros' | 'ones' | 'running-mean' | 'running-variance' | 'prelu-slope';
  readonly fanIn: number;
}

/** What an op does, stated once; devices put a price on it. Per inference at the given shapes, batch included. */
export interface OpCounts {
  /** multiply-accumulates of convolutions and linear layers (bias excluded) */
  readonly macs: number;
  /** scalar element-wise operations: batch norm, activation, add, comparison, pooling, attention */
  readonly elementOps: number;
  /** trainable parameters */
  readonly params: number;
  /** elements of weights held in storage (running statistics included; batch norm that folds into a convolution counts 2 a channel) */
  readonly weightElements: number;
  readonly inputElements: number;
  readonly outputElements: number;
  /** MAdds as the thesis counts them (flynet-spec § 9): conv and linear products, 2 per batch-norm output, 4 per ECA input */
  readonly madds: number;
}
