import { useCallback, useEffect, useMemo } from 'react';
import type { KeyboardEvent } from 'react';
import type { CurvesView, StudyDetail } from '@app/contracts';
import { getCurves } from '../api/endpoints.js';
import { CURVE_KIND_LABEL, curveOrder, learningChart, learningSummary, type LearningCurve, type LearningCurves } from '../charts/learning-curves.js';
import type { PlotData } from '../charts/plot-data.js';
import { betterOf, columnLabel } from '../format/names.js';
import { formatNumber, formatQuantity, formatShare } from '../format/number.js';
import { useResource } from '../state/resource.js';
import { openTrial, walk, type Selection } from '../state/selection.js';
import type { StudyData } from '../state/study-data.js';
import { Figure, Link } from './basics.js';
import { Chart, type ChartEvent } from './chart.js';
import { usePalette } from './theme.js';
import { plainTip } from './tip.js';

/** Ways to accuracy that may come with learning curves. */
const WITH_CURVES: ReadonlySet<string> = new Set(['train', 'command', 'http']);
/** Rows of the table, the best first. */
const MOST_ROWS = 200;

interface Props {
  readonly data: StudyData;
  readonly detail: StudyDetail;
  readonly selection: Selection;
}

/** Learning curves of all trials; nothing where the study's evaluator reports none. */
export function StudyCurves(props: Props): React.JSX.Element | null {
  return WITH_CURVES.has(props.detail.spec.accuracy.method) ? <Curves {...props} /> : null;
}

function Curves({ data, detail, selection }: Props): React.JSX.Element | null {
  const palette = usePalette();
  const resource = useResource(`curves:${detail.id}`, useCallback((signal: AbortSignal) => getCurves(detail.id, signal), [detail.id]));
  const { reload } = resource;
  useEffect(() => {
    if (data.tick + data.pulse > 0) reload();
  }, [data.tick, data.pulse, reload]);
  const view = resource.data;
  const drawn = useMemo(() => (view && view.number.length > 0 ? curvesOf(view, detail, data.plot, selection.selected) : null), [view, detail, data.plot, selection.selected]);
  const order = useMemo(() => (drawn ? curveOrder(drawn) : []), [drawn]);
  const option = useMemo(() => {
    if (!drawn) return null;
    const base = learningChart(drawn, palette);
    const tip = ({ data: [epoch, value, number] }: { readonly data: readonly number[] }): string => plainTip(`Trial ${number}, epoch ${epoch}`, `${drawn.label}: ${formatQuantity(value!, drawn.unit, 4)}`);
    return { ...base, tooltip: { ...(base['tooltip'] as object), formatter: tip } };
  }, [drawn, palette]);
  const events = useMemo(() => ({ click: ({ data: point }: ChartEvent) => { if (Array.isArray(point) && typeof point[2] === 'number') openTrial(point[2]); } }), []);
  const onKeyDown = useCallback((event: KeyboardEvent) => walk(event, order, selection), [order, selection]);
  if (!view || !drawn || !option) return null;
  const summary = learningSummary(drawn);
  const kinds = (['front', 'running', 'selected', 'other'] as const).filter((k) => drawn.curves.some((c) => c.kind === k));
  return (
    <Figure title="Learning curves" summary={summary} table={<CurveTable view={view} order={order} label={drawn.label} />}>
      <p className="key-line">{kinds.map((k) => <span key={k}><i className={`stroke stroke-curve-${k}`} aria-hidden="true" /> {CURVE_KIND_LABEL[k]} {drawn.curves.filter((c) => c.kind === k).length}</span>)}</p>
      <Chart kind="line chart" option={option} height={320} summary={`${summary} Arrow keys move from curve to curve, Enter opens the trial.`} onEvents={events} onKeyDown={onKeyDown} />
    </Figure>
  );
}

function CurveTable({ view, order, label }: { readonly view: CurvesView; readonly order: readonly number[]; readonly label: string }): React.JSX.Element {
  const rowOf = new Map(view.number.map((n, i) => [n, i]));
  return (
    <div className="table-wrap short" tabIndex={0} role="region" aria-label="Learning curves as a table">
      <table className="table narrow">
        <thead><tr><th scope="col">Trial</th><th scope="col">State</th><th scope="col" className="num">Fidelity</th><th scope="col" className="num">Epochs</th><th scope="col" className="num">First {label.toLowerCase()}</th><th scope="col" className="num">Last</th></tr></thead>
        <tbody>
          {order.slice(0, MOST_ROWS).map((n) => {
            const i = rowOf.get(n)!;
            const values = view.values[i]!;
            return (
              <tr key={n}>
                <th scope="row"><Link to={trialAddress(n)}>{n}</Link></th><td>{view.state[i]}</td><td className="num">{formatShare(view.fidelity[i]!)}</td>
                <td className="num">{values.length}</td><td className="num">{formatNumber(values[0], 4)}</td><td className="num">{formatNumber(values.at(-1), 4)}{view.unit === null || view.unit === '1' ? '' : ` ${view.unit}`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function trialAddress(number: number): string {
  const query = new URLSearchParams(location.search);
  query.set('trial', String(number));
  query.set('open', '1');
  return `${location.pathname}?${query.toString()}`;
}

function curvesOf(view: CurvesView, detail: StudyDetail, plot: PlotData | null, selected: number | null): LearningCurves {
  const kindOf = (i: number): LearningCurve['kind'] => {
    const number = view.number[i]!;
    if (number === selected) return 'selected';
    if (view.state[i] === 'running') return 'running';
    const row = plot?.rowOf.get(number);
    return row !== undefined && plot!.classes[row] === 'front' ? 'front' : 'other';
  };
  return {
    label: columnLabel(view.metric), unit: view.unit === '1' ? null : view.unit, better: betterOf(view.metric, detail.objectives), epochs: detail.spec.accuracy.method === 'train' ? detail.spec.accuracy.epochs : null,
    curves: view.number.map((number, i) => ({ number, kind: kindOf(i), values: view.values[i]! })),
  };
}
