import type { ActivationFn, Graph, Node, OpAttrs, OpKind } from '@app/graph';

/** A tensor of the network under construction: the node that makes it, its channels and the side of its square map. */
export interface Feature {
  readonly id: string;
  readonly channels: number;
  readonly side: number;
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
}

const BN_EPSILON = 1e-5;

/**
 * Writes a graph node by node, square maps, batch 1, "same" padding (k − 1)/2 throughout. Node ids are `block.part`; a part that
 * comes twice in a block is a mistake of the family and throws.
 */
export class NetworkBuilder {
  readonly #nodes: Node[] = [];
  readonly #ids = new Set<string>();
  #block = 'input';

  constructor(private readonly name: string, private readonly epsilon = BN_EPSILON) {}

  /** Nodes from here on belong to `block`. */
  begin(block: string): void {
    this.#block = block;
  }

  input(channels: number, side: number): Feature {
    this.#push('input', 'input', [], { shape: [1, channels, side, side] });
    return { id: 'input', channels, side };
  }

  conv(part: string, x: Feature, channels: number, { kernel = 1, stride = 1, groups = 1 }: ConvOptions = {}): Feature {
    const p = (kernel - 1) / 2;
    const id = this.#add(part, 'conv2d', [x], {
      outChannels: channels, kernel: [kernel, kernel], stride: [stride, stride], padding: [p, p, p, p], dilation: [1, 1], groups, bias: false,
    });
    return { id, channels, side: Math.floor((x.side - 1) / stride) + 1 };
  }

  batchNorm(part: string, x: Feature): Feature {
    return this.#same(part, 'batchNorm', [x], { epsilon: this.epsilon });
  }

  /** Convolution and its batch norm. */
  convBn(part: string, x: Feature, channels: number, options: ConvOptions = {}): Feature {
    return this.batchNorm(`${part}Bn`, this.conv(part, x, channels, options));
  }

  activation(part: string, x: Feature, fn: ActivationFn): Feature {
    return this.#same(part, 'activation', [x], { fn });
  }

  add(part: string, a: Feature, b: Feature): Feature {
    return this.#same(part, 'add', [a, b], {});
  }

  concat(part: string, parts: readonly Feature[]): Feature {
    const id = this.#add(part, 'concat', parts, { axis: 1 });
    return { id, channels: parts.reduce((sum, x) => sum + x.channels, 0), side: parts[0]!.side };
  }

  /** First `channels` channels; x itself if it has no more. */
  firstChannels(part: string, x: Feature, channels: number): Feature {
    if (channels === x.channels) return x;
    return { id: this.#add(part, 'slice', [x], { axis: 1, start: 0, end: channels }), channels, side: x.side };
  }

  /** Zero channels after x's own up to `channels`; x itself if it has that many. */
  padChannels(part: string, x: Feature, channels: number): Feature {
    if (channels === x.channels) return x;
    return { id: this.#add(part, 'padChannels', [x], { before: 0, after: channels - x.channels }), channels, side: x.side };
  }

  maxPool(part: string, x: Feature, kernel: number, stride: number): Feature {
    const p = (kernel - 1) / 2;
    const id = this.#add(part, 'maxPool', [x], { kernel: [kernel, kernel], stride: [stride, stride], padding: [p, p, p, p] });
    return { id, channels: x.channels, side: Math.floor((x.side - 1) / stride) + 1 };
  }

  /** 3×3, stride 1, padding 1, zeros of the padding left out of the mean. */
  avgPool3x3(part: string, x: Feature): Feature {
    return this.#same(part, 'avgPool', [x], { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1], countIncludePad: false });
  }

  /** 2×2, stride 2, no padding: an odd last row or column is dropped. */
  avgPoolHalve(part: string, x: Feature): Feature {
    const id = this.#add(part, 'avgPool', [x], { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], countIncludePad: true });
    return { id, channels: x.channels, side: Math.floor(x.side / 2) };
  }

  headReduce(part: string, x: Feature, heads: number, reduction: OpAttrs['headReduce']['reduction'], unheaded?: Feature): Feature {
    const id = this.#add(part, 'headReduce', unheaded ? [x, unheaded] : [x], { heads, reduction });
    return { id, channels: x.channels / heads, side: x.side };
  }

  channelAttention(part: string, x: Feature, attrs: OpAttrs['channelAttention']): Feature {
    return this.#same(part, 'channelAttention', [x], attrs);
  }

  quantizationNoise(part: string, x: Feature, levels: number): Feature {
    return this.#same(part, 'quantizationNoise', [x], { levels });
  }

  zeros(part: string, x: Feature): Feature {
    return this.#same(part, 'zeros', [x], {});
  }

  /** Mean over the map, then [1, C]. */
  globalPool(part: string, x: Feature): Feature {
    const pooled: Feature = { id: this.#add(part, 'globalAvgPool', [x], {}), channels: x.channels, side: 1 };
    return this.#same('flatten', 'flatten', [pooled], {});
  }

  linear(part: string, x: Feature, features: number): Feature {
    return { id: this.#add(part, 'linear', [x], { outFeatures: features, bias: true }), channels: features, side: 1 };
  }

  finish(output: Feature): Graph {
    return { name: this.name, nodes: this.#nodes, outputs: [output.id] };
  }

  #same<K extends OpKind>(part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): Feature {
    const x = inputs[0]!;
    return { id: this.#add(part, kind, inputs, attrs), channels: x.channels, side: x.side };
  }

  #add<K extends OpKind>(part: string, kind: K, inputs: readonly Feature[], attrs: OpAttrs[K]): string {
    const id = `${this.#block}.${part}`;
    this.#push(id, kind, inputs.map((x) => x.id), attrs);
    return id;
  }

  #push<K extends OpKind>(id: string, kind: K, inputs: readonly string[], attrs: OpAttrs[K]): void {
    if (this.#ids.has(id)) throw new Error(`node "${id}" stands twice`);
    this.#ids.add(id);
    this.#nodes.push({ id, kind, inputs, attrs, block: this.#block });
  }
}
