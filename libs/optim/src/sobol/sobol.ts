/** Scrambled Sobol points in their order: even cover of the space, as a design or as a baseline without chance between points. */
import { Rng, Sobol } from '@app/numeric';
import type { Optimizer, SearchProblem } from '../contract.js';
import { DrawingRun } from '../drawing-run.js';
import { Ledger, readSnapshot, refuseUnknownSettings } from '../ledger.js';

const NAME = 'sobol';
const VERSION = 2;

/** @param from  index of the next point of the sequence */
function run({ space, seed }: SearchProblem, ledger: Ledger, rng: Rng, from: number): DrawingRun {
  const sequence = new Sobol(space.dimension, seed);
  let index = from;
  return new DrawingRun(sobol, ledger, rng, () => [ledger.drawUnseen(rng, () => space.fromUnit(sequence.point(index++))), NAME], () => ({ index }));
}

export const sobol: Optimizer = {
  name: NAME,
  title: 'Scrambled Sobol sequence',
  version: VERSION,
  start(problem, settings) {
    refuseUnknownSettings(settings, []);
    return run(problem, new Ledger(problem), Rng.of(problem.seed, NAME), 0);
  },
  restore(problem, snapshot, history, settings) {
    refuseUnknownSettings(settings, []);
    const state = readSnapshot(snapshot, NAME, VERSION);
    return run(problem, new Ledger(problem, state['pending'], history), Rng.fromState(state['rng'] as number[]), state['index'] as number);
  },
};
