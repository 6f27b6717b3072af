import type { Graph } from '@app/graph';
import { planExecution, storedWeightBytes } from '../plan.js';
import type { Precision } from '../types.js';

/**
 * B of a network's weights in flash as tools report them: weights at the precision, biases (own ones and those of folded batch norms)
 * in 32 bits for int8. Scales, names and code are the runtime's and come on top.
 *
 * @throws GraphError if the graph breaks a rule
 */
export function weightFlashBytes(graph: Graph, precision: Precision): number {
  return planExecution(graph).units.reduce((sum, unit) => sum + storedWeightBytes(unit.weights, precision), 0);
}
