import { useCallback, useMemo } from 'react';
import type { KeyboardEvent } from 'react';
import type { FrontView } from '@app/contracts';
import { frontScatter } from '../charts/front-scatter.js';
import { localFront } from '../charts/local-front.js';
import { POINT_CLASSES, type PointClass } from '../charts/palette.js';
import { rowsWithin, type PlotData } from '../charts/plot-data.js';
import { passRate, scatterSummary } from '../charts/summary.js';
import { Empty, Figure } from '../components/basics.js';
import { Chart, type ChartEvent } from '../components/chart.js';
import { FrontTable, PinnedTable } from '../components/front-table.js';
import { Legend } from '../components/legend.js';
import { RangePanel } from '../components/range-panel.js';
import { usePalette } from '../components/theme.js';
import { trialTip } from '../components/tip.js';
import { columnLabel, OP_LABEL } from '../format/names.js';
import { formatQuantity } from '../format/number.js';
import { go, setQuery } from '../state/location.js';
import { openTrial, selectionOf, walk } from '../state/selection.js';
import type { TabProps } from './study-page.js';

export function FrontTab({ data, detail, place }: TabProps): React.JSX.Element {
  const palette = usePalette();
  const { query } = place;
  const plot = data.plot;
  const selection = useMemo(() => selectionOf(query), [query]);
  const hidden = useMemo(() => new Set(POINT_CLASSES.filter((c) => (query['hide'] ?? '').split(',').includes(c))), [query]);
  const axes = plot ? axesOf(plot, query['x'], query['y']) : null;
  const within = useMemo(() => (plot ? rowsWithin(plot, selection.brush) : null), [plot, selection.brush]);
  const local = useMemo(() => (plot ? localFront(plot, within) : null), [plot, within]);
  const log = (query['log'] ?? '').split(',');
  const full = query['full'] === '1';
  const scatter = useMemo(() => (plot && axes ? frontScatter(plot, {
    x: axes.x, y: axes.y, logX: log.includes('x'), logY: log.includes('y'), full, hidden, selected: selection.selected, pinned: selection.pinned, within, localFront: local,
  }, palette) : null), [plot, axes?.x, axes?.y, query, within, local, palette]);

  const option = useMemo(() => (scatter && plot && axes ? withTip(scatter.option, plot, [axes.y, axes.x, ...plot.objectives]) : null), [scatter, plot, axes?.x, axes?.y]);
  const events = useMemo(() => ({ click: (event: ChartEvent) => { const n = numberOf(event); if (n !== null) openTrial(n); } }), []);
  const onKeyDown = useCallback((event: KeyboardEvent) => { if (scatter) walk(event, scatter.frontOrder, selection); }, [scatter, selection]);

  if (!plot || !axes || !scatter || !option) return <Empty title="Nothing to draw yet"><p>No trial has reported a value that could be an axis.</p></Empty>;
  const summary = scatterSummary(plot, axes.x, axes.y, scatter);
  const matching = within === null ? null : within.filter((on, i) => on && (plot.classes[i] === 'front' || plot.classes[i] === 'dominated')).length;
  const toggleLog = (axis: 'x' | 'y'): void => setQuery({ log: (log.includes(axis) ? log.filter((l) => l !== axis) : [...log, axis]).filter(Boolean).join(',') });
  const limitKeys = detail.constraints.map((c) => c.key);
  return (
    <>
      {data.front.data?.empty && <EmptyFront empty={data.front.data.empty} id={detail.id} />}
      <div className="split">
        <Figure
          title="Pareto front"
          summary={summary}
          tools={<>
            <AxisPicker axis="y" plot={plot} value={axes.y} />
            <AxisPicker axis="x" plot={plot} value={axes.x} />
            <button type="button" className="button button-small" aria-pressed={log.includes('x')} onClick={() => toggleLog('x')}>log x</button>
            <button type="button" className="button button-small" aria-pressed={log.includes('y')} onClick={() => toggleLog('y')}>log y</button>
          </>}
          table={data.front.data ? <FrontTable front={data.front.data} plot={plot} selection={selection} extra={[axes.x, axes.y, ...limitKeys]} within={within} /> : <p className="dim">Loading…</p>}
        >
          <Legend counts={plot.counts} hidden={hidden} onToggle={(c) => setQuery({ hide: [...toggled(hidden, c)].join(',') })} />
          {hidden.size > 0 && scatter.drawn === 0 && <p className="note">The legend hides all trials. <button type="button" className="link-button" onClick={() => setQuery({ hide: undefined })}>Show them</button></p>}
          <Chart kind="scatter chart" option={option} height={460} summary={`${summary} Arrow keys move along the front, Enter opens a trial.`} onEvents={events} onKeyDown={onKeyDown} />
          <p className="chart-notes">
            {scatter.outside > 0 && <span><strong>{scatter.outside} outside</strong> the 1–99 % range. <button type="button" className="link-button" onClick={() => setQuery({ full: '1' })}>Show all</button></span>}
            {full && <span>Full range. <button type="button" className="link-button" onClick={() => setQuery({ full: undefined })}>Back to the 1–99 % range</button></span>}
            {scatter.missing > 0 && <span>{scatter.missing} without a value on these axes.</span>}
            <span className="keys-hint"><kbd>←</kbd><kbd>→</kbd> along the front <kbd>Enter</kbd> open <kbd>Space</kbd> pin</span>
          </p>
        </Figure>
        <div className="stack">
          <RangePanel plot={plot} keys={[...plot.objectives, ...limitKeys]} brush={selection.brush} matching={matching} localFront={local?.length ?? null} />
          <Limits detail={detail} />
        </div>
      </div>
      <PinnedTable plot={plot} selection={selection} metrics={[...new Set([...plot.objectives, ...limitKeys])]} />
    </>
  );
}

const toggled = (set: ReadonlySet<PointClass>, c: PointClass): PointClass[] => (set.has(c) ? [...set].filter((x) => x !== c) : [...set, c]);

function axesOf(plot: PlotData, x: string | undefined, y: string | undefined): { x: string; y: string } | null {
  const metrics = [...plot.columns.values()].filter((c) => c.kind === 'metric').map((c) => c.key);
  const candidates = [...plot.objectives, ...metrics.filter((m) => !plot.objectives.includes(m))];
  const first = candidates[0] ?? [...plot.columns.keys()][0];
  if (first === undefined) return null;
  return { y: y !== undefined && plot.columns.has(y) ? y : first, x: x !== undefined && plot.columns.has(x) ? x : candidates[1] ?? [...plot.columns.keys()].find((k) => k !== first) ?? first };
}

function AxisPicker({ axis, plot, value }: { readonly axis: 'x' | 'y'; readonly plot: PlotData; readonly value: string }): React.JSX.Element {
  const columns = [...plot.columns.values()];
  const group = (label: string, keys: readonly string[]): React.JSX.Element | null => (keys.length === 0 ? null : <optgroup label={label}>{keys.map((k) => <option key={k} value={k}>{plot.columns.get(k)!.label}</option>)}</optgroup>);
  return (
    <label className="inline-field">{axis}
      <select value={value} onChange={(e) => setQuery({ [axis]: e.target.value })}>
        {group('Objectives', plot.objectives)}
        {group('Other metrics', columns.filter((c) => c.kind === 'metric' && !plot.objectives.includes(c.key)).map((c) => c.key))}
        {group('Parameters', columns.filter((c) => c.kind === 'parameter').map((c) => c.key))}
      </select>
    </label>
  );
}

/** Trial number of a mark, which every series carries as the third value. */
export function numberOf(event: ChartEvent): number | null {
  const raw: unknown = event.data;
  const value: unknown = Array.isArray(raw) ? raw : typeof raw === 'object' && raw !== null && 'value' in raw ? raw.value : null;
  const number: unknown = Array.isArray(value) ? value[2] : null;
  return typeof number === 'number' ? number : null;
}

export function withTip(option: Record<string, unknown>, plot: PlotData, keys: readonly string[]): Record<string, unknown> {
  const formatter = (event: ChartEvent): string => {
    const n = numberOf(event);
    return n === null ? '' : trialTip(plot, n, keys);
  };
  return { ...option, tooltip: { ...(option['tooltip'] as object), formatter } };
}

function Limits({ detail }: { readonly detail: TabProps['detail'] }): React.JSX.Element | null {
  if (detail.constraints.length === 0) return null;
  return (
    <section className="panel" aria-label="Limits">
      <header className="panel-head"><h2>Limits</h2></header>
      <ul className="plain-list">{detail.constraints.map((c) => <li key={`${c.key}${c.op}`}>{columnLabel(c.key)} <strong>{OP_LABEL[c.op]} {formatQuantity(c.value, c.unit)}</strong></li>)}</ul>
    </section>
  );
}

/** Says why the front is empty: which limit lets how many through, and how near the nearest came. */
function EmptyFront({ empty, id }: { readonly empty: NonNullable<FrontView['empty']>; readonly id: string }): React.JSX.Element {
  return (
    <Empty title="The front is empty" action={<button type="button" className="button button-primary" onClick={() => go(`/studies/new?from=${id}`)}>Loosen in a new study</button>}>
      <p>{empty.message}</p>
      {empty.constraints.length > 0 && (
        <table className="table narrow">
          <thead><tr><th scope="col">Limit</th><th scope="col" className="num">Trials that meet it</th><th scope="col" className="num">Nearest</th><th scope="col" className="num">Limit at</th></tr></thead>
          <tbody>{empty.constraints.map((c) => <tr key={c.key}><th scope="row">{columnLabel(c.key)}</th><td className="num">{passRate(c.passed, c.of)}</td><td className="num">{formatQuantity(c.nearest, c.unit)}</td><td className="num">{formatQuantity(c.limit, c.unit)}</td></tr>)}</tbody>
        </table>
      )}
    </Empty>
  );
}
