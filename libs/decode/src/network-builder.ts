import { graphBuilder, samePadding, type ActivationFn, type Graph, type GraphBuilder, type OpAttrs, type OpKind, type Pair } from '@app/graph';

/** A tensor of the network under construction: the node that makes it, its channels (features of a vector) and its map, 1×1 for a vector. */
export interface Feature {
  readonly id: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface ConvOptions {
  /** side, or height and width; odd unless padding is `same`; default 1 */
  readonly kernel?: number | Pair;
  readonly stride?: number | Pair;
  readonly groups?: number;
  /** default false */
  readonly bias?: boolean;
}

export interface BuilderOptions {
  /** of every batch norm; default 1e-5 */
  readonly epsilon?: number;
  /**
   * of convolutions: `centred` is (k − 1)/2 on every side, as PyTorch's networks have it; `same` makes ⌈size / stride⌉ of a map with the
   * odd row at the end, as TensorFlow's do. For odd kernels both give maps of one size. Default `centred`
   */
  readonly padding?: 'centred' | 'same';
}

const pair = (v: number | Pair): Pair => (typeof v === 'number' ? [v, v] : v);
const square = (v: number): Pair => [v, v];

/**
 * What families build with: batch 1, and node ids `block.part` that stay the same from one point to the next. A part that comes twice in
 * a block throws, as do shapes that don't fit (GraphError).
 */
export abstract class NetworkBuilder<T = unknown> {
  readonly #epsilon: number;
  readonly #padding: 'centred' | 'same';

  constructor({ epsilon = 1e-5, padding = 'centred' }: BuilderOptions = {}) {
    this.#epsilon = epsilon;
    this.#padding = padding;
  }

  /** Nodes from here on belong to `block`. */
  abstract begin(block: string): void;

  /**
   * What `build` makes of the inputs, where that comes again from network to network.
   *
   * @param key  all it depends on besides the shapes of its inputs, the options and what is the same for all networks of a space
   */
  section(_key: readonly number[], inputs: readonly Feature[], build: (inputs: readonly Feature[]) => readonly Feature[]): readonly Feature[] {
    return build(inputs);
  }

  /** A map, square unless the width is given. Before the first block. */
  abstract input(channels: number, height: number, width?: number, id?: string): Feature;

  /** A vector. Before the first block. */
  abstract vectorInput(features: number): Feature;

  /** The network, verified. */
  abstract finish(...outputs: readonly Feature[]): T;

  protected abstract node<K extends OpKind>(part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature;

  conv(part: string, x: Feature, channels: number, { kernel = 1, stride = 1, groups = 1, bias = false }: ConvOptions = {}): Feature {
    const [k, s] = [pair(kernel), pair(stride)];
    const [v, h] = [(k[0] - 1) / 2, (k[1] - 1) / 2];
    return this.node(part, 'conv2d', [x], {
      outChannels: channels, kernel: k, stride: s, padding: this.#padding === 'same' ? samePadding([x.height, x.width], k, s, [1, 1]) : [v, h, v, h], dilation: [1, 1], groups, bias,
    });
  }

  batchNorm(part: string, x: Feature): Feature {
    return this.node(part, 'batchNorm', [x], { epsilon: this.#epsilon });
  }

  /** Convolution and its batch norm. */
  convBn(part: string, x: Feature, channels: number, options: ConvOptions = {}): Feature {
    return this.batchNorm(`${part}Bn`, this.conv(part, x, channels, options));
  }

  activation(part: string, x: Feature, fn: ActivationFn): Feature {
    return this.node(part, 'activation', [x], { fn });
  }

  add(part: string, a: Feature, b: Feature): Feature {
    return this.node(part, 'add', [a, b], {});
  }

  /** Element by element; a 1×1 map acts on every cell of its channel. */
  mul(part: string, a: Feature, b: Feature): Feature {
    return this.node(part, 'mul', [a, b], {});
  }

  concat(part: string, parts: readonly Feature[]): Feature {
    return this.node(part, 'concat', parts, { axis: 1 });
  }

  /** First `channels` channels; x itself if it has no more. */
  firstChannels(part: string, x: Feature, channels: number): Feature {
    return channels === x.channels ? x : this.node(part, 'slice', [x], { axis: 1, start: 0, end: channels });
  }

  /** Zero channels after x's own up to `channels`; x itself if it has that many. */
  padChannels(part: string, x: Feature, channels: number): Feature {
    return channels === x.channels ? x : this.node(part, 'padChannels', [x], { before: 0, after: channels - x.channels });
  }

  /** Odd kernel, padded (k − 1)/2. */
  maxPool(part: string, x: Feature, kernel: number, stride: number): Feature {
    const p = (kernel - 1) / 2;
    return this.node(part, 'maxPool', [x], { kernel: square(kernel), stride: square(stride), padding: [p, p, p, p] });
  }

  avgPool(part: string, x: Feature, kernel: number, stride: number, padding: number): Feature {
    return this.node(part, 'avgPool', [x], { kernel: square(kernel), stride: square(stride), padding: [padding, padding, padding, padding], countIncludePad: false });
  }

  /** `unheaded`: the tensor before the heads, for `funnel` only. */
  headReduce(part: string, x: Feature, heads: number, reduction: OpAttrs['headReduce']['reduction'], unheaded?: Feature): Feature {
    return this.node(part, 'headReduce', unheaded ? [x, unheaded] : [x], { heads, reduction });
  }

  channelAttention(part: string, x: Feature, attrs: OpAttrs['channelAttention']): Feature {
    return this.node(part, 'channelAttention', [x], attrs);
  }

  quantizationNoise(part: string, x: Feature, levels: number): Feature {
    return this.node(part, 'quantizationNoise', [x], { levels });
  }

  zeros(part: string, x: Feature): Feature {
    return this.node(part, 'zeros', [x], {});
  }

  /** Channels dealt out anew: channel g·n + i of `groups` groups of n goes to i·groups + g (ShuffleNet, Zhang et al. 2018, § 3.1). */
  shuffle(part: string, x: Feature, groups: number): Feature {
    const { channels, height, width } = x;
    const split = this.node(`${part}Split`, 'reshape', [x], { shape: [1, groups, channels / groups, height, width] });
    const turned = this.node(`${part}Turn`, 'transpose', [split], { perm: [0, 2, 1, 3, 4] });
    return this.node(part, 'reshape', [turned], { shape: [1, channels, height, width] });
  }

  /** Mean over the map, a 1×1 map. */
  mapMean(part: string, x: Feature): Feature {
    return this.node(part, 'globalAvgPool', [x], {});
  }

  /** Mean over the map, then [1, C]. */
  globalPool(part: string, x: Feature): Feature {
    return this.node(`${part}Flat`, 'flatten', [this.mapMean(part, x)], {});
  }

  linear(part: string, x: Feature, features: number): Feature {
    return this.node(part, 'linear', [x], { outFeatures: features, bias: true });
  }
}

/** The network as a graph. */
export class GraphNetworkBuilder extends NetworkBuilder<Graph> {
  readonly #graph: GraphBuilder;
  #block = '';

  constructor(name: string, options?: BuilderOptions) {
    super(options);
    this.#graph = graphBuilder(name);
  }

  begin(block: string): void {
    this.#block = block;
    this.#graph.block(block);
  }

  input(channels: number, height: number, width = height, id?: string): Feature {
    return { id: this.#graph.input([1, channels, height, width], id), channels, height, width };
  }

  vectorInput(features: number): Feature {
    return { id: this.#graph.input([1, features]), channels: features, height: 1, width: 1 };
  }

  finish(...outputs: readonly Feature[]): Graph {
    for (const { id } of outputs) this.#graph.output(id);
    return this.#graph.build();
  }

  protected node<K extends OpKind>(part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature {
    const id = this.#graph.node(kind, inputs.map((x) => x.id), attrs, `${this.#block}.${part}`);
    const [, channels = 1, height = 1, width = 1] = this.#graph.shape(id);
    return { id, channels, height, width };
  }
}
