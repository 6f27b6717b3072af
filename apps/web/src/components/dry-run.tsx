import type { DryRunReport } from '@app/contracts';
import { columnLabel, OP_LABEL } from '../format/names.js';
import { formatCount, formatDuration, formatNumber, formatQuantity, formatShare } from '../format/number.js';

/** The answer before anything is spent: possible or not, which limit decides, how long it takes. */
export function DryRun({ report }: { readonly report: DryRunReport }): React.JSX.Element {
  const share = report.feasibleShare;
  const verdict = share === 0 ? 'No sampled network meets all limits' : share !== null && share < 0.01 ? 'Possible, but the limits leave little' : 'This study can run';
  return (
    <section className="panel dry-run" aria-label="Answer of the check" role="status">
      <h2 className={share === 0 ? 'bad' : share !== null && share < 0.01 ? 'warn' : 'good'}>{verdict}</h2>
      <dl className="facts">
        <div><dt>Feasible</dt><dd>{share === null ? 'known as trials run' : formatShare(share)}</dd></div>
        <div><dt>Takes about</dt><dd>{formatDuration(report.estimatedSeconds)}</dd></div>
        <div><dt>Trials</dt><dd>{formatCount(report.trials)}</dd></div>
        <div><dt>Space</dt><dd>{report.cardinality === null ? 'continuous' : `${formatNumber(report.cardinality)} points`}</dd></div>
      </dl>
      {report.constraints.length > 0 && (
        <ul className="dry-constraints">
          {report.constraints.map((c) => (
            <li key={`${c.key}${c.op}`}>
              <div><span>{columnLabel(c.key)} {OP_LABEL[c.op]} {formatQuantity(c.limit, c.unit)}</span>{c.key === report.hardest && <span className="tag">hardest</span>}</div>
              {c.share === null ? <p className="dim">known only as trials run</p> : (
                <>
                  <div className="share-bar" aria-hidden="true"><i style={{ width: `${c.share * 100}%` }} /></div>
                  <p className="dim"><strong>{formatShare(c.share)}</strong> of the sample meet it · best seen {formatQuantity(c.best, c.unit)} · median {formatQuantity(c.median, c.unit)}</p>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      {report.warnings.map((w) => <p key={w} className="warning">⚠ {w}</p>)}
      <p className="dim">{formatCount(report.sampled)} points sampled; accuracy from {report.evaluator}; {formatDuration(report.secondsPerTrial)} a trial.</p>
    </section>
  );
}
