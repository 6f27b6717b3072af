import type { ForesightView } from '@app/contracts';
import { columnLabel } from '../format/names.js';
import { formatNumber, formatQuantity, formatShare } from '../format/number.js';
import type { Palette } from './palette.js';

export type HeldOut = ForesightView['objectives'][number];

/** Foretold against evaluated value of each trial, with its 90 % interval; on the line both are the same. Marks carry the trial's number as their third value, the evaluated value as their fourth. */
export function heldOutChart(o: HeldOut, palette: Palette): Record<string, unknown> {
  // values that fell apart would press the others together: they stand at the edge
  const all = [...o.values.filter((_, i) => !o.apart[i]!), ...o.predicted];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const margin = 0.06 * (most - least) || 1;
  const [min, max] = [least - margin, most + margin];
  const unit = o.unit === '1' ? '' : ` (${o.unit})`;
  const axis = {
    type: 'value', min, max, axisLine: { show: true, onZero: false, lineStyle: { color: palette.axis } }, axisTick: { lineStyle: { color: palette.axis } }, splitLine: { lineStyle: { color: palette.grid } },
    axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: (v: number) => formatNumber(v) },
  };
  const name = { color: palette.ink, fontSize: 12, fontWeight: 600 };
  const clip = (v: number): number => Math.min(max, Math.max(min, v));
  const intervals = o.values.flatMap((v, i) => [[clip(v), clip(o.low[i]!), o.number[i]], [clip(v), clip(o.high[i]!), o.number[i]], [null, null, null]]);
  return {
    animation: false,
    grid: { left: 60, right: 22, top: 36, bottom: 46 },
    tooltip: { trigger: 'item', confine: true, className: 'chart-tip', transitionDuration: 0, borderWidth: 0, padding: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow:none' },
    xAxis: { ...axis, name: `${columnLabel(o.key)}, evaluated${unit}`, nameLocation: 'middle', nameGap: 26, nameTextStyle: name },
    yAxis: { ...axis, name: `foretold by the others${unit}`, nameTextStyle: { ...name, align: 'left', padding: [0, 0, 2, -44] } },
    series: [
      { id: 'same', type: 'line', silent: true, showSymbol: false, data: [[min, min], [max, max]], lineStyle: { color: palette.axis, width: 1, type: [6, 4] } },
      { id: 'intervals', type: 'line', silent: true, showSymbol: false, connectNulls: false, data: intervals, lineStyle: { color: palette.mark.dominated, width: 1.2, opacity: 0.35 } },
      { id: 'trials', type: 'scatter', symbolSize: 7, data: o.values.map((v, i) => ({ value: [clip(v), o.predicted[i]!, o.number[i], v], ...(o.apart[i]! && { symbol: 'triangle', symbolSize: 10, itemStyle: { color: 'transparent', borderColor: palette.mark.dominated, borderWidth: 1.5 } }) })), itemStyle: { color: palette.mark.dominated, opacity: 0.85 } },
    ],
  };
}

export function heldOutSummary(o: HeldOut): string {
  // of a percentage an error is in points: 2 % might be a part of the value
  const say = (v: number): string => (o.unit === '%' ? `${formatNumber(v, 2)}\u00a0points` : formatQuantity(v, o.unit, 2));
  const others = o.prior === null ? '' : ` and from ${o.prior.studies.reduce((sum, s) => sum + s.trials, 0)} trials of ${o.prior.studies.length === 1 ? 'another study' : `${o.prior.studies.length} other studies`}`;
  const without = o.prior === null ? '' : `, without ${o.prior.studies.length === 1 ? 'that study' : 'those studies'} by ${say(o.prior.without.error)}`;
  const scores = o.proxy === null ? '' : ` With the ${o.proxy.name} scores of the untrained networks: off by ${say(o.proxy.error)}.`;
  const apart = o.apart.filter(Boolean).length;
  const aside = apart === 0 ? '' : apart === 1 ? ' 1 far worse than the others, such as a training that collapsed, is set apart (triangle at the edge).' : ` ${apart} far worse than the others, such as trainings that collapsed, are set apart (triangles at the edge).`;
  return `${columnLabel(o.key)} of ${o.values.length - apart} trials, each foretold from the others${others}: off by ${say(o.error)} (root mean square)${without}, where their mean alone is off by ${say(o.spread)}; ${formatShare(o.within)} lie in their 90 % intervals.${scores}${aside}`;
}
