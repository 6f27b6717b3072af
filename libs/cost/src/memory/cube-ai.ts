import type { Graph } from '@app/graph';
import { planOnce } from '../plan.js';

export interface RuntimeTerms {
  /** B of code and constants that are no weights */
  readonly flash: number;
  /** B of RAM besides activations */
  readonly ram: number;
}

/**
 * What the code that STM32Cube.AI (X-CUBE-AI from version 8) generates takes beside weights and activations. Each operator has its record and
 * kernels, each output channel of a layer its scale.
 *
 * Least squares over the eight networks of ST's model zoo with known layers (README tables, STM32Cube.AI 9.1): with one network
 * left out, code errs by 5 % on average and 14 % at worst, RAM by 11 % and 35 %.
 *
 * @throws GraphError if the graph breaks a rule
 */
export function cubeAiTerms(graph: Graph): RuntimeTerms {
  const units = planOnce(graph).units.filter((u) => !u.view && u.node.kind !== 'input' && u.node.kind !== 'constant');
  return cubeAiTermsOf(units.length, units.reduce((sum, u) => sum + u.weights.channels, 0));
}

/** The same of a network of so many operators and output channels of layers. */
export function cubeAiTermsOf(operators: number, channels: number): RuntimeTerms {
  return { flash: 42_860 + 646 * operators + 3.7 * channels, ram: 2_780 + 443 * operators };
}

/** The runtimes these terms hold for. */
export function isCubeAi(runtime: string): boolean {
  let known = RUNTIMES.get(runtime);
  if (known === undefined) RUNTIMES.set(runtime, (known = /stm32cube\.ai|x-cube-ai (8|9|1\d)/i.test(runtime)));
  return known;
}

/** asked for every network on every device */
const RUNTIMES = new Map<string, boolean>();
