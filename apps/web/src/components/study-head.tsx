import { useEffect, useState } from 'react';
import type { StudyAction, StudyDetail } from '@app/contracts';
import { act } from '../api/endpoints.js';
import type { LinkState } from '../api/events.js';
import { columnLabel } from '../format/names.js';
import { formatCount, formatDuration, formatNumber, formatRange } from '../format/number.js';
import { useNow } from '../state/clock.js';
import { go } from '../state/location.js';
import type { StudyData } from '../state/study-data.js';
import { Mark, Progress, StateChip } from './basics.js';

const ACTION_LABEL: Readonly<Record<StudyAction, readonly [string, string]>> = {
  start: ['Start', 'Put the draft in the queue'],
  pause: ['Pause', 'Take up no further trials for now'],
  resume: ['Resume', 'Go on with the search'],
  stop: ['Stop', 'Let running trials finish, then end'],
  cancel: ['Cancel', 'End now; running trials are lost'],
  clone: ['Clone', 'A new study from this specification'],
};

const LINK_LABEL: Readonly<Record<LinkState, string>> = { connecting: 'connecting…', live: 'live', reconnecting: 'reconnecting…', polling: 'polling every 3 s' };

export function StudyHead({ detail, data }: { readonly detail: StudyDetail; readonly data: StudyData }): React.JSX.Element {
  const { counts, progress } = detail;
  const eta = detail.state === 'running' ? (progress.etaSeconds ? `${formatRange(progress.etaSeconds)} left` : 'time left known after 5 trials') : detail.state;
  const rate = progress.trialsPerSecond;
  return (
    <header className="study-head">
      <div className="study-title">
        <h1>{detail.name}</h1>
        <StateChip state={detail.state} />
        {data.link !== null && <span className={`link link-${data.link}`} role="status"><i aria-hidden="true" />{LINK_LABEL[data.link]}</span>}
        <Actions detail={detail} data={data} />
      </div>
      {(detail.message ?? detail.reason) !== null && <p className={detail.state === 'failed' ? 'note note-bad' : 'note'}>{detail.message ?? detail.reason}</p>}
      <div className="study-progress">
        <Progress fraction={progress.fraction} state={detail.state} label="Budget used" text={eta} />
        <span><strong>{Math.round(progress.fraction * 100)}&nbsp;%</strong> of {progress.binding === 'trials' ? `${formatCount(detail.spec.budget.maxTrials)} trials` : 'the time'}</span>
        <span className="dim">{eta}{rate !== null && detail.state === 'running' && <> · {rate >= 1 ? `${formatNumber(rate, 2)} trials/s` : `${formatDuration(1 / rate)} a trial`}</>}</span>
      </div>
      <dl className="facts">
        <div><dt>Trials</dt><dd className="counts">
          <span title="completed"><Mark kind="dominated" />{formatCount(counts.completed)}<em>completed</em></span>
          <span title="infeasible"><Mark kind="infeasible" />{formatCount(counts.infeasible)}<em>infeasible</em></span>
          <span title="failed"><Mark kind="failed" />{formatCount(counts.failed + counts.cancelled)}<em>failed</em></span>
          <span title="running and pending"><Mark kind="open" />{formatCount(counts.running + counts.pending)}<em>open</em></span>
          {progress.screened > 0 && <span title="passed over before they became trials: what is computed of them breaks a limit">{formatCount(progress.screened)}<em>screened</em></span>}
        </dd></div>
        <div><dt>Front</dt><dd><Mark kind="front" />{formatCount(detail.frontSize)}</dd></div>
        <div><dt>Hypervolume</dt><dd>{formatNumber(detail.hypervolume, 4)}</dd></div>
        <div><dt>Ran</dt><dd><Elapsed detail={detail} /></dd></div>
        <div><dt>Space</dt><dd>{detail.space}</dd></div>
        <div><dt>Algorithm</dt><dd>{detail.algorithm}</dd></div>
        {detail.devices.length > 0 && <div><dt>{detail.devices.length === 1 ? 'Device' : 'Devices'}</dt><dd>{detail.devices.join(', ')}</dd></div>}
      </dl>
      <Announcer detail={detail} />
    </header>
  );
}

function Elapsed({ detail }: { readonly detail: StudyDetail }): React.JSX.Element {
  const now = useNow(1000);
  const [base, setBase] = useState({ seconds: detail.runningSeconds, at: now });
  useEffect(() => setBase({ seconds: detail.runningSeconds, at: Date.now() }), [detail.runningSeconds]);
  const ticking = detail.state === 'running' || detail.state === 'stopping';
  return <>{formatDuration(base.seconds + (ticking ? Math.max(0, now - base.at) / 1000 : 0))}</>;
}

function Actions({ detail, data }: { readonly detail: StudyDetail; readonly data: StudyData }): React.JSX.Element {
  const [busy, setBusy] = useState<StudyAction | null>(null);
  const [sure, setSure] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (action: StudyAction): Promise<void> => {
    if (action === 'clone') return go(`/studies/new?from=${detail.id}`);
    if (action === 'cancel' && !sure) return setSure(true);
    setSure(false);
    setBusy(action);
    setError(null);
    try {
      await act(detail.id, action);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setBusy(null);
      data.study.reload();
    }
  };
  return (
    <div className="actions">
      {error !== null && <span className="field-error" role="alert">{error}</span>}
      {detail.allowedActions.map((action) => (
        <button key={action} type="button" className={`button${action === 'start' || action === 'resume' ? ' button-primary' : ''}${action === 'cancel' ? ' button-danger' : ''}`} title={ACTION_LABEL[action][1]} disabled={busy !== null} onClick={() => void run(action)} onBlur={action === 'cancel' ? () => setSure(false) : undefined}>
          {busy === action ? '…' : action === 'cancel' && sure ? 'Really cancel?' : ACTION_LABEL[action][0]}
        </button>
      ))}
    </div>
  );
}

const ANNOUNCE_MS = 10_000;

/** Tells a screen reader how things stand, at most every ten seconds, and only when they changed. */
function Announcer({ detail }: { readonly detail: StudyDetail }): React.JSX.Element {
  const text = `${detail.state}, ${Math.round(detail.progress.fraction * 100)} percent, ${detail.frontSize} trials on the front of ${detail.objectives.map((o) => columnLabel(o.key)).join(', ')}`;
  const [said, setSaid] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), ANNOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <p className="visually-hidden" role="status" aria-live="polite">{said}</p>;
}
