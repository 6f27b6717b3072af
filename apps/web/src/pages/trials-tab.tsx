import { useCallback, useEffect, useMemo, useState } from 'react';
import { TRIAL_STATES_SHOWN, trialQueryOf } from '../state/trial-query.js';
import { getTrials, trialsCsv } from '../api/endpoints.js';
import type { TrialView } from '@app/contracts';
import { Empty, Failure, Loading, TrialChip } from '../components/basics.js';
import { rowsWithin, type PlotData } from '../charts/plot-data.js';
import { axisLabel } from '../format/names.js';
import { formatCount, formatDuration, formatNumber, formatShare } from '../format/number.js';
import { setQuery } from '../state/location.js';
import { useResource } from '../state/resource.js';
import { openTrial, select, selectionOf } from '../state/selection.js';
import { isTyping, shortcutsOn } from '../state/shortcuts.js';
import type { TabProps } from './study-page.js';

const PAGE_SIZE = 50;

/** One page at a time from the server: the table is as quick at ten thousand trials as at ten. */
export function TrialsTab({ data, detail, place }: TabProps): React.JSX.Element {
  const { query } = place;
  const selection = useMemo(() => selectionOf(query), [query]);
  const sort = query['sort'] ?? '-number';
  const filter = query['state'] ?? '';
  const key = `${detail.id}|${sort}|${filter}`;
  const [paging, setPaging] = useState<{ key: string; cursors: readonly string[] }>({ key, cursors: [''] });
  const cursors = paging.key === key ? paging.cursors : [''];
  const cursor = cursors.at(-1)!;
  const page = useResource(`trials:${key}|${cursor}`, useCallback((signal: AbortSignal) => getTrials(detail.id, { ...trialQueryOf(filter), sort, limit: PAGE_SIZE, cursor }, signal), [detail.id, filter, sort, cursor]));
  const { reload } = page;
  useEffect(() => {
    if (data.tick > 0) reload();
  }, [data.tick, reload]);

  const plot = data.plot;
  const columns = useMemo(() => chosenColumns(plot, detail, query['cols']), [plot, detail, query]);
  const within = useMemo(() => (plot ? rowsWithin(plot, selection.brush) : null), [plot, selection.brush]);
  const items = page.data?.items;
  useRowKeys(items, selection.selected);

  const setSort = (column: string): void => setQuery({ sort: sort === column ? `-${column}` : column });
  const head = (column: string, label: string): React.JSX.Element => {
    const on = sort === column || sort === `-${column}`;
    const down = sort.startsWith('-');
    return <th key={column} scope="col" className="num" aria-sort={on ? (down ? 'descending' : 'ascending') : 'none'}><button type="button" className="sort" onClick={() => setSort(column)}>{label}<i aria-hidden="true">{on ? (down ? '▼' : '▲') : ''}</i></button></th>;
  };

  return (
    <section className="panel" aria-label="Trials">
      <header className="panel-head">
        <div className="segments" role="group" aria-label="Filter trials">
          {TRIAL_STATES_SHOWN.map(([value, label]) => <button type="button" key={value} aria-pressed={filter === value} onClick={() => setQuery({ state: value })}>{label}</button>)}
        </div>
        <div className="panel-tools">
          {plot && <ColumnChooser plot={plot} columns={columns} />}
          <a className="button button-small" href={trialsCsv(detail.id, { ...trialQueryOf(filter), sort })} download>{filter === '' ? 'CSV of all trials' : `CSV of the ${filter}`}</a>
        </div>
      </header>
      {within !== null && <p className="note">Trials outside the ranges set in the charts are faded. <button type="button" className="link-button" onClick={() => setQuery({ brush: undefined })}>Clear ranges</button></p>}
      {page.error && <Failure error={page.error} at={page.at} retry={reload} what="page of trials" />}
      {!items && !page.error && <Loading what="trials" />}
      {items?.length === 0 && (filter === ''
        ? <Empty title="No trials yet"><p>They show here as the search proposes them.</p></Empty>
        : <Empty title="The filter hides all trials" action={<button type="button" className="button" onClick={() => setQuery({ state: undefined })}>Clear the filter</button>}><p>{formatCount(detail.counts.total)} trials are hidden.</p></Empty>)}
      {items && items.length > 0 && (
        <div className="table-wrap" tabIndex={0} role="region" aria-label="Table of trials">
          <table className="table trials">
            <thead><tr>{head('number', 'Trial')}<th scope="col">State</th>{columns.metrics.map((k) => head(k, axisLabel(k, plot?.columns.get(k)?.unit ?? null)))}{columns.parameters.map((k) => <th key={k} scope="col">{k}</th>)}<th scope="col" className="num">Rank</th><th scope="col">Proposed by</th><th scope="col" className="num">Took</th></tr></thead>
            <tbody>
              {items.map((t) => {
                const row = plot?.rowOf.get(t.number);
                return (
                  <tr key={t.id} className={`${t.number === selection.selected ? 'on ' : ''}${within !== null && row !== undefined && within[row] !== true ? 'faded' : ''}`} onClick={() => openTrial(t.number)}>
                    <td className="num"><button type="button" className="link-button" onClick={(e) => { e.stopPropagation(); openTrial(t.number); }}>#{t.number}</button></td>
                    <td><TrialChip state={t.state} onFront={t.onFront} />{t.message !== null && t.state !== 'completed' && <div className="sub clip" title={t.message}>{t.message}</div>}</td>
                    {columns.metrics.map((k) => <td key={k} className="num" title={t.metrics[k] ? `${t.metrics[k].provenance}, ${t.metrics[k].source}` : undefined}>{t.metrics[k]?.provenance === 'estimated' && <span className="approx" aria-label="estimated">≈</span>}{formatNumber(t.metrics[k]?.value, 4)}</td>)}
                    {columns.parameters.map((k) => <td key={k}>{t.parameters[k] === undefined ? <span className="dim" title="inactive">–</span> : String(t.parameters[k])}</td>)}
                    <td className="num">{t.rank ?? '–'}</td>
                    <td className="dim">{t.proposedBy}{t.fidelity < 1 && <> · at {formatShare(t.fidelity)}</>}</td>
                    <td className="num dim">{formatDuration(t.durationSeconds)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {items && items.length > 0 && (
        <footer className="pager">
          <button type="button" className="button" disabled={cursors.length === 1} onClick={() => setPaging({ key, cursors: cursors.slice(0, -1) })}>Previous</button>
          <span>Page {cursors.length}</span>
          <button type="button" className="button" disabled={!page.data || page.data.nextCursor === ''} onClick={() => setPaging({ key, cursors: [...cursors, page.data!.nextCursor] })}>Next</button>
          <span className="dim">≈ estimated, others as their tooltip says</span>
        </footer>
      )}
    </section>
  );
}

interface ChosenColumns { readonly metrics: readonly string[]; readonly parameters: readonly string[] }

function chosenColumns(plot: PlotData | null, detail: TabProps['detail'], text: string | undefined): ChosenColumns {
  const fallback = [...new Set([...detail.objectives.map((o) => o.key), ...detail.constraints.map((c) => c.key)])];
  if (!plot) return { metrics: fallback, parameters: [] };
  const all = [...plot.columns.values()];
  const wanted = text === undefined ? new Set([...fallback, ...all.filter((c) => c.kind === 'parameter').slice(0, 4).map((c) => c.key)]) : new Set(text.split(','));
  return { metrics: all.filter((c) => c.kind === 'metric' && wanted.has(c.key)).map((c) => c.key), parameters: all.filter((c) => c.kind === 'parameter' && wanted.has(c.key)).map((c) => c.key) };
}

function ColumnChooser({ plot, columns }: { readonly plot: PlotData; readonly columns: ChosenColumns }): React.JSX.Element {
  const chosen = [...columns.metrics, ...columns.parameters];
  const put = (next: readonly string[]): void => setQuery({ cols: next.length === 0 ? 'none' : next.join(',') });
  return (
    <details className="menu">
      <summary className="button button-small">Columns ({chosen.length})</summary>
      <div className="menu-body">
        <div className="menu-tools"><button type="button" className="link-button" onClick={() => put([...plot.columns.keys()])}>All</button><button type="button" className="link-button" onClick={() => put([])}>None</button><button type="button" className="link-button" onClick={() => setQuery({ cols: undefined })}>Default</button></div>
        {[...plot.columns.values()].map((c) => <label key={c.key} className="check"><input type="checkbox" checked={chosen.includes(c.key)} onChange={() => put(chosen.includes(c.key) ? chosen.filter((k) => k !== c.key) : [...chosen, c.key])} /> {c.label}</label>)}
      </div>
    </details>
  );
}

/** `j` and `k` move through the rows of the page, Enter opens. */
function useRowKeys(items: readonly TrialView[] | undefined, selected: number | null): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!items || items.length === 0 || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !shortcutsOn.get()) return;
      const at = items.findIndex((t) => t.number === selected);
      if (event.key === 'j' || event.key === 'k') select(items[event.key === 'j' ? Math.min(items.length - 1, at + 1) : Math.max(0, at - 1)]!.number);
      if (event.key === 'Enter' && selected !== null && at >= 0 && event.target === document.body) openTrial(selected);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [items, selected]);
}
