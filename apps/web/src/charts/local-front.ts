import { paretoFront } from '@app/pareto';
import type { PlotData } from './plot-data.js';

/**
 * Rows of the front among the feasible trials inside the ranges set: what is left to choose from, which may hold trials that
 * the whole study's front does not.
 *
 * @returns null if no range is set
 */
export function localFront(data: PlotData, within: readonly boolean[] | null): readonly number[] | null {
  if (within === null) return null;
  const columns = data.objectives.map((key) => data.columns.get(key)!);
  const rows = data.number.map((_, i) => i).filter((i) => within[i] === true && (data.classes[i] === 'front' || data.classes[i] === 'dominated') && columns.every((c) => c.values[i] !== null));
  const points = rows.map((i) => columns.map((c) => (c.better === 'higher' ? -c.values[i]! : c.values[i]!)));
  return points.length === 0 ? [] : paretoFront(points).map((k) => rows[k]!);
}
