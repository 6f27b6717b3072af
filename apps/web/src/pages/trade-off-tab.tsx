import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { brushWith, parallelPlot, wideColumns, type ParallelPlot } from '../charts/parallel.js';
import { rowsWithin, type PlotData } from '../charts/plot-data.js';
import { scatterMatrix } from '../charts/scatter-matrix.js';
import { parallelSummary } from '../charts/summary.js';
import { Empty, Figure } from '../components/basics.js';
import { Chart, type ChartEvent, type ChartInstance } from '../components/chart.js';
import { FrontTable } from '../components/front-table.js';
import { usePalette } from '../components/theme.js';
import { setQuery } from '../state/location.js';
import { openTrial, selectionOf, setBrush, type Brush } from '../state/selection.js';
import { numberOf, withTip } from './front-tab.js';
import type { TabProps } from './study-page.js';

const SAMPLE = 400;
const DEFAULT_AXES = 9;

export function TradeOffTab({ data, detail, place }: TabProps): React.JSX.Element {
  const palette = usePalette();
  const plot = data.plot;
  const { query } = place;
  const selection = useMemo(() => selectionOf(query), [query]);
  const axes = useMemo(() => (plot ? chosenAxes(plot, detail.constraints.map((c) => c.key), query['axes']) : []), [plot, detail.constraints, query]);
  const log = useMemo(() => (query['plog'] === undefined ? new Set(plot ? wideColumns(plot) : []) : new Set(query['plog'].split(',').filter(Boolean))), [query, plot]);
  const within = useMemo(() => (plot ? rowsWithin(plot, selection.brush) : null), [plot, selection.brush]);
  const [width, measured] = useWidth();

  // the brush is painted by the chart itself: redrawing under the pointer would end the drag
  const parallel = useMemo(() => (plot ? parallelPlot(plot, { axes, log, brush: {}, selected: selection.selected, sample: SAMPLE }, palette) : null), [plot, axes, log, selection.selected, palette]);
  const matrix = useMemo(() => (plot ? scatterMatrix(plot, { keys: plot.objectives.slice(0, 4), within, selected: selection.selected, width, panelHeight: 290 }, palette) : null), [plot, within, selection.selected, width, palette]);
  const matrixOption = useMemo(() => (matrix && plot ? withTip(matrix.option, plot, plot.objectives) : null), [matrix, plot]);
  const matrixEvents = useMemo(() => ({ click: (event: ChartEvent) => { const n = numberOf(event); if (n !== null) openTrial(n); } }), []);
  const brush = useRef<Brush>(selection.brush);
  useEffect(() => {
    brush.current = selection.brush;
  });
  const parallelEvents = useMemo(() => ({ axisareaselected: (event: ChartEvent) => { if (parallel) onBrush(event, parallel, brush.current); } }), [parallel]);
  const onReady = useCallback((chart: ChartInstance) => { if (parallel) paintBrush(chart, parallel, brush.current); }, [parallel]);
  const brushText = query['brush'] ?? '';
  const reset = brushText === '';

  if (!plot || !parallel || !matrix || !matrixOption) return <Empty title="Nothing to draw yet" />;
  const inside = within === null ? null : plot.number.filter((_, i) => within[i] === true && plot.classes[i] === 'front').length;
  const table = data.front.data ? <FrontTable front={data.front.data} plot={plot} selection={selection} extra={detail.constraints.map((c) => c.key)} within={within} /> : <p className="dim">Loading…</p>;
  const summary = parallelSummary(parallel.frontDrawn, parallel.sampled, parallel.sampledFrom, parallel.axes.length);
  const third = matrix.panels[0]?.colour != null;
  return (
    <>
      <Figure
        title="Parallel coordinates"
        summary={summary}
        tools={<>
          {inside !== null && <span className="dim" role="status">{inside} of {parallel.frontDrawn} front trials in the ranges</span>}
          {!reset && <button type="button" className="button button-small" onClick={() => setBrush({})}>Clear ranges</button>}
          <AxisChooser plot={plot} axes={axes} log={log} />
        </>}
        table={table}
      >
        <p className="key-line">
          <span><i className="stroke stroke-front" /> on the front {parallel.frontDrawn}</span>
          <span><i className="stroke stroke-dominated" /> dominated {parallel.sampled}{parallel.sampled < parallel.sampledFrom && ` of ${parallel.sampledFrom}, evenly sampled`}</span>
          <span className="dim">Drag along an axis to keep a range; better is up wherever better is known.</span>
        </p>
        <Chart key={reset ? 'free' : 'ranged'} kind="parallel coordinates" option={parallel.option} height={400} summary={summary} onEvents={parallelEvents} onReady={onReady} />
        {parallel.collapsed.length > 0 && <p className="chart-notes">Not drawn: {parallel.collapsed.map((c) => `${plot.columns.get(c.key)?.label ?? c.key} (${c.reason})`).join('; ')}.</p>}
      </Figure>
      <div ref={measured}>
        {plot.objectives.length >= 2 && (
          <Figure title="Objectives in pairs" summary={`${matrix.panels.length} ${matrix.panels.length === 1 ? 'panel' : 'panels'}, one for each pair of ${plot.objectives.length > 4 ? 'the first four objectives' : 'objectives'}${third ? '; colour is the objective a panel does not show' : ''}.`} table={table}>
            {third && <p className="key-line"><span className="ramp-label">colour: the third objective, worse</span><i className="ramp" aria-hidden="true" /><span className="ramp-label">better</span><span><i className="outline-front" aria-hidden="true" /> on the front</span></p>}
            <Chart kind="scatter matrix" option={matrixOption} height={matrix.height} summary={`Scatter charts of every pair of objectives.`} onEvents={matrixEvents} />
          </Figure>
        )}
      </div>
    </>
  );
}

/** Objectives, limits, then parameters, up to nine, unless the address says otherwise. */
function chosenAxes(plot: PlotData, constraints: readonly string[], text: string | undefined): string[] {
  if (text !== undefined) return text.split(',').filter((k) => plot.columns.has(k));
  const parameters = [...plot.columns.values()].filter((c) => c.kind === 'parameter').map((c) => c.key);
  return [...new Set([...plot.objectives, ...constraints.filter((k) => plot.columns.has(k)), ...parameters])].slice(0, DEFAULT_AXES);
}

function AxisChooser({ plot, axes, log }: { readonly plot: PlotData; readonly axes: readonly string[]; readonly log: ReadonlySet<string> }): React.JSX.Element {
  const all = [...plot.columns.keys()];
  const put = (next: readonly string[]): void => setQuery({ axes: all.filter((k) => next.includes(k)).join(',') });
  const toggleLog = (key: string): void => setQuery({ plog: (log.has(key) ? [...log].filter((k) => k !== key) : [...log, key]).join(',') || 'none' });
  return (
    <details className="menu">
      <summary className="button button-small">Axes ({axes.length})</summary>
      <div className="menu-body">
        <div className="menu-tools"><button type="button" className="link-button" onClick={() => put(all)}>All</button><button type="button" className="link-button" onClick={() => put(plot.objectives)}>Objectives only</button><button type="button" className="link-button" onClick={() => setQuery({ axes: undefined })}>Default</button></div>
        {[...plot.columns.values()].map((c) => (
          <div key={c.key} className="menu-row">
            <label className="check"><input type="checkbox" checked={axes.includes(c.key)} onChange={() => put(axes.includes(c.key) ? axes.filter((k) => k !== c.key) : [...axes, c.key])} /> {c.label}</label>
            {c.categories === null && <label className="check dim"><input type="checkbox" checked={log.has(c.key)} onChange={() => toggleLog(c.key)} aria-label={`${c.label}: logarithmic`} /> log</label>}
          </div>
        ))}
      </div>
    </details>
  );
}

function onBrush(event: ChartEvent, parallel: ParallelPlot, before: Brush): void {
  const id = event['parallelAxisId'];
  const intervals = event['intervals'];
  const dim = typeof id === 'string' ? Number(/(\d+)/.exec(id)?.[1] ?? NaN) : NaN;
  const key = parallel.axes[dim];
  if (key === undefined || !Array.isArray(intervals)) return;
  setBrush(brushWith(before, key, intervals as number[][]));
}

function paintBrush(chart: ChartInstance, parallel: ParallelPlot, brush: Brush): void {
  parallel.axes.forEach((key, dim) => {
    const range = brush[key];
    if (range) chart.dispatchAction({ type: 'axisAreaSelect', parallelAxisId: `axis${dim}`, intervals: [[...range]] });
  });
}

function useWidth(): [number, (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(1100);
  const observer = useRef<ResizeObserver | null>(null);
  const measure = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(([entry]) => { if (entry) setWidth(Math.max(300, Math.floor(entry.contentRect.width) - 34)); });
    observer.current.observe(element);
  }, []);
  return [width, measure];
}
