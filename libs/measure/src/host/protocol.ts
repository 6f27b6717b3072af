/** What a measuring process is asked, once, and answers, once. */
export interface HostTask {
  /** ONNX */
  readonly model: Uint8Array;
  readonly threads: number;
  readonly warmup: number;
  /** runs that nothing interrupts; at most four times as many are made for them */
  readonly repeats: number;
  /** runs go on until so much time has passed, s: fifty runs of a tiny network are no measurement */
  readonly minSeconds: number;
}

export type HostAnswer =
  | {
    readonly kind: 'measured';
    /** s, in the order they ran */
    readonly times: readonly number[];
    /** runs during which the system took the processor away from the process */
    readonly interrupted: readonly boolean[];
    /** processor time of all the process in each run, s */
    readonly processor: readonly number[];
    /** onnxruntime-node and its version */
    readonly runtime: string;
    readonly inputs: readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[];
  }
  /** the model's fault, as onnxruntime or we see it */
  | { readonly kind: 'refused'; readonly message: string };
