import type { Optimizer } from '../contract.js';
import { BoRun, NAME, VERSION } from './bo-run.js';
import { readSettings } from './settings.js';

/** Bayesian optimisation: Gaussian processes and log expected hypervolume improvement, with constraints, failures and mixed spaces. */
export const bo: Optimizer = {
  name: NAME,
  title: 'Bayesian optimisation',
  version: VERSION,
  start: (problem, settings) => new BoRun(problem, readSettings(settings, problem)),
  restore: (problem, snapshot, history, settings) => BoRun.restore(problem, snapshot, history, readSettings(settings, problem)),
};
