import { GraphError } from '../errors.js';
import { isKind } from '../op.js';
import type { Quantizer } from '../tape/quantizers.js';
import type { Graph, Node } from '../types.js';

/** How one convolution or linear layer is quantised; null: not. */
export interface LayerQuantization {
  readonly weights: Quantizer | null;
  /** of what enters it */
  readonly input: Quantizer | null;
}

/** Layers by node id. Layers that are not in it stay as they are. */
export type Quantization = ReadonlyMap<string, LayerQuantization>;

export interface LayerLevels {
  readonly weights: number | null;
  readonly activations: number | null;
}

export interface QuantizationSettings extends LayerLevels {
  /** affine: what integer runtimes do; dorefa: tanh for weights, clip to [0, 1] for activations (thesis § 5.2) */
  readonly scheme: 'affine' | 'dorefa';
  /** of the first and the last layer; undefined: as the others */
  readonly ends?: LayerLevels | undefined;
  /** of layers whose block's name begins so; the longest that fits counts */
  readonly blocks?: Readonly<Record<string, LayerLevels>> | undefined;
}

/** Codes of an 8-bit tensor: weights lie even about 0, and −128 is not used. */
export const INT8: LayerLevels = { weights: 255, activations: 256 };

/**
 * What becomes of each convolution and linear layer.
 *
 * @throws GraphError on levels that are no integer from 2 up, or a block that no layer is of
 */
export function quantizationOf(graph: Graph, { scheme, ends, blocks = {}, ...usual }: QuantizationSettings): Quantization {
  const layers = graph.nodes.filter((n): n is Node<'conv2d'> | Node<'linear'> => isKind(n, 'conv2d') || isKind(n, 'linear'));
  const unknown = Object.keys(blocks).find((name) => !layers.some((n) => n.block?.startsWith(name) === true));
  if (unknown !== undefined) throw GraphError.of(graph.name, `expected a block to quantise, one of ${[...new Set(layers.map((n) => n.block ?? ''))].join(', ')}, got "${unknown}"`);
  const levelsOf = (node: Node, i: number): LayerLevels => {
    const named = Object.keys(blocks).filter((name) => node.block?.startsWith(name) === true).sort((a, b) => b.length - a.length)[0];
    if (named !== undefined) return blocks[named]!;
    return ends !== undefined && (i === 0 || i === layers.length - 1) ? ends : usual;
  };
  return new Map(layers.map((node, i) => {
    const { weights, activations } = levelsOf(node, i);
    for (const levels of [weights, activations]) if (levels !== null && !(Number.isSafeInteger(levels) && levels >= 2)) throw GraphError.at(node, `expected quantisation levels to be an integer from 2, got ${levels}`);
    // the ends are quantised as integer runtimes do, whatever goes on between them
    const plain = scheme === 'affine' || (ends !== undefined && (i === 0 || i === layers.length - 1));
    return [node.id, {
      weights: weights === null ? null : { kind: plain ? 'symmetric' : 'tanh', levels: weights },
      input: activations === null ? null : { kind: plain ? 'affine' : 'relu', levels: activations },
    }];
  }));
}
