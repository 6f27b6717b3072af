import { displayUnit, formatNumber } from '../format/number.js';
import { axisRange, type AxisRange } from './range.js';
import type { Palette } from './palette.js';
import type { Column } from './plot-data.js';

export interface AxisView {
  readonly option: Record<string, unknown>;
  /** null: nothing to show */
  readonly range: AxisRange | null;
  readonly log: boolean;
}

const ARROW = { x: { lower: '← better', higher: 'better →' }, y: { lower: '↓ better', higher: '↑ better' } } as const;

/** A value axis or, for categories, their declared order. `rows`: the rows drawn; `keep`: those that must stay visible. */
export function axisOf(column: Column, at: 'x' | 'y', rows: readonly number[], keep: readonly number[], settings: { readonly log: boolean; readonly full: boolean }, palette: Palette): AxisView {
  const pick = (which: readonly number[]): (number | null)[] => which.map((i) => column.values[i]!);
  const values = pick(rows);
  const log = settings.log && column.categories === null && values.some((v) => v !== null && v > 0);
  const range = column.categories ? null : axisRange(values, pick(keep), settings.full, log);
  const largest = range ? Math.max(Math.abs(range.min), Math.abs(range.max)) : 0;
  const shown = displayUnit(column.unit, largest);
  const arrow = column.better ? `   ${ARROW[at][column.better]}` : '';
  const name = `${column.label}${shown.unit === '' ? '' : ` (${shown.unit})`}${arrow}`;
  const common = {
    name, nameTextStyle: { color: palette.ink, fontSize: 12, fontWeight: 600, ...(at === 'y' ? { align: 'left', padding: [0, 0, 4, -44] } : {}) },
    nameLocation: at === 'x' ? 'middle' : 'end', nameGap: at === 'x' ? 28 : 14,
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.axis } }, axisTick: { lineStyle: { color: palette.axis } },
    axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true }, splitLine: { show: true, lineStyle: { color: palette.grid } },
  };
  if (column.categories) return { option: { ...common, type: 'category', data: [...column.categories] }, range: null, log: false };
  return {
    option: {
      ...common, type: log ? 'log' : 'value', ...(range ? { min: range.min, max: range.max } : {}), splitNumber: 6,
      axisLabel: { ...common.axisLabel, formatter: (v: number) => formatNumber(v / shown.divisor), showMinLabel: false, showMaxLabel: false },
    },
    range, log,
  };
}
