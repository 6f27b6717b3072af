import { displayUnit, formatNumber, formatQuantity } from '../format/number.js';
import type { Palette } from './palette.js';

export interface LearningCurve {
  /** of the trial */
  readonly number: number;
  readonly kind: 'selected' | 'front' | 'running' | 'other';
  /** after epoch 1, 2, … */
  readonly values: readonly number[];
}

export interface LearningCurves {
  readonly label: string;
  readonly unit: string | null;
  readonly better: 'lower' | 'higher' | null;
  readonly curves: readonly LearningCurve[];
  /** epochs of the whole evaluation, if they are known */
  readonly epochs: number | null;
}

/** Marks drawn on faint curves: beyond so many epochs they are lines alone. */
const MOST_MARKS = 4000;

/** Kinds from back to front. */
const LAYERS = ['other', 'running', 'front', 'selected'] as const;
export const CURVE_KIND_LABEL: Readonly<Record<LearningCurve['kind'], string>> = { selected: 'selected', front: 'on the front', running: 'running', other: 'other trials' };

/** Value against epoch, a line a trial: all of them faint, those on the front and those still running set off. Marks carry the trial's number as their third value. */
export function learningChart({ label, unit, better, curves, epochs }: LearningCurves, palette: Palette): Record<string, unknown> {
  const shown = displayUnit(unit, Math.max(0, ...curves.map((c) => c.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0))));
  const axis = { axisLine: { show: true, onZero: false, lineStyle: { color: palette.axis } }, axisTick: { lineStyle: { color: palette.axis } }, splitLine: { lineStyle: { color: palette.grid } } };
  const tick = { color: palette.muted, fontSize: 11, hideOverlap: true };
  const name = { color: palette.ink, fontSize: 12, fontWeight: 600 };
  const arrow = better === null ? '' : better === 'lower' ? '   ↓ better' : '   ↑ better';
  const style = {
    other: { color: palette.muted, width: 1, opacity: 0.35, symbol: 'circle', size: 3, type: 'solid' },
    running: { color: palette.mark.open, width: 1.6, opacity: 1, symbol: 'emptyRect', size: 6, type: [5, 3] },
    front: { color: palette.mark.front, width: 1.6, opacity: 1, symbol: 'diamond', size: 6, type: 'solid' },
    selected: { color: palette.accent, width: 3, opacity: 1, symbol: 'circle', size: 7, type: 'solid' },
  } as const;
  const longest = Math.max(1, ...curves.map((c) => c.values.length));
  return {
    animation: false,
    grid: { left: 60, right: 22, top: 36, bottom: 46 },
    tooltip: { trigger: 'item', confine: true, className: 'chart-tip', transitionDuration: 0, borderWidth: 0, padding: 0, backgroundColor: 'transparent', extraCssText: 'box-shadow:none' },
    xAxis: { ...axis, type: 'value', name: 'Epoch', nameLocation: 'middle', nameGap: 26, nameTextStyle: name, min: 0, max: Math.max(longest, epochs ?? 0), minInterval: 1, splitLine: { show: false }, axisLabel: { ...tick, formatter: (v: number) => formatNumber(v) } },
    yAxis: { ...axis, type: 'value', name: `${label}${shown.unit === '' ? '' : ` (${shown.unit})`}${arrow}`, nameTextStyle: { ...name, align: 'left', padding: [0, 0, 2, -44] }, scale: true, axisLabel: { ...tick, formatter: (v: number) => formatNumber(v / shown.divisor) } },
    series: LAYERS.flatMap((kind) => {
      const drawn = curves.filter((c) => c.kind === kind);
      if (drawn.length === 0) return [];
      const { color, width, opacity, symbol, size, type } = style[kind];
      // one series a kind, gaps between its trials: as quick for a thousand curves as for ten
      const points = drawn.flatMap((c) => [...c.values.map((v, i) => [i + 1, v, c.number]), [null, null, c.number]]);
      return [{
        id: kind, name: CURVE_KIND_LABEL[kind], type: 'line', data: points, connectNulls: false, symbol, symbolSize: size, showSymbol: kind !== 'other' || points.length <= MOST_MARKS, showAllSymbol: true,
        lineStyle: { color, width, opacity, type }, itemStyle: { color, opacity: kind === 'other' ? 0.5 : opacity }, emphasis: { disabled: true },
      }];
    }),
  };
}

/** Trials by the last value of their curves, the best first where it is known what is better. */
export function curveOrder({ curves, better }: LearningCurves): number[] {
  const sign = better === 'lower' ? 1 : -1;
  return [...curves].filter((c) => c.values.length > 0).sort((a, b) => sign * (a.values.at(-1)! - b.values.at(-1)!)).map((c) => c.number);
}

export function learningSummary(all: LearningCurves): string {
  const { curves, unit, label, better, epochs } = all;
  const say = (v: number): string => (unit === null ? formatNumber(v, 4) : formatQuantity(v, unit, 4));
  const [first, ...more] = curves.filter((c) => c.values.length > 0);
  if (first === undefined) return `${label}: no epoch has ended yet.`;
  if (more.length === 0) {
    const done = first.values.length;
    const whole = epochs !== null && epochs > done ? ` of ${epochs}` : '';
    return done === 1 ? `${label} was ${say(first.values[0]!)} after epoch 1${whole}.` : `${label} went from ${say(first.values[0]!)} after epoch 1 to ${say(first.values.at(-1)!)} after epoch ${done}${whole}.`;
  }
  const running = curves.filter((c) => c.kind === 'running' && c.values.length > 0).length;
  const best = curveOrder(all)[0]!;
  const of = curves.find((c) => c.number === best)!;
  const ends = better === null ? '' : `; the best ends at ${say(of.values.at(-1)!)} after ${of.values.length} ${of.values.length === 1 ? 'epoch' : 'epochs'}, trial ${best}`;
  return `${label} over the epochs of ${more.length + 1} trials${running > 0 ? `, ${running} of them running` : ''}${ends}.`;
}
