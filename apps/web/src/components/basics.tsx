import type { ReactNode, MouseEvent } from 'react';
import type { StudyState, TrialState } from '@app/contracts';
import { ApiError, Unreachable } from '../api/client.js';
import { CLASS_LABEL, type PointClass } from '../charts/palette.js';
import { go } from '../state/location.js';

export function Link({ to, children, className, label }: { readonly to: string; readonly children: ReactNode; readonly className?: string; readonly label?: string }): React.JSX.Element {
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} className={className} aria-label={label}>{children}</a>;
}

const STUDY_GLYPH: Readonly<Record<StudyState, string>> = {
  draft: '✎', queued: '◷', running: '▶', paused: '❚❚', stopping: '◧', completed: '✓', failed: '!', cancelled: '✕',
};

/** State as word, sign and colour: never colour alone. */
export function StateChip({ state }: { readonly state: StudyState }): React.JSX.Element {
  return <span className={`chip chip-${state}`}><span className="chip-glyph" aria-hidden="true">{STUDY_GLYPH[state]}</span>{state}</span>;
}

export function TrialChip({ state, onFront }: { readonly state: TrialState; readonly onFront: boolean }): React.JSX.Element {
  const kind: PointClass = state === 'completed' ? (onFront ? 'front' : 'dominated') : state === 'infeasible' ? 'infeasible' : state === 'failed' || state === 'cancelled' ? 'failed' : 'open';
  return <span className="trial-chip"><Mark kind={kind} />{onFront && state === 'completed' ? 'on the front' : state}</span>;
}

/** The sign of a class as the charts draw it. */
export function Mark({ kind }: { readonly kind: PointClass }): React.JSX.Element {
  return (
    <svg className={`mark mark-${kind}`} width="14" height="14" viewBox="0 0 14 14" role="img" aria-label={CLASS_LABEL[kind]}>
      {kind === 'front' && <path d="M7 1.2 12.8 7 7 12.8 1.2 7z" fill="currentColor" />}
      {kind === 'dominated' && <circle cx="7" cy="7" r="4.2" fill="currentColor" opacity="0.75" />}
      {kind === 'infeasible' && <circle cx="7" cy="7" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" />}
      {kind === 'open' && <rect x="2.8" y="2.8" width="8.4" height="8.4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.4 1.6" />}
      {kind === 'failed' && <path d="M7 1.8 12.6 12H1.4z" fill="currentColor" />}
    </svg>
  );
}

interface ProgressProps {
  readonly fraction: number;
  readonly label: string;
  readonly text: string;
  readonly state?: StudyState;
}
export function Progress({ fraction, label, text, state = 'running' }: ProgressProps): React.JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return (
    <div className={`progress progress-${state}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={`${percent} %, ${text}`}>
      <div className="progress-bar" style={{ width: `${percent}%` }} />
    </div>
  );
}

/** Why there is nothing to see, and what to do about it. */
export function Empty({ title, children, action }: { readonly title: string; readonly children?: ReactNode; readonly action?: ReactNode }): React.JSX.Element {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
      {action !== undefined && <div className="empty-actions">{action}</div>}
    </div>
  );
}

/** A failure in words: which of "not there", "not allowed", "no answer" it is, and since when the data on the page is old. */
export function Failure({ error, at, retry, what }: { readonly error: Error; readonly at?: number | null; readonly retry?: () => void; readonly what: string }): React.JSX.Element {
  const status = error instanceof ApiError ? error.problem.status : null;
  const title = error instanceof Unreachable ? 'The service does not answer'
    : status === 404 ? `No such ${what}`
      : status === 401 || status === 403 ? `You may not see this ${what}`
        : `The ${what} could not be loaded`;
  return (
    <div className="failure" role="alert">
      <strong>{title}.</strong> {error.message}
      {at != null && <> What you see is from {new Date(at).toLocaleTimeString()}.</>}
      {error instanceof ApiError && error.problem.instance !== undefined && <span className="dim"> Request {error.problem.instance}.</span>}
      {retry && <button type="button" className="button button-small" onClick={retry}>Try again</button>}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }): React.JSX.Element {
  return <div className="loading" role="status">Loading {what}…</div>;
}

/** A chart's frame: title, one-sentence summary, the chart, and the same as a table. */
export function Figure({ title, summary, tools, children, table }: { readonly title: string; readonly summary: string; readonly tools?: ReactNode; readonly children: ReactNode; readonly table: ReactNode }): React.JSX.Element {
  return (
    <section className="panel figure" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {tools !== undefined && <div className="panel-tools">{tools}</div>}
      </header>
      {children}
      <p className="summary">{summary}</p>
      <details className="as-table">
        <summary>View as table</summary>
        {table}
      </details>
    </section>
  );
}
