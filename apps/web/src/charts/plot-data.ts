import type { ParameterView, SeriesView, StudySummary, TrialState } from '@app/contracts';
import { betterOf, columnLabel } from '../format/names.js';
import type { PointClass } from './palette.js';

/** One column as charts need it: numbers, or positions in a declared list of categories. */
export interface Column {
  readonly key: string;
  readonly kind: 'metric' | 'parameter';
  readonly label: string;
  readonly unit: string | null;
  readonly better: 'lower' | 'higher' | null;
  /** null: not known, or the parameter was inactive */
  readonly values: readonly (number | null)[];
  /** names at positions 0, 1, …; null: a numeric column */
  readonly categories: readonly string[] | null;
  readonly log: boolean;
}

/** A whole study, row i being trial number[i]. */
export interface PlotData {
  readonly revision: number;
  readonly number: readonly number[];
  readonly classes: readonly PointClass[];
  readonly columns: ReadonlyMap<string, Column>;
  /** keys of the objectives, in the order of the spec */
  readonly objectives: readonly string[];
  readonly constraints: StudySummary['constraints'];
  readonly counts: Readonly<Record<PointClass, number>>;
  readonly rowOf: ReadonlyMap<number, number>;
}

export function classOf(state: TrialState, feasible: boolean | null, onFront: boolean): PointClass {
  if (state === 'pending' || state === 'running') return 'open';
  if (state === 'failed' || state === 'cancelled') return 'failed';
  if (state === 'infeasible' || feasible === false) return 'infeasible';
  return onFront ? 'front' : 'dominated';
}

export function plotData(series: SeriesView, study: Pick<StudySummary, 'objectives' | 'constraints'> & { readonly parameters: readonly ParameterView[] }): PlotData {
  const classes = series.number.map((_, i) => classOf(series.state[i]!, series.feasible[i]!, series.onFront[i]!));
  const counts: Record<PointClass, number> = { front: 0, dominated: 0, infeasible: 0, open: 0, failed: 0 };
  for (const c of classes) counts[c] += 1;
  const columns = new Map<string, Column>();
  const parameters = new Map(study.parameters.map((p) => [p.name, p]));
  const objectives = study.objectives.map((o) => o.key);
  const keys = Object.keys(series.columns);
  for (const key of [...objectives.filter((k) => keys.includes(k)), ...keys.filter((k) => !objectives.includes(k))]) {
    const { kind, unit, values } = series.columns[key]!;
    const parameter = kind === 'parameter' ? parameters.get(key) : undefined;
    const categories = categoriesOf(parameter, values);
    columns.set(key, {
      key, kind, unit, categories,
      label: kind === 'metric' ? columnLabel(key) : key,
      better: kind === 'metric' ? betterOf(key, study.objectives) : null,
      values: categories ? positions(values, categories) : values.map((v) => (typeof v === 'number' && Number.isFinite(v) ? v : null)),
      log: parameter?.scale === 'log',
    });
  }
  return {
    revision: series.revision, number: series.number, classes, columns, objectives: objectives.filter((k) => columns.has(k)), constraints: study.constraints, counts,
    rowOf: new Map(series.number.map((n, i) => [n, i])),
  };
}

/** The declared order, then whatever else occurs, so that no value is lost. Numeric columns have none, unless declared categorical. */
function categoriesOf(parameter: ParameterView | undefined, values: readonly (number | string | boolean | null)[]): readonly string[] | null {
  const declared = parameter?.type === 'categorical' || parameter?.type === 'ordinal' ? parameter.values ?? [] : [];
  const numeric = values.every((v) => v === null || typeof v === 'number') && declared.every((v) => typeof v === 'number');
  if (numeric && parameter?.type !== 'categorical' && parameter?.type !== 'ordinal') return null;
  return [...new Set([...declared, ...values.filter((v) => v !== null)].map(String))];
}

function positions(values: readonly (number | string | boolean | null)[], categories: readonly string[]): (number | null)[] {
  const at = new Map(categories.map((c, i) => [c, i]));
  return values.map((v) => (v === null ? null : at.get(String(v)) ?? null));
}

/** Rows within every range; a row without a value in a ranged column is outside. Null: no range is set. */
export function rowsWithin(data: PlotData, brush: Readonly<Record<string, readonly [number, number]>>): boolean[] | null {
  const active = Object.entries(brush).flatMap(([key, range]) => {
    const column = data.columns.get(key);
    return column ? [{ values: column.values, range }] : [];
  });
  if (active.length === 0) return null;
  return data.number.map((_, i) => active.every(({ values, range }) => {
    const v = values[i]!;
    return v !== null && v >= range[0] && v <= range[1];
  }));
}
