import { useMemo } from 'react';
import type { TrialView } from '@app/contracts';
import { learningChart, learningSummary, type LearningCurves } from '../charts/learning-curves.js';
import { betterOf, columnLabel } from '../format/names.js';
import { formatNumber, formatQuantity } from '../format/number.js';
import { Chart } from './chart.js';
import { usePalette } from './theme.js';
import { plainTip } from './tip.js';

type Objectives = Parameters<typeof betterOf>[1];

/** Learning curves of one trial: of the metric asked for, or of the first that has one; a running trial's as far as it is. */
export function TrialCurve({ trial, objectives }: { readonly trial: TrialView; readonly objectives: Objectives }): React.JSX.Element | null {
  const palette = usePalette();
  const drawn = useMemo(() => curveOf(trial, objectives), [trial, objectives]);
  const option = useMemo(() => {
    if (drawn === null) return null;
    const base = learningChart(drawn, palette);
    const tip = ({ data }: { readonly data: readonly number[] }): string => plainTip(`After epoch ${data[0]}`, `${drawn.label}: ${formatQuantity(data[1]!, drawn.unit, 4)}`);
    return { ...base, tooltip: { ...(base['tooltip'] as object), formatter: tip } };
  }, [drawn, palette]);
  if (drawn === null || option === null) return null;
  const summary = learningSummary(drawn);
  const { values } = drawn.curves[0]!;
  return (
    <section>
      <h3>Learning curve</h3>
      <Chart kind="line chart" option={option} height={220} summary={summary} />
      <p className="summary" role="status">{summary}</p>
      <details className="as-table">
        <summary>View as table</summary>
        <div className="table-wrap short" tabIndex={0} role="region" aria-label="Learning curve as a table">
          <table className="table narrow"><thead><tr><th scope="col" className="num">Epoch</th><th scope="col" className="num">{drawn.label}{drawn.unit === null ? '' : ` (${drawn.unit})`}</th></tr></thead>
            <tbody>{values.map((v, i) => <tr key={i}><td className="num">{i + 1}</td><td className="num">{formatNumber(v, 5)}</td></tr>)}</tbody></table>
        </div>
      </details>
    </section>
  );
}

function curveOf(trial: TrialView, objectives: Objectives): LearningCurves | null {
  const curves = new Map<string, { readonly unit: string; readonly values: readonly number[] }>(Object.entries(trial.progress?.curves ?? {}));
  for (const [key, m] of Object.entries(trial.metrics)) if (m.curve) curves.set(key, { unit: m.unit, values: m.curve });
  const key = [...objectives.map((o) => o.key), ...curves.keys()].find((k) => curves.has(k));
  if (key === undefined) return null;
  const { unit, values } = curves.get(key)!;
  const kind = trial.state === 'running' ? 'running' : trial.onFront ? 'front' : 'selected';
  return { label: columnLabel(key), unit: unit === '1' ? null : unit, better: betterOf(key, objectives), epochs: trial.progress?.epochs ?? null, curves: values.length === 0 ? [] : [{ number: trial.number, kind, values }] };
}
