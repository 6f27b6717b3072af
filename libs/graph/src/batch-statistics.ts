import { evaluateNodes } from './evaluate.js';
import type { Weights } from './op.js';
import { tensor } from './shape.js';
import type { Graph, Tensor } from './types.js';

/**
 * The weights with every batch norm's running mean and variance set to those its layer has on one batch, all channels of the layer
 * taken together: layer-sequential unit variance (Mishkin and Matas 2016, All You Need is a Good Init) by way of the batch norms.
 *
 * Without it the sums of an untrained network grow from cell to cell (threefold in each of NAS-Bench-201's fifteen) until float32
 * leaves nothing to compare. Channel by channel would be what a training step sees, but on maps of a few positions some channels
 * hardly vary and would be blown up. A constant layer keeps variance 1.
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
  let sum = 0;
  for (const v of x.data) sum += v;
  const mean = sum / x.data.length;
  let squares = 0;
  for (const v of x.data) squares += (v - mean) ** 2;
  const variance = squares > 0 ? squares / x.data.length : 1;
  const channels = x.shape[1]!;
  return { mean: tensor([channels], new Float32Array(channels).fill(mean)), variance: tensor([channels], new Float32Array(channels).fill(variance)) };
}
