import type { StudyDetail, TrialView } from '@app/contracts';
import { columnLabel, OP_LABEL } from '../format/names.js';
import { formatQuantity } from '../format/number.js';

const PROVENANCE: Readonly<Record<TrialView['metrics'][string]['provenance'], string>> = {
  measured: 'taken on the device itself', simulated: 'run on a simulator of the device', trained: 'the network was trained and tested', estimated: 'predicted by a model, not measured',
  computed: 'exact by definition', reported: 'reported by the study\'s own command',
};

/** Values with how they were had. An estimate carries ≈ and its interval, so that no one takes it for a measurement. */
export function MetricTable({ trial, detail }: { readonly trial: TrialView; readonly detail: StudyDetail }): React.JSX.Element {
  const asked = [...new Set([...detail.objectives, ...detail.constraints].map((o) => o.key))];
  const keys = [...asked.filter((k) => k in trial.metrics), ...Object.keys(trial.metrics).filter((k) => !asked.includes(k)).sort()];
  const remarked = new Map<string, string>();
  for (const key of keys) {
    const remarks = trial.metrics[key]!.warnings?.join() ?? '';
    if (remarks !== '' && !remarked.has(remarks)) remarked.set(remarks, key);
  }
  if (keys.length === 0) return <p className="dim">{trial.settledAt === null ? 'No metric yet.' : 'No metric was had.'}</p>;
  return (
    <table className="table metrics">
      <thead><tr><th scope="col">Metric</th><th scope="col" className="num">Value</th><th scope="col" className="num">90 % interval</th><th scope="col">How</th></tr></thead>
      <tbody>
        {keys.map((key) => {
          const m = trial.metrics[key]!;
          const objective = detail.objectives.find((o) => o.key === key);
          return (
            <tr key={key}>
              <th scope="row">{columnLabel(key)}{objective && <span className="dim" title={objective.direction}> {objective.direction === 'minimize' ? '↓' : '↑'}</span>}</th>
              <td className="num"><strong>{m.provenance === 'estimated' && <span className="approx">≈</span>}{formatQuantity(m.value, m.unit, 4)}</strong></td>
              <td className="num dim">{m.interval ? `${formatQuantity(m.interval[0], m.unit)} – ${formatQuantity(m.interval[1], m.unit)}` : '–'}</td>
              <td>
                <span className={`prov prov-${m.provenance}`} title={PROVENANCE[m.provenance]}>{m.provenance}</span> <span className="dim source">{m.source}</span>
                {m.warnings && m.warnings.length > 0 && remarked.get(m.warnings.join()) !== key
                  ? <div className="warning">⚠ as said of {columnLabel(remarked.get(m.warnings.join())!)}</div>
                  : m.warnings?.map((w) => <div key={w} className="warning">⚠ {w}</div>)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** How far a trial is inside or outside each limit. */
export function Slack({ trial, detail }: { readonly trial: TrialView; readonly detail: StudyDetail }): React.JSX.Element {
  return (
    <ul className="slack">
      {detail.constraints.map((c) => {
        const m = trial.metrics[c.key];
        const value = m?.value;
        const met = value === undefined ? null : c.op === '<=' ? value <= c.value : value >= c.value;
        const margin = value === undefined ? null : c.op === '<=' ? c.value - value : value - c.value;
        const share = value === undefined || c.value === 0 ? null : Math.min(1.5, Math.max(0, value / c.value));
        return (
          <li key={`${c.key}${c.op}`} className={met === false ? 'violated' : undefined}>
            <div className="slack-label"><span>{columnLabel(c.key)} {OP_LABEL[c.op]} {formatQuantity(c.value, c.unit)}</span>
              <strong>{met === null ? 'not known' : `${met ? '✓ met,' : '✕ missed by'} ${formatQuantity(Math.abs(margin!), c.unit)}${met ? ' to spare' : ''}`}</strong></div>
            {share !== null && <div className="slack-bar" aria-hidden="true"><i style={{ width: `${(share / 1.5) * 100}%` }} /><b style={{ left: `${100 / 1.5}%` }} /></div>}
          </li>
        );
      })}
    </ul>
  );
}
