/** Independent uniform draws over the values of each parameter: the baseline every other method has to beat. */
import { Rng } from '@app/numeric';
import type { Optimizer } from '../contract.js';
import { DrawingRun } from '../drawing-run.js';
import { Ledger, readSnapshot, refuseUnknownSettings } from '../ledger.js';

const NAME = 'random';
const VERSION = 2;

const run = (ledger: Ledger, rng: Rng): DrawingRun => new DrawingRun(random, ledger, rng, () => [ledger.drawRandom(rng), NAME]);

export const random: Optimizer = {
  name: NAME,
  title: 'Random search',
  version: VERSION,
  start(problem, settings) {
    refuseUnknownSettings(settings, []);
    return run(new Ledger(problem), Rng.of(problem.seed, NAME));
  },
  restore(problem, snapshot, history, settings) {
    refuseUnknownSettings(settings, []);
    const state = readSnapshot(snapshot, NAME, VERSION);
    return run(new Ledger(problem, state['pending'], history), Rng.fromState(state['rng'] as number[]));
  },
};
