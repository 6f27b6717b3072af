import type { FrontView } from '@app/contracts';
import { displayUnit, formatNumber } from '../format/number.js';
import type { Palette } from './palette.js';
import type { Column, PlotData } from './plot-data.js';

/** A quantity after each trial at which it changed, as a staircase that goes on to the last trial. */
export interface StepCurve {
  readonly label: string;
  readonly unit: string | null;
  readonly points: readonly (readonly [number, number])[];
}

export function hypervolumeCurve(history: FrontView['history'], trials: number): StepCurve {
  return { label: 'Hypervolume', unit: null, points: prolong(history.flatMap((h) => (h.hypervolume === null ? [] : [[h.trials, h.hypervolume] as const])), trials) };
}

export function frontSizeCurve(history: FrontView['history'], trials: number): StepCurve {
  return { label: 'Trials on the front', unit: null, points: prolong(history.map((h) => [h.trials, h.frontSize] as const), trials) };
}

/** Best feasible value of an objective so far, against the trial number. Empty if there is none, or nobody said what is better. */
export function bestSoFar(data: PlotData, column: Column): StepCurve {
  const points: [number, number][] = [];
  const order = data.number.map((_, i) => i).filter((i) => data.classes[i] === 'front' || data.classes[i] === 'dominated').sort((a, b) => data.number[a]! - data.number[b]!);
  for (const i of order) {
    const v = column.values[i]!;
    const last = points.at(-1)?.[1];
    if (v !== null && column.better !== null && (last === undefined || (column.better === 'lower' ? v < last : v > last))) points.push([data.number[i]!, v]);
  }
  return { label: `Best ${column.label}`, unit: column.unit, points: prolong(points, Math.max(0, ...data.number.slice(-1))) };
}

function prolong(points: readonly (readonly [number, number])[], trials: number): (readonly [number, number])[] {
  const last = points.at(-1);
  return last && last[0] < trials ? [...points, [trials, last[1]]] : [...points];
}

export function stepChart(curve: StepCurve, palette: Palette, colour: string): Record<string, unknown> {
  const values = curve.points.map((p) => p[1]);
  const shown = displayUnit(curve.unit, Math.max(0, ...values.map(Math.abs)));
  const unit = shown.unit === '' ? '' : ` (${shown.unit})`;
  const axis = { axisLine: { show: true, lineStyle: { color: palette.axis } }, axisTick: { lineStyle: { color: palette.axis } }, splitLine: { lineStyle: { color: palette.grid } } };
  const label = { color: palette.muted, fontSize: 11, hideOverlap: true };
  const name = { color: palette.ink, fontSize: 12, fontWeight: 600 };
  const few = Math.max(0, ...values) < 5 && values.every(Number.isInteger);
  return {
    animation: false,
    grid: { left: 60, right: 22, top: 36, bottom: 46 },
    tooltip: { trigger: 'axis', confine: true, className: 'chart-tip', transitionDuration: 0, borderWidth: 0, padding: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow:none', axisPointer: { type: 'line', lineStyle: { color: palette.axis } } },
    xAxis: { ...axis, type: 'value', name: 'Trials settled', nameLocation: 'middle', nameGap: 26, nameTextStyle: name, min: 0, max: 'dataMax', minInterval: 1, splitLine: { show: false }, axisLabel: { ...label, formatter: (v: number) => formatNumber(v) } },
    yAxis: { ...axis, type: 'value', name: `${curve.label}${unit}`, nameTextStyle: { ...name, align: 'left', padding: [0, 0, 2, -44] }, scale: true, ...(few ? { minInterval: 1, min: 0 } : {}), axisLabel: { ...label, formatter: (v: number) => formatNumber(v / shown.divisor) } },
    series: [{ id: 'curve', name: curve.label, type: 'line', step: 'end', showSymbol: false, data: curve.points.map((p) => [...p]), lineStyle: { color: colour, width: 2 }, itemStyle: { color: colour }, areaStyle: { color: colour, opacity: 0.06, origin: 'start' } }],
  };
}
