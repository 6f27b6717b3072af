import { axisOf } from './axis.js';
import { cividis, type Palette } from './palette.js';
import type { Column, PlotData } from './plot-data.js';

export interface MatrixSettings {
  /** two to four columns; every pair gets a panel */
  readonly keys: readonly string[];
  readonly within: readonly boolean[] | null;
  readonly selected: number | null;
  readonly width: number;
  readonly panelHeight: number;
}

export interface MatrixPlot {
  readonly option: Record<string, unknown>;
  readonly height: number;
  readonly panels: readonly { readonly x: string; readonly y: string; readonly colour: string | null }[];
}

const GUTTER = { left: 58, right: 14, top: 34, bottom: 48 };

/** Small multiples of every pair. With three columns each panel is coloured by the one it doesn't show, bright being better. */
export function scatterMatrix(data: PlotData, settings: MatrixSettings, palette: Palette): MatrixPlot {
  const columns = settings.keys.flatMap((k) => data.columns.get(k) ?? []).slice(0, 4);
  const pairs = columns.flatMap((y, a) => columns.slice(a + 1).map((x) => ({ x, y })));
  const across = settings.width < 720 ? 1 : settings.width < 1020 ? Math.min(2, pairs.length) : Math.min(3, pairs.length);
  const panelWidth = settings.width / Math.max(1, across);
  const rows = data.number.map((_, i) => i).filter((i) => data.classes[i] === 'front' || data.classes[i] === 'dominated');
  const option = { animation: false, tooltip: { trigger: 'item', confine: true, className: 'chart-tip', transitionDuration: 0, borderWidth: 0, padding: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow:none' }, grid: [] as unknown[], xAxis: [] as unknown[], yAxis: [] as unknown[], series: [] as unknown[] };
  pairs.forEach(({ x, y }, k) => {
    const left = (k % across) * panelWidth;
    const top = Math.floor(k / across) * settings.panelHeight;
    option.grid.push({ left: left + GUTTER.left, top: top + GUTTER.top, width: panelWidth - GUTTER.left - GUTTER.right, height: settings.panelHeight - GUTTER.top - GUTTER.bottom });
    const usable = rows.filter((i) => x.values[i] !== null && y.values[i] !== null);
    const front = usable.filter((i) => data.classes[i] === 'front');
    const plain = { log: false, full: false };
    option.xAxis.push({ ...axisOf(x, 'x', usable, front, plain, palette).option, gridIndex: k, splitNumber: 4 });
    option.yAxis.push({ ...axisOf(y, 'y', usable, front, plain, palette).option, gridIndex: k, splitNumber: 4 });
    const third = columns.length === 3 ? columns.find((c) => c !== x && c !== y) : undefined;
    option.series.push(...panelSeries(data, settings, k, x, y, third, usable, palette));
  });
  return {
    option, height: Math.ceil(pairs.length / Math.max(1, across)) * settings.panelHeight,
    panels: pairs.map(({ x, y }) => ({ x: x.key, y: y.key, colour: columns.length === 3 ? columns.find((c) => c !== x && c !== y)!.key : null })),
  };
}

function panelSeries(data: PlotData, settings: MatrixSettings, k: number, x: Column, y: Column, third: Column | undefined, rows: readonly number[], palette: Palette): unknown[] {
  const goodness = third ? goodnessOf(third, rows) : null;
  const at = { type: 'scatter', xAxisIndex: k, yAxisIndex: k, cursor: 'pointer' };
  const item = (i: number, on: boolean): unknown => {
    const inside = settings.within === null || settings.within[i] === true;
    return {
      value: [x.values[i], y.values[i], data.number[i]],
      itemStyle: { ...(goodness ? { color: cividis(goodness(i)) } : {}), opacity: inside ? (on ? 1 : 0.55) : 0.08 },
    };
  };
  const isFront = (i: number): boolean => data.classes[i] === 'front';
  const row = settings.selected === null ? undefined : data.rowOf.get(settings.selected);
  return [
    { ...at, id: `d${k}`, name: 'dominated', symbol: 'circle', symbolSize: 5, z: 2, itemStyle: { color: palette.mark.dominated }, data: rows.filter((i) => !isFront(i)).map((i) => item(i, false)) },
    { ...at, id: `f${k}`, name: 'front', symbol: 'diamond', symbolSize: 11, z: 3, itemStyle: { color: palette.mark.front, borderColor: goodness ? palette.mark.front : palette.surface, borderWidth: goodness ? 1.6 : 0.8 }, data: rows.filter(isFront).map((i) => item(i, true)) },
    { ...at, id: `s${k}`, symbol: 'circle', symbolSize: 18, silent: true, z: 4, itemStyle: { color: 'transparent', borderColor: palette.ink, borderWidth: 2 }, data: row !== undefined && rows.includes(row) ? [[x.values[row], y.values[row], settings.selected]] : [] },
  ];
}

/** Rank of a row's value among the rows, 1 being best; ranks, so that one outlier doesn't flatten the scale. */
function goodnessOf(column: Column, rows: readonly number[]): (i: number) => number {
  const sorted = [...new Set(rows.flatMap((i) => column.values[i] ?? []))].sort((a, b) => a - b);
  const place = new Map(sorted.map((v, k) => [v, sorted.length === 1 ? 1 : k / (sorted.length - 1)]));
  return (i) => {
    const t = place.get(column.values[i] ?? NaN) ?? 0;
    return column.better === 'lower' ? 1 - t : t;
  };
}
