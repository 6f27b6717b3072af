import { useMemo } from 'react';
import { bestSoFar, frontSizeCurve, hypervolumeCurve, stepChart, type StepCurve } from '../charts/history.js';
import { curveSummary } from '../charts/summary.js';
import { Empty, Figure } from '../components/basics.js';
import { Chart } from '../components/chart.js';
import { usePalette } from '../components/theme.js';
import { plainTip } from '../components/tip.js';
import { columnLabel } from '../format/names.js';
import { formatNumber, formatQuantity } from '../format/number.js';
import type { TabProps } from './study-page.js';

export function ProgressTab({ data, detail }: TabProps): React.JSX.Element {
  const palette = usePalette();
  const { plot } = data;
  const history = data.front.data?.history;
  const settled = detail.counts.completed + detail.counts.infeasible + detail.counts.failed + detail.counts.cancelled;
  const curves = useMemo(() => (history && plot ? [hypervolumeCurve(history, settled), frontSizeCurve(history, settled), ...plot.objectives.map((k) => bestSoFar(plot, plot.columns.get(k)!))] : []), [history, plot, settled]);
  if (!plot || !history) return <Empty title="Nothing to draw yet" />;
  if (curves.every((c) => c.points.length === 0)) return <Empty title="No feasible trial yet"><p>Hypervolume and front size are drawn from the first feasible trial on. The Front tab says which limit stands in the way.</p></Empty>;
  const colours = [palette.mark.front, palette.mark.front, ...plot.objectives.map(() => palette.mark.dominated)];
  return (
    <>
      <section className="panel reference" aria-label="Reference point">
        <header className="panel-head"><h2>Reference point</h2><span className="dim">fixed for the study: hypervolume is measured from here, so its history can be compared</span></header>
        <dl className="facts">{detail.objectives.map((o) => <div key={o.key}><dt>{columnLabel(o.key)}</dt><dd>{o.reference === null ? 'not fixed yet' : formatQuantity(o.reference, o.unit, 4)}</dd></div>)}</dl>
      </section>
      <div className="grid-2">
        {curves.map((curve, i) => <CurveFigure key={curve.label} curve={curve} colour={colours[i]!} />)}
      </div>
    </>
  );
}

function CurveFigure({ curve, colour }: { readonly curve: StepCurve; readonly colour: string }): React.JSX.Element {
  const palette = usePalette();
  const option = useMemo(() => {
    const base = stepChart(curve, palette, colour);
    const say = (v: number): string => (curve.unit === null ? formatNumber(v, 5) : formatQuantity(v, curve.unit, 4));
    return { ...base, tooltip: { ...(base['tooltip'] as object), formatter: (items: readonly { readonly data: readonly number[] }[]) => { const p = items[0]?.data; return p ? plainTip(`After trial ${p[0]}`, `${curve.label}: ${say(p[1]!)}`) : ''; } } };
  }, [curve, palette, colour]);
  const summary = curveSummary(curve);
  return (
    <Figure title={curve.label} summary={summary} table={(
      <div className="table-wrap short" tabIndex={0} role="region" aria-label={`${curve.label} as a table`}>
        <table className="table narrow"><thead><tr><th scope="col" className="num">After trial</th><th scope="col" className="num">{curve.label}{curve.unit === null ? '' : ` (${curve.unit})`}</th></tr></thead>
          <tbody>{curve.points.slice(-200).map(([x, y], i) => <tr key={i}><td className="num">{x}</td><td className="num">{formatNumber(y, 5)}</td></tr>)}</tbody></table>
      </div>
    )}>
      <Chart kind="line chart" option={option} height={240} summary={summary} />
    </Figure>
  );
}
