import { useMemo } from 'react';
import type { Column, PlotData } from '../charts/plot-data.js';
import { axisLabel } from '../format/names.js';
import { formatNumber } from '../format/number.js';
import { setBrush, type Brush } from '../state/selection.js';

interface Props {
  readonly plot: PlotData;
  readonly keys: readonly string[];
  readonly brush: Brush;
  readonly matching: number | null;
  readonly localFront: number | null;
}

/** What would still do: a range for each objective and limit; charts, tables and the front of what is left follow. */
export function RangePanel({ plot, keys, brush, matching, localFront }: Props): React.JSX.Element {
  const shown = [...new Set([...keys, ...Object.keys(brush)])].flatMap((k) => plot.columns.get(k) ?? []);
  return (
    <section className="panel ranges" aria-label="Ranges">
      <header className="panel-head">
        <h2>Ranges</h2>
        {matching !== null && <button type="button" className="button button-small" onClick={() => setBrush({})}>Clear</button>}
      </header>
      {shown.map((column) => <RangeRow key={column.key} column={column} plot={plot} brush={brush} />)}
      <p className="summary" role="status">
        {matching === null ? 'Narrow a range to see what is left to choose from.' : <><strong>{matching}</strong> feasible {matching === 1 ? 'trial' : 'trials'} inside, <strong>{localFront ?? 0}</strong> of them not dominated there (outlined ◇).</>}
      </p>
    </section>
  );
}

function RangeRow({ column, plot, brush }: { readonly column: Column; readonly plot: PlotData; readonly brush: Brush }): React.JSX.Element {
  const [low, high] = useMemo(() => {
    const values = column.values.filter((v, i): v is number => v !== null && (plot.classes[i] === 'front' || plot.classes[i] === 'dominated'));
    return values.length === 0 ? [0, 0] : values.reduce<[number, number]>(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  }, [column, plot]);
  const [from, to] = brush[column.key] ?? [low, high];
  const nothing = low === 0 && high === 0 && !(column.key in brush);
  const step = (high - low) / 200 || 1;
  const put = (a: number, b: number): void => {
    const rest = Object.fromEntries(Object.entries(brush).filter(([k]) => k !== column.key));
    const whole = a <= low && b >= high;
    setBrush(whole ? rest : { ...rest, [column.key]: [Math.min(a, b), Math.max(a, b)] });
  };
  const label = axisLabel(column.key, column.unit);
  const say = (v: number): string => (column.categories ? column.categories[Math.round(v)] ?? '–' : formatNumber(v));
  const limitLow = column.better !== 'lower';
  const limitHigh = column.better !== 'higher';
  if (nothing) return <div className="range"><div className="range-label"><span>{label}</span><span className="dim">no feasible value</span></div></div>;
  return (
    <div className={column.key in brush ? 'range on' : 'range'}>
      <div className="range-label"><span>{label}</span><output>{say(from)} – {say(to)}</output></div>
      {limitLow && <input type="range" aria-label={`${label}: at least`} aria-valuetext={say(from)} min={low} max={high} step={step} value={from} onChange={(e) => put(Number(e.target.value), to)} />}
      {limitHigh && <input type="range" aria-label={`${label}: at most`} aria-valuetext={say(to)} min={low} max={high} step={step} value={to} onChange={(e) => put(from, Number(e.target.value))} />}
    </div>
  );
}
