const METRIC_NAMES: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy', error: 'Error', latency: 'Latency', energy: 'Energy', peakRam: 'Peak RAM', flash: 'Flash', macs: 'MACs', params: 'Parameters',
};
/** of the metrics Caddis knows, those of which more is better */
const HIGHER_IS_BETTER: ReadonlySet<string> = new Set(['accuracy']);
const KNOWN: ReadonlySet<string> = new Set(Object.keys(METRIC_NAMES));

/** `latency@pixel-3` → `Latency on pixel-3` */
export function columnLabel(key: string): string {
  const at = key.indexOf('@');
  if (at < 0) return METRIC_NAMES[key] ?? key;
  const metric = key.slice(0, at);
  return `${METRIC_NAMES[metric] ?? metric} on ${key.slice(at + 1)}`;
}

/** Label with the unit behind it, as an axis carries it: `Latency on pixel-3 (ms)` */
export const axisLabel = (key: string, unit: string | null): string => (unit === null || unit === '1' || unit === '' ? columnLabel(key) : `${columnLabel(key)} (${unit})`);

/** Which way a column is better; null where nobody said. */
export function betterOf(key: string, objectives: readonly { readonly key: string; readonly direction: 'minimize' | 'maximize' }[]): 'lower' | 'higher' | null {
  const objective = objectives.find((o) => o.key === key);
  if (objective) return objective.direction === 'minimize' ? 'lower' : 'higher';
  const metric = key.split('@')[0]!;
  if (!KNOWN.has(metric)) return null;
  return HIGHER_IS_BETTER.has(metric) ? 'higher' : 'lower';
}

export const OP_LABEL: Readonly<Record<'<=' | '>=', string>> = { '<=': '≤', '>=': '≥' };
