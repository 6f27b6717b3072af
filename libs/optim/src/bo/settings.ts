import { refuseUnknownSettings } from '../ledger.js';

export interface BoSettings {
  /** Sobol points before the first model, start points included; default min(2(n+1), 20), at most a third of the trials. */
  readonly initialPoints: number | null;
  /** Points at which the acquisition is looked at before the local searches. */
  readonly candidates: number;
  /** Local searches of the acquisition an ask. */
  readonly localSearches: number;
  /** Told points a model keeps; with more, each ask learns from those near one good point and looks there, see `trust-region.ts`. */
  readonly modelPoints: number;
  /** One objective without limits: ask where mean - kappa·deviation is least, instead of by expected improvement; null: the latter. */
  readonly kappa: number | null;
  /** Outcomes carry noise, to be learned where the problem does not state how much; improvement is then averaged over what the front may be, see `noisy-acquisition.ts`. */
  readonly noise: boolean;
}

const DEFAULTS: BoSettings = { initialPoints: null, candidates: 1024, localSearches: 8, modelPoints: 400, kappa: null, noise: false };
const LEAST = { initialPoints: 1, candidates: 1, localSearches: 1, modelPoints: 10 } as const;

/** @throws RangeError naming the setting, what came and what was due */
export function readSettings(given: Readonly<Record<string, unknown>> = {}, problem?: { readonly objectives: number; readonly constraints: number }): BoSettings {
  refuseUnknownSettings(given, Object.keys(DEFAULTS));
  for (const [name, value] of Object.entries(given)) {
    if (name === 'kappa') {
      if (value === null) continue;
      if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) throw new RangeError(`settings.kappa: expected a finite number from 0, got ${JSON.stringify(value)}`);
      if (problem && (problem.objectives !== 1 || problem.constraints > 0)) throw new RangeError(`settings.kappa: expected one objective and no limits, got ${problem.objectives} and ${problem.constraints}`);
      continue;
    }
    if (name === 'noise') {
      if (typeof value !== 'boolean') throw new RangeError(`settings.noise: expected true or false, got ${JSON.stringify(value)}`);
      continue;
    }
    const least = LEAST[name as keyof typeof LEAST];
    if (name === 'initialPoints' && value === null) continue;
    if (!Number.isSafeInteger(value) || (value as number) < least) throw new RangeError(`settings.${name}: expected an integer from ${least}, got ${JSON.stringify(value)}`);
  }
  return { ...DEFAULTS, ...given };
}
