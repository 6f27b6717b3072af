/** How a runtime turns a network into the operators it runs; what differs between runtimes, and nothing about speed. */
export interface RuntimeRules {
  /**
   * What becomes of x · 0, which exporters leave where an edge is `none`:
   * - `kept`: it runs as a multiplication, and whatever feeds it runs (eager PyTorch, ONNX Runtime)
   * - `folded`: it is a constant, and what only it reads is dropped; operators on zeros still run (TensorFlow Lite)
   * - `pushed`: as `folded`, but first a convolution that only such products read takes the zero into its weights and runs
   *   (older TensorFlow converters: the multiplication moves into the weights before dead code is dropped)
   */
  readonly zeros: 'kept' | 'folded' | 'pushed';
  /** equal operators without weights on equal inputs run once (common subexpressions: identical poolings, ReLU) */
  readonly merge: boolean;
  /**
   * What runs inside the kernel of a convolution or linear layer: nothing, its batch norm, or batch norm and activation. `operators`: as
   * `activation`, and relu and relu6 inside any operator of a TensorFlow Lite file that has a field for them (sums, products, poolings,
   * concatenations)
   */
  readonly fusion: 'none' | 'batchNorm' | 'activation' | 'operators';
}

/** Runtimes we know, by short name. */
export const RUNTIMES = {
  'pytorch-eager': { zeros: 'kept', merge: false, fusion: 'none' },
  'pytorch-mobile': { zeros: 'kept', merge: true, fusion: 'batchNorm' },
  'onnx-runtime': { zeros: 'kept', merge: true, fusion: 'activation' },
  litert: { zeros: 'folded', merge: true, fusion: 'activation' },
  'tflite-2021': { zeros: 'pushed', merge: false, fusion: 'activation' },
  'every-operator': { zeros: 'kept', merge: false, fusion: 'activation' },
  compiled: { zeros: 'folded', merge: false, fusion: 'activation' },
  /** microcontrollers, whose networks come as such files whatever runs them */
  'tflite-micro': { zeros: 'folded', merge: false, fusion: 'operators' },
} as const satisfies Record<string, RuntimeRules>;

export type RuntimeKind = keyof typeof RUNTIMES;
