import { auto } from './auto/auto.js';
import { bo } from './bo/bo.js';
import type { Optimizer } from './contract.js';
import { nsga2 } from './evolution/nsga2.js';
import { regularisedEvolution } from './evolution/regularised-evolution.js';
import { mads } from './mads/mads.js';
import { random } from './random/random.js';
import { sobol } from './sobol/sobol.js';
import { tpe } from './tpe/tpe.js';

const OPTIMIZERS: readonly Optimizer[] = [auto, mads, bo, tpe, nsga2, regularisedEvolution, sobol, random];

/** All optimizers, in the order they are shown. */
export function optimizers(): readonly Optimizer[] {
  return OPTIMIZERS;
}

/** @throws RangeError naming the known ones */
export function optimizerNamed(name: string): Optimizer {
  const found = OPTIMIZERS.find((o) => o.name === name);
  if (!found) throw new RangeError(`expected one of ${OPTIMIZERS.map((o) => o.name).join(', ')}, got ${JSON.stringify(name)}`);
  return found;
}
