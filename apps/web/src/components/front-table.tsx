import { useMemo, useState } from 'react';
import type { FrontView } from '@app/contracts';
import type { PlotData } from '../charts/plot-data.js';
import { axisLabel, columnLabel } from '../format/names.js';
import { formatNumber } from '../format/number.js';
import { hovered, openTrial, togglePin, type Selection } from '../state/selection.js';

interface Props {
  readonly front: FrontView;
  readonly plot: PlotData;
  readonly selection: Selection;
  /** metric keys shown besides the objectives: limits and whatever is on the axes */
  readonly extra: readonly string[];
  readonly within: readonly boolean[] | null;
}

type FrontTrial = FrontView['trials'][number];

/** The front, sortable: the same trials as the charts, in words and figures. */
export function FrontTable({ front, plot, selection, extra, within }: Props): React.JSX.Element {
  const [sort, setSort] = useState<{ key: string; down: boolean }>({ key: front.objectives[0]?.key ?? 'number', down: front.objectives[0]?.direction === 'maximize' });
  const keys = [...new Set([...front.objectives.map((o) => o.key), ...extra])].filter((k) => plot.columns.has(k) && plot.columns.get(k)!.kind === 'metric');
  const rows = useMemo(() => {
    const value = (t: FrontTrial): number => (sort.key === 'number' ? t.number : t.metrics[sort.key]?.value ?? NaN);
    return [...front.trials].sort((a, b) => (sort.down ? -1 : 1) * (value(a) - value(b)) || a.number - b.number);
  }, [front.trials, sort]);
  const head = (key: string, label: string): React.JSX.Element => (
    <th key={key} scope="col" className="num" aria-sort={sort.key === key ? (sort.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className="sort" onClick={() => setSort({ key, down: sort.key === key ? !sort.down : false })}>{label}<i aria-hidden="true">{sort.key === key ? (sort.down ? '▼' : '▲') : ''}</i></button>
    </th>
  );
  if (rows.length === 0) return <p className="dim">The front is empty.</p>;
  return (
    <div className="table-wrap short" tabIndex={0} role="region" aria-label="Trials on the front">
      <table className="table">
        <thead><tr>{head('number', 'Trial')}{keys.map((k) => head(k, axisLabel(k, plot.columns.get(k)!.unit)))}<th scope="col">Note</th><th scope="col">Pin</th></tr></thead>
        <tbody>
          {rows.map((t) => {
            const row = plot.rowOf.get(t.number);
            const faded = within !== null && row !== undefined && within[row] !== true;
            return (
              <tr key={t.id} className={`${t.number === selection.selected ? 'on ' : ''}${faded ? 'faded' : ''}`} onMouseEnter={() => hovered.set(t.number)} onMouseLeave={() => hovered.set(null)}>
                <td className="num"><button type="button" className="link-button" onClick={() => openTrial(t.number)}>#{t.number}</button></td>
                {keys.map((k) => <td key={k} className="num">{formatNumber(t.metrics[k]?.value, 4)}</td>)}
                <td>{t.knee && <span className="tag" title="Here a little of one objective costs much of another">knee</span>}{t.crowding === null && <span className="tag" title="Best of all in one objective">end</span>}</td>
                <td><button type="button" className="button button-small button-quiet" aria-pressed={selection.pinned.includes(t.number)} aria-label={`Pin trial ${t.number}`} onClick={() => togglePin(selection, t.number)}>{selection.pinned.includes(t.number) ? '◆' : '◇'}</button></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Pinned trials side by side; the best value of each row stands out. */
export function PinnedTable({ plot, selection, metrics }: { readonly plot: PlotData; readonly selection: Selection; readonly metrics: readonly string[] }): React.JSX.Element | null {
  const pinned = selection.pinned.filter((n) => plot.rowOf.has(n));
  if (pinned.length === 0) return null;
  const keys = [...metrics, ...[...plot.columns.values()].filter((c) => c.kind === 'parameter').map((c) => c.key)];
  return (
    <section className="panel" aria-label="Pinned trials">
      <header className="panel-head"><h2>Pinned</h2><span className="dim">best of each row in bold, parameters that differ marked</span></header>
      <div className="table-wrap" tabIndex={0} role="region" aria-label="Pinned trials side by side">
        <table className="table compare">
          <thead><tr><th scope="col"><span className="visually-hidden">Column</span></th>{pinned.map((n) => <th key={n} scope="col" className="num"><button type="button" className="link-button" onClick={() => openTrial(n)}>#{n}</button> <button type="button" className="button button-small button-quiet" aria-label={`Unpin trial ${n}`} onClick={() => togglePin(selection, n)}>✕</button></th>)}</tr></thead>
          <tbody>
            {keys.map((key) => {
              const column = plot.columns.get(key);
              if (!column) return null;
              const values = pinned.map((n) => column.values[plot.rowOf.get(n)!]!);
              const known = values.filter((v) => v !== null);
              const best = column.better === 'lower' ? Math.min(...known) : column.better === 'higher' ? Math.max(...known) : null;
              const differs = new Set(values).size > 1;
              return (
                <tr key={key} className={column.kind === 'parameter' && differs ? 'differs' : ''}>
                  <th scope="row">{column.kind === 'metric' ? axisLabel(key, column.unit) : columnLabel(key)}</th>
                  {values.map((v, i) => <td key={pinned[i]} className={`num${best !== null && v === best && differs ? ' best' : ''}`}>{v === null ? '–' : column.categories ? column.categories[v] : formatNumber(v, 4)}</td>)}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
