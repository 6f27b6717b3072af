import { formatCount, formatNumber, formatQuantity, formatShare } from '../format/number.js';
import type { StepCurve } from './history.js';
import type { Column, PlotData } from './plot-data.js';

/** What a chart shows, in one sentence, for those who can't see it and those who want it short. */
export function scatterSummary(data: PlotData, xKey: string, yKey: string, shown: { readonly drawn: number; readonly outside: number }): string {
  const x = data.columns.get(xKey);
  const y = data.columns.get(yKey);
  if (!x || !y) return 'Nothing to draw yet.';
  const front = data.number.map((_, i) => i).filter((i) => data.classes[i] === 'front' && x.values[i] !== null && y.values[i] !== null);
  const head = `${y.label} against ${x.label} for ${formatCount(shown.drawn)} trials`;
  if (front.length === 0) return `${head}; none is on the front.`;
  return `${head}; the ${front.length} on the front span ${span(x, front)} in ${x.label} and ${span(y, front)} in ${y.label}.`;
}

function span(column: Column, rows: readonly number[]): string {
  const values = rows.map((i) => column.values[i]!);
  const say = (v: number): string => (column.categories ? column.categories[v] ?? '–' : formatQuantity(v, column.unit));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? say(low) : `${say(low)} to ${say(high)}`;
}

export function parallelSummary(front: number, sampled: number, from: number, axes: number): string {
  const sample = from === 0 ? 'no dominated ones' : sampled === from ? `all ${formatCount(from)} dominated ones` : `${formatCount(sampled)} of ${formatCount(from)} dominated ones, evenly sampled`;
  return `${formatCount(front)} trials on the front and ${sample}, across ${axes} axes; better is up wherever better is known.`;
}

export function curveSummary(curve: StepCurve): string {
  const first = curve.points[0];
  const last = curve.points.at(-1);
  if (!first || !last) return `${curve.label}: no value yet.`;
  const say = (v: number): string => (curve.unit === null ? formatNumber(v) : formatQuantity(v, curve.unit));
  const gain = lastGain(curve);
  return `${curve.label} went from ${say(first[1])} after trial ${first[0]} to ${say(last[1])} after trial ${last[0]}${gain === null ? '' : `; last change at trial ${gain}`}.`;
}

function lastGain(curve: StepCurve): number | null {
  for (let i = curve.points.length - 1; i > 0; i--) if (curve.points[i]![1] !== curve.points[i - 1]![1]) return curve.points[i]![0];
  return null;
}

export const passRate = (passed: number, of: number): string => `${formatCount(passed)} of ${formatCount(of)} (${formatShare(of === 0 ? null : passed / of)})`;
