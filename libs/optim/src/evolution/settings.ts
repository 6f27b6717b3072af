import { refuseUnknownSettings } from '../ledger.js';

/** @throws RangeError naming the setting, what came and what was due */
export function readCounts<Names extends string>(given: Readonly<Record<string, unknown>> | undefined, defaults: Readonly<Record<Names, number>>, least: Readonly<Record<Names, number>>): Readonly<Record<Names, number>> {
  refuseUnknownSettings(given, Object.keys(defaults));
  for (const [name, value] of Object.entries(given ?? {})) {
    const from = least[name as Names];
    if (!Number.isSafeInteger(value) || (value as number) < from) throw new RangeError(`settings.${name}: expected an integer from ${from}, got ${JSON.stringify(value)}`);
  }
  return { ...defaults, ...(given as Partial<Record<Names, number>> | undefined) } as Readonly<Record<Names, number>>;
}
