import { axisOf } from './axis.js';
import type { Palette, PointClass } from './palette.js';
import type { Column, PlotData } from './plot-data.js';
import { countOutside } from './range.js';

export interface ScatterSettings {
  readonly x: string;
  readonly y: string;
  readonly logX: boolean;
  readonly logY: boolean;
  /** every value inside the axes, however far out */
  readonly full: boolean;
  readonly hidden: ReadonlySet<PointClass>;
  readonly selected: number | null;
  readonly pinned: readonly number[];
  /** rows inside the ranges set; null: no range */
  readonly within: readonly boolean[] | null;
  /** rows of the front among those within the ranges; null: no range */
  readonly localFront: readonly number[] | null;
}

export interface ScatterPlot {
  readonly option: Record<string, unknown>;
  /** trials drawn, those with no value on an axis, and those outside the robust range */
  readonly drawn: number;
  readonly missing: number;
  readonly outside: number;
  /** trial numbers of the front along x, the way the arrow keys go */
  readonly frontOrder: readonly number[];
}

/** [x, y, trial number] */
type Mark = [number, number, number];

const SYMBOL: Readonly<Record<PointClass, string>> = { front: 'diamond', dominated: 'circle', infeasible: 'circle', open: 'rect', failed: 'triangle' };
const SIZE: Readonly<Record<PointClass, number>> = { front: 11, dominated: 6, infeasible: 6, open: 7, failed: 7 };
/** painted from the back to the front */
const PAINT_ORDER: readonly PointClass[] = ['infeasible', 'failed', 'open', 'dominated', 'front'];

/**
 * Two columns of a study against each other: dominated trials faint, the front as diamonds (joined by a staircase where these two
 * are all the objectives there are), infeasible ones hollow, limits as lines with their forbidden side shaded.
 */
export function frontScatter(data: PlotData, settings: ScatterSettings, palette: Palette): ScatterPlot | null {
  const cx = data.columns.get(settings.x);
  const cy = data.columns.get(settings.y);
  if (!cx || !cy) return null;
  const shown = data.number.map((_, i) => i).filter((i) => !settings.hidden.has(data.classes[i]!));
  const rows = shown.filter((i) => cx.values[i] !== null && cy.values[i] !== null);
  const front = rows.filter((i) => data.classes[i] === 'front');
  const ax = axisOf(cx, 'x', rows, front, { log: settings.logX, full: settings.full }, palette);
  const ay = axisOf(cy, 'y', rows, front, { log: settings.logY, full: settings.full }, palette);
  const mark = (i: number): Mark => [cx.values[i]!, cy.values[i]!, data.number[i]!];
  const sorted = [...front].sort((a, b) => cx.values[a]! - cx.values[b]! || cy.values[a]! - cy.values[b]!);
  const outside = (ax.range ? countOutside(rows.map((i) => cx.values[i]!), ax.range) : 0) + (ay.range ? countOutside(rows.map((i) => cy.values[i]!), ay.range) : 0);
  return {
    option: {
      animation: false,
      grid: { left: 60, right: 26, top: 36, bottom: 52, containLabel: false },
      xAxis: ax.option,
      yAxis: ay.option,
      tooltip: { trigger: 'item', confine: true, className: 'chart-tip', transitionDuration: 0, borderWidth: 0, padding: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow:none' },
      graphic: betterCorner(cx, cy, palette),
      series: [
        ...PAINT_ORDER.filter((c) => !settings.hidden.has(c)).map((c) => classSeries(c, rows.filter((i) => data.classes[i] === c), mark, settings, palette)),
        ...staircase(data, settings, sorted.map(mark), cx, cy, palette),
        ...localFrontSeries(settings, mark, rows, palette),
        ...limits(data, settings, ax.range, ay.range, palette),
        emphasis(data, settings, mark, rows, palette),
      ],
    },
    drawn: rows.length,
    missing: shown.length - rows.length,
    outside,
    frontOrder: sorted.map((i) => data.number[i]!),
  };
}

function classSeries(c: PointClass, rows: readonly number[], mark: (i: number) => Mark, settings: ScatterSettings, palette: Palette): Record<string, unknown> {
  const colour = palette.mark[c];
  const hollow = c === 'infeasible' || c === 'open';
  const faint = rows.length > 3000 ? 0.3 : rows.length > 600 ? 0.45 : 0.6;
  const inside = (i: number): boolean => settings.within === null || settings.within[i] === true;
  return {
    id: c, name: c, type: 'scatter', symbol: SYMBOL[c], symbolSize: SIZE[c], z: c === 'front' ? 6 : 3, cursor: 'pointer',
    itemStyle: {
      color: hollow ? 'transparent' : colour, borderColor: c === 'front' ? palette.surface : colour, borderWidth: c === 'front' ? 0.8 : hollow ? 1.1 : 0,
      borderType: c === 'open' ? 'dashed' : 'solid', opacity: c === 'front' || c === 'failed' ? 1 : c === 'dominated' ? faint : 0.75,
    },
    emphasis: { scale: 1.6, itemStyle: { opacity: 1 } },
    data: settings.within === null ? rows.map(mark) : rows.map((i) => (inside(i) ? mark(i) : { value: mark(i), itemStyle: { opacity: 0.1 } })),
  };
}

/** The front as a staircase, corners on the dominated side: no trade-off between two trials is claimed that none has shown. */
function staircase(data: PlotData, settings: ScatterSettings, marks: readonly Mark[], cx: Column, cy: Column, palette: Palette): Record<string, unknown>[] {
  const pair = new Set([settings.x, settings.y]);
  if (data.objectives.length !== 2 || pair.size !== 2 || !data.objectives.every((k) => pair.has(k)) || cx.categories || cy.categories || settings.hidden.has('front')) return [];
  return [{
    id: 'staircase', type: 'line', step: cx.better === 'higher' ? 'start' : 'end', data: marks.map((m) => [m[0], m[1]]), showSymbol: false, silent: true, z: 5,
    lineStyle: { color: palette.mark.front, width: 1.4, opacity: 0.85 }, tooltip: { show: false },
  }];
}

function localFrontSeries(settings: ScatterSettings, mark: (i: number) => Mark, rows: readonly number[], palette: Palette): Record<string, unknown>[] {
  if (settings.localFront === null) return [];
  const drawn = new Set(rows);
  return [{
    id: 'local-front', type: 'scatter', symbol: 'diamond', symbolSize: 17, silent: true, z: 7, tooltip: { show: false },
    itemStyle: { color: 'transparent', borderColor: palette.mark.front, borderWidth: 1.2 }, data: settings.localFront.filter((i) => drawn.has(i)).map(mark),
  }];
}

/** Limits of the study on either axis: a line at the value, the forbidden side shaded up to the edge. */
function limits(data: PlotData, settings: ScatterSettings, rx: { min: number; max: number } | null, ry: { min: number; max: number } | null, palette: Palette): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const areas: unknown[] = [];
  for (const { key, op, value } of data.constraints) {
    for (const [axis, on, range] of [['xAxis', settings.x, rx], ['yAxis', settings.y, ry]] as const) {
      if (key !== on || range === null) continue;
      if (value >= range.min && value <= range.max) lines.push({ [axis]: value, name: op, label: { formatter: `limit ${op === '<=' ? '≤' : '≥'} ${value}`, position: axis === 'xAxis' ? 'end' : 'insideEndTop', color: palette.limit, fontSize: 11 } });
      const [from, to] = op === '<=' ? [Math.max(value, range.min), range.max] : [range.min, Math.min(value, range.max)];
      if (from < to) areas.push([{ [axis]: from }, { [axis]: to }]);
    }
  }
  if (lines.length === 0 && areas.length === 0) return [];
  return [{
    id: 'limits', type: 'scatter', data: [], silent: true, z: 1,
    markLine: { silent: true, symbol: 'none', animation: false, lineStyle: { color: palette.limit, type: 'dashed', width: 1.2 }, data: lines },
    markArea: { silent: true, itemStyle: { color: palette.limitZone }, data: areas },
  }];
}

/** A ring round the selected trial, numbered rings round the pinned ones. */
function emphasis(data: PlotData, settings: ScatterSettings, mark: (i: number) => Mark, rows: readonly number[], palette: Palette): Record<string, unknown> {
  const drawn = new Set(rows);
  const ring = (number: number, selected: boolean): unknown[] => {
    const row = data.rowOf.get(number);
    if (row === undefined || !drawn.has(row)) return [];
    return [{
      value: mark(row), symbolSize: selected ? 20 : 17, itemStyle: { color: 'transparent', borderColor: selected ? palette.ink : palette.accent, borderWidth: selected ? 2 : 1.6 },
      label: { show: true, formatter: `#${number}`, position: 'top', distance: 4, color: palette.ink, fontSize: 11, fontWeight: 600, textBorderColor: palette.surface, textBorderWidth: 3 },
    }];
  };
  return {
    id: 'emphasis', type: 'scatter', symbol: 'circle', silent: true, z: 9, tooltip: { show: false },
    data: [...settings.pinned.filter((n) => n !== settings.selected).flatMap((n) => ring(n, false)), ...(settings.selected === null ? [] : ring(settings.selected, true))],
  };
}

function betterCorner(x: Column, y: Column, palette: Palette): unknown[] {
  if (!x.better || !y.better) return [];
  const left = x.better === 'lower';
  const top = y.better === 'higher';
  const arrow = left ? (top ? '↖' : '↙') : top ? '↗' : '↘';
  return [{
    type: 'text', silent: true, z: 2, ...(left ? { left: 70 } : { right: 36 }), ...(top ? { top: 44 } : { bottom: 60 }),
    style: { text: left ? `${arrow} better` : `better ${arrow}`, fill: palette.muted, font: 'italic 600 12px system-ui, sans-serif' },
  }];
}
