/**
 * One parameter as a coordinate: gene ↔ value ↔ position in the unit interval.
 *
 * Grids (int, stepped float) have values min + k·step, formed by integer arithmetic in the smallest decimal unit that
 * min and step share, so that no rounding noise shows. A continuous float lies on a very fine decimal grid
 * (≥ 12 digits of its range, or 12 significant digits on a log scale): equal points are then equal doubles.
 */
import type { FloatParameter, IntParameter, Parameter, Scalar } from './parameter.js';
import { show } from './space-error.js';

export interface Axis {
  /** number of values; Infinity: continuous */
  readonly size: number;
  /** gene of the declared default; else the middle (numeric, ordinal) or the first value (categorical) */
  readonly defaultGene: number;
  /** Gene, in range, to value. */
  decode(gene: number): Scalar;
  /** Value to gene, or what is wrong with it. */
  encode(value: unknown): number | { readonly fault: string };
  /** Clipped and on the grid; NaN is refused by the caller. */
  snap(gene: number): number;
  /** [0, 1]: middle of the gene's cell; continuous: the gene itself */
  toUnit(gene: number): number;
  /** The gene whose cell holds u. */
  fromUnit(u: number): number;
}

/** Largest grid: an index must stay an exact integer, with room for arithmetic. */
export const MAX_GRID = 2 ** 48;

export function createAxis(parameter: Parameter): Axis {
  if (parameter.type === 'categorical' || parameter.type === 'ordinal') return listAxis(parameter.values, parameter.default, parameter.type);
  if (parameter.min === parameter.max || parameter.type === 'int' || parameter.step !== undefined) return gridAxis(parameter);
  return continuousAxis(parameter);
}

function listAxis(values: readonly Scalar[], declared: Scalar | undefined, type: 'categorical' | 'ordinal'): Axis {
  const size = values.length;
  const middle = type === 'ordinal' ? Math.floor((size - 1) / 2) : 0;
  return {
    size,
    defaultGene: declared === undefined ? middle : values.indexOf(declared),
    decode: (gene) => values[gene]!,
    encode: (value) => {
      const index = values.indexOf(value as Scalar);
      return index >= 0 ? index : { fault: `expected one of ${values.map(show).join(', ')}, got ${show(value)}` };
    },
    snap: (gene) => clip(Math.round(gene), 0, size - 1),
    toUnit: (gene) => (gene + 0.5) / size,
    fromUnit: (u) => clip(Math.floor(u * size), 0, size - 1),
  };
}

/** Steps of a grid parameter; an int without a step counts by ones. */
export function stepOf(parameter: FloatParameter | IntParameter): number {
  return parameter.step ?? (parameter.type === 'int' ? 1 : 0);
}

/** Exact k ↦ min + k·step, as the nearest double to the decimal value. */
export function gridValue(min: number, step: number): (k: number) => number {
  const decimals = Math.max(decimalsOf(min), decimalsOf(step));
  const unit = 10 ** decimals;
  const [a, s] = [Math.round(min * unit), Math.round(step * unit)];
  return (k) => {
    const n = a + k * s;
    return decimals <= 22 && Number.isSafeInteger(n) ? n / unit : Number((min + k * step).toPrecision(15));
  };
}

function gridAxis(parameter: FloatParameter | IntParameter): Axis {
  const { min, max } = parameter;
  const step = stepOf(parameter);
  const size = min === max ? 1 : Math.round((max - min) / step) + 1;
  const value = gridValue(min, step);
  const encode = (v: unknown): number | { fault: string } => {
    if (typeof v !== 'number' || !Number.isFinite(v)) return { fault: `expected a number from ${min} to ${max}, got ${show(v)}` };
    const slack = 1e-9 * (step || Math.max(1, Math.abs(min)));
    if (v < min - slack || v > max + slack) return { fault: `expected a number from ${min} to ${max}, got ${v}` };
    const k = size === 1 ? 0 : clip(Math.round((v - min) / step), 0, size - 1);
    if (Math.abs(value(k) - v) <= slack) return k;
    return { fault: `expected ${min} + k·${step} (nearest: ${value(k)}), got ${v}` };
  };
  const declared = parameter.default === undefined ? Math.floor((size - 1) / 2) : encode(parameter.default);
  const common = { size, defaultGene: typeof declared === 'number' ? declared : 0, decode: value, encode, snap: (gene: number) => clip(Math.round(gene), 0, size - 1) };
  if (parameter.scale !== 'log' || size === 1) {
    return { ...common, toUnit: (gene) => (gene + 0.5) / size, fromUnit: (u) => clip(Math.floor(u * size), 0, size - 1) };
  }
  // Cells in the logarithm: borders half a step above each value; the first cell is symmetric about its value.
  const border = (k: number): number => (k < 0 ? 2 * Math.log(min) - Math.log(min + step / 2) : Math.log(value(k) + step / 2));
  const [low, high] = [border(-1), border(size - 1)];
  return {
    ...common,
    toUnit: (gene) => ((border(gene - 1) + border(gene)) / 2 - low) / (high - low),
    fromUnit: (u) => clip(Math.round((Math.exp(low + u * (high - low)) - min) / step), 0, size - 1),
  };
}

function continuousAxis(parameter: FloatParameter): Axis {
  const { min, max } = parameter;
  const log = parameter.scale === 'log';
  const spread = log ? Math.log(max / min) : max - min;
  // 10^-decimals is at least 1e-12 of the range and at least 1e-14 of the largest value: what a double can hold.
  const decimals = Math.floor(Math.min(12 - Math.log10(max - min), 14 - Math.log10(Math.max(Math.abs(min), Math.abs(max)))));
  const tidy = log ? (v: number) => Number(v.toPrecision(12)) : (v: number) => roundDecimals(v, decimals);
  const value = (gene: number): number => clip(tidy(log ? min * Math.exp(gene * spread) : min + gene * spread), min, max);
  const gene = (v: number): number => clip((log ? Math.log(v / min) : v - min) / spread, 0, 1);
  const snap = (g: number): number => gene(value(clip(g, 0, 1)));
  return {
    size: Infinity,
    defaultGene: snap(parameter.default === undefined ? 0.5 : gene(parameter.default)),
    decode: value,
    encode: (v) => {
      if (typeof v !== 'number' || !(v >= min && v <= max)) return { fault: `expected a number from ${min} to ${max}, got ${show(v)}` };
      return snap(gene(v));
    },
    snap,
    toUnit: (g) => g,
    fromUnit: snap,
  };
}

function roundDecimals(v: number, decimals: number): number {
  const unit = 10 ** Math.abs(decimals);
  const rounded = decimals >= 0 ? Math.round(v * unit) / unit : Math.round(v / unit) * unit;
  return Number.isFinite(rounded) ? rounded + 0 : v;
}

/** Digits after the point in the shortest decimal that reads back as v. */
function decimalsOf(v: number): number {
  const [mantissa, exponent] = v.toExponential().split('e');
  return Math.max(0, (mantissa!.split('.')[1]?.length ?? 0) - Number(exponent));
}

function clip(v: number, low: number, high: number): number {
  return v <= low ? low : v >= high ? high : v;
}
