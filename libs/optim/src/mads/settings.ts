import { refuseUnknownSettings } from '../ledger.js';

export interface MadsSettings {
  /** Points of the first design besides the start points; default min(2(n+1), 20), at most a third of the trials. */
  readonly initialPoints: number | null;
  /** Poll directions: `2n`, or `n+1`, about half the cost of a failed poll. */
  readonly directions: '2n' | 'n+1';
  /** Stop a poll at its first success. */
  readonly opportunistic: boolean;
  readonly speculativeSearch: boolean;
  readonly modelSearch: boolean;
  readonly distanceSearch: boolean;
  /** With one objective only, on its continuous and integer variables. Off: beside quadratic models it gained nothing on the test problems. */
  readonly nelderMeadSearch: boolean;
  readonly middleSearch: boolean;
  readonly jumpSearch: boolean;
}

const DEFAULTS: MadsSettings = { initialPoints: null, directions: 'n+1', opportunistic: true, speculativeSearch: true, modelSearch: true, distanceSearch: true, nelderMeadSearch: false, middleSearch: true, jumpSearch: true };

/** @throws RangeError naming the setting, what came and what was due */
export function readSettings(given: Readonly<Record<string, unknown>> = {}): MadsSettings {
  refuseUnknownSettings(given, Object.keys(DEFAULTS));
  for (const [name, value] of Object.entries(given)) {
    const due = name === 'initialPoints' ? 'an integer from 1' : name === 'directions' ? '"2n" or "n+1"' : 'true or false';
    const good = name === 'initialPoints' ? Number.isInteger(value) && (value as number) >= 1 : name === 'directions' ? value === '2n' || value === 'n+1' : typeof value === 'boolean';
    if (!good) throw new RangeError(`settings.${name}: expected ${due}, got ${JSON.stringify(value)}`);
  }
  return { ...DEFAULTS, ...given };
}
