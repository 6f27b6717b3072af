import { graphBuilder, type ActivationFn, type Graph, type GraphBuilder, type OpAttrs, type OpKind, type Pair } from '@app/graph';

/** A tensor of the network under construction: the node that makes it, its channels and the side of its square map. */
export interface Feature {
  readonly id: string;
  readonly channels: number;
  readonly side: number;
}

export interface ConvOptions {
  /** odd; default 1 */
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
}

const square = (v: number): Pair => [v, v];

/**
 * What families build with: square maps, batch 1, unbiased convolutions padded (k − 1)/2, and node ids `block.part` that stay the same
 * from one point to the next. A part that comes twice in a block throws, as do shapes that don't fit (GraphError).
 */
export class NetworkBuilder {
  readonly #graph: GraphBuilder;
  #block = '';

  /** @param epsilon of every batch norm */
  constructor(name: string, private readonly epsilon = 1e-5) {
    this.#graph = graphBuilder(name);
  }

  /** Nodes from here on belong to `block`. */
  begin(block: string): void {
    this.#block = block;
    this.#graph.block(block);
  }

  /** Before the first block. */
  input(channels: number, side: number): Feature {
    return { id: this.#graph.input([1, channels, side, side]), channels, side };
  }

  conv(part: string, x: Feature, channels: number, { kernel = 1, stride = 1, groups = 1 }: ConvOptions = {}): Feature {
    const p = (kernel - 1) / 2;
    return this.#add(part, 'conv2d', [x], {
      outChannels: channels, kernel: square(kernel), stride: square(stride), padding: [p, p, p, p], dilation: [1, 1], groups, bias: false,
    });
  }

  batchNorm(part: string, x: Feature): Feature {
    return this.#add(part, 'batchNorm', [x], { epsilon: this.epsilon });
  }

  /** Convolution and its batch norm. */
  convBn(part: string, x: Feature, channels: number, options: ConvOptions = {}): Feature {
    return this.batchNorm(`${part}Bn`, this.conv(part, x, channels, options));
  }

  activation(part: string, x: Feature, fn: ActivationFn): Feature {
    return this.#add(part, 'activation', [x], { fn });
  }

  add(part: string, a: Feature, b: Feature): Feature {
    return this.#add(part, 'add', [a, b], {});
  }

  concat(part: string, parts: readonly Feature[]): Feature {
    return this.#add(part, 'concat', parts, { axis: 1 });
  }

  /** First `channels` channels; x itself if it has no more. */
  firstChannels(part: string, x: Feature, channels: number): Feature {
    return channels === x.channels ? x : this.#add(part, 'slice', [x], { axis: 1, start: 0, end: channels });
  }

  /** Zero channels after x's own up to `channels`; x itself if it has that many. */
  padChannels(part: string, x: Feature, channels: number): Feature {
    return channels === x.channels ? x : this.#add(part, 'padChannels', [x], { before: 0, after: channels - x.channels });
  }

  /** Odd kernel, padded (k − 1)/2. */
  maxPool(part: string, x: Feature, kernel: number, stride: number): Feature {
    const p = (kernel - 1) / 2;
    return this.#add(part, 'maxPool', [x], { kernel: square(kernel), stride: square(stride), padding: [p, p, p, p] });
  }

  avgPool(part: string, x: Feature, kernel: number, stride: number, padding: number): Feature {
    return this.#add(part, 'avgPool', [x], { kernel: square(kernel), stride: square(stride), padding: [padding, padding, padding, padding], countIncludePad: false });
  }

  /** `unheaded`: the tensor before the heads, for `funnel` only. */
  headReduce(part: string, x: Feature, heads: number, reduction: OpAttrs['headReduce']['reduction'], unheaded?: Feature): Feature {
    return this.#add(part, 'headReduce', unheaded ? [x, unheaded] : [x], { heads, reduction });
  }

  channelAttention(part: string, x: Feature, attrs: OpAttrs['channelAttention']): Feature {
    return this.#add(part, 'channelAttention', [x], attrs);
  }

  quantizationNoise(part: string, x: Feature, levels: number): Feature {
    return this.#add(part, 'quantizationNoise', [x], { levels });
  }

  zeros(part: string, x: Feature): Feature {
    return this.#add(part, 'zeros', [x], {});
  }

  /** Mean over the map, then [1, C]. */
  globalPool(part: string, x: Feature): Feature {
    return this.#add(`${part}Flat`, 'flatten', [this.#add(part, 'globalAvgPool', [x], {})], {});
  }

  linear(part: string, x: Feature, features: number): Feature {
    return this.#add(part, 'linear', [x], { outFeatures: features, bias: true });
  }

  /** The verified graph. */
  finish(output: Feature): Graph {
    this.#graph.output(output.id);
    return this.#graph.build();
  }

  #add<K extends OpKind>(part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature {
    const id = this.#graph.node(kind, inputs.map((x) => x.id), attrs, `${this.#block}.${part}`);
    const [, channels = 1, side = 1] = this.#graph.shape(id);
    return { id, channels, side };
  }
}
