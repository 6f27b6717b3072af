import type { Brush } from '../state/selection.js';
import { displayUnit, formatNumber } from '../format/number.js';
import type { Palette } from './palette.js';
import type { Column, PlotData } from './plot-data.js';
import { axisRange } from './range.js';

export interface ParallelSettings {
  /** keys of the axes, left to right */
  readonly axes: readonly string[];
  readonly log: ReadonlySet<string>;
  readonly brush: Brush;
  readonly selected: number | null;
  /** dominated trials drawn at most; the front is always drawn whole */
  readonly sample: number;
}

export interface ParallelPlot {
  readonly option: Record<string, unknown>;
  /** axes in the order of the chart's dimensions */
  readonly axes: readonly string[];
  /** axes asked for that can't be drawn, and why */
  readonly collapsed: readonly { readonly key: string; readonly reason: string }[];
  readonly frontDrawn: number;
  readonly sampled: number;
  readonly sampledFrom: number;
}

/** Front and an even sample of the dominated trials as polylines. Every objective's axis is turned so that better is up. */
export function parallelPlot(data: PlotData, settings: ParallelSettings, palette: Palette): ParallelPlot {
  const collapsed: { key: string; reason: string }[] = [];
  const columns: Column[] = [];
  for (const key of settings.axes) {
    const column = data.columns.get(key);
    const reason = column ? whyCollapsed(column) : 'no trial has reported it';
    if (reason === null) columns.push(column!);
    else collapsed.push({ key, reason });
  }
  const complete = data.number.map((_, i) => i).filter((i) => (data.classes[i] === 'front' || data.classes[i] === 'dominated') && columns.some((c) => c.values[i] !== null));
  const front = complete.filter((i) => data.classes[i] === 'front');
  const dominated = complete.filter((i) => data.classes[i] === 'dominated');
  const step = Math.max(1, Math.ceil(dominated.length / settings.sample));
  const sample = dominated.filter((_, k) => k % step === 0);
  const line = (i: number): unknown[] => columns.map((c) => c.values[i] ?? '-');
  const selectedRow = settings.selected === null ? undefined : data.rowOf.get(settings.selected);
  const base = { type: 'parallel', inactiveOpacity: 0.05, activeOpacity: 1, smooth: false, progressive: 0, silent: true };
  return {
    option: {
      animation: false,
      parallel: { left: 76, right: 96, top: 64, bottom: 28, axisExpandable: false, parallelAxisDefault: { areaSelectStyle: { width: 18, color: palette.accent, opacity: 0.25, borderColor: palette.accent, borderWidth: 1 } } },
      parallelAxis: columns.map((c, dim) => parallelAxis(c, dim, settings, data, palette)),
      series: [
        { ...base, id: 'dominated', z: 2, lineStyle: { color: palette.mark.dominated, width: 0.8, opacity: 0.18 }, inactiveOpacity: 0.02, activeOpacity: 0.35, data: sample.map((i) => ({ value: line(i), name: String(data.number[i]) })) },
        { ...base, id: 'front', z: 3, lineStyle: { color: palette.mark.front, width: 1.6, opacity: 0.85 }, data: front.map((i) => ({ value: line(i), name: String(data.number[i]) })) },
        { ...base, id: 'selected', z: 5, lineStyle: { color: palette.ink, width: 3, opacity: 1 }, inactiveOpacity: 1, data: selectedRow === undefined ? [] : [{ value: line(selectedRow), name: String(settings.selected) }] },
      ],
    },
    axes: columns.map((c) => c.key), collapsed, frontDrawn: front.length, sampled: sample.length, sampledFrom: dominated.length,
  };
}

function whyCollapsed(column: Column): string | null {
  const seen = new Set(column.values.filter((v) => v !== null));
  if (seen.size === 0) return 'no trial has a value';
  if (seen.size > 1) return null;
  const [only] = seen;
  return `the same in every trial: ${column.categories ? column.categories[only!] : formatNumber(only!)}`;
}

function parallelAxis(column: Column, dim: number, settings: ParallelSettings, data: PlotData, palette: Palette): Record<string, unknown> {
  const finite = column.values.map((v, i) => (data.classes[i] === 'front' || data.classes[i] === 'dominated' ? v : null));
  const log = settings.log.has(column.key) && column.categories === null && finite.every((v) => v === null || v > 0);
  const range = column.categories ? null : axisRange(finite, [], true, log);
  const shown = displayUnit(column.unit, range ? Math.max(Math.abs(range.min), Math.abs(range.max)) : 0);
  const inverse = column.better === 'lower';
  const title = column.label.replace(' on ', '\n');
  return {
    id: `axis${dim}`, dim, name: `${title}${shown.unit === '' ? '' : `\n(${shown.unit})`}`, inverse, nameLocation: inverse ? 'start' : 'end', nameGap: 14,
    nameTextStyle: { color: column.better ? palette.ink : palette.muted, fontSize: 11, lineHeight: 14, fontWeight: data.objectives.includes(column.key) ? 600 : 400 },
    axisLine: { lineStyle: { color: palette.axis, width: 1.2 } }, axisTick: { lineStyle: { color: palette.axis } },
    axisLabel: { color: palette.muted, fontSize: 10.5, textBorderColor: palette.surface, textBorderWidth: 2, ...(column.categories ? {} : { formatter: (v: number) => formatNumber(v / shown.divisor), showMinLabel: false, showMaxLabel: false }) },
    ...(column.categories ? { type: 'category', data: [...column.categories] } : { type: log ? 'log' : 'value', ...(range ? { min: range.min, max: range.max } : {}) }),
  };
}

/** Ranges the chart has reported for an axis, as a brush has it: the hull of what was dragged; none: the axis is free again. */
export function brushWith(brush: Brush, key: string, intervals: readonly (readonly number[])[]): Brush {
  const rest = Object.fromEntries(Object.entries(brush).filter(([k]) => k !== key));
  const ends = intervals.flat().filter(Number.isFinite);
  return ends.length < 2 ? rest : { ...rest, [key]: [Math.min(...ends), Math.max(...ends)] };
}

const WIDE = 50;

/** Columns that spread over so many orders that a linear axis would press most trials into one corner: logarithmic unless told otherwise. */
export function wideColumns(data: PlotData): string[] {
  return [...data.columns.values()].flatMap((column) => {
    const values = column.values.filter((v): v is number => v !== null);
    const [low, high] = values.reduce<[number, number]>(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    return column.categories === null && low > 0 && high / low > WIDE ? [column.key] : [];
  });
}
