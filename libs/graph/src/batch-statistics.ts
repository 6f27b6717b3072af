import { evaluateNodes } from './evaluate.js';
import type { Weights } from './op.js';
import { elements, tensor } from './shape.js';
import type { Graph, Tensor } from './types.js';

/** Fewer positions a channel than this say little about it: its layer's channels are then taken together. */
const ENOUGH_POSITIONS = 4;

/**
 * The weights with each batch norm's running mean and variance set to those of one batch: what the first training step would see.
 * Without them the sums of an untrained network grow from cell to cell (threefold in each of NAS-Bench-201's fifteen) until
 * nothing can be compared any more. A channel that is constant keeps variance 1.
 *
 * @param inputs  the batch, one tensor for each input node
 */
export function withBatchStatistics(graph: Graph, weights: ReadonlyMap<string, Weights>, inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Weights> {
  const settled = new Map(weights);
  evaluateNodes(graph, settled, inputs, (node, [x]) => {
    if (node.kind !== 'batchNorm') return;
    settled.set(node.id, { ...settled.get(node.id)!, ...statistics(x!) });
  });
  return settled;
}

function statistics(x: Tensor): { mean: Tensor; variance: Tensor } {
  const [batch, channels] = x.shape as [number, number];
  const plane = elements(x.shape.slice(2));
  const mean = new Float32Array(channels);
  const variance = new Float32Array(channels);
  const groups = batch * plane < ENOUGH_POSITIONS ? [Array.from({ length: channels }, (_, c) => c)] : Array.from({ length: channels }, (_, c) => [c]);
  for (const group of groups) {
    let sum = 0;
    let squares = 0;
    for (const c of group) {
      for (let n = 0; n < batch; n++) {
        for (let p = (n * channels + c) * plane, end = p + plane; p < end; p++) sum += x.data[p]!;
      }
    }
    const count = group.length * batch * plane;
    const m = sum / count;
    for (const c of group) {
      for (let n = 0; n < batch; n++) {
        for (let p = (n * channels + c) * plane, end = p + plane; p < end; p++) squares += (x.data[p]! - m) ** 2;
      }
    }
    for (const c of group) {
      mean[c] = m;
      variance[c] = squares > 0 ? squares / count : 1;
    }
  }
  return { mean: tensor([channels], mean), variance: tensor([channels], variance) };
}
