import type { Optimizer } from '../contract.js';
import { MadsRun, NAME, VERSION } from './mads-run.js';
import { readSettings } from './settings.js';

/** Mesh adaptive direct search: DMulti-MADS with granular mesh, progressive barrier, model searches and categorical polls. */
export const mads: Optimizer = {
  name: NAME,
  title: 'Mesh adaptive direct search',
  version: VERSION,
  start: (problem, settings) => new MadsRun(problem, readSettings(settings)),
  restore: (problem, snapshot, history, settings) => MadsRun.restore(problem, snapshot, history, readSettings(settings)),
};
