/** Numbers as an engineer reads them: three significant digits, SI prefixes, a unit that stays with its figure. */

const PREFIXES: readonly (readonly [number, string])[] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n'], [1e-12, 'p']];
/** units that take a prefix; others (ms, KiB, %) carry theirs or can't have one */
const PREFIXABLE: ReadonlySet<string> = new Set(['s', 'J', 'B', 'W', '1', '', 'B/s', 'MAC/s']);

const MINUS = '\u2212';
const NARROW = '\u202f';

/** Plain figure with `digits` significant digits; thousands are set apart. NaN and infinities are said, null is a dash. */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return '–';
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return superscript(value.toExponential(digits - 1));
  const exponent = Math.floor(Math.log10(size));
  const text = Math.abs(Number.isInteger(value) && size < 1e6 ? value : round(value, digits, exponent)).toFixed(Number.isInteger(value) && size < 1e6 ? 0 : Math.max(0, Math.min(12, digits - 1 - exponent)));
  return (value < 0 ? MINUS : '') + group(trimZeros(text));
}

const round = (value: number, digits: number, exponent: number): number => {
  const step = 10 ** Math.max(0, exponent - digits + 1);
  return step > 1 ? Math.round(value / step) * step : value;
};
const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
const group = (text: string): string => {
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
};
const superscript = (text: string): string => {
  const [mantissa = '', power = '0'] = text.split('e');
  const raised = String(Number(power)).replace(/./g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]!));
  return `${mantissa.replace('-', MINUS)}·10${raised}`;
};

/** A figure with its unit: 0.0123 s → `12.3 ms`, 65536 B → `65.5 kB`, 12.3 ms stays `12.3 ms`, unit 1 has no sign of its own. */
export function formatQuantity(value: number | null | undefined, unit: string | null, digits = 3): string {
  if (value === null || value === undefined) return '–';
  const shown = unit === '1' || unit === null ? '' : unit;
  if (!PREFIXABLE.has(unit ?? '') || value === 0 || !Number.isFinite(value)) return join(formatNumber(value, digits), shown);
  if (shown === '' && Math.abs(value) < 1e4 && Math.abs(value) >= 1e-3) return formatNumber(value, digits);
  // bytes don't come in fractions
  const found = PREFIXES.find(([scale]) => Math.abs(value) >= scale * 0.9995) ?? PREFIXES.at(-1)!;
  const [scale, prefix] = (shown === 'B' || shown === '') && found[0] < 1 ? ([1, ''] as const) : found;
  return join(formatNumber(value / scale, digits), `${prefix}${shown}`);
}

const join = (figure: string, unit: string): string => (unit === '' ? figure : `${figure}\u00a0${unit}`);

/** A share 0 … 1 as percent; what is not quite nothing or all is not rounded to it. */
export function formatShare(share: number | null): string {
  if (share === null) return '–';
  if (share > 0 && share < 0.001) return '<\u202f0.1\u00a0%';
  if (share < 1 && share > 0.999) return '>\u202f99.9\u00a0%';
  return `${formatNumber(share * 100, share < 0.1 ? 2 : 3)}\u00a0%`;
}

/** Seconds as people say them: `850 ms`, `42 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds < 1) return `${Math.round(seconds * 1000)}\u00a0ms`;
  const s = Math.round(seconds);
  if (s < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : s}\u00a0s`;
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const two = (major: number, majorUnit: string, minor: number, minorUnit: string): string =>
  `${major}\u00a0${majorUnit}${minor === 0 ? '' : ` ${String(minor).padStart(2, '0')}\u00a0${minorUnit}`}`;

/** An ETA is a range and is said as one. */
export function formatRange([low, high]: readonly [number, number]): string {
  const a = formatDuration(low);
  const b = formatDuration(high);
  return a === b ? `about ${a}` : `${a} – ${b}`;
}

export function formatAge(then: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(then)) / 1000);
  return seconds < 5 ? 'just now' : `${formatDuration(seconds < 60 ? Math.floor(seconds) : Math.floor(seconds / 60) * 60).split(' ')[0]!} ago`;
}

export const formatCount = (n: number): string => group(String(n));

/** One unit for a whole axis or table column: what to divide by and what to write, from the largest magnitude shown. */
export function displayUnit(unit: string | null, largest: number): { readonly divisor: number; readonly unit: string } {
  const plain = unit === '1' || unit === null ? '' : unit;
  if (!PREFIXABLE.has(unit ?? '') || !Number.isFinite(largest) || largest === 0) return { divisor: 1, unit: plain };
  if (plain === '' && largest < 1e5) return { divisor: 1, unit: '' };
  const found = PREFIXES.find(([scale]) => Math.abs(largest) >= scale) ?? PREFIXES.at(-1)!;
  const [divisor, prefix] = (plain === 'B' || plain === '') && found[0] < 1 ? ([1, ''] as const) : found;
  return { divisor, unit: `${prefix}${plain}` };
}
