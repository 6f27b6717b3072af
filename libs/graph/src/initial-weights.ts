import { Rng } from '@app/numeric';
import type { Weights } from './op.js';
import { opOf } from './ops/index.js';
import { elements, tensor } from './shape.js';
import type { Graph, Node, Shape, Tensor, WeightSpec } from './types.js';
import { inferShapes } from './verify.js';

/** First slope of a PReLU, as in He et al. 2015, Delving Deep into Rectifiers, § 4. */
const PRELU_SLOPE = 0.25;

/** Names, shapes and first values of a node's weights. */
export function weightsOf(node: Node, shapes: ReadonlyMap<string, Shape>): readonly WeightSpec[] {
  return opOf(node).weights(node.attrs, node.inputs.map((id) => shapes.get(id)!));
}

function initialTensor(spec: WeightSpec, rng: Rng): Tensor {
  const result = tensor(spec.shape, new Float32Array(elements(spec.shape)));
  switch (spec.init) {
    case 'kaiming-normal': {
      const deviation = Math.sqrt(2 / spec.fanIn);
      for (let i = 0; i < result.data.length; i++) result.data[i] = deviation * rng.normal();
      return result;
    }
    case 'ones':
    case 'running-variance':
      result.data.fill(1);
      return result;
    case 'prelu-slope':
      result.data.fill(PRELU_SLOPE);
      return result;
    case 'zeros':
    case 'running-mean':
      return result;
  }
}

/**
 * First weights by node id and weight name. Kaiming normal is N(0, 2 / fan-in) (He et al. 2015, eq. 10); running means are 0,
 * running variances 1. Each tensor has its own stream, named by node and weight: the same seed and ids give the same values
 * whatever else the graph holds. Nodes without weights have no entry.
 *
 * @param seed finite number
 */
export function initialWeights(graph: Graph, seed: number): ReadonlyMap<string, Weights> {
  const shapes = inferShapes(graph);
  const all = new Map<string, Weights>();
  for (const node of graph.nodes) {
    const specs = weightsOf(node, shapes);
    if (specs.length === 0) continue;
    all.set(node.id, Object.fromEntries(specs.map((spec) => [spec.name, initialTensor(spec, Rng.of(seed, 'weights', node.id, spec.name))])));
  }
  return all;
}
