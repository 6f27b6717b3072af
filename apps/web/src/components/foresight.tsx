import { Fragment, useCallback, useEffect, useMemo } from 'react';
import type { StudyDetail } from '@app/contracts';
import { getForesight } from '../api/endpoints.js';
import { heldOutChart, heldOutSummary, type HeldOut } from '../charts/held-out.js';
import { columnLabel } from '../format/names.js';
import { formatNumber, formatQuantity } from '../format/number.js';
import { useResource } from '../state/resource.js';
import { openTrial } from '../state/selection.js';
import type { StudyData } from '../state/study-data.js';
import { Figure, Link } from './basics.js';
import { Chart, type ChartEvent } from './chart.js';
import { usePalette } from './theme.js';
import { plainTip } from './tip.js';

/** Ways to accuracy dear enough to be foretold. */
const FORETOLD: ReadonlySet<string> = new Set(['train', 'command', 'http']);

export function Foresight({ data, detail }: { readonly data: StudyData; readonly detail: StudyDetail }): React.JSX.Element | null {
  return FORETOLD.has(detail.spec.accuracy.method) ? <Figures data={data} detail={detail} /> : null;
}

function Figures({ data, detail }: { readonly data: StudyData; readonly detail: StudyDetail }): React.JSX.Element | null {
  const resource = useResource(`foresight:${detail.id}`, useCallback((signal: AbortSignal) => getForesight(detail.id, signal), [detail.id]));
  const { reload } = resource;
  useEffect(() => {
    if (data.tick > 0) reload();
  }, [data.tick, reload]);
  if (!resource.data) return null;
  const { objectives, skipped } = resource.data;
  return <>{objectives.map((o) => <HeldOutFigure key={o.key} of={o} skipped={skipped} />)}</>;
}

/** Whose values are learned from, fixed when the study was made. */
function LearnedFrom({ prior: { studies, left, weight, hash } }: { readonly prior: NonNullable<HeldOut['prior']> }): React.JSX.Element {
  return (
    <p className="summary">
      {'Learns from '}
      {studies.map((s, i) => <Fragment key={s.id}>{i > 0 && ', '}<Link to={`/studies/${s.id}`}>{s.name}</Link>{` (${s.trials} trials)`}</Fragment>)}
      {`, as they were when this study was made (${hash.slice(0, 8)}); a deviation of theirs counts for ${formatNumber(weight, 2)} of its own.`}
      {left > 0 && ` ${left} further values turned out to be of other data and are left out.`}
    </p>
  );
}

function HeldOutFigure({ of, skipped }: { readonly of: HeldOut; readonly skipped: number }): React.JSX.Element {
  const palette = usePalette();
  const option = useMemo(() => {
    const base = heldOutChart(of, palette);
    const tip = ({ value: [, foretold, number, value] }: { readonly value: readonly (number | null)[] }): string =>
      plainTip(number === null || number === undefined ? 'Trial of an earlier study' : `Trial ${number}`, `evaluated ${formatQuantity(value, of.unit, 4)}, foretold ${formatQuantity(foretold, of.unit, 4)}`);
    return { ...base, tooltip: { ...(base['tooltip'] as object), formatter: tip } };
  }, [of, palette]);
  const events = useMemo(() => ({ click: ({ value: point }: ChartEvent) => { if (Array.isArray(point) && typeof point[2] === 'number') openTrial(point[2]); } }), []);
  const summary = `${heldOutSummary(of)}${skipped > 0 ? ` ${skipped} trials were passed over on the strength of it.` : ''}`;
  return (
    <Figure title={`What trials foretell of ${columnLabel(of.key).toLowerCase()}`} summary={summary} table={(
      <div className="table-wrap short" tabIndex={0} role="region" aria-label={`Foretold ${columnLabel(of.key).toLowerCase()} as a table`}>
        <table className="table narrow">
          <thead><tr><th scope="col">Trial</th><th scope="col" className="num">Evaluated{of.unit === '1' ? '' : ` (${of.unit})`}</th><th scope="col" className="num">Foretold</th><th scope="col" className="num">90 % interval</th></tr></thead>
          <tbody>{of.values.map((v, i) => <tr key={i}><th scope="row">{of.number[i] ?? 'earlier study'}</th><td className="num">{formatNumber(v, 4)}</td><td className="num">≈{formatNumber(of.predicted[i], 4)}</td><td className="num">{formatNumber(of.low[i], 4)} – {formatNumber(of.high[i], 4)}</td></tr>)}</tbody>
        </table>
      </div>
    )}>
      <Chart kind="scatter chart" option={option} height={320} summary={summary} onEvents={events} />
      {of.prior !== null && <LearnedFrom prior={of.prior} />}
    </Figure>
  );
}
